// What time brings: everything that is due of a session is done in one go, and the session is set up for the next.
#include <algorithm>

#include "router_impl.hpp"

namespace tertulia {

void Router::Impl::Advance(TimeUs now) {
  while (const auto due = timers.Take(now)) {
    if (*due == kSpeakersTimer) {
      if (speakers.Evaluate(now)) {
        output.OnSpeakers(speakers.list());
      }
      timers.Set(kSpeakersTimer, speakers.due_us());
    } else if (RouterSession* session = timer_owners[*due]) {
      Service(*session, now);
      // Never now again: whatever is due is done, or cannot be done yet.
      Schedule(*session, std::max(NextDue(*session), now + kMillisecond));
    }
  }
}

void Router::Impl::Service(RouterSession& session, TimeUs now) {
  CheckSources(session, now);
  if (!session.ready) {
    return;
  }
  if (session.feedback != nullptr && session.feedback->due_us() <= now) {
    SendFeedback(session);
  }
  SendNacks(session, now);
  SendKeyFrameRequests(session, now);
  SendReports(session, now);
  SendSlotReports(session, now);
  ServiceViewer(session, now);
}

void Router::Impl::CheckSources(RouterSession& session, TimeUs now) {
  for (const auto& source : session.sources) {
    if (source->source.CheckSilence(now)) {
      Retarget(*source, now);
    }
    if (source->source.active() && now - source->source.last_packet_us() >= Source::kSilentUs &&
        !source->source.rests()) {
      SetActive(*source, false);
    }
    if (source->demand_due_us <= now) {
      UpdateDemand(*source, now);
    }
  }
}

TimeUs Router::Impl::NextDue(const RouterSession& session) const {
  TimeUs next = kNever;
  for (const auto& source : session.sources) {
    next = std::min(next, source->source.next_check_us());
    if (source->source.active() && !source->source.rests()) {
      next = std::min(next, source->source.last_packet_us() + Source::kSilentUs);
    }
    next = std::min(next, source->demand_due_us);
    if (session.ready && source->source.best() != nullptr && !source->paused) {
      next = std::min(next, source->gate.due_us());
    }
    for (std::size_t i = 0; session.ready && i < source->source.layers().size(); ++i) {
      if (source->recovery[i] != nullptr) {
        next = std::min(next, source->recovery[i]->nacks.due_us());
      }
    }
  }
  if (!session.ready) {
    return next;
  }
  next = std::min(next, session.reports_due_us);
  if (session.feedback != nullptr) {
    next = std::min(next, session.feedback->due_us());
  }
  for (const auto& slot : session.slots) {
    next = std::min(next, slot->slot.reports().due_us());
  }
  next = std::min(next, ViewerDue(session));
  return next;
}

}  // namespace tertulia
