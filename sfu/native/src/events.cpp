#include "events.hpp"

#include <type_traits>

namespace tertulia {

namespace {

// Which earlier state a state replaces: the same kind of news about the same thing. Generations keep a handle's 64 bits
// busy, but far fewer than 2^28 are ever alive, so the kind fits on top.
std::uint64_t KeyOf(const Event& event) {
  const auto handle = std::visit(
      [](const auto& e) -> Handle {
        using T = std::decay_t<decltype(e)>;
        if constexpr (std::is_same_v<T, event::Path> || std::is_same_v<T, event::Dtls>) {
          return e.session;
        } else if constexpr (std::is_same_v<T, event::Switched> || std::is_same_v<T, event::Unsupported> ||
                             std::is_same_v<T, event::Paused>) {
          return e.slot;
        } else if constexpr (std::is_same_v<T, event::Active> || std::is_same_v<T, event::LayersWanted>) {
          return e.source;
        } else if constexpr (std::is_same_v<T, event::Speakers>) {
          return e.room;
        } else if constexpr (std::is_same_v<T, event::Closed>) {
          return e.handle;
        } else {
          return 0;
        }
      },
      event);
  return handle ^ (static_cast<std::uint64_t>(event.index()) << 60);
}

}  // namespace

void EventQueue::PushState(Event event) {
  Settle();
  if (overflow_.empty() && ring_.Push(std::move(event))) {
    return;
  }
  const std::uint64_t key = KeyOf(event);  // NOLINT(bugprone-use-after-move): a full ring does not take it
  const auto [place, is_new] = overflow_index_.try_emplace(key, overflow_.size());
  if (is_new) {
    overflow_.push_back(std::move(event));
  } else {
    overflow_[place->second] = std::move(event);
  }
}

bool EventQueue::PushDtls(DtlsQuota& quota, Handle session, Bytes datagram) {
  // The last quarter of the ring is for states.
  if (quota.full(ring_.ring().popped()) || ring_.ring().size() >= ring_.ring().capacity() / 4 * 3) {
    return false;
  }
  if (!ring_.Push(event::Dtls{session, {datagram.begin(), datagram.end()}})) {
    return false;
  }
  quota.Add(ring_.ring().pushed());
  return true;
}

void EventQueue::Settle() {
  std::size_t moved = 0;
  while (moved < overflow_.size() && ring_.Push(std::move(overflow_[moved]))) {
    ++moved;
  }
  if (moved == 0) {
    return;
  }
  overflow_.erase(overflow_.begin(), overflow_.begin() + static_cast<std::ptrdiff_t>(moved));
  overflow_index_.clear();
  for (std::size_t i = 0; i < overflow_.size(); ++i) {
    overflow_index_.emplace(KeyOf(overflow_[i]), i);
  }
}

}  // namespace tertulia
