// What a slot shows: sources and layers change only at a packet from which the viewer can go on.
#include <algorithm>

#include "router_impl.hpp"

namespace tertulia {

void Router::Impl::Attach(RoutedSlot& slot, RoutedSource& source, TimeUs now) {
  slot.source = &source;
  slot.announced = slot.unsupported = false;
  slot.freezes.Break();
  slot.slot.Occupy(source.source.csrc(), source.source.payloads());
  if (slot.rtx != nullptr) {
    slot.rtx->sent().Clear();
  }
  source.slots.push_back(&slot);
  slot.slot.Want(source.source.Within(slot.target));
  // Switches happen on the packet path, which allocates nothing.
  source.waiting.reserve(source.slots.capacity());
  for (const auto& layer : source.source.layers()) {
    source.showing[layer->index()].reserve(source.slots.capacity());
  }
  if (slot.shows_video()) {
    AllocateNow(slot.session, now);
    OnDemand(slot, now);
  }
  if (slot.session.ready) {
    Wait(slot, now);
  }
}

void Router::Impl::Detach(RoutedSlot& slot) {
  if (slot.source == nullptr) {
    return;
  }
  StopWaiting(slot);
  StopShowing(slot);
  RoutedSource& source = *slot.source;
  std::erase(source.slots, &slot);
  OnDemand(slot, now_us);
  slot.source = nullptr;
  if (slot.slot.kind() == Kind::kVideo) {
    PauseSlot(slot, false, now_us);
    slot.target = kBestLayer;
    slot.allocated = false;
    slot.retry_us = slot.retry_wait_us = 0;
    AllocateSoon(slot.session, now_us);
  }
  if (source.slots.empty()) {
    source.ForgetPackets();
    for (const auto& layer : source.source.layers()) {
      source.gate.Satisfy(layer->index());  // nobody needs a key frame any more
    }
  }
}

// The stream that the slot should show: an encoding of a simulcast source, else the only one there is.
Layer* Router::Impl::Target(const RoutedSlot& slot) { return slot.source->source.Choose(slot.target.spatial); }

void Router::Impl::WantLayer(RoutedSlot& slot, LayerTarget wanted, TimeUs now) {
  wanted = {std::min(wanted.spatial, slot.cap.spatial), std::min(wanted.temporal, slot.cap.temporal)};
  if (slot.target == wanted) {
    return;
  }
  slot.target = wanted;
  Steer(slot, now);
}

void Router::Impl::PauseSlot(RoutedSlot& slot, bool paused, TimeUs now) {
  if (slot.paused == paused) {
    return;
  }
  slot.paused = paused;
  output.OnSlotPaused(slot.slot.handle(), paused);
  if (slot.source == nullptr) {
    return;
  }
  if (paused) {
    slot.freezes.Break();
    StopWaiting(slot);
    StopShowing(slot);
    ReleaseGate(*slot.source);
  } else if (slot.session.ready) {
    Wait(slot, now);
  }
}

// What a slot shows moves towards what it should show.
void Router::Impl::Steer(RoutedSlot& slot, TimeUs now) {
  if (slot.source == nullptr || slot.closed()) {
    return;
  }
  RoutedSource& source = *slot.source;
  const Layer* target = Target(slot);
  if (slot.showing == nullptr || slot.showing == target) {
    slot.slot.Want(source.source.Within(slot.target));
    if (slot.showing != nullptr) {
      StopWaiting(slot);
    } else if (slot.session.ready) {
      Wait(slot, now);
    }
  } else {
    // On the way down the frame rate falls at once; on the way up what is there is shown in full.
    const bool down = target != nullptr && source.source.RankOf(*slot.showing) > source.source.RankOf(*target);
    slot.slot.Want({UINT8_MAX, down ? std::uint8_t{0} : std::uint8_t{UINT8_MAX}});
    if (slot.session.ready) {
      // Only a key frame that is sent after this counts.
      slot.waiting_since_us = now;
      Wait(slot, now);
    }
  }
  ReleaseGate(source);
}

// The filter found, at the beginning of a picture, that it cannot go where it should without a key frame.
void Router::Impl::NoteStuck(RoutedSlot& slot, TimeUs now) {
  const bool stuck = slot.slot.needs_key_frame();
  if (stuck && !slot.stuck) {
    RequestKeyFrame(*slot.source, *slot.showing, now);
  }
  slot.stuck = stuck;
}

// Key frames of layers that nobody waits for, and nobody is shown, are not asked for any more.
void Router::Impl::ReleaseGate(RoutedSource& source) {
  std::uint32_t needed = 0;
  for (const RoutedSlot* slot : source.waiting) {
    if (const Layer* target = Target(*slot)) {
      needed |= std::uint32_t{1} << target->index();
    }
  }
  for (const auto& layer : source.source.layers()) {
    if ((needed >> layer->index() & 1) == 0 && source.showing[layer->index()].empty()) {
      source.gate.Satisfy(layer->index());
    }
  }
}

void Router::Impl::Wait(RoutedSlot& slot, TimeUs now) {
  if (slot.closed()) {
    return;
  }
  RoutedSource& source = *slot.source;
  if (!slot.waiting) {
    slot.waiting = true;
    slot.waiting_since_us = now;
    source.waiting.push_back(&slot);
  }
  if (const Layer* target = Target(slot)) {
    RequestKeyFrame(source, *target, now);
  }
}

void Router::Impl::StopWaiting(RoutedSlot& slot) {
  if (slot.waiting) {
    slot.waiting = false;
    std::erase(slot.source->waiting, &slot);
  }
}

void Router::Impl::StopShowing(RoutedSlot& slot) {
  if (slot.showing != nullptr) {
    std::erase(slot.source->showing[slot.showing->index()], &slot);
    slot.showing = nullptr;
  }
  slot.slot.Close();
}

// The stream is interrupted: every slot that shows the source begins anew.
void Router::Impl::Regate(RoutedSource& source, TimeUs now) {
  for (RoutedSlot* slot : source.slots) {
    StopShowing(*slot);
    if (slot->session.ready) {
      Wait(*slot, now);
    }
  }
}

// The same for those that show one of its layers.
void Router::Impl::Regate(RoutedSource& source, const Layer& layer, TimeUs now) {
  std::vector<RoutedSlot*>& showing = source.showing[layer.index()];
  while (!showing.empty()) {
    RoutedSlot& slot = *showing.back();
    StopShowing(slot);
    Wait(slot, now);
  }
}

// Layers came or went: slots go on showing what they show until what they should show can begin.
void Router::Impl::Retarget(RoutedSource& source, TimeUs now) {
  for (RoutedSlot* slot : source.slots) {
    Steer(*slot, now);
  }
  if (source.source.kind() == Kind::kVideo) {
    for (RoutedSlot* slot : source.slots) {
      if (slot->allocated) {
        AllocateSoon(slot->session, now);
      } else {
        AllocateNow(slot->session, now);
      }
    }
  }
}

void Router::Impl::RequestKeyFrame(RoutedSource& source, const Layer& layer, TimeUs now) {
  if (source.source.kind() != Kind::kVideo || source.paused) {
    return;
  }
  source.gate.Request(layer.index());
  Schedule(source.session, std::max(now, source.gate.due_us()));
}

void Router::Impl::OpenWaiting(RoutedSource& source, Layer& layer, IncomingPacket& packet) {
  // Backwards: those that open leave the list.
  for (std::size_t i = source.waiting.size(); i-- > 0;) {
    RoutedSlot& slot = *source.waiting[i];
    if (slot.showing == &layer) {
      continue;
    }
    // A viewer without any picture takes what comes when its layer's key frame seems to be lost.
    const bool impatient = slot.showing == nullptr &&
                           packet.arrival_us - slot.waiting_since_us > KeyframeGate::kIntervalUs &&
                           source.source.RankOf(layer) <= slot.target.spatial;
    if (&layer != Target(slot) && !impatient) {
      continue;
    }
    if (!CanShow(slot, packet)) {
      TellUnsupported(slot);
      continue;
    }
    StopShowing(slot);
    slot.showing = &layer;
    source.showing[layer.index()].push_back(&slot);
    if (&layer == Target(slot)) {
      slot.waiting = false;
      source.waiting[i] = source.waiting.back();
      source.waiting.pop_back();
    }
    ++slot.switches;
    slot.stuck = false;
    slot.slot.Want(&layer == Target(slot) ? source.source.Within(slot.target) : kBestLayer);
    slot.freezes.OnOpen(packet.arrival_us);
    slot.slot.Open(packet);
    SendTo(slot, packet);
    slot.slot.reports().OnOccupied(packet.arrival_us);
    Schedule(slot.session, packet.arrival_us);
  }
}

// The first packet of a key frame was lost and came after what follows it. Slots begin there all the same, with what
// has come since out of the ring: another key frame would cost a round trip more, and a burst for all viewers.
void Router::Impl::OpenLate(RoutedSource& source, Layer& layer, IncomingPacket& packet) {
  constexpr std::int64_t kMostBehind = 128;
  const std::int64_t newest = layer.reception().highest();
  const Recovery& recovery = RecoveryOf(source, layer);
  const auto described = [](const Picture& picture) {
    return picture.layering == Layering::kDescribed || picture.layering == Layering::kUndescribed;
  };
  IncomingPacket next;
  PacketRing::Scratch scratch;  // NOLINT(cppcoreguidelines-pro-type-member-init): Load writes what is used
  // The rest of its picture says when it was captured. What is told apart by descriptors is not kept with them.
  if (newest - packet.sequence > kMostBehind || described(packet.picture) ||
      !recovery.ring.Load(static_cast<std::uint32_t>(packet.sequence + 1), next, scratch) ||
      next.timestamp != packet.timestamp) {
    return;
  }
  packet.capture_us = next.capture_us;
  packet.newest = true;
  const std::vector<RoutedSlot*>& showing = source.showing[layer.index()];
  const std::size_t before = showing.size();
  OpenWaiting(source, layer, packet);
  if (showing.size() == before) {
    return;
  }
  source.gate.Satisfy(layer.index());
  std::uint32_t timestamp = packet.timestamp;
  for (std::int64_t sequence = packet.sequence + 1; sequence <= newest; ++sequence) {
    if (!recovery.ring.Load(static_cast<std::uint32_t>(sequence), next, scratch)) {
      continue;  // it is missing too, and has its number kept
    }
    next.arrival_us = packet.arrival_us;
    next.newest = next.in_order = true;
    next.new_timestamp = next.timestamp != timestamp;
    timestamp = next.timestamp;
    for (std::size_t i = before; i < showing.size(); ++i) {
      SendTo(*showing[i], next);
    }
  }
}

void Router::Impl::TellUnsupported(RoutedSlot& slot) {
  if (!slot.unsupported) {
    slot.unsupported = true;
    slot.announced = false;  // what the viewer can decode again is told as a switch
    output.OnSlotUnsupported(slot.slot.handle(), slot.source->source.handle());
  }
}

void Router::Impl::SetActive(RoutedSource& source, bool active) {
  if (source.source.active() != active) {
    source.source.set_active(active);
    if (!active) {
      source.Break();
      source.ForgetPackets();
    }
    output.OnSourceActive(source.source.handle(), active);
  }
}

}  // namespace tertulia
