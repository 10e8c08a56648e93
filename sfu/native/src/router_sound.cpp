// Sound that carries its own redundancy (RED): passed on as it is to viewers that know it; the others get its primary
// data, and what was lost out of the packets that follow.
#include <algorithm>

#include "router_impl.hpp"
#include "wire/red.hpp"

namespace tertulia {

bool Router::Impl::CanShow(const RoutedSlot& slot, const IncomingPacket& packet) {
  return slot.slot.Decodes(packet.payload_type) || (!packet.primary.empty() && slot.slot.Decodes(packet.primary_type));
}

void Router::Impl::ReadRed(RoutedSource& source, Layer& layer, IncomingPacket& packet) {
  const auto red = ParseRed(packet.payload);
  if (!red) {
    packet.payload = {};  // nobody can make anything of it
    return;
  }
  if (packet.newest && !packet.in_order) {
    ForwardRedundant(source, layer, packet, *red);
  }
  packet.primary = red->primary.payload;
  packet.primary_type = red->primary.payload_type;
}

// Each redundant block is the primary data of one packet before: those before the newest, one after the other.
void Router::Impl::ForwardRedundant(RoutedSource& source, Layer& layer, const IncomingPacket& packet,
                                    const RedPayload& red) {
  Recovery& recovery = RecoveryOf(source, layer);
  for (std::size_t i = 0; i < red.count; ++i) {
    const RedBlock& block = red.blocks[i];
    const std::int64_t sequence = packet.sequence - static_cast<std::int64_t>(red.count - i);
    if (block.payload.empty() || !layer.reception().Misses(sequence) || !recovery.unpacked.Insert(sequence)) {
      continue;
    }
    IncomingPacket lost;
    lost.payload = block.payload;
    lost.payload_type = block.payload_type;
    lost.sequence = sequence;
    lost.timestamp = packet.timestamp - block.timestamp_offset;
    lost.arrival_us = packet.arrival_us;
    lost.ssrc = packet.ssrc;
    for (RoutedSlot* slot : source.showing[layer.index()]) {
      if (!slot->slot.Decodes(packet.payload_type)) {
        SendTo(*slot, lost);
      }
    }
    recovery.unpacked_type = packet.payload_type;
    ++source.unpacked;
  }
}

void Router::Impl::SendRed(RoutedSlot& slot, IncomingPacket& packet) {
  const MutableBytes whole = packet.payload;
  const MutableBytes primary = packet.primary;
  const std::uint8_t type = packet.payload_type;
  ChooseForm(slot, packet);
  packet.primary = {};
  SendTo(slot, packet);
  packet.payload = whole;
  packet.payload_type = type;
  packet.primary = primary;
}

// A viewer that knows RED knows its blocks by payload types of its own; the others get the primary data.
void Router::Impl::ChooseForm(const RoutedSlot& slot, IncomingPacket& packet) {
  if (slot.slot.Decodes(packet.payload_type)) {
    SetRedPayloadTypes(packet.payload, slot.slot.PayloadTypeOf(packet.primary_type));
  } else {
    packet.payload = packet.primary;
    packet.payload_type = packet.primary_type;
  }
}

void Router::Impl::TranslateRed(const RoutedSlot& slot, IncomingPacket& packet) {
  const PayloadType* payload = slot.source->source.FindPayload(packet.payload_type);
  if (payload == nullptr || payload->codec != Codec::kRed) {
    return;
  }
  if (const auto red = ParseRed(packet.payload)) {
    packet.primary = red->primary.payload;
    packet.primary_type = red->primary.payload_type;
    ChooseForm(slot, packet);
  }
}

std::uint8_t Router::Impl::LossToReport(RoutedSource& source, std::uint8_t own) {
  std::uint8_t worst = 0;
  for (const RoutedSlot* slot : source.slots) {
    worst = std::max(worst, slot->fraction_lost);
  }
  return source.reported_loss.Update(own, worst);
}

}  // namespace tertulia
