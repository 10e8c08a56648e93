// A relay carries what one worker has decrypted to another, for rooms that one worker cannot hold. On the far side a
// session without a client, the mirror, stands for the publisher: the far router sees the same packets and knows
// nothing of the link. What that router has to say to its publisher (key-frame requests) goes back over a ring of its
// own. A relay starts at the worker that a publisher's own session lives on, and mirrors are not relayed further: there
// are no loops.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <memory>
#include <unordered_map>

#include "signalled_ring.hpp"
#include "tertulia/types.hpp"
#include "wire/bytes.hpp"

namespace tertulia {

struct RelayedPacket {
  static constexpr std::size_t kMaxSize = 1'500;

  Handle session = 0;  // of the reader's worker: a mirror, or a publisher's own on the way back
  std::uint16_t size = 0;
  bool rtcp = false;
  std::array<std::uint8_t, kMaxSize> bytes;  // NOLINT(cppcoreguidelines-pro-type-member-init): written as far as used

  // Not defaulted, which would clear the buffer each time.
  RelayedPacket() {}  // NOLINT(cppcoreguidelines-pro-type-member-init,modernize-use-equals-default)
  RelayedPacket(Handle its_session, bool is_rtcp, Bytes packet)  // NOLINT(cppcoreguidelines-pro-type-member-init)
      : session(its_session), size(static_cast<std::uint16_t>(packet.size())), rtcp(is_rtcp) {
    std::memcpy(bytes.data(), packet.data(), packet.size());
  }
  RelayedPacket(const RelayedPacket& other) { *this = other; }      // NOLINT(cppcoreguidelines-pro-type-member-init)
  RelayedPacket(RelayedPacket&& other) noexcept { *this = other; }  // NOLINT(cppcoreguidelines-pro-type-member-init)
  ~RelayedPacket() = default;
  // Copies what is used, not the whole buffer.
  RelayedPacket& operator=(const RelayedPacket& other) {
    if (this != &other) {
      session = other.session;
      size = other.size;
      rtcp = other.rtcp;
      std::memcpy(bytes.data(), other.bytes.data(), other.size);
    }
    return *this;
  }
  RelayedPacket& operator=(RelayedPacket&& other) noexcept { return *this = other; }
};

using RelayRing = SignalledRing<RelayedPacket>;

// Where a session's packets go besides its own room: the mirror on another worker.
struct RelayTarget {
  std::uint32_t worker = 0;
  Handle mirror = 0;
};

// The ways from one worker to others; a worker is known by a number that the caller gives it.
class RelayLinks {
 public:
  // Some 10 ms of a saturated worker.
  static constexpr std::size_t kCapacity = 4'096;

  void Add(std::uint32_t worker, std::shared_ptr<RelayRing> ring) { rings_[worker] = std::move(ring); }

  // A packet that finds no link or a full ring is lost, as on any network. False: lost.
  bool Send(std::uint32_t worker, Handle session, bool rtcp, Bytes packet) {
    const auto found = rings_.find(worker);
    return found != rings_.end() && packet.size() <= RelayedPacket::kMaxSize &&
           found->second->Push(RelayedPacket(session, rtcp, packet));
  }

 private:
  std::unordered_map<std::uint32_t, std::shared_ptr<RelayRing>> rings_;
};

}  // namespace tertulia
