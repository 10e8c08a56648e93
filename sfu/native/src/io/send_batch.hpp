// Everything that one socket sends in one turn of the worker's loop: datagrams are written straight into the batch, put
// together by destination, and leave in few system calls (sendmmsg), several to a message where the kernel cuts them
// apart again (UDP_SEGMENT, udp(7)).
//
// Order is kept for each destination and priority. Nothing here ever blocks: what the socket does not take waits in a
// bounded backlog.
#pragma once

#include <sys/socket.h>

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <vector>

#include "io/endpoint.hpp"
#include "io/send_backlog.hpp"
#include "wire/bytes.hpp"

namespace tertulia {

// Where datagrams go. It must stay where it is, unchanged, while datagrams for it are in a batch: Flush before changing
// or destroying one.
class Destination {
 public:
  Destination() = default;
  explicit Destination(const IcePath& path) : endpoint_(path) {}

 private:
  friend class SendBatch;
  static constexpr std::uint32_t kNone = UINT32_MAX;

  Endpoint endpoint_;
  std::uint32_t first_ = kNone;
  std::uint32_t last_ = kNone;
  bool segmentation_ = true;  // false after the route of this destination refused it
};

struct SendStats {
  std::uint64_t datagrams = 0, bytes = 0;
  std::uint64_t messages = 0;  // a message may hold several datagrams
  std::uint64_t calls = 0;
  std::uint64_t dropped = 0;   // no room in the backlog
  std::uint64_t refused = 0;   // the system refused them for good (no route, for example)
  std::uint64_t deferred = 0;  // had to wait in the backlog
};

class SendBatch {
 public:
  static constexpr std::size_t kArenaBytes = 512 * 1024;  // stays in the second-level cache
  static constexpr std::size_t kDatagramMax = 1500;
  static constexpr std::size_t kMaxDatagrams = 2048;
  static constexpr std::size_t kMaxMessages = 128;
  static constexpr std::size_t kMaxSegments = 64;          // UDP_MAX_SEGMENTS of older kernels
  static constexpr std::size_t kMaxMessageBytes = 65'000;  // below what an IP packet can say

  // sendmmsg(2) of one socket: how many messages were taken, or -1 with errno.
  using SendMany = std::function<int(mmsghdr*, unsigned)>;

  SendBatch(SendMany send, bool segmentation);

  // Room for one datagram of at most `size` <= kDatagramMax bytes; Commit says how much of it is used. Between the two
  // there is no other call.
  MutableBytes Reserve(Destination& destination, std::size_t size);
  void Commit(std::size_t size, SendPriority priority);
  // Copies one datagram to a path that is used once (an answer to a check).
  void Send(const IcePath& path, Bytes datagram);

  void Flush();
  // The socket took no more: call OnWritable when it does.
  [[nodiscard]] bool waiting() const { return !backlog_.empty(); }
  void OnWritable() { DrainBacklog(); }

  [[nodiscard]] const SendStats& stats() const { return stats_; }
  [[nodiscard]] bool segmentation() const { return segmentation_; }
  [[nodiscard]] std::size_t backlog() const { return backlog_.size(); }

 private:
  struct Packet {
    std::uint32_t offset = 0;
    std::uint32_t next = Destination::kNone;
    std::uint16_t size = 0;
    SendPriority priority = SendPriority::kNormal;
  };
  struct Message {
    Destination* destination = nullptr;
    std::uint32_t vector = 0;  // first of its vectors, one a datagram
    std::uint32_t count = 0;
    SendPriority priority = SendPriority::kNormal;
    alignas(cmsghdr) std::array<std::uint8_t, Endpoint::kControlSize> control;
  };

  void AddMessages(Destination& destination);
  void SendMessages();
  bool SendOne(const Message& message);
  void Defer(std::size_t message);
  void Defer(const Endpoint& endpoint, const iovec& datagram, SendPriority priority);
  void DrainBacklog();
  void Count(const Message& message);

  SendMany send_;
  bool segmentation_;
  std::vector<std::uint8_t> arena_;
  std::size_t used_ = 0;
  std::vector<Packet> packets_;
  std::vector<Destination*> destinations_;
  std::deque<Destination> once_;
  Destination* reserved_ = nullptr;

  std::vector<iovec> vectors_;
  std::vector<Message> messages_;
  std::vector<mmsghdr> headers_;
  std::size_t message_count_ = 0;
  SendBacklog backlog_;
  SendStats stats_;
};

}  // namespace tertulia
