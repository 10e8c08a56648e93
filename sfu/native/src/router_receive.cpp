// The way of a media packet: to its stream, through its statistics, to the slots that show it.
#include <algorithm>

#include "router_impl.hpp"
#include "wire/rtp.hpp"

namespace tertulia {
namespace {

// After such a pause the decoder at the other end may have nothing to go on from.
constexpr TimeUs kResumeUs = 1'500 * kMillisecond;

// A packet for hundreds of viewers finds the slots of most of them gone from the cache: each is asked for while those
// before it are served.
constexpr std::size_t kPrefetchAhead = 4;

void Prefetch(const RoutedSlot& slot) {
  constexpr std::size_t kCacheLine = 64;
  const char* begin = reinterpret_cast<const char*>(&slot);
  for (std::size_t i = 0; i < sizeof(RoutedSlot); i += kCacheLine) {
    __builtin_prefetch(begin + i, 1);
  }
}

// One pass over the extensions, by the session's ids.
void ReadExtensions(const RouterSession& session, const ExtensionBlock& block, IncomingPacket& packet) {
  std::size_t offset = 0;
  ExtensionElement element;
  while (block.Next(offset, element)) {
    const Ext ext = session.extension_of[element.id];
    if (ext != Ext::kCount && packet.extensions[static_cast<std::size_t>(ext)].empty()) {
      packet.extensions[static_cast<std::size_t>(ext)] = element.value;
    }
  }
}

std::string_view StreamId(const IncomingPacket& packet, Ext ext) {
  const Bytes value = packet.extension(ext);
  return value.empty() ? std::string_view() : ParseStreamId(value).value_or(std::string_view());
}

// The absolute capture time is on the publisher's clock; viewers are told of the worker's, as in the sender reports.
void TranslateCaptureTime(IncomingPacket& packet, std::int64_t wall_clock_offset_us) {
  Bytes& value = packet.extensions[static_cast<std::size_t>(Ext::kAbsCaptureTime)];
  if (value.empty()) {
    return;
  }
  value = {};
  if (packet.newest) {
    WriteU64(packet.capture_time.data(), WallNtp(packet.capture_us + wall_clock_offset_us));
    value = packet.capture_time;
  }
}

}  // namespace

void Router::Impl::ReceiveRtp(RouterSession& session, MutableBytes bytes, TimeUs now) {
  const auto view = RtpView::Parse(bytes);
  if (!view) {
    return;
  }
  IncomingPacket packet;
  packet.payload = bytes.subspan(view->header().size(), view->payload().size());
  packet.arrival_us = now;
  packet.ssrc = view->ssrc();
  packet.timestamp = view->timestamp();
  packet.payload_type = view->payload_type();
  packet.marker = view->marker();
  ReadExtensions(session, view->extensions(), packet);

  // Everything that arrived counts for the estimate, known stream or not.
  if (session.feedback != nullptr) {
    if (const auto number = ParseTransportCc(packet.extension(Ext::kTransportCc))) {
      session.feedback->Record(*number, packet.ssrc, now);
      Schedule(session, session.feedback->due_us());
    }
  }
  Route* route = FindRoute(session, packet, now);
  if (route == nullptr || route->layer == nullptr) {
    return;
  }
  RoutedSource* source = FindSource(route->source->handle());
  if (source == nullptr) {
    return;
  }
  if (route->repair) {
    ReceiveRepair(*source, *route->layer, packet, bytes.size());
  } else {
    ReceiveMedia(*source, *route->layer, packet, view->sequence(), bytes.size());
  }
}

Route* Router::Impl::FindRoute(RouterSession& session, IncomingPacket& packet, TimeUs now) {
  Route* route = session.demultiplexer.Find(packet.ssrc);
  // Few packets name their section: the first, until a receiver report acknowledges the SSRC.
  if (route == nullptr || !packet.extension(Ext::kMid).empty()) {
    StreamIds ids;
    ids.mid = StreamId(packet, Ext::kMid);
    ids.rid = StreamId(packet, Ext::kRid);
    ids.repaired_rid = StreamId(packet, Ext::kRepairedRid);
    const Demultiplexer::Binding binding = session.demultiplexer.Bind(packet.ssrc, packet.payload_type, ids, now);
    route = binding.route;
    if (route != nullptr && binding.replaced) {
      if (RoutedSource* source = FindSource(route->source->handle())) {
        Regate(*source, *route->layer, now);
      }
    }
  }
  if (route != nullptr) {
    route->last_us = now;
  }
  return route;
}

void Router::Impl::ReceiveMedia(RoutedSource& source, Layer& layer, IncomingPacket& packet, std::uint16_t sequence,
                                std::size_t size) {
  const PayloadType* payload = source.source.FindPayload(packet.payload_type);
  if (payload == nullptr) {
    return;
  }
  const TimeUs quiet = layer.reception().started() ? packet.arrival_us - layer.last_packet_us() : 0;
  const Reception::Verdict verdict = layer.Receive(packet, *payload, source.session.clock, sequence, size);
  if (verdict == Reception::Verdict::kRejected) {
    return;
  }
  ++source.packets;
  source.bytes += size;
  StartReports(source.session, packet.arrival_us);
  TrackLosses(source, layer, packet, verdict == Reception::Verdict::kRestarted);
  if (source.paused) {
    return;  // counted, so that its sender is not told of losses; heard and seen by nobody
  }
  if (verdict == Reception::Verdict::kRestarted) {
    Regate(source, layer, packet.arrival_us);
  }
  TranslateCaptureTime(packet, wall_clock_offset_us);
  if (source.voice != nullptr && !packet.payload.empty()) {
    source.voice->OnPacket(ParseAudioLevel(packet.extension(Ext::kAudioLevel)), packet.payload.size(),
                           packet.arrival_us);
    speakers.Wake(packet.arrival_us);
    timers.Set(kSpeakersTimer, speakers.due_us());
  }
  if (source.source.OnPacket(layer, packet)) {
    Retarget(source, packet.arrival_us);
  }
  if (packet.picture.key_frame && packet.newest) {
    source.gate.Satisfy(layer.index());
  } else if (quiet > kResumeUs && !source.slots.empty()) {
    RequestKeyFrame(source, layer, packet.arrival_us);
  }
  if (!source.source.active()) {
    SetActive(source, true);
    Schedule(source.session, packet.arrival_us + Source::kSilentUs);
  }
  if (source.source.next_check_us() != kNever) {
    Schedule(source.session, source.source.next_check_us());
  }
  const Recovery& recovery = RecoveryOf(source, layer);
  if (!packet.newest && recovery.unpacked.Has(packet.sequence)) {
    packet.unpacked_type = recovery.unpacked_type;
  }
  if (payload->codec == Codec::kRed) {
    ReadRed(source, layer, packet);
  }
  Forward(source, layer, packet);
}

void Router::Impl::Forward(RoutedSource& source, Layer& layer, IncomingPacket& packet) {
  const std::vector<RoutedSlot*>& showing = source.showing[layer.index()];
  for (std::size_t i = 0; i < showing.size(); ++i) {
    if (i + kPrefetchAhead < showing.size()) {
      Prefetch(*showing[i + kPrefetchAhead]);
    }
    SendTo(*showing[i], packet);
  }
  if (source.waiting.empty() || packet.payload.empty()) {
    return;
  }
  if (packet.newest && (source.source.kind() == Kind::kAudio || packet.picture.key_frame)) {
    OpenWaiting(source, layer, packet);
  } else if (packet.picture.key_frame) {
    OpenLate(source, layer, packet);
  }
}

void Router::Impl::SendTo(RoutedSlot& slot, IncomingPacket& packet) {
  if (!packet.primary.empty()) {
    SendRed(slot, packet);
    return;
  }
  if (packet.unpacked_type != 0 && !slot.slot.Decodes(packet.unpacked_type)) {
    return;
  }
  HeaderWriter::Buffer buffer;  // NOLINT(cppcoreguidelines-pro-type-member-init): written as far as it is used
  Numbers numbers;
  const Bytes header = slot.slot.Forward(packet, buffer, numbers);
  if (header.empty()) {
    if (!packet.payload.empty() && !slot.slot.Decodes(packet.payload_type)) {
      TellUnsupported(slot);  // the publisher has changed its codec
    }
    return;
  }
  if (!slot.announced) {
    slot.announced = true;
    slot.unsupported = false;
    output.OnSlotSwitched(slot.slot.handle(), slot.source->source.handle(), ReadU32(&header[4]));
  }
  Transmit(slot.session, MutableBytes(buffer).first(header.size()), slot.slot.stamp(), packet.payload);
  slot.freezes.OnPacket(packet.arrival_us, packet.picture.key_frame);
  if (slot.rtx != nullptr) {
    RememberSent(slot, packet, header, numbers);
  }
  if (slot.slot.needs_key_frame() != slot.stuck) {
    NoteStuck(slot, packet.arrival_us);
  }
  if (slot.slot.reports().OnPacket(packet.arrival_us)) {
    Schedule(slot.session, slot.slot.reports().due_us());
  }
}

}  // namespace tertulia
