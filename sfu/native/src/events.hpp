// What a worker tells Python. Three kinds, each bounded in its own way: states are never dropped, and while Python
// lags only the latest of each thing is kept; DTLS datagrams are dropped beyond a limit a session (DTLS and SCTP send
// again); of statistics only the latest answer counts. One eventfd wakes the reader, written only when the queue was
// empty.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include "ice/lite_agent.hpp"
#include "signalled_ring.hpp"
#include "tertulia/router.hpp"
#include "tertulia/types.hpp"

namespace tertulia {

namespace event {

struct Nothing {};

struct Dtls {
  Handle session = 0;
  std::vector<std::uint8_t> datagram;
};

struct Path {
  Handle session = 0;
  IceState state = IceState::kChecking;
};

struct Switched {
  Handle slot = 0;
  Handle source = 0;
  std::uint32_t first_rtp_timestamp = 0;
};

struct Active {
  Handle source = 0;
  bool active = false;
};

struct Unsupported {
  Handle slot = 0;
  Handle source = 0;
};

struct Paused {
  Handle slot = 0;
  bool paused = false;
};

struct LayersWanted {
  Handle source = 0;
  std::uint32_t layers = 0;  // a bit each
};

struct Speakers {
  Handle room = 0;
  std::vector<std::pair<Handle, std::uint8_t>> speakers;
};

// The worker knows nothing by this handle any more: its index may be used again.
struct Closed {
  Handle handle = 0;
};

struct WorkerCounters {
  std::uint64_t cpu_us = 0;  // of the worker's thread
  std::uint64_t wakeups = 0;
  std::uint64_t received = 0, received_bytes = 0;
  std::uint64_t unknown_source = 0;  // from an address that no session has proven
  std::uint64_t malformed = 0, truncated = 0, kernel_drops = 0;
  std::uint64_t sent = 0, sent_bytes = 0, sent_messages = 0, send_calls = 0;
  std::uint64_t send_deferred = 0, send_dropped = 0, send_refused = 0, backlog = 0;
  std::uint64_t sessions = 0, rooms = 0;
  std::uint64_t receive_buffer = 0, send_buffer = 0;
  std::uint64_t relayed = 0, relay_lost = 0;  // packets to other workers; those that found the ring full
  bool segmentation = false;
};

struct SessionCounters {
  Handle session = 0;
  std::uint64_t received = 0, received_bytes = 0, sent = 0, sent_bytes = 0;
  std::uint64_t forged = 0, replayed = 0, dtls_dropped = 0, unproven = 0;
};

struct Stats {
  WorkerCounters worker;
  std::vector<SessionCounters> sessions;
  std::vector<SourceStats> sources;
  std::vector<SlotStats> slots;
  std::vector<ViewerStats> viewers;
};

}  // namespace event

using Event = std::variant<event::Nothing, event::Dtls, event::Path, event::Switched, event::Active, event::Unsupported,
                           event::Speakers, event::Closed, event::Paused, event::LayersWanted,
                           std::shared_ptr<const event::Stats>>;

// How many datagrams of one session may be under way to Python. Kept by the worker alone: it remembers where in the
// queue the last ones stand and compares with how far the reader has come.
class DtlsQuota {
 public:
  static constexpr std::size_t kMax = 64;

  [[nodiscard]] bool full(std::uint64_t consumed) const { return positions_[next_] > consumed; }
  void Add(std::uint64_t position) {
    positions_[next_] = position;
    next_ = (next_ + 1) % kMax;
  }

 private:
  std::array<std::uint64_t, kMax> positions_{};  // 1 + index in the queue; 0: never used
  std::size_t next_ = 0;
};

// The worker's thread pushes, one other thread pops.
class EventQueue {
 public:
  explicit EventQueue(std::size_t capacity) : ring_(capacity) {}

  // Worker. Never lost.
  void PushState(Event event);
  // Worker. False: dropped, because this session has its quota under way or the queue is nearly full.
  bool PushDtls(DtlsQuota& quota, Handle session, Bytes datagram);
  // Worker, once a turn: moves states that found the ring full.
  void Settle();
  [[nodiscard]] bool unsettled() const { return !overflow_.empty(); }

  // Reader. Up to `limit` events are passed to `take`. While events remain the eventfd stays readable.
  template <typename Take>
  void Pop(std::size_t limit, Take take) {
    ring_.Pop(limit, take);
  }
  [[nodiscard]] int fd() const { return ring_.fd(); }

 private:
  SignalledRing<Event> ring_;
  std::vector<Event> overflow_;
  std::unordered_map<std::uint64_t, std::size_t> overflow_index_;  // key -> place in overflow_
};

}  // namespace tertulia
