// How a worker applies commands. Whatever a command names may be gone: then it does nothing, and what it would have
// made is acknowledged as closed, so that the handle can be used again.
#include <algorithm>
#include <ctime>
#include <utility>

#include "worker.hpp"

namespace tertulia {

namespace {

// Taken when a room is made, so that a step of the wall clock never shows inside a room.
std::int64_t WallClockOffset(TimeUs now) {
  timespec time{};
  clock_gettime(CLOCK_REALTIME, &time);
  return static_cast<std::int64_t>(time.tv_sec) * 1'000'000 + time.tv_nsec / 1'000 - now;
}

}  // namespace

Worker::Thing* Worker::FindThing(Handle handle, ThingKind kind) {
  Thing* thing = things_.Find(handle);
  return thing != nullptr && thing->kind == kind ? thing : nullptr;
}

Member* Worker::FindMember(Handle session) {
  Thing* thing = FindThing(session, ThingKind::kSession);
  return thing == nullptr ? nullptr : thing->member;
}

void Worker::Forget(Handle handle) {
  things_.Erase(handle);
  events_.PushState(event::Closed{handle});
}

void Worker::Apply(const command::CreateRoom& command) {
  auto room =
      std::make_unique<Room>(static_cast<RoomHost&>(*this), events_, command.room, WallClockOffset(now_), packets_);
  if (things_.Insert(command.room, {ThingKind::kRoom, room.get(), nullptr})) {
    rooms_.emplace(command.room, std::move(room));
  }
}

void Worker::Apply(const command::CloseRoom& command) {
  Thing* thing = FindThing(command.room, ThingKind::kRoom);
  if (thing == nullptr) {
    return;
  }
  for (const Handle session : std::vector<Handle>(thing->room->sessions())) {
    CloseMember(session);
  }
  rooms_.erase(command.room);
  Forget(command.room);
}

void Worker::Apply(command::CreateSession& command) {
  Thing* thing = FindThing(command.room, ThingKind::kRoom);
  if (thing == nullptr) {
    events_.PushState(event::Closed{command.session});
    return;
  }
  Room& room = *thing->room;
  const std::string ufrag = command.local.ufrag;
  auto member = std::make_unique<Member>(room, static_cast<SessionHost&>(*this), command.session,
                                         std::move(command.local), std::move(command.remote), now_);
  if (!things_.Insert(command.session, {ThingKind::kSession, &room, member.get()})) {
    return;
  }
  directory_.AddUfrag(*member, ufrag);
  room.sessions().push_back(command.session);
  TouchIce(*member);
  members_.emplace(command.session, std::move(member));
}

void Worker::Apply(command::RestartIce& command) {
  Member* member = FindMember(command.session);
  if (member == nullptr) {
    return;
  }
  directory_.AddUfrag(*member, command.local.ufrag);
  member->session.ice().Restart(std::move(command.local), std::move(command.remote), now_);
  TouchIce(*member);
}

void Worker::Apply(const command::ConfigureMedia& command) {
  if (Member* member = FindMember(command.session)) {
    EnsureMedia(*member, command.media);
  }
}

// The router takes the first configuration; a session that never says one has no extensions and no feedback.
void Worker::EnsureMedia(Member& member, const MediaConfig& config) {
  if (!std::exchange(member.in_router, true)) {
    member.room.router().AddSession(member.session.handle(), config);
  }
}

void Worker::Apply(const command::SetSrtpKeys& command) {
  Member* member = FindMember(command.session);
  if (member != nullptr && member->session.SetKeys(command.profile, command.send_key, command.receive_key, now_)) {
    EnsureMedia(*member, {});
    member->room.router().SetSessionReady(command.session, now_);
    Touch(member->room);
  }
}

void Worker::Apply(const command::SendDtls& command) {
  if (Member* member = FindMember(command.session)) {
    member->session.SendDtls(command.datagram);
  }
}

void Worker::Apply(const command::CloseSession& command) { CloseMember(command.session); }

void Worker::CloseMember(Handle session) {
  Member* member = FindMember(session);
  if (member == nullptr) {
    return;
  }
  member->room.router().RemoveSession(session);
  for (const Handle thing : member->things) {
    Forget(thing);
  }
  std::erase(member->room.sessions(), session);
  directory_.Remove(*member);
  members_.erase(session);
  Forget(session);
}

void Worker::Apply(command::AddSource& command) {
  Member* member = FindMember(command.session);
  if (member == nullptr) {
    events_.PushState(event::Closed{command.config.source});
  } else if (things_.Insert(command.config.source, {ThingKind::kSource, &member->room, member})) {
    member->things.push_back(command.config.source);
    EnsureMedia(*member, {});
    member->room.router().AddSource(command.session, command.config);
  }
}

void Worker::Apply(const command::AddSlot& command) {
  Member* member = FindMember(command.config.session);
  if (member == nullptr) {
    events_.PushState(event::Closed{command.config.slot});
  } else if (things_.Insert(command.config.slot, {ThingKind::kSlot, &member->room, member})) {
    member->things.push_back(command.config.slot);
    if (command.config.kind == Kind::kAudio) {
      for (const auto& [format, payload_type] : command.config.payloads) {
        member->session.AddAudioPayloadType(payload_type);
      }
    }
    EnsureMedia(*member, {});
    member->room.router().AddSlot(command.config);
  }
}

void Worker::RemoveThing(Handle handle, ThingKind kind) {
  Thing* thing = FindThing(handle, kind);
  if (thing == nullptr) {
    return;
  }
  if (kind == ThingKind::kSource) {
    thing->room->router().RemoveSource(handle);
  } else {
    thing->room->router().RemoveSlot(handle);
  }
  Touch(*thing->room);
  std::erase(thing->member->things, handle);
  Forget(handle);
}

void Worker::Apply(const command::RemoveSource& command) { RemoveThing(command.source, ThingKind::kSource); }
void Worker::Apply(const command::RemoveSlot& command) { RemoveThing(command.slot, ThingKind::kSlot); }

void Worker::Apply(const command::PauseSource& command) {
  if (Thing* thing = FindThing(command.source, ThingKind::kSource)) {
    thing->room->router().PauseSource(command.source, command.paused);
  }
}

void Worker::Apply(const command::SetSlots& command) {
  for (const auto& [slot, view] : command.views) {
    SetSlotView(slot, view);
  }
  for (const auto& [slot, source] : command.sources) {
    SetSlot(slot, source);
  }
}

void Worker::SetSlot(Handle slot, Handle source) {
  Thing* its_slot = FindThing(slot, ThingKind::kSlot);
  Thing* its_source = FindThing(source, ThingKind::kSource);
  if (its_slot == nullptr || (source != 0 && (its_source == nullptr || its_source->room != its_slot->room))) {
    return;
  }
  its_slot->room->router().SetSlot(slot, source, now_);
  Touch(*its_slot->room);
}

void Worker::SetSlotView(Handle slot, const SlotView& view) {
  if (Thing* its_slot = FindThing(slot, ThingKind::kSlot)) {
    its_slot->room->router().SetSlotView(slot, view, now_);
    Touch(*its_slot->room);
  }
}

void Worker::Apply(const command::Relay& command) {
  if (Member* member = FindMember(command.session)) {
    std::erase_if(member->relays, [&](const RelayTarget& known) { return known.worker == command.target.worker; });
    if (command.target.mirror != 0) {
      member->relays.push_back(command.target);
    }
  }
}

void Worker::Apply(const command::Mirror& command) {
  if (Member* member = FindMember(command.session)) {
    member->session.MirrorOf(command.origin);
    EnsureMedia(*member, {});
    member->room.router().SetSessionReady(command.session, now_);
    Touch(member->room);
  }
}

void Worker::Apply(const command::RequestStats& /*command*/) {
  auto stats = std::make_shared<event::Stats>();
  stats->worker = counters_;
  event::WorkerCounters& worker = stats->worker;
  timespec cpu{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &cpu);
  worker.cpu_us = static_cast<std::uint64_t>(cpu.tv_sec) * 1'000'000 + static_cast<std::uint64_t>(cpu.tv_nsec) / 1'000;
  worker.segmentation = true;
  worker.truncated = received_.truncated();
  for (const auto& port : ports_) {
    const SendStats& sent = port->batch().stats();
    worker.sent += sent.datagrams;
    worker.sent_bytes += sent.bytes;
    worker.sent_messages += sent.messages;
    worker.send_calls += sent.calls;
    worker.send_deferred += sent.deferred;
    worker.send_dropped += sent.dropped;
    worker.send_refused += sent.refused;
    worker.backlog += port->batch().backlog();
    worker.kernel_drops += port->socket().kernel_drops();
    worker.segmentation = worker.segmentation && port->batch().segmentation();
    worker.receive_buffer = static_cast<std::uint64_t>(port->socket().receive_buffer());
    worker.send_buffer = static_cast<std::uint64_t>(port->socket().send_buffer());
  }
  worker.sessions = members_.size();
  worker.rooms = rooms_.size();
  for (const auto& [handle, member] : members_) {
    stats->sessions.push_back(member->session.counters());
  }
  for (auto& [handle, room] : rooms_) {
    for (const SourceStats& source : room->router().GetSourceStats()) {
      stats->sources.push_back(source);
    }
    for (const SlotStats& slot : room->router().GetSlotStats()) {
      stats->slots.push_back(slot);
    }
    for (const ViewerStats& viewer : room->router().GetViewerStats()) {
      stats->viewers.push_back(viewer);
    }
  }
  events_.PushState(std::shared_ptr<const event::Stats>(std::move(stats)));
}

}  // namespace tertulia
