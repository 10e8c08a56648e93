// One UDP socket: buffers as large as the system lets us have (and known to be so), the address that a datagram was
// sent to, and the kernel's own count of what it had to drop.
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "io/endpoint.hpp"
#include "wire/address.hpp"
#include "wire/bytes.hpp"

namespace tertulia {

class UdpSocket {
 public:
  // Port 0: any. Throws std::system_error with the system's errno when the address cannot be had.
  UdpSocket(const Address& bind, int buffer_bytes);
  ~UdpSocket();
  UdpSocket(const UdpSocket&) = delete;
  UdpSocket& operator=(const UdpSocket&) = delete;

  [[nodiscard]] int fd() const { return fd_; }
  [[nodiscard]] const Address& address() const { return address_; }
  // What the kernel granted, in bytes of its own accounting.
  [[nodiscard]] int receive_buffer() const { return receive_buffer_; }
  [[nodiscard]] int send_buffer() const { return send_buffer_; }
  // Datagrams the kernel dropped because the receive buffer was full, as last told (SO_RXQ_OVFL; modulo 2^32).
  [[nodiscard]] std::uint32_t kernel_drops() const { return kernel_drops_; }

 private:
  friend class ReceiveBatch;

  int fd_ = -1;
  Address address_;
  int receive_buffer_ = 0;
  int send_buffer_ = 0;
  std::uint32_t kernel_drops_ = 0;
};

// Reads up to kSize datagrams of a socket in one system call, into buffers that are reused: one batch serves all
// sockets of a worker.
class ReceiveBatch {
 public:
  static constexpr std::size_t kSize = 64;
  static constexpr std::size_t kDatagramMax = 2048;  // more is cut by the kernel and dropped by us

  struct Datagram {
    IcePath path;
    MutableBytes bytes;
  };

  ReceiveBatch();

  // What is there now; empty when there is nothing (or on an error, which the next call meets again or not).
  // Valid until the next call.
  std::span<Datagram> Receive(UdpSocket& socket);

  [[nodiscard]] std::uint64_t truncated() const { return truncated_; }
  // Where all its datagrams lie.
  [[nodiscard]] Bytes region() const {
    return {reinterpret_cast<const std::uint8_t*>(slots_.data()), slots_.size() * sizeof(Slot)};
  }

 private:
  static constexpr std::size_t kControlSize = 128;
  struct Slot {
    SocketAddress remote;
    alignas(cmsghdr) std::array<std::uint8_t, kControlSize> control;
    std::array<std::uint8_t, kDatagramMax> bytes;
  };

  static Address LocalAddress(msghdr& message, UdpSocket& socket);

  std::vector<Slot> slots_;
  std::vector<iovec> vectors_;
  std::vector<mmsghdr> messages_;
  std::vector<Datagram> datagrams_;
  std::uint64_t truncated_ = 0;
};

}  // namespace tertulia
