#include "emulator/viewer_model.hpp"

#include <algorithm>
#include <array>

#include "wire/demux.hpp"
#include "wire/red.hpp"
#include "wire/vp8.hpp"

namespace tertulia::test {
namespace {

constexpr std::uint32_t kViewerSsrc = 0x7777;

// Descriptor and frame header, which the content follows.
constexpr std::size_t kVp8Head = 16 + 4;

}  // namespace

TimeUs SlotModel::LongestGap(TimeUs begin, TimeUs end) const {
  TimeUs last = begin;
  TimeUs longest = 0;
  for (const ShownFrame& frame : frames) {
    if (frame.at > begin && frame.at <= end) {
      longest = std::max(longest, frame.at - last);
      last = frame.at;
    }
  }
  return std::max(longest, end - last);
}

std::size_t SlotModel::Unheard(const std::vector<TimeUs>& captured, TimeUs begin, TimeUs end, TimeUs delay) const {
  std::vector<TimeUs> heard(captured.size(), kNever);
  for (const ShownFrame& frame : frames) {
    heard[frame.frame] = std::min(heard[frame.frame], frame.at);
  }
  std::size_t unheard = 0;
  for (std::size_t i = 0; i < captured.size(); ++i) {
    const bool counts = captured[i] >= begin && captured[i] < end;
    unheard += counts && (heard[i] == kNever || heard[i] - captured[i] > delay) ? 1 : 0;
  }
  return unheard;
}

bool SlotModel::Insert(std::int64_t sequence, const Packet& packet, TimeUs now) {
  if (!seen_.insert(sequence).second) {
    return false;
  }
  if (!newest_) {
    first_ = sequence;
  }
  for (std::int64_t i = newest_ ? *newest_ + 1 : sequence; i < sequence; ++i) {
    missing_.emplace(i, Missing{now});
  }
  newest_ = std::max(newest_.value_or(sequence), sequence);
  missing_.erase(sequence);
  if (kind == Kind::kVideo && (!next_ || sequence >= *next_)) {
    packets_.emplace(sequence, packet);
    Show(now);
  }
  return true;
}

std::optional<std::int64_t> SlotModel::FrameEnd(std::int64_t sequence) const {
  auto packet = packets_.find(sequence);
  if (packet == packets_.end() || !packet->second.start) {
    return std::nullopt;
  }
  const std::uint32_t timestamp = packet->second.timestamp;
  for (std::int64_t expected = sequence; packet != packets_.end(); ++packet, ++expected) {
    if (packet->first != expected || packet->second.timestamp != timestamp) {
      return std::nullopt;
    }
    if (packet->second.marker) {
      return expected + 1;
    }
  }
  return std::nullopt;
}

void SlotModel::Show(TimeUs now) {
  while (true) {
    std::optional<std::int64_t> begin = next_;
    std::optional<std::int64_t> end = next_ ? FrameEnd(*next_) : std::nullopt;
    for (auto packet = packets_.begin(); !end && packet != packets_.end(); ++packet) {
      if (packet->second.key_frame) {
        begin = packet->first;
        end = FrameEnd(packet->first);
      }
    }
    if (!end) {
      return;
    }
    const Packet& first = packets_.at(*begin);
    frames.push_back({now, first.content.frame, first.csrc, first.timestamp, first.pixels, first.key_frame});
    // What is before it is not needed any more.
    const auto passed = missing_.lower_bound(*begin);
    skipped += static_cast<std::uint64_t>(std::distance(missing_.begin(), passed));
    missing_.erase(missing_.begin(), passed);
    packets_.erase(packets_.begin(), packets_.lower_bound(*end));
    next_ = end;
  }
}

SlotConfig ViewerModel::AddSlot(Handle session, Handle slot, Kind kind, std::uint32_t ssrc, std::uint32_t rtx_ssrc) {
  slots_.emplace(ssrc, std::make_unique<SlotModel>(kind, ssrc, rtx_ssrc));
  SlotConfig config;
  config.slot = slot;
  config.session = session;
  config.mid = "s" + std::to_string(slots_.size());
  config.kind = kind;
  config.ssrc = ssrc;
  config.rtx_ssrc = rtx_ssrc;
  config.cname = "viewer";
  if (kind == Kind::kAudio) {
    config.payloads = {{kOpusFormat, kOpus}};
    if (options_.red) {
      config.payloads.emplace_back(kRedFormat, kRed);
    }
  } else {
    config.payloads = {{kVp8Format, kVp8}};
    config.rtx_payloads = {{kVp8, kRtx}};
  }
  config.stamp = options_.stamp;
  return config;
}

void ViewerModel::Receive(Bytes datagram, TimeUs now) {
  if (Classify(datagram) == DatagramKind::kRtp) {
    ReceiveRtp(datagram, now);
    return;
  }
  rtcp::CompoundReader reader(datagram);
  rtcp::Packet packet;
  while (reader.Next(packet)) {
    const auto report = rtcp::ParseSenderReport(packet);
    const auto slot = report ? slots_.find(report->info.ssrc) : slots_.end();
    if (slot != slots_.end()) {
      slot->second->last_sr_ = static_cast<std::uint32_t>(report->info.ntp >> 16);
      slot->second->last_sr_us_ = now;
    }
  }
}

void ViewerModel::ReceiveRtp(Bytes datagram, TimeUs now) {
  const auto view = RtpView::Parse(datagram);
  if (!view) {
    return;
  }
  if (const auto number = view->Extension(kViewerTwccId)) {
    recorder_.Record(ReadU16(number->data()), view->ssrc(), now);
  }
  for (const auto& [ssrc, slot] : slots_) {
    if (ssrc == view->ssrc()) {
      ++slot->packets;
      slot->bytes += datagram.size();
      ReceiveMedia(*slot, view->sequence(), *view, view->payload(), false, now);
    } else if (slot->rtx_ssrc != 0 && slot->rtx_ssrc == view->ssrc()) {
      ++slot->rtx_packets;
      if (view->payload().size() >= 2) {  // less: only padding, a probe
        ReceiveMedia(*slot, ReadU16(view->payload().data()), *view, view->payload().subspan(2), true, now);
      }
    }
  }
}

void ViewerModel::ReceiveMedia(SlotModel& slot, std::uint16_t sequence, const RtpView& view, Bytes payload, bool resent,
                               TimeUs now) {
  SlotModel::Packet packet;
  packet.timestamp = view.timestamp();
  packet.csrc = view.csrc_count() == 1 ? view.csrc(0) : 0;
  packet.marker = view.marker();
  std::size_t head = 0;
  if (slot.kind == Kind::kVideo) {
    head = kVp8Head;
    if (const auto vp8 = ParseVp8(payload)) {
      packet.start = vp8->frame_start;
      packet.key_frame = vp8->frame_start && vp8->key_frame;
      packet.pixels = std::uint32_t{vp8->width} * vp8->height;
    }
  }
  const auto content = slot.kind == Kind::kVideo ? ReadContent(payload, head) : ContentTag();
  if (!content || (slot.kind == Kind::kAudio && !ReceiveSound(slot, view, payload, now))) {
    ++slot.corrupt;
    return;
  }
  packet.content = *content;
  const std::int64_t number = slot.unwrapper_.Unwrap(sequence);
  const bool fresh = slot.Insert(number, packet, now);
  if (!fresh) {
    ++(resent ? slot.rtx_useless : slot.duplicates);
  } else if (!resent) {
    ++slot.received_;
  }
  AskAgain(slot, now);
}

// Every frame that a packet of sound carries, in the order of their capture.
bool ViewerModel::ReceiveSound(SlotModel& slot, const RtpView& view, Bytes payload, TimeUs now) {
  std::vector<std::uint8_t> copy(payload.begin(), payload.end());
  RedBlock plain{view.payload_type(), 0, copy};
  std::vector<RedBlock> blocks;
  if (view.payload_type() == kRed) {
    const auto red = ParseRed(copy);
    if (!red) {
      return false;
    }
    blocks.assign(red->redundant().begin(), red->redundant().end());
    plain = red->primary;
  }
  blocks.push_back(plain);
  for (const RedBlock& block : blocks) {
    const auto content = ReadContent(block.payload, 0);
    if (!content || block.payload_type != kOpus) {
      return false;
    }
    slot.frames.push_back({now, content->frame, view.csrc_count() == 1 ? view.csrc(0) : 0,
                           view.timestamp() - block.timestamp_offset, 0, false});
  }
  return true;
}

void ViewerModel::Advance(TimeUs now) {
  next_us_ = now + kTickUs;
  for (const auto& [ssrc, slot] : slots_) {
    AskAgain(*slot, now);
  }
  if (options_.feedback_us != 0 && now >= feedback_us_) {
    SendFeedback();
    feedback_us_ = now + options_.feedback_us;
  }
  if (now >= report_us_) {
    SendReport(now);
    report_us_ = now + kReportUs;
  }
}

void ViewerModel::AskAgain(SlotModel& slot, TimeUs now) {
  std::vector<std::uint16_t> wanted;
  bool stuck = false;
  for (auto entry = slot.missing_.begin(); entry != slot.missing_.end();) {
    SlotModel::Missing& missing = entry->second;
    if (now - missing.since_us > options_.give_up_us) {
      stuck = true;
      entry = slot.missing_.erase(entry);
      continue;
    }
    if (missing.asked_us == kNever || now - missing.asked_us >= options_.nack_retry_us) {
      missing.asked_us = now;
      wanted.push_back(static_cast<std::uint16_t>(entry->first));
    }
    ++entry;
  }
  std::array<std::uint8_t, 1'200> buffer{};
  rtcp::Writer writer(buffer);
  writer.AddReceiverReport(kViewerSsrc);
  if (options_.nack && !wanted.empty() && slot.rtx_ssrc != 0) {
    slot.asked += wanted.size();
    writer.AddNack(kViewerSsrc, slot.ssrc, wanted);
  }
  if (stuck && slot.kind == Kind::kVideo && now - slot.asked_key_frame_us_ >= 300 * kMillisecond) {
    slot.asked_key_frame_us_ = now;
    ++slot.key_frame_requests;
    writer.AddPli(kViewerSsrc, slot.ssrc);
  }
  if (writer.size() > 8) {
    out.emplace_back(writer.written().begin(), writer.written().end());
  }
}

void ViewerModel::SendFeedback() {
  std::array<std::uint8_t, 1'200> buffer{};
  while (true) {
    rtcp::Writer writer(buffer);
    writer.AddReceiverReport(kViewerSsrc);
    const std::size_t size = recorder_.Write(writer.rest(), kViewerSsrc);
    if (size == 0) {
      return;
    }
    writer.Advance(size);
    out.emplace_back(writer.written().begin(), writer.written().end());
  }
}

void ViewerModel::SendReport(TimeUs now) {
  std::vector<rtcp::ReportBlock> blocks;
  for (const auto& [ssrc, slot] : slots_) {
    if (!slot->newest_) {
      continue;
    }
    rtcp::ReportBlock block;
    block.ssrc = ssrc;
    const std::int64_t expected = *slot->newest_ - slot->first_ + 1;
    const std::int64_t expected_since = expected - slot->expected_reported_;
    const auto lost_since = expected_since - static_cast<std::int64_t>(slot->received_ - slot->received_reported_);
    if (expected_since > 0 && lost_since > 0) {
      block.fraction_lost = static_cast<std::uint8_t>(std::min<std::int64_t>(255, lost_since * 256 / expected_since));
    }
    slot->expected_reported_ = expected;
    slot->received_reported_ = slot->received_;
    block.cumulative_lost = static_cast<std::int32_t>(expected - static_cast<std::int64_t>(slot->received_));
    block.highest_sequence = static_cast<std::uint32_t>(*slot->newest_);
    if (slot->last_sr_ != 0) {
      block.last_sr = slot->last_sr_;
      block.delay_since_last_sr = static_cast<std::uint32_t>((now - slot->last_sr_us_) * 65'536 / kSecond);
    }
    blocks.push_back(block);
  }
  std::array<std::uint8_t, 1'200> buffer{};
  rtcp::Writer writer(buffer);
  writer.AddReceiverReport(kViewerSsrc, std::span(blocks).first(std::min<std::size_t>(31, blocks.size())));
  writer.AddSdesCname(kViewerSsrc, "viewer");
  out.emplace_back(writer.written().begin(), writer.written().end());
}

}  // namespace tertulia::test
