// The router fed with generated packets, feedback and time steps: whatever arrives in whatever order, each slot's
// stream keeps its promises. A second router stands at the far end of a relay that loses packets, with a viewer of its
// own. The input is a program of small steps, so that the fuzzer finds sequences rather than headers.
#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <unordered_map>
#include <vector>

#include "input.hpp"
#include "tertulia/router.hpp"
#include "wire/rtcp.hpp"
#include "wire/rtp.hpp"
#include "wire/twcc.hpp"
#include "wire/vp8.hpp"

namespace tertulia {
namespace {

constexpr Handle kPublishers = 2, kViewer = 9;
constexpr Handle kFirstSource = 10, kFirstSlot = 30;
constexpr std::uint8_t kTransportCcId = 1 + static_cast<std::uint8_t>(Ext::kTransportCc);
constexpr std::uint32_t kFirstCsrc = 0x1000, kFirstSlotSsrc = 0x2000, kFirstRtxSsrc = 0x2100;

// Checks what the router sends.
class Checker : public RouterOutput {
 public:
  void SendRtp(Handle session, std::span<const std::uint8_t> header, std::span<const std::uint8_t> payload) override {
    FUZZ_CHECK(session == kViewer);
    std::vector<std::uint8_t> bytes(header.begin(), header.end());
    bytes.insert(bytes.end(), payload.begin(), payload.end());
    const auto view = RtpView::Parse(bytes);
    FUZZ_CHECK(view.has_value() && view->header().size() == header.size());
    FUZZ_CHECK(!payload.empty() && view->csrc_count() == 1);
    CheckStamp(*view);
    if (view->ssrc() >= kFirstRtxSsrc) {
      CheckResent(*view);
      return;
    }
    FUZZ_CHECK(view->padding_size() == 0);
    const std::uint32_t slot = view->ssrc() - kFirstSlotSsrc;
    FUZZ_CHECK(slot < 2);
    Stream& stream = streams_[slot];
    // Always the source that was set, and never one that was paused or taken away.
    FUZZ_CHECK(stream.csrc != 0 && view->csrc(0) == stream.csrc);
    // A number is used once: the same bytes twice would be harmless, different bytes would not.
    const auto step = static_cast<std::int16_t>(view->sequence() - stream.sequence);
    if (!stream.started || step > 0) {
      FUZZ_CHECK(!stream.started || static_cast<std::int32_t>(view->timestamp() - stream.timestamp) >= 0 ||
                 stream.wild);
      stream.sequence = view->sequence();
      stream.timestamp = view->timestamp();
      stream.started = true;
    }
    FUZZ_CHECK(stream.sent.emplace(view->sequence(), Sent(*view)).second);
    if (stream.sent.size() > 30'000) {
      stream.sent.clear();
      stream.forgotten = true;
    }
    if (slot == 1 && stream.gated) {
      FUZZ_CHECK(IsVp8KeyFrame(payload));
    }
    stream.gated = false;
  }
  void SendRtcp(Handle session, std::span<const std::uint8_t> packet) override {
    FUZZ_CHECK(session != 0 && packet.size() <= 1'200);
    rtcp::CompoundReader reader(packet);
    rtcp::Packet part;
    bool first = true;
    while (reader.Next(part)) {
      FUZZ_CHECK(!first || part.type == rtcp::Type::kSenderReport || part.type == rtcp::Type::kReceiverReport);
      first = false;
      if (rtcp::ParsePli(part)) {
        // A publisher has one camera here, and an encoder drops what follows too soon.
        const auto last = last_pli_.find(session);
        FUZZ_CHECK(last == last_pli_.end() || now - last->second >= 300'000);
        last_pli_[session] = now;
      }
    }
    FUZZ_CHECK(!reader.malformed() && !first);
    if (session != kViewer) {
      asked.emplace_back(session, std::vector<std::uint8_t>(packet.begin(), packet.end()));
    }
  }
  void OnSlotSwitched(Handle slot, Handle source, std::uint32_t) override {
    FUZZ_CHECK(slot == kFirstSlot || slot == kFirstSlot + 1);
    FUZZ_CHECK(source == 0 || kFirstCsrc + static_cast<std::uint32_t>(source) == streams_[slot - kFirstSlot].csrc);
    if (source == 0) {
      streams_[slot - kFirstSlot].csrc = 0;
    }
  }
  void OnSourceActive(Handle, bool) override {}
  void OnSlotUnsupported(Handle, Handle) override {}
  void OnSlotPaused(Handle, bool) override {}
  void OnLayersWanted(Handle, std::uint32_t) override {}
  void OnSpeakers(const std::vector<std::pair<Handle, std::uint8_t>>& speakers) override {
    FUZZ_CHECK(speakers.size() <= 2);
  }

  void Set(std::size_t slot, Handle source) {
    Stream& stream = streams_[slot];
    const std::uint32_t csrc = kFirstCsrc + static_cast<std::uint32_t>(source);
    if (stream.csrc != csrc) {
      stream.csrc = csrc;
      stream.gated = true;
    }
  }
  [[nodiscard]] std::uint16_t Newest(std::size_t slot) const { return streams_[slot].sequence; }
  void ForgetRequests(Handle session) { last_pli_.erase(session); }
  // Timestamps were made to jump: a source that says nonsense gets nonsense through.
  void Wild() {
    for (Stream& stream : streams_) {
      stream.wild = true;
    }
  }

  // What was last sent to the viewer: its transport-wide number.
  [[nodiscard]] std::uint16_t newest_number() const { return number_; }

  std::int64_t now = 1'000'000;
  std::vector<std::pair<Handle, std::vector<std::uint8_t>>> asked;  // of publishers, since it was emptied
  bool stamped = false;

 private:
  // One counter over media, repairs and probes, without a gap.
  void CheckStamp(const RtpView& view) {
    if (stamped) {
      const auto number = ParseTransportCc(view.extensions().Find(kTransportCcId).value_or(Bytes()));
      FUZZ_CHECK(number.has_value() && *number == static_cast<std::uint16_t>(number_ + 1));
      number_ = *number;
    }
  }

  // What must be the same when a packet is sent again.
  struct Sent {
    explicit Sent(const RtpView& view)
        : timestamp(view.timestamp()),
          marker(view.marker()),
          csrc(view.csrc(0)),
          payload(view.payload().begin(), view.payload().end()) {}
    std::uint32_t timestamp;
    bool marker;
    std::uint32_t csrc;
    std::vector<std::uint8_t> payload;
  };

  void CheckResent(const RtpView& view) {
    const std::uint32_t slot = view.ssrc() - kFirstRtxSsrc;
    FUZZ_CHECK(slot < 2);
    Stream& stream = streams_[slot];
    // Its own numbers, one after the other.
    FUZZ_CHECK(!stream.resent || view.sequence() == static_cast<std::uint16_t>(*stream.resent + 1));
    stream.resent = view.sequence();
    if (view.padding_size() > 0) {
      FUZZ_CHECK(stamped && view.payload().empty());  // a probe
      return;
    }
    FUZZ_CHECK(view.payload().size() > 2);
    FUZZ_CHECK(view.csrc(0) == stream.csrc);
    const auto original = stream.sent.find(ReadU16(view.payload().data()));
    if (original == stream.sent.end()) {
      FUZZ_CHECK(stream.forgotten);
      return;
    }
    const Sent& sent = original->second;
    FUZZ_CHECK(sent.timestamp == view.timestamp() && sent.marker == view.marker() && sent.csrc == view.csrc(0));
    FUZZ_CHECK(std::ranges::equal(sent.payload, view.payload().subspan(2)));
  }

  struct Stream {
    std::uint32_t csrc = 0;
    bool gated = true, started = false, wild = false;
    std::uint16_t sequence = 0;
    std::uint32_t timestamp = 0;
    bool forgotten = false;
    std::optional<std::uint16_t> resent;
    std::unordered_map<std::uint16_t, Sent> sent;
  };
  std::array<Stream, 2> streams_;
  std::unordered_map<Handle, std::int64_t> last_pli_;
  std::uint16_t number_ = UINT16_MAX;
};

using fuzz::Input;

std::vector<std::uint8_t> Copy(Bytes bytes) { return {bytes.begin(), bytes.end()}; }

// Handles of sources: two a publisher, voice and camera.
Handle Voice(Handle publisher) { return kFirstSource + publisher * 2; }
Handle Camera(Handle publisher) { return kFirstSource + publisher * 2 + 1; }

MediaConfig Media() {
  MediaConfig media;
  for (std::size_t i = 0; i < media.extensions.id.size(); ++i) {
    media.extensions.id[i] = static_cast<std::uint8_t>(i + 1);
  }
  media.transport_cc = true;
  return media;
}

// A router with its viewer. Publishers are those of the room, or their mirrors.
struct Side {
  Side(bool red, SendStamp stamp, bool home) : router(output, 1'700'000'000'000'000) {
    output.stamped = stamp == SendStamp::kTransportCc;
    MediaConfig media = Media();
    media.transport_cc = home;  // on arrival feedback is given where the publisher sends to
    for (Handle publisher = 1; publisher <= kPublishers; ++publisher) {
      router.AddSession(publisher, media);
      router.SetSessionReady(publisher, output.now);
      AddSources(publisher);
    }
    router.AddSession(kViewer, Media());
    router.SetSessionReady(kViewer, output.now);
    for (const Kind kind : {Kind::kAudio, Kind::kVideo}) {
      const auto index = static_cast<std::uint32_t>(kind);
      SlotConfig slot;
      slot.slot = kFirstSlot + index;
      slot.session = kViewer;
      slot.mid = index == 0 ? "a" : "v";
      slot.kind = kind;
      slot.ssrc = kFirstSlotSsrc + index;
      slot.rtx_ssrc = kFirstRtxSsrc + index;
      slot.cname = "c";
      slot.stamp = stamp;
      slot.payloads = {{1, 100}, {2, 101}};
      slot.rtx_payloads = {{100, 102}, {101, 103}, {104, 105}};
      if (red) {
        slot.payloads.emplace_back(4, 104);
      }
      router.AddSlot(slot);
    }
  }

  void AddSources(Handle publisher) {
    SourceConfig voice{Voice(publisher), Csrc(Voice(publisher)), "a", Kind::kAudio, {}, {}, {}, {}};
    voice.payloads = {{111, Codec::kOpus, 1, 48'000, 0}, {63, Codec::kRed, 4, 48'000, 0}};
    voice.nack = true;
    SourceConfig camera{Camera(publisher), Csrc(Camera(publisher)), "v", Kind::kVideo, {"q", "h"}, {}, {}, {}};
    camera.nack = true;
    camera.payloads = {{96, Codec::kVp8, 2, 90'000, 0}, {97, Codec::kRtx, 0, 90'000, 96}};
    router.AddSource(publisher, voice);
    router.AddSource(publisher, camera);
  }
  static std::uint32_t Csrc(Handle source) { return kFirstCsrc + static_cast<std::uint32_t>(source); }

  void Show(std::size_t slot, Handle source) {
    output.Set(slot, source);
    router.SetSlot(kFirstSlot + slot, source, output.now);
  }
  void Receive(Handle publisher, std::vector<std::uint8_t> bytes) { router.ReceiveRtp(publisher, bytes, output.now); }

  // As a worker does: until nothing is due.
  void Settle() {
    for (int i = 0; router.NextWakeup() <= output.now; ++i) {
      FUZZ_CHECK(i < 1'000);
      router.Advance(output.now);
    }
  }

  Checker output;
  Router router;
};

class Program {
 public:
  // Bits of `kind`: the viewers know redundant sound; they give transport-wide feedback, or REMB.
  explicit Program(std::uint8_t kind)
      : near_((kind & 1) != 0, Stamp(kind), true), far_((kind & 1) != 0, Stamp(kind), false) {}

  static SendStamp Stamp(std::uint8_t kind) {
    return (kind & 2) != 0 ? SendStamp::kTransportCc : (kind & 4) != 0 ? SendStamp::kAbsSendTime : SendStamp::kNone;
  }

  void Step(Input& input) {
    const std::uint8_t step = input.Byte();
    const Handle publisher = 1 + (step >> 4) % kPublishers;
    Side& side = (step & 0x20) != 0 ? far_ : near_;
    switch (step & 0x0F) {
      case 0:
      case 1:
      case 2:
        Send(publisher, input);
        break;
      case 3:
        (step & 0x80) != 0 ? Repair(publisher, input) : Send(publisher, input);
        break;
      case 4:
        Wait(input.Word() * 10);
        break;
      case 5:
        Wait(input.Word() * 100);
        break;
      case 6:
        side.Show(0, Voice(publisher));
        break;
      case 7:
        side.Show(1, Camera(publisher));
        break;
      case 8:
        side.router.SetSlot(kFirstSlot + (step >> 7), 0, side.output.now);
        break;
      case 9: {
        const Bytes bytes = input.Take(input.Byte());
        near_.router.ReceiveRtcp(publisher, bytes, near_.output.now);
        far_.router.ReceiveRtcp(publisher, bytes, far_.output.now);
        Wild();  // its clock may say anything
        break;
      }
      case 10:
        side.router.ReceiveRtcp(kViewer, input.Take(input.Byte()), side.output.now);
        break;
      case 11:
        Wild();
        Relay(publisher, Copy(input.Take(input.Byte())), (step & 0x40) != 0);
        break;
      case 12:
        near_.router.PauseSource(Camera(publisher), (step & 0x80) != 0);
        far_.router.PauseSource(Camera(publisher), (step & 0x80) != 0);
        break;
      case 13:
        SenderReport(publisher, input);
        break;
      case 14:
        for (Side* each : {&near_, &far_}) {
          each->router.RemoveSource(Camera(publisher));
          each->AddSources(publisher);
          each->output.ForgetRequests(publisher);
        }
        break;
      default:
        Feedback(side, step >> 6, input);
    }
    near_.Settle();
    far_.Settle();
    // What the far end asks of publishers comes back, and whatever else it might say.
    for (const auto& [session, bytes] : far_.output.asked) {
      near_.router.ReceiveRelayedRtcp(session, bytes, near_.output.now);
    }
    near_.Settle();
    near_.output.asked.clear();
    far_.output.asked.clear();
  }

 private:
  void Wait(std::int64_t us) {
    near_.output.now += us;
    far_.output.now = near_.output.now;
  }
  void Wild() {
    near_.output.Wild();
    far_.output.Wild();
  }
  // A packet arrives, and is passed on unless the relay's ring is full.
  void Relay(Handle publisher, std::vector<std::uint8_t> bytes, bool lost) {
    if (!lost) {
      far_.Receive(publisher, bytes);
    }
    near_.Receive(publisher, std::move(bytes));
  }

  // What a viewer says.
  void Feedback(Side& side, unsigned kind, Input& input) {
    switch (kind) {
      case 0:
        AskForKeyFrame(side);
        break;
      case 1: {
        const std::uint8_t wish = input.Byte();
        side.router.SetSlotView(kFirstSlot + 1, {(wish & 1) != 0, std::uint32_t{wish} << 10, wish}, side.output.now);
        side.router.SetSlotLayer(kFirstSlot + 1, (wish & 2) != 0 ? 0 : UINT8_MAX, (wish & 4) != 0 ? 0 : UINT8_MAX,
                                 side.output.now);
        break;
      }
      case 2:
        SayWhatArrived(side, input);
        break;
      default:
        AskAgain(side, input);
    }
  }

  // Transport-wide feedback about the last packets, lost and late as the input has it; or REMB, or a receiver report.
  void SayWhatArrived(Side& side, Input& input) {
    std::array<std::uint8_t, 512> buffer{};
    rtcp::Writer writer(buffer);
    const std::uint8_t shape = input.Byte();
    if ((shape & 0x80) != 0) {
      const std::array<std::uint32_t, 1> media = {kFirstSlotSsrc + 1};
      writer.AddRemb(1, std::uint64_t{input.Word()} * 100, media);
    } else if ((shape & 0x40) != 0) {
      rtcp::ReportBlock block;
      block.ssrc = kFirstSlotSsrc + (shape & 1);
      block.fraction_lost = input.Byte();
      block.last_sr = input.Long();
      writer.AddReceiverReport(1, std::span(&block, 1));
    } else {
      std::array<TimeUs, 64> arrivals{};
      const std::size_t count = 1 + shape % arrivals.size();
      TimeUs at = side.output.now;
      for (std::size_t i = 0; i < count; ++i) {
        const std::uint8_t how = input.Byte();
        at += how * 50;
        arrivals[i] = (how & 7) == 7 ? twcc::kNotReceived : at;
      }
      const auto base = static_cast<std::uint16_t>(side.output.newest_number() - count + 1 + input.Byte() / 64);
      const twcc::Built built =
          twcc::Build(buffer, 1, kFirstSlotSsrc, feedback_count_++, base, std::span(arrivals).first(count));
      side.router.ReceiveRtcp(kViewer, Bytes(buffer).first(built.bytes), side.output.now);
      return;
    }
    side.router.ReceiveRtcp(kViewer, writer.written(), side.output.now);
  }

  // A packet that is well formed in the main; bits of `shape` bend it.
  void Send(Handle publisher, Input& input) {
    const std::uint8_t shape = input.Byte();
    const unsigned stream = shape % 3;  // voice, q, h
    auto& sequence = sequences_[publisher][stream];
    RtpHeader header;
    header.sequence =
        static_cast<std::uint16_t>(sequence + static_cast<std::int8_t>((shape & 0x08) != 0 ? input.Byte() : 0));
    sequence = static_cast<std::uint16_t>(sequence + 1);
    header.timestamp = static_cast<std::uint32_t>(near_.output.now / 1'000 * (stream == 0 ? 48 : 90));
    const bool red = stream == 0 && (shape & 0x40) != 0;
    header.payload_type = stream > 0 ? 96 : red ? 63 : 111;
    header.ssrc = (shape & 0x10) != 0 ? input.Byte() : 0x100 + stream;
    header.marker = (shape & 0x20) != 0;
    static constexpr std::array<std::uint8_t, 3> kNames = {'a', 'v', 'v'};
    static constexpr std::array<std::uint8_t, 2> kRids = {'q', 'h'};
    const std::array<std::uint8_t, 2> number = {static_cast<std::uint8_t>(counter_ >> 8),
                                                static_cast<std::uint8_t>(counter_)};
    ++counter_;
    header.AddExtension(1, std::span(kNames).subspan(stream, 1));
    if (stream > 0) {
      header.AddExtension(2, std::span(kRids).subspan(stream - 1, 1));
    }
    header.AddExtension(5, number);
    std::vector<std::uint8_t> bytes(64);
    bytes.resize(header.Write(bytes));
    std::vector<std::uint8_t> payload;
    if (stream > 0) {
      payload = {static_cast<std::uint8_t>((shape & 0x40) != 0 ? 0x90 : 0x80),
                 0xF0,
                 static_cast<std::uint8_t>((shape & 0x80) != 0 ? 0x80 : 0x00),
                 1,
                 2,
                 3};
      payload.push_back((shape & 0x80) != 0 ? 0 : 1);
    }
    if (red) {
      const std::uint8_t size = shape >> 7;
      payload = {0x80 | 111, 960 >> 6, (960 << 2) & 0xFF, size, 111};
      payload.resize(payload.size() + size);
      Wild();  // what it repeats was not sent 20 ms before, as it says
    }
    const auto more = input.Take(shape & 0x07);
    payload.insert(payload.end(), more.begin(), more.end());
    bytes.insert(bytes.end(), payload.begin(), payload.end());
    Relay(publisher, std::move(bytes), (counter_ & 0x0F) == 0x0F);
  }

  // One of the camera's packets is sent again, or some bytes that say so.
  void Repair(Handle publisher, Input& input) {
    const std::uint8_t shape = input.Byte();
    const unsigned stream = 1 + shape % 2;  // q, h
    const auto original = static_cast<std::uint16_t>(sequences_[publisher][stream] - (shape >> 2));
    RtpHeader header;
    header.sequence = repairs_++;
    header.timestamp = static_cast<std::uint32_t>(near_.output.now / 1'000 * 90);
    header.payload_type = 97;
    header.ssrc = 0x200 + stream;
    static constexpr std::array<std::uint8_t, 3> kNames = {'v', 'q', 'h'};
    header.AddExtension(1, std::span(kNames).first(1));
    header.AddExtension(3, std::span(kNames).subspan(stream, 1));
    std::vector<std::uint8_t> bytes(64);
    bytes.resize(header.Write(bytes));
    bytes.push_back(static_cast<std::uint8_t>(original >> 8));
    bytes.push_back(static_cast<std::uint8_t>(original));
    const auto payload = input.Take(shape & 0x0F);
    bytes.insert(bytes.end(), payload.begin(), payload.end());
    Wild();  // its timestamp is not that of the packet it repairs
    Relay(publisher, std::move(bytes), false);
  }

  void SenderReport(Handle publisher, Input& input) {
    std::array<std::uint8_t, 64> buffer{};
    rtcp::Writer writer(buffer);
    const std::uint32_t stream = input.Byte() % 3;
    const std::int64_t now = near_.output.now;
    const auto ticks = static_cast<std::uint32_t>(now / 1'000 * (stream == 0 ? 48 : 90));
    const auto seconds = static_cast<std::uint64_t>(now / 1'000'000 + 4'000);
    const auto fraction = static_cast<std::uint64_t>(now % 1'000'000) * 4'294;
    writer.AddSenderReport({0x100 + stream, seconds << 32 | fraction, ticks, 1, 1});
    near_.router.ReceiveRtcp(publisher, writer.written(), now);
    far_.router.ReceiveRtcp(publisher, writer.written(), now);
  }

  static void AskForKeyFrame(Side& side) {
    std::array<std::uint8_t, 64> buffer{};
    rtcp::Writer writer(buffer);
    writer.AddPli(1, kFirstSlotSsrc + 1);
    side.router.ReceiveRtcp(kViewer, writer.written(), side.output.now);
  }

  static void AskAgain(Side& side, Input& input) {
    const std::uint32_t slot = input.Byte() % 2;
    std::array<std::uint16_t, 17> wanted{};
    const auto first = static_cast<std::uint16_t>(side.output.Newest(slot) - input.Byte());
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      wanted[i] = static_cast<std::uint16_t>(first + i);
    }
    std::array<std::uint8_t, 64> buffer{};
    rtcp::Writer writer(buffer);
    writer.AddNack(1, kFirstSlotSsrc + slot, std::span(wanted).first(1 + input.Byte() % wanted.size()));
    side.router.ReceiveRtcp(kViewer, writer.written(), side.output.now);
  }

  Side near_;
  Side far_;
  std::unordered_map<Handle, std::array<std::uint16_t, 3>> sequences_;
  std::uint16_t counter_ = 0;
  std::uint16_t repairs_ = 0;
  std::uint8_t feedback_count_ = 0;
};

}  // namespace
}  // namespace tertulia

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  tertulia::fuzz::Input input(data, size);
  tertulia::Program program(input.Byte());
  while (!input.empty()) {
    program.Step(input);
  }
  return 0;
}
