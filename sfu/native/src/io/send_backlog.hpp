// Datagrams that wait because the socket's send buffer was full. Bounded, in two classes: what is heard (audio, and the
// small messages that keep a session alive) waits apart and leaves first; what is seen is dropped first. Within a class
// the order is kept, so no stream is reordered.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "io/endpoint.hpp"
#include "wire/bytes.hpp"

namespace tertulia {

enum class SendPriority : std::uint8_t { kHigh, kNormal };

class SendBacklog {
 public:
  static constexpr std::size_t kHighSlots = 512;
  static constexpr std::size_t kNormalSlots = 1024;
  static constexpr std::size_t kDatagramMax = 1500;

  struct Waiting {
    Endpoint endpoint;
    std::uint16_t size = 0;
    std::array<std::uint8_t, kDatagramMax> bytes{};
  };

  // False: no room in its class, or too large; the datagram is dropped.
  bool Push(const Endpoint& endpoint, Bytes datagram, SendPriority priority) {
    Ring& ring = rings_[static_cast<std::size_t>(priority)];
    const std::size_t limit = priority == SendPriority::kHigh ? kHighSlots : kNormalSlots;
    if (ring.count == limit || datagram.size() > kDatagramMax) {
      return false;
    }
    if (ring.slots.empty()) {
      ring.slots.resize(limit);  // paid once, by the first socket that is ever full
    }
    Waiting& slot = ring.slots[(ring.first + ring.count) % limit];
    slot.endpoint = endpoint;
    slot.size = static_cast<std::uint16_t>(datagram.size());
    std::memcpy(slot.bytes.data(), datagram.data(), datagram.size());
    ++ring.count;
    return true;
  }

  [[nodiscard]] bool empty() const { return size() == 0; }
  [[nodiscard]] std::size_t size() const { return rings_[0].count + rings_[1].count; }

  // The n-th datagram of the class that leaves next, or null: read some, send them, then Pop as many as were taken.
  Waiting* Peek(std::size_t n) {
    Ring& ring = Next();
    return n < ring.count ? &ring.slots[(ring.first + n) % ring.slots.size()] : nullptr;
  }
  void Pop(std::size_t n) {
    Ring& ring = Next();
    ring.first = ring.slots.empty() ? 0 : (ring.first + n) % ring.slots.size();
    ring.count -= n;
  }

 private:
  struct Ring {
    std::vector<Waiting> slots;
    std::size_t first = 0;
    std::size_t count = 0;
  };

  Ring& Next() { return rings_[0].count > 0 ? rings_[0] : rings_[1]; }

  std::array<Ring, 2> rings_;
};

}  // namespace tertulia
