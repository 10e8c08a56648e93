// The way of a media packet allocates nothing: decrypted, routed to thirty viewers, kept for repairs, encrypted for
// each and sent, with everything on that calls have (RTX, transport-wide numbers, levels, feedback). A program of its
// own, since it counts what the whole program allocates, OpenSSL included.
#include <gtest/gtest.h>
#include <openssl/crypto.h>

#include <atomic>
#include <cstdlib>
#include <memory>
#include <new>
#include <unordered_map>
#include <vector>

#include "crypto/srtp.hpp"
#include "io/send_batch.hpp"
#include "router/harness.hpp"
#include "wire/twcc.hpp"

namespace {

std::atomic<bool> counting = false;
std::atomic<std::uint64_t> allocations = 0;

void* Counted(std::size_t size) {
  if (counting.load(std::memory_order_relaxed)) {
    allocations.fetch_add(1, std::memory_order_relaxed);
  }
  void* memory = std::malloc(size == 0 ? 1 : size);  // NOLINT(cppcoreguidelines-no-malloc): this is operator new
  if (memory == nullptr) {
    std::abort();
  }
  return memory;
}

// Before anything of OpenSSL is used.
const int openssl_is_counted =
    CRYPTO_set_mem_functions([](std::size_t size, const char* /*file*/, int /*line*/) { return Counted(size); },
                             [](void* memory, std::size_t size, const char* /*file*/, int /*line*/) -> void* {
                               allocations.fetch_add(counting ? 1 : 0);
                               return std::realloc(memory, size);  // NOLINT(cppcoreguidelines-no-malloc)
                             },
                             [](void* memory, const char* /*file*/, int /*line*/) {
                               std::free(memory);
                             });  // NOLINT(cppcoreguidelines-no-malloc)

}  // namespace

void* operator new(std::size_t size) { return Counted(size); }
void* operator new[](std::size_t size) { return Counted(size); }
void* operator new(std::size_t size, const std::nothrow_t& /*tag*/) noexcept { return Counted(size); }
void* operator new[](std::size_t size, const std::nothrow_t& /*tag*/) noexcept { return Counted(size); }
void operator delete(void* memory) noexcept { std::free(memory); }    // NOLINT(cppcoreguidelines-no-malloc)
void operator delete[](void* memory) noexcept { std::free(memory); }  // NOLINT(cppcoreguidelines-no-malloc)
void operator delete(void* memory, std::size_t /*size*/) noexcept { operator delete(memory); }
void operator delete[](void* memory, std::size_t /*size*/) noexcept { operator delete[](memory); }

namespace tertulia::test {
namespace {

constexpr Handle kPublisher = 1, kVoice = 11, kCamera = 12, kFirstViewer = 100, kFirstSlot = 1'000;
constexpr std::size_t kViewers = 30;
constexpr TimeUs kFrame = 40 * kMillisecond;

// Takes what is sent to it, and counts it.
class Viewer : public Sealer {
 public:
  Viewer(std::size_t number, Bytes key)
      : sender_(SrtpSender::Create(SrtpProfile::kAeadAes128Gcm, key)),
        destination(
            {Address::V4(127, 0, 0, 1, 7'882), Address::V4(192, 0, 2, 1, static_cast<std::uint16_t>(10'000 + number))},
            this) {}
  std::size_t Seal(Bytes header, Bytes payload, MutableBytes out) override {
    const SrtpResult result = sender_->Protect(header, payload, out);
    sealed += result.ok() ? 1 : 0;
    return result.ok() ? result.size : 0;
  }

 private:
  std::unique_ptr<SrtpSender> sender_;

 public:
  Destination destination;
  std::uint64_t sealed = 0;
};

class Sink : public RouterOutput {
 public:
  explicit Sink(Bytes lasting)
      : batch([](mmsghdr*, unsigned count) { return static_cast<int>(count); }, true, lasting) {}

  void SendRtp(Handle session, std::span<const std::uint8_t> header, std::span<const std::uint8_t> payload) override {
    batch.AddRtp(viewers[session - kFirstViewer]->destination, header, payload, SendPriority::kNormal);
  }
  void SendRtcp(Handle /*session*/, std::span<const std::uint8_t> /*packet*/) override {}
  void OnSlotSwitched(Handle /*slot*/, Handle /*source*/, std::uint32_t /*timestamp*/) override {}
  void OnSourceActive(Handle /*source*/, bool /*active*/) override {}
  void OnSlotUnsupported(Handle /*slot*/, Handle /*source*/) override {}
  void OnSlotPaused(Handle /*slot*/, bool /*paused*/) override {}
  void OnLayersWanted(Handle /*source*/, std::uint32_t /*layers*/) override {}
  void OnSpeakers(const std::vector<std::pair<Handle, std::uint8_t>>& /*speakers*/) override {}

  std::vector<std::unique_ptr<Viewer>> viewers;
  SendBatch batch;
};

class PacketPath : public testing::Test {
 protected:
  PacketPath()
      : key_(28, 0x5A),
        sink_(received_),
        router_(sink_, 1'700'000'000'000'000),
        publisher_(SrtpSender::Create(SrtpProfile::kAeadAes128Gcm, key_)),
        receiver_(SrtpReceiver::Create(SrtpProfile::kAeadAes128Gcm, key_)) {
    router_.AddSession(kPublisher, PublisherMedia());
    router_.SetSessionReady(kPublisher, now_);
    SourceConfig voice{kVoice, 700, "0", Kind::kAudio, {}, {}, {}, {}, true};
    voice.payloads = {{111, Codec::kOpus, kOpusFormat, 48'000, 0}};
    router_.AddSource(kPublisher, voice);
    SourceConfig camera{kCamera, 701, "1", Kind::kVideo, {}, {}, {}, {}, true};
    camera.payloads = {{96, Codec::kVp8, kVp8Format, 90'000, 0}, {97, Codec::kRtx, 0, 90'000, 96}};
    router_.AddSource(kPublisher, camera);
    for (std::size_t i = 0; i < kViewers; ++i) {
      AddViewer(i);
    }
  }

  void AddViewer(std::size_t number) {
    sink_.viewers.push_back(std::make_unique<Viewer>(number, key_));
    const Handle session = kFirstViewer + number;
    router_.AddSession(session, ViewerMedia());
    router_.SetSessionReady(session, now_);
    for (const Kind kind : {Kind::kAudio, Kind::kVideo}) {
      SlotConfig slot;
      slot.slot = kFirstSlot + number * 2 + (kind == Kind::kVideo ? 1 : 0);
      slot.session = session;
      slot.mid = kind == Kind::kVideo ? "5" : "4";
      slot.kind = kind;
      slot.ssrc = static_cast<std::uint32_t>(0x5000 + slot.slot);
      slot.rtx_ssrc = slot.ssrc + 0x10'000;
      slot.cname = "c";
      slot.stamp = SendStamp::kTransportCc;
      slot.payloads = {{kind == Kind::kVideo ? kVp8Format : kOpusFormat, kind == Kind::kVideo ? 120 : 109}};
      slot.rtx_payloads = {{120, 121}, {109, 110}};
      router_.AddSlot(slot);
      router_.SetSlot(slot.slot, kind == Kind::kVideo ? kCamera : kVoice, now_);
    }
  }

  // One packet as it travels; made without being counted.
  void Receive(const PacketSpec& spec) {
    counting = false;
    const std::vector<std::uint8_t> plain = Build(spec);
    const auto view = RtpView::Parse(plain);
    const std::size_t header = view->header().size();
    const SrtpResult sealed = publisher_->Protect(Bytes(plain).first(header), Bytes(plain).subspan(header), received_);
    ASSERT_TRUE(sealed.ok());
    counting = measuring_;
    const SrtpResult opened = receiver_->Unprotect(MutableBytes(received_).first(sealed.size));
    router_.ReceiveRtp(kPublisher, MutableBytes(received_).first(opened.size), now_);
    sink_.batch.Flush();
    counting = false;
  }

  // 25 pictures a second of six packets, and sound.
  void Play(TimeUs length) {
    for (const TimeUs end = now_ + length; now_ < end; now_ += kFrame) {
      while (router_.NextWakeup() <= now_) {
        router_.Advance(now_);
      }
      sink_.batch.Flush();
      for (int i = 0; i < 2; ++i) {
        PacketSpec sound;
        sound.ssrc = 0xA;
        sound.sequence = voice_sequence_++;
        sound.timestamp = static_cast<std::uint32_t>(now_ * 48 / 1'000 + i * 960);
        sound.payload_type = 111;
        sound.level = 30;
        sound.mid = "0";
        sound.transport_sequence = transport_sequence_++;
        sound.payload.assign(90, 0x42);
        Receive(sound);
      }
      ++picture_;
      for (int i = 0; i < 6; ++i) {
        PacketSpec packet;
        packet.ssrc = 0xB;
        packet.sequence = camera_sequence_++;
        packet.timestamp = static_cast<std::uint32_t>(now_ * 9 / 100);
        packet.payload_type = 96;
        packet.marker = i == 5;
        packet.mid = "1";
        packet.transport_sequence = transport_sequence_++;
        Vp8Spec vp8;
        vp8.picture_id = static_cast<std::uint16_t>(picture_ & 0x7FFF);
        vp8.tl0_index = static_cast<std::uint8_t>(picture_);
        vp8.start = i == 0;
        vp8.key_frame = picture_ % 25 == 1;
        packet.payload = Vp8Payload(vp8);
        packet.payload.resize(1'060);
        Receive(packet);
      }
    }
  }

  [[nodiscard]] std::uint64_t Sealed() const {
    std::uint64_t sum = 0;
    for (const auto& viewer : sink_.viewers) {
      sum += viewer->sealed;
    }
    return sum;
  }

  bool measuring_ = false;

 private:
  TimeUs now_ = 10 * kSecond;
  std::vector<std::uint8_t> key_;
  std::array<std::uint8_t, 1'500> received_{};
  Sink sink_;
  Router router_;
  std::unique_ptr<SrtpSender> publisher_;
  std::unique_ptr<SrtpReceiver> receiver_;
  std::uint16_t voice_sequence_ = 0, camera_sequence_ = 0, transport_sequence_ = 0;
  unsigned picture_ = 0;
};

TEST_F(PacketPath, AllocatesNothing) {
  ASSERT_EQ(openssl_is_counted, 1);
  // Who gives no feedback is believed after some seconds; then rings and histories grow to what the rate needs.
  Play(12 * kSecond);
  const std::uint64_t before = Sealed();
  measuring_ = true;
  Play(2 * kSecond);
  EXPECT_EQ(Sealed() - before, 50U * (2 + 6) * kViewers);
  EXPECT_EQ(allocations.load(), 0U);
  // The count counts.
  counting = true;
  const auto something = std::make_unique<std::vector<int>>(10);
  counting = false;
  EXPECT_EQ(allocations.load(), 2U);
}

}  // namespace
}  // namespace tertulia::test
