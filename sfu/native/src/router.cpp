// The router's commands: sessions, sources and slots come and go.
#include "tertulia/router.hpp"

#include <algorithm>

#include "router_impl.hpp"

namespace tertulia {

RoutedSlot::RoutedSlot(const SlotConfig& config, RouterSession& owner)
    : slot(config, owner.config.extensions), session(owner) {
  if (config.rtx_ssrc != 0 && !config.rtx_payloads.empty()) {
    rtx = std::make_unique<RtxStream>(config);
  }
}

RouterSession::RouterSession(Handle session_handle, const MediaConfig& media_config)
    : handle(session_handle),
      config(media_config),
      // Any number unlike its neighbours'; odd, so never 0.
      local_ssrc(static_cast<std::uint32_t>((session_handle * 0x9E3779B97F4A7C15) >> 32) | 1) {
  extension_of.fill(Ext::kCount);
  for (std::size_t i = 0; i < kExtCount; ++i) {
    if (config.extensions.id[i] != 0) {
      extension_of[config.extensions.id[i]] = static_cast<Ext>(i);
    }
  }
  if (config.transport_cc && config.extensions.of(Ext::kTransportCc) != 0) {
    feedback = std::make_unique<TwccRecorder>();
  }
}

RouterSession* Router::Impl::FindSession(Handle session) const {
  const auto found = sessions.find(session);
  return found == sessions.end() ? nullptr : found->second.get();
}

RoutedSource* Router::Impl::FindSource(Handle source) const {
  const auto found = sources.find(source);
  return found == sources.end() ? nullptr : found->second;
}

RoutedSlot* Router::Impl::FindSlot(Handle slot) const {
  const auto found = slots.find(slot);
  return found == slots.end() ? nullptr : found->second;
}

Router::Router(RouterOutput& output, std::int64_t wall_clock_offset_us, SlabPool* pool)
    : impl_(std::make_unique<Impl>(output, wall_clock_offset_us, pool)) {}

Router::~Router() = default;

void Router::AddSession(Handle session, const MediaConfig& config) {
  const auto [entry, fresh] = impl_->sessions.try_emplace(session);
  if (!fresh) {
    return;
  }
  entry->second = std::make_unique<RouterSession>(session, config);
  std::uint32_t timer = 0;
  if (impl_->free_timers.empty()) {
    timer = static_cast<std::uint32_t>(impl_->timer_owners.size());
    impl_->timer_owners.push_back(nullptr);
    impl_->timers.Resize(impl_->timer_owners.size());
  } else {
    timer = impl_->free_timers.back();
    impl_->free_timers.pop_back();
  }
  impl_->timer_owners[timer] = entry->second.get();
  entry->second->timer = timer;
}

void Router::RemoveSession(Handle session) {
  RouterSession* found = impl_->FindSession(session);
  if (found == nullptr) {
    return;
  }
  while (!found->slots.empty()) {
    RemoveSlot(found->slots.back()->slot.handle());
  }
  while (!found->sources.empty()) {
    RemoveSource(found->sources.back()->source.handle());
  }
  impl_->timers.Cancel(found->timer);
  impl_->timer_owners[found->timer] = nullptr;
  impl_->free_timers.push_back(found->timer);
  impl_->sessions.erase(session);
}

void Router::AddSource(Handle session, const SourceConfig& config) {
  RouterSession* owner = impl_->FindSession(session);
  if (owner == nullptr || impl_->sources.contains(config.source)) {
    return;
  }
  owner->sources.push_back(std::make_unique<RoutedSource>(config, *owner));
  RoutedSource& added = *owner->sources.back();
  impl_->sources.emplace(config.source, &added);
  owner->demultiplexer.Add(added.source, config);
  if (config.kind == Kind::kAudio) {
    added.voice = impl_->speakers.Add(config.source);
  }
}

void Router::RemoveSource(Handle source) {
  RoutedSource* found = impl_->FindSource(source);
  if (found == nullptr) {
    return;
  }
  while (!found->slots.empty()) {
    RoutedSlot& slot = *found->slots.back();
    impl_->Detach(slot);
    impl_->output.OnSlotSwitched(slot.slot.handle(), 0, slot.slot.next_timestamp());
  }
  if (found->voice != nullptr) {
    impl_->speakers.Remove(source);
    impl_->timers.Set(Impl::kSpeakersTimer, impl_->speakers.due_us());
  }
  RouterSession& owner = found->session;
  owner.demultiplexer.Remove(found->source);
  impl_->sources.erase(source);
  std::erase_if(owner.sources, [&](const auto& entry) { return entry.get() == found; });
}

void Router::PauseSource(Handle source, bool paused) {
  RoutedSource* found = impl_->FindSource(source);
  if (found == nullptr || found->paused == paused) {
    return;
  }
  found->paused = paused;
  // What was not forwarded cannot be made up for: a key frame opens the slots again.
  found->Break();
  impl_->Regate(*found, impl_->now_us);
}

void Router::AddSlot(const SlotConfig& config) {
  RouterSession* owner = impl_->FindSession(config.session);
  if (owner == nullptr || impl_->slots.contains(config.slot)) {
    return;
  }
  owner->slots.push_back(std::make_unique<RoutedSlot>(config, *owner));
  if (owner->slots.back()->slot.stamp().kind == SendStamp::kTransportCc && owner->congestion == nullptr) {
    owner->congestion = std::make_unique<Congestion>(false);
  }
  if (owner->congestion != nullptr && owner->slots.back()->rtx != nullptr) {
    owner->congestion->EnableProbes();
  }
  impl_->slots.emplace(config.slot, owner->slots.back().get());
}

void Router::RemoveSlot(Handle slot) {
  RoutedSlot* found = impl_->FindSlot(slot);
  if (found == nullptr) {
    return;
  }
  impl_->Detach(*found);
  impl_->slots.erase(slot);
  std::erase_if(found->session.slots, [&](const auto& entry) { return entry.get() == found; });
}

void Router::SetSlot(Handle slot, Handle source, TimeUs now) {
  impl_->now_us = now;
  RoutedSlot* found = impl_->FindSlot(slot);
  RoutedSource* wanted = source == 0 ? nullptr : impl_->FindSource(source);
  if (found == nullptr || (source != 0 && wanted == nullptr) || found->source == wanted ||
      (wanted != nullptr && wanted->source.kind() != found->slot.kind())) {
    return;
  }
  impl_->Detach(*found);
  if (wanted == nullptr) {
    impl_->output.OnSlotSwitched(slot, 0, found->slot.next_timestamp());
    return;
  }
  impl_->Attach(*found, *wanted, now);
}

void Router::SetSlotView(Handle slot, const SlotView& view, TimeUs now) {
  impl_->now_us = now;
  RoutedSlot* found = impl_->FindSlot(slot);
  if (found == nullptr || found->view == view) {
    return;
  }
  const bool appears = view.visible && !found->view.visible;
  found->view = view;
  if (!found->shows_video()) {
    return;
  }
  if (!view.visible) {
    impl_->StopWaiting(*found);
    impl_->StopShowing(*found);
    impl_->ReleaseGate(*found->source);
  } else if (appears && found->session.ready) {
    impl_->Wait(*found, now);
  }
  impl_->OnDemand(*found, now);
  impl_->AllocateSoon(found->session, now);
}

void Router::SetSlotLayer(Handle slot, std::uint8_t spatial, std::uint8_t temporal, TimeUs now) {
  impl_->now_us = now;
  if (RoutedSlot* found = impl_->FindSlot(slot)) {
    found->cap = {spatial, temporal};
    impl_->WantLayer(*found, found->cap, now);
  }
}

void Router::SetSessionReady(Handle session, TimeUs now) {
  impl_->now_us = now;
  RouterSession* found = impl_->FindSession(session);
  if (found == nullptr || found->ready) {
    return;
  }
  found->ready = true;
  impl_->AllocateNow(*found, now);
  for (const auto& slot : found->slots) {
    if (slot->source != nullptr) {
      impl_->Wait(*slot, now);
    }
  }
  impl_->Schedule(*found, now);
}

void Router::ReceiveRtp(Handle session, std::span<std::uint8_t> packet, TimeUs now) {
  impl_->now_us = now;
  if (RouterSession* found = impl_->FindSession(session)) {
    impl_->ReceiveRtp(*found, packet, now);
  }
}

void Router::ReceiveRtcp(Handle session, std::span<const std::uint8_t> packet, TimeUs now) {
  impl_->now_us = now;
  if (RouterSession* found = impl_->FindSession(session)) {
    impl_->ReceiveRtcp(*found, packet, now);
  }
}

void Router::ReceiveRelayedRtcp(Handle session, std::span<const std::uint8_t> packet, TimeUs now) {
  impl_->now_us = now;
  if (RouterSession* found = impl_->FindSession(session)) {
    impl_->ReceiveRelayedRtcp(*found, packet, now);
  }
}

void Router::Advance(TimeUs now) {
  impl_->now_us = now;
  impl_->Advance(now);
}

TimeUs Router::NextWakeup() const { return impl_->timers.Next(); }

std::vector<SourceStats> Router::GetSourceStats() const {
  std::vector<SourceStats> all;
  all.reserve(impl_->sources.size());
  for (const auto& [handle, source] : impl_->sources) {
    SourceStats stats;
    stats.source = handle;
    stats.packets = source->packets;
    stats.bytes = source->bytes;
    stats.lost = source->lost;
    stats.key_frame_requests = source->gate.sent();
    stats.nacked = source->nacked;
    stats.repaired = source->repaired;
    stats.unrecovered = source->unrecovered;
    stats.unpacked = source->unpacked;
    for (const auto& layer : source->source.layers()) {
      stats.lost += static_cast<std::uint64_t>(std::max<std::int64_t>(0, layer->reception().lost()));
      stats.key_frames += layer->key_frames();
      stats.jitter = std::max(stats.jitter, layer->reception().jitter());
    }
    all.push_back(stats);
  }
  return all;
}

std::vector<ViewerStats> Router::GetViewerStats() const {
  std::vector<ViewerStats> all;
  for (const auto& [handle, session] : impl_->sessions) {
    if (session->slots.empty()) {
      continue;
    }
    ViewerStats stats;
    stats.session = handle;
    stats.estimate_bps = Impl::EstimateOf(*session).value_or(0);
    stats.granted_bps = session->allocation.granted_bps;
    stats.wanted_bps = session->allocation.wanted_bps;
    if (session->congestion != nullptr) {
      stats.probes = session->congestion->prober().sent();
      stats.loss = session->congestion->estimator().loss();
      stats.round_trip_us = session->congestion->estimator().round_trip_us();
    }
    all.push_back(stats);
  }
  return all;
}

std::vector<SlotStats> Router::GetSlotStats() const {
  std::vector<SlotStats> all;
  all.reserve(impl_->slots.size());
  for (const auto& [handle, slot] : impl_->slots) {
    SlotStats stats;
    stats.slot = handle;
    stats.packets = slot->slot.packets();
    stats.bytes = slot->slot.bytes();
    stats.switches = slot->switches;
    stats.dropped = slot->slot.dropped();
    stats.nacked = slot->nacked;
    stats.resent = slot->resent;
    stats.freezes = slot->slot.kind() == Kind::kVideo ? slot->freezes.count() : 0;
    stats.frozen_us = slot->slot.kind() == Kind::kVideo ? slot->freezes.duration_us() : 0;
    stats.fraction_lost = slot->fraction_lost;
    stats.round_trip_us = slot->round_trip_us;
    stats.paused = slot->paused;
    stats.spatial = slot->target.spatial;
    stats.temporal = slot->target.temporal;
    all.push_back(stats);
  }
  return all;
}

}  // namespace tertulia
