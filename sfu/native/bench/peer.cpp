#include "peer.hpp"

#include <array>
#include <chrono>
#include <optional>
#include <utility>

#include "wire/ext.hpp"
#include "wire/rtp.hpp"

namespace tertulia::load {

namespace {

constexpr std::uint32_t kReceiverSsrc = 1;  // a receiver without senders may use any (Chromium uses 1)
constexpr std::int64_t kReportEvery = 1'000'000'000;
constexpr std::uint64_t kNtpEpochOffset = 2'208'988'800;  // seconds from 1900 to 1970 (RFC 868)

std::uint64_t NtpNow() {
  const auto since_1970 = std::chrono::system_clock::now().time_since_epoch();
  const auto ns = static_cast<std::uint64_t>(std::chrono::nanoseconds(since_1970).count());
  const std::uint64_t fraction = ((ns % 1'000'000'000) << 32) / 1'000'000'000;
  return (ns / 1'000'000'000 + kNtpEpochOffset) << 32 | fraction;
}

}  // namespace

Peer::Peer(std::uint32_t id, std::string ufrag, std::string pwd)
    : id_(id), transport_(std::move(ufrag), std::move(pwd), *this) {}

SyntheticSource& Peer::AddSource(SourceOptions options) {
  return *sources_.emplace_back(std::make_unique<SyntheticSource>(std::move(options)));
}

void Peer::AddSlot(Kind kind, std::uint32_t ssrc, Truth& truth) {
  slots_.push_back({ssrc, StreamMeter(kind, truth), 0, 0});
}

void Peer::GiveFeedback(std::uint8_t extension_id) {
  feedback_id_ = extension_id;
  feedback_ = std::make_unique<TwccRecorder>();
}

void Peer::Send(std::size_t index, const Fragment& fragment, std::int64_t now_ns) {
  std::array<std::uint8_t, SendBatch::kPacketBytes> packet{};
  const std::size_t header = sources_[index]->Write(fragment, transport_sequence_++, now_ns, packet);
  const Bytes all = Bytes(packet).first(fragment.packet_bytes);
  transport_.QueueRtp(all.first(header), all.subspan(header));
}

void Peer::Advance(std::int64_t now_ns) {
  transport_.Advance(now_ns);
  if (!connected()) return;
  if (feedback_ != nullptr && feedback_->due_us() <= now_ns / 1'000) SendFeedback();
  if (next_report_ns_ == 0) {
    // Spread: reports of many viewers do not come at one moment.
    next_report_ns_ = now_ns + (id_ * 37 % 100) * (kReportEvery / 100);
  }
  if (now_ns < next_report_ns_) return;
  next_report_ns_ += kReportEvery;
  SendReports(now_ns);
}

void Peer::OnRtp(MutableBytes packet, std::int64_t now_ns) {
  const std::optional<RtpView> view = RtpView::ParseHeader(packet);
  if (!view.has_value()) return;
  if (feedback_ != nullptr) {
    const auto number = ParseTransportCc(view->extensions().Find(feedback_id_).value_or(Bytes()));
    if (number.has_value()) {
      feedback_->Record(*number, view->ssrc(), now_ns / 1'000);
    }
  }
  for (SlotState& slot : slots_) {
    if (slot.ssrc != view->ssrc()) continue;
    const PacketFields fields{view->sequence(), view->timestamp(), view->csrc_count() > 0 ? view->csrc(0) : 0};
    if (!slot.meter.Count(fields, packet.size(), now_ns)) return;
    const std::optional<Bytes> plain = transport_.Unprotect(packet);
    const std::optional<RtpView> opened = plain.has_value() ? RtpView::Parse(*plain) : std::nullopt;
    if (opened.has_value()) {
      slot.meter.Verify(fields, opened->payload());
    } else {
      slot.meter.OnUndecryptable();
    }
    return;
  }
}

void Peer::OnRtcp(MutableBytes compound, std::int64_t now_ns) {
  rtcp::CompoundReader reader(compound);
  rtcp::Packet packet;
  while (reader.Next(packet)) {
    if (const auto report = rtcp::ParseSenderReport(packet); report.has_value()) {
      for (SlotState& slot : slots_) {
        if (slot.ssrc != report->info.ssrc) continue;
        slot.last_sr = static_cast<std::uint32_t>(report->info.ntp >> 16);
        slot.last_sr_ns = now_ns;
      }
    } else if (const auto pli = rtcp::ParsePli(packet); pli.has_value()) {
      for (const auto& source : sources_) {
        if (source->options().ssrc == pli->media_ssrc) source->RequestKeyFrame();
      }
    } else if (const auto fir = rtcp::ParseFir(packet); fir.has_value()) {
      for (std::size_t i = 0; i < fir->size(); ++i) {
        for (const auto& source : sources_) {
          if (source->options().ssrc == (*fir)[i].ssrc) source->RequestKeyFrame();
        }
      }
    }
  }
}

void Peer::SendReports(std::int64_t now_ns) {
  std::array<std::uint8_t, 1200> buffer{};
  rtcp::Writer writer(buffer);
  if (!sources_.empty()) AddSenderReports(writer, now_ns);
  if (!slots_.empty()) AddReceiverReport(writer, now_ns);
  if (!writer.empty()) transport_.SendRtcp(writer.written());
}

void Peer::SendFeedback() {
  std::array<std::uint8_t, 1200> buffer{};
  while (true) {
    rtcp::Writer writer(buffer);
    writer.AddReceiverReport(kReceiverSsrc);
    const std::size_t size = feedback_->Write(writer.rest(), kReceiverSsrc);
    if (size == 0) return;
    writer.Advance(size);
    transport_.SendRtcp(writer.written());
  }
}

void Peer::AddSenderReports(rtcp::Writer& writer, std::int64_t now_ns) const {
  for (const auto& source : sources_) {
    if (source->packets() == 0) continue;
    const std::int64_t rate_khz = source->options().kind == Kind::kVideo ? 90 : 48;
    const std::int64_t since = (now_ns - source->last_sent_ns()) / 1000 * rate_khz / 1000;
    rtcp::SenderInfo info;
    info.ssrc = source->options().ssrc;
    info.ntp = NtpNow();
    info.rtp_timestamp = source->last_rtp_timestamp() + static_cast<std::uint32_t>(since);
    info.packets = static_cast<std::uint32_t>(source->packets());
    info.octets = static_cast<std::uint32_t>(source->bytes());
    writer.AddSenderReport(info);
    writer.AddSdesCname(info.ssrc, "load" + std::to_string(id_));
  }
}

void Peer::AddReceiverReport(rtcp::Writer& writer, std::int64_t now_ns) {
  std::vector<rtcp::ReportBlock> blocks;
  for (SlotState& slot : slots_) {
    if (!slot.meter.started()) continue;
    const Reception reception = slot.meter.Report();
    rtcp::ReportBlock block;
    block.ssrc = slot.ssrc;
    block.fraction_lost = reception.fraction_lost;
    block.cumulative_lost = reception.cumulative_lost;
    block.highest_sequence = reception.highest_sequence;
    block.jitter = reception.jitter;
    block.last_sr = slot.last_sr;
    if (slot.last_sr != 0) {
      block.delay_since_last_sr = static_cast<std::uint32_t>((now_ns - slot.last_sr_ns) / 1000 * 65'536 / 1'000'000);
    }
    blocks.push_back(block);
  }
  writer.AddReceiverReport(kReceiverSsrc, blocks);
  writer.AddSdesCname(kReceiverSsrc, "load" + std::to_string(id_));
}

}  // namespace tertulia::load
