// How losses are made up for: publishers are asked again for what is missing, viewers are sent again what they miss.
#include <algorithm>
#include <array>

#include "router_impl.hpp"
#include "wire/rtx.hpp"

namespace tertulia {
namespace {

// A viewer's requests may come a little before an answer could: it does not know the round trip.
constexpr TimeUs kResendMinUs = 5 * kMillisecond;
// What passes everywhere: the 1,280 bytes of IPv6 (RFC 8200, 5) less its header, UDP's and the tag. Publishers leave
// room for the two bytes of RTX below 1,200, so it takes a viewer's longer extensions to come near.
constexpr std::size_t kMaxResentSize = 1'280 - 48 - 16;

}  // namespace

Recovery& Router::Impl::RecoveryOf(RoutedSource& source, const Layer& layer) {
  std::unique_ptr<Recovery>& recovery = source.recovery[layer.index()];
  if (recovery == nullptr) {
    recovery = std::make_unique<Recovery>(*pool, source.source.kind());
  }
  return *recovery;
}

// A packet that was sent again becomes the packet that it repairs.
void Router::Impl::ReceiveRepair(RoutedSource& source, Layer& layer, IncomingPacket& packet, std::size_t size) {
  const PayloadType* rtx = source.source.FindPayload(packet.payload_type);
  const auto repaired = ParseRtx(packet.payload);
  if (rtx == nullptr || rtx->codec != Codec::kRtx || !repaired) {
    return;
  }
  packet.payload = repaired->payload;
  packet.payload_type = rtx->associated_pt;
  packet.ssrc = layer.ssrc();
  packet.repaired = true;
  ReceiveMedia(source, layer, packet, repaired->original_sequence, size);
}

void Router::Impl::TrackLosses(RoutedSource& source, Layer& layer, const IncomingPacket& packet, bool restarted) {
  Recovery& recovery = RecoveryOf(source, layer);
  if (restarted) {
    recovery.Restart();
  }
  if (source.nack) {
    const NackRequester::Arrival arrival = recovery.nacks.OnPacket(packet.sequence, packet.arrival_us);
    if (arrival.response_us) {
      source.session.response.Sample(*arrival.response_us);
    }
    if (packet.picture.key_frame && packet.newest) {
      recovery.nacks.Forget(packet.sequence);
    }
    if (recovery.nacks.due_us() != kNever) {
      Schedule(source.session, recovery.nacks.due_us());
    }
  }
  source.repaired += packet.repaired ? 1 : 0;
  // Nobody can miss what nobody is shown.
  if (!source.paused && !source.slots.empty()) {
    recovery.ring.Store(packet);
  }
}

void Router::Impl::SendNacks(RouterSession& session, TimeUs now) {
  constexpr std::size_t kMaxAtOnce = 128;
  for (const auto& source : session.sources) {
    for (const auto& layer : source->source.layers()) {
      Recovery* recovery = source->recovery[layer->index()].get();
      if (recovery == nullptr || recovery->nacks.due_us() > now) {
        continue;
      }
      std::array<std::uint16_t, kMaxAtOnce> wanted{};
      while (const std::size_t count = recovery->nacks.Poll(now, session.response.retry_us(), wanted)) {
        source->nacked += count;
        // NOLINTNEXTLINE(cppcoreguidelines-pro-type-member-init): written before use
        std::array<std::uint8_t, kMaxRtcp> buffer;
        rtcp::Writer writer(buffer);
        writer.AddReceiverReport(session.local_ssrc);
        writer.AddNack(session.local_ssrc, layer->ssrc(), std::span(wanted).first(count));
        output.SendRtcp(session.handle, writer.written());
      }
      // What is lost for good stops a decoder, until a picture begins that needs nothing before it.
      if (const std::uint64_t given_up = recovery->nacks.TakeGivenUp(); given_up != 0) {
        source->unrecovered += given_up;
        for (RoutedSlot* slot : source->showing[layer->index()]) {
          slot->freezes.OnLoss(now);
        }
        if (!source->showing[layer->index()].empty()) {
          RequestKeyFrame(*source, *layer, now);
        }
      }
    }
  }
}

void Router::Impl::RememberSent(RoutedSlot& slot, const IncomingPacket& packet, Bytes header, const Numbers& numbers) {
  const Recovery& recovery = RecoveryOf(*slot.source, *slot.showing);
  if (recovery.unpacked.Has(packet.sequence)) {
    return;  // sound out of a later packet, of which the ring knows nothing
  }
  SentPacket sent;
  sent.numbers = numbers;
  sent.source_sequence = static_cast<std::uint32_t>(packet.sequence);
  sent.payload_type = header[1] & 0x7F;
  sent.layer = static_cast<std::uint8_t>(slot.showing->index());
  sent.run = recovery.run;
  slot.rtx->sent().Add(sent, now_us);
}

void Router::Impl::OnNack(RouterSession& session, const rtcp::Nack& nack, TimeUs now) {
  for (const auto& slot : session.slots) {
    if (slot->slot.ssrc() == nack.media_ssrc && slot->rtx != nullptr && slot->source != nullptr) {
      nack.ForEach([&](std::uint16_t sequence) { Resend(*slot, sequence, now); });
      return;
    }
  }
}

void Router::Impl::Resend(RoutedSlot& slot, std::uint16_t sequence, TimeUs now) {
  ++slot.nacked;
  SentPacket* sent = slot.rtx->sent().Find(sequence);
  if (sent == nullptr) {
    return;  // its publisher has been asked for it, or it is too old
  }
  // Not again while the last copy is on its way: a request that was sent before it could arrive says nothing.
  if (SentPackets::Since(*sent, now) < std::max(kResendMinUs, slot.round_trip_us * 3 / 4)) {
    return;
  }
  const Recovery* recovery = slot.source->recovery[sent->layer].get();
  const auto payload_type = slot.rtx->PayloadTypeFor(sent->payload_type);
  IncomingPacket packet;
  PacketRing::Scratch scratch;  // NOLINT(cppcoreguidelines-pro-type-member-init): Load writes what is used
  if (recovery == nullptr || recovery->run != sent->run || !payload_type ||
      !recovery->ring.Load(sent->source_sequence, packet, scratch)) {
    return;
  }
  TranslateRed(slot, packet);
  HeaderWriter::Buffer buffer;  // NOLINT(cppcoreguidelines-pro-type-member-init): written as far as it is used
  Bytes header = slot.slot.Write(packet, sent->numbers, buffer);
  // In front of a payload in `scratch` there is room for this.
  const MutableBytes payload(packet.payload.data() - kRtxHeader, kRtxHeader + packet.payload.size());
  WriteU16(payload.data(), sequence);
  if (header.size() + payload.size() > kMaxResentSize) {
    // The payload matters more than what only informs.
    for (const Ext ext : {Ext::kAudioLevel, Ext::kOrientation, Ext::kPlayoutDelay}) {
      packet.extensions[static_cast<std::size_t>(ext)] = {};
    }
    header = slot.slot.Write(packet, sent->numbers, buffer);
  }
  if (!slot.session.resend_budget.Take(now, static_cast<double>(header.size() + payload.size()))) {
    return;
  }
  buffer[1] = static_cast<std::uint8_t>((buffer[1] & 0x80) | *payload_type);
  WriteU16(&buffer[2], slot.rtx->TakeSequence());
  WriteU32(&buffer[8], slot.rtx->ssrc());
  SentPackets::Touch(*sent, now);
  ++slot.resent;
  Transmit(slot.session, MutableBytes(buffer).first(header.size()), slot.slot.stamp(), payload);
}

}  // namespace tertulia
