// Everything that one socket sends in one turn of the worker's loop, put together by destination: it leaves in few
// system calls (sendmmsg), several datagrams to a message where the kernel cuts them apart again (UDP_SEGMENT, udp(7)).
//
// Media packets are taken in plain and encrypted when the batch leaves, destination by destination: whatever order they
// came in, each viewer's keys are fetched into the cache once, and what was encrypted is still there when the kernel
// copies it. The payload is not copied before that: all viewers of a packet share the received one.
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

// Encrypts the media packets of a destination.
class Sealer {
 public:
  virtual ~Sealer() = default;
  // Writes the packet as it travels to `out`; returns its size, 0 if it must not leave.
  virtual std::size_t Seal(Bytes header, Bytes payload, MutableBytes out) = 0;
  // Seal follows soon: begins to bring what it needs to the cache, by steps as SrtpSender::Prefetch has them.
  static constexpr int kPrefetchSteps = 3;
  virtual void Prefetch(int /*step*/) const {}
};

// Where datagrams go. It must stay where it is, unchanged, while datagrams for it are in a batch: Flush before changing
// or destroying one.
class Destination {
 public:
  Destination() = default;
  explicit Destination(const IcePath& path, Sealer* sealer = nullptr) : endpoint_(path), sealer_(sealer) {}

 private:
  friend class SendBatch;
  static constexpr std::uint32_t kNone = UINT32_MAX;

  Endpoint endpoint_;
  Sealer* sealer_ = nullptr;
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
  static constexpr std::size_t kStagingBytes = 512 * 1024;
  static constexpr std::size_t kSealedBytes = 192 * 1024;  // sent when full: small, so that it stays in the cache
  static constexpr std::size_t kDatagramMax = 1500;
  static constexpr std::size_t kMaxDatagrams = 8192;
  static constexpr std::size_t kMaxMessages = 128;
  static constexpr std::size_t kMaxSegments = 64;          // UDP_MAX_SEGMENTS of older kernels
  static constexpr std::size_t kMaxMessageBytes = 65'000;  // below what an IP packet can say
  // So many bytes at the start of a payload are kept apart: they differ between viewers (picture ids).
  static constexpr std::size_t kOwnBytes = 16;

  // sendmmsg(2) of one socket: how many messages were taken, or -1 with errno.
  using SendMany = std::function<int(mmsghdr*, unsigned)>;

  // Payloads that lie in `lasting` stay as they are (but for their first kOwnBytes) until the next Flush; others are
  // copied.
  SendBatch(SendMany send, bool segmentation, Bytes lasting = {});

  // A media packet, to be sealed.
  void AddRtp(Destination& destination, Bytes header, Bytes payload, SendPriority priority);
  // Room for one datagram that is sent as it is, of at most `size` <= kDatagramMax bytes; Commit says how much of it is
  // used. Between the two there is no other call.
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
  // One datagram in the staging arena: all of it, or (sealed later) the header, then the payload or its own bytes.
  struct Packet {
    const std::uint8_t* shared = nullptr;  // the payload in `lasting`
    std::uint32_t offset = 0;
    std::uint32_t next = Destination::kNone;
    std::uint16_t size = 0;  // in plain
    std::uint16_t header = 0;
    bool seal = false;
    SendPriority priority = SendPriority::kNormal;
  };
  struct Message {
    Destination* destination = nullptr;
    std::uint32_t vector = 0;  // first of its vectors, one a datagram
    std::uint32_t count = 0;
    std::uint32_t bytes = 0;
    std::uint16_t segment = 0;  // size of the first datagram
    bool open = false;          // another datagram may follow
    SendPriority priority = SendPriority::kNormal;
    alignas(cmsghdr) std::array<std::uint8_t, Endpoint::kControlSize> control{};
  };

  static constexpr std::size_t kPrefetchGroup = 8;  // destinations whose keys are asked for together

  void MakeRoom(std::size_t size);
  void Queue(Destination& destination, const Packet& packet, std::size_t staged);
  void PrefetchGroup(std::size_t first);
  void AddMessages(Destination& destination);
  Bytes Seal(const Destination& destination, const Packet& packet);
  void AddDatagram(Destination& destination, Bytes datagram, SendPriority priority);
  void SendMessages();
  void WriteHeaders();
  bool SendOne(const Message& message);
  void Defer(const Message& message);
  void DrainBacklog();
  void Count(const Message& message);

  SendMany send_;
  bool segmentation_;
  Bytes lasting_;
  std::vector<std::uint8_t> staging_;
  std::size_t staged_ = 0;
  std::vector<Packet> packets_;
  std::vector<Destination*> destinations_;
  std::deque<Destination> once_;
  Destination* reserved_ = nullptr;

  std::vector<std::uint8_t> sealed_;
  std::size_t sealed_used_ = 0;
  std::array<std::uint8_t, kDatagramMax> plain_{};
  std::vector<iovec> vectors_;
  std::vector<Message> messages_;
  std::vector<mmsghdr> headers_;
  std::size_t message_count_ = 0;
  SendBacklog backlog_;
  SendStats stats_;
};

}  // namespace tertulia
