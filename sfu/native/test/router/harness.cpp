#include "router/harness.hpp"

#include <algorithm>

#include "wire/vp8.hpp"

namespace tertulia::test {
namespace {

void Set(MediaConfig& config, Ext ext, std::uint8_t id) { config.extensions.id[static_cast<std::size_t>(ext)] = id; }

void PutElement(std::vector<std::uint8_t>& out, std::uint8_t id, std::span<const std::uint8_t> value) {
  out.push_back(static_cast<std::uint8_t>(id << 4 | (value.size() - 1)));
  out.insert(out.end(), value.begin(), value.end());
}

void PutText(std::vector<std::uint8_t>& out, std::uint8_t id, const std::string& text) {
  if (!text.empty()) {
    PutElement(out, id, StreamIdValue(text));
  }
}

}  // namespace

MediaConfig PublisherMedia() {
  MediaConfig config;
  config.transport_cc = true;
  Set(config, Ext::kMid, kPublisherMidId);
  Set(config, Ext::kRid, kPublisherRidId);
  Set(config, Ext::kRepairedRid, kPublisherRepairedId);
  Set(config, Ext::kAudioLevel, kPublisherLevelId);
  Set(config, Ext::kTransportCc, kPublisherTwccId);
  Set(config, Ext::kOrientation, kPublisherOrientationId);
  Set(config, Ext::kAbsCaptureTime, kPublisherCaptureId);
  return config;
}

MediaConfig ViewerMedia() {
  MediaConfig config;
  Set(config, Ext::kMid, kViewerMidId);
  Set(config, Ext::kAudioLevel, kViewerLevelId);
  Set(config, Ext::kOrientation, kViewerOrientationId);
  Set(config, Ext::kAbsCaptureTime, kViewerCaptureId);
  Set(config, Ext::kTransportCc, kViewerTwccId);
  Set(config, Ext::kAbsSendTime, kViewerSendTimeId);
  return config;
}

void Recorder::SendRtp(Handle session, std::span<const std::uint8_t> header, std::span<const std::uint8_t> payload) {
  std::vector<std::uint8_t> bytes(header.begin(), header.end());
  bytes.insert(bytes.end(), payload.begin(), payload.end());
  const auto view = RtpView::Parse(bytes);
  if (!view || view->header().size() != header.size()) {
    std::abort();  // the router wrote something that is no packet
  }
  Sent sent;
  sent.session = session;
  sent.at = now;
  sent.ssrc = view->ssrc();
  sent.timestamp = view->timestamp();
  sent.csrc = view->csrc_count() == 1 ? view->csrc(0) : 0;
  sent.sequence = view->sequence();
  sent.payload_type = view->payload_type();
  sent.marker = view->marker();
  std::size_t offset = 0;
  ExtensionElement element;
  while (view->extensions().Next(offset, element)) {
    sent.extensions[element.id].assign(element.value.begin(), element.value.end());
  }
  if (sent.extensions.contains(kViewerMidId)) {
    const auto& mid = sent.extensions[kViewerMidId];
    sent.mid.assign(mid.begin(), mid.end());
  }
  sent.payload.assign(payload.begin(), payload.end());
  sent.key_frame = IsVp8KeyFrame(payload);
  packets.push_back(std::move(sent));
}

void Recorder::SendRtcp(Handle session, std::span<const std::uint8_t> packet) {
  rtcp.push_back({session, now, {packet.begin(), packet.end()}});
}

void Recorder::OnSlotSwitched(Handle slot, Handle source, std::uint32_t first_rtp_timestamp) {
  switches.push_back({slot, source, first_rtp_timestamp});
}

std::vector<std::pair<TimeUs, std::uint32_t>> Recorder::KeyFrameRequests(Handle session) const {
  std::vector<std::pair<TimeUs, std::uint32_t>> found;
  for (const SentRtcp& sent : rtcp) {
    rtcp::CompoundReader reader(sent.bytes);
    rtcp::Packet packet;
    while (sent.session == session && reader.Next(packet)) {
      if (const auto pli = rtcp::ParsePli(packet)) {
        found.emplace_back(sent.at, pli->media_ssrc);
      }
    }
  }
  return found;
}

std::vector<std::pair<TimeUs, rtcp::SenderInfo>> Recorder::SenderReports(Handle session) const {
  std::vector<std::pair<TimeUs, rtcp::SenderInfo>> found;
  for (const SentRtcp& sent : rtcp) {
    rtcp::CompoundReader reader(sent.bytes);
    rtcp::Packet packet;
    while (sent.session == session && reader.Next(packet)) {
      if (const auto report = rtcp::ParseSenderReport(packet)) {
        found.emplace_back(sent.at, report->info);
      }
    }
  }
  return found;
}

std::vector<rtcp::ReportBlock> Recorder::ReportBlocks(Handle session) const {
  std::vector<rtcp::ReportBlock> found;
  for (const SentRtcp& sent : rtcp) {
    rtcp::CompoundReader reader(sent.bytes);
    rtcp::Packet packet;
    while (sent.session == session && reader.Next(packet)) {
      if (const auto report = rtcp::ParseReceiverReport(packet)) {
        for (std::size_t i = 0; i < report->reports.size(); ++i) {
          found.push_back(report->reports[i]);
        }
      }
    }
  }
  return found;
}

std::vector<Sent> Recorder::OfSlot(std::uint32_t ssrc) const {
  std::vector<Sent> found;
  std::copy_if(packets.begin(), packets.end(), std::back_inserter(found),
               [&](const Sent& sent) { return sent.ssrc == ssrc; });
  return found;
}

std::vector<std::uint8_t> Build(const PacketSpec& spec) {
  std::vector<std::uint8_t> extensions;
  PutText(extensions, kPublisherMidId, spec.mid);
  PutText(extensions, kPublisherRidId, spec.rid);
  PutText(extensions, kPublisherRepairedId, spec.repaired_rid);
  if (spec.transport_sequence) {
    PutElement(extensions, kPublisherTwccId, TransportCcValue(*spec.transport_sequence));
  }
  if (spec.level) {
    PutElement(extensions, kPublisherLevelId, std::array{*spec.level});
  }
  if (spec.orientation) {
    PutElement(extensions, kPublisherOrientationId, std::array{*spec.orientation});
  }
  if (spec.capture_time) {
    std::array<std::uint8_t, 8> value{};
    WriteU64(value.data(), *spec.capture_time);
    PutElement(extensions, kPublisherCaptureId, value);
  }
  while (extensions.size() % 4 != 0) {
    extensions.push_back(0);
  }
  std::vector<std::uint8_t> bytes;
  bytes.reserve(kRtpFixedHeader + 4 + extensions.size() + spec.payload.size() + spec.padding);
  bytes.resize(kRtpFixedHeader + 4);
  bytes[0] = static_cast<std::uint8_t>(0x80 | 0x10 | (spec.padding > 0 ? 0x20 : 0));
  bytes[1] = static_cast<std::uint8_t>(spec.payload_type | (spec.marker ? 0x80 : 0));
  WriteU16(&bytes[2], spec.sequence);
  WriteU32(&bytes[4], spec.timestamp);
  WriteU32(&bytes[8], spec.ssrc);
  WriteU16(&bytes[12], ExtensionBlock::kOneByteProfile);
  WriteU16(&bytes[14], static_cast<std::uint16_t>(extensions.size() / 4));
  bytes.insert(bytes.end(), extensions.begin(), extensions.end());
  bytes.insert(bytes.end(), spec.payload.begin(), spec.payload.end());
  if (spec.padding > 0) {
    bytes.resize(bytes.size() + spec.padding);
    bytes.back() = spec.padding;
  }
  return bytes;
}

std::vector<std::uint8_t> Vp8Payload(const Vp8Spec& spec) {
  std::vector<std::uint8_t> bytes;
  bytes.push_back(static_cast<std::uint8_t>(0x80 | (spec.start ? 0x10 : 0)));
  bytes.push_back(0x80 | 0x40 | 0x20 | 0x10);
  if (spec.short_id) {
    bytes.push_back(spec.picture_id & 0x7F);
  } else {
    bytes.push_back(static_cast<std::uint8_t>(0x80 | (spec.picture_id >> 8)));
    bytes.push_back(static_cast<std::uint8_t>(spec.picture_id));
  }
  bytes.push_back(spec.tl0_index);
  bytes.push_back(spec.key_index & 0x1F);
  if (spec.start) {
    bytes.insert(bytes.end(), {static_cast<std::uint8_t>(spec.key_frame ? 0x10 : 0x11), 0, 0});
    if (spec.key_frame) {
      bytes.insert(bytes.end(), {0x9D, 0x01, 0x2A});
      bytes.push_back(static_cast<std::uint8_t>(spec.width));
      bytes.push_back(static_cast<std::uint8_t>(spec.width >> 8));
      bytes.push_back(static_cast<std::uint8_t>(spec.height));
      bytes.push_back(static_cast<std::uint8_t>(spec.height >> 8));
    }
  }
  bytes.resize(bytes.size() + 4);
  WriteU32(&bytes[bytes.size() - 4], spec.tag);
  return bytes;
}

void World::AdvanceTo(TimeUs time) {
  while (router.NextWakeup() <= time) {
    const TimeUs due = std::max(now, router.NextWakeup());
    now = output.now = due;
    router.Advance(now);
  }
  now = output.now = time;
}

void World::AddPublisher(Handle session, const MediaConfig& config) {
  router.AddSession(session, config);
  router.SetSessionReady(session, now);
}

void World::AddViewer(Handle session) {
  router.AddSession(session, ViewerMedia());
  router.SetSessionReady(session, now);
}

void World::AddAudioSource(Handle session, Handle source, std::uint32_t csrc, const std::string& mid) {
  SourceConfig config;
  config.source = source;
  config.csrc = csrc;
  config.mid = mid;
  config.kind = Kind::kAudio;
  config.payloads = {{111, Codec::kOpus, kOpusFormat, 48'000, 0}};
  router.AddSource(session, config);
}

void World::AddVideoSource(Handle session, Handle source, std::uint32_t csrc, const std::string& mid,
                           std::vector<std::string> rids) {
  SourceConfig config;
  config.source = source;
  config.csrc = csrc;
  config.mid = mid;
  config.kind = Kind::kVideo;
  config.rids = std::move(rids);
  config.payloads = {{96, Codec::kVp8, kVp8Format, 90'000, 0},
                     {97, Codec::kRtx, 0, 90'000, 96},
                     {102, Codec::kH264, kH264Format, 90'000, 0}};
  router.AddSource(session, config);
}

void World::AddSlot(Handle session, Handle slot, Kind kind, std::uint32_t ssrc, const std::string& mid,
                    SendStamp stamp) {
  SlotConfig config;
  config.stamp = stamp;
  config.slot = slot;
  config.session = session;
  config.mid = mid;
  config.kind = kind;
  config.ssrc = ssrc;
  config.cname = "slots";
  if (kind == Kind::kAudio) {
    config.payloads = {{kOpusFormat, 109}};
  } else {
    config.payloads = {{kVp8Format, 120}};
  }
  router.AddSlot(config);
}

void World::ReceiveBytes(Handle session, std::vector<std::uint8_t> bytes) {
  router.ReceiveRtp(session, bytes, now);
  AdvanceTo(now);
}

void World::ReceiveRtcp(Handle session, const rtcp::Writer& writer) {
  router.ReceiveRtcp(session, writer.written(), now);
  AdvanceTo(now);
}

void World::ReceiveFrame(Handle session, const std::string& mid, Encoding& encoding, std::uint32_t tag) {
  const bool key_frame = encoding.key_frame_wanted;
  encoding.key_frame_wanted = false;
  ++encoding.picture_id;
  ++encoding.tl0_index;
  encoding.key_index = static_cast<std::uint8_t>(encoding.key_index + (key_frame ? 1 : 0));
  for (unsigned i = 0; i < encoding.packets_a_frame; ++i) {
    PacketSpec packet;
    packet.ssrc = encoding.ssrc;
    packet.timestamp = encoding.timestamp_base + static_cast<std::uint32_t>(now * 9 / 100);
    packet.sequence = encoding.sequence++;
    packet.payload_type = 96;
    packet.marker = i + 1 == encoding.packets_a_frame;
    packet.transport_sequence = transport_sequence++;
    if (encoding.announce) {
      packet.mid = mid;
      packet.rid = encoding.rid;
    }
    Vp8Spec vp8;
    vp8.picture_id = encoding.picture_id & 0x7FFF;
    vp8.tl0_index = encoding.tl0_index;
    vp8.key_index = encoding.key_index;
    vp8.start = i == 0;
    vp8.key_frame = key_frame;
    vp8.width = encoding.width;
    vp8.height = encoding.height;
    vp8.tag = tag;
    packet.payload = Vp8Payload(vp8);
    Receive(session, packet);
  }
}

}  // namespace tertulia::test
