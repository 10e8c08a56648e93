// Buffers for recvmmsg, shared by all sockets of the thread.
#pragma once

#include <sys/socket.h>

#include <array>
#include <cstddef>
#include <cstdint>

#include "wire/bytes.hpp"

namespace tertulia::load {

class ReceiveBatch {
 public:
  static constexpr std::size_t kPackets = 64;
  static constexpr std::size_t kPacketBytes = 2048;

  ReceiveBatch() {
    for (std::size_t i = 0; i < kPackets; ++i) {
      vectors_[i] = {buffers_[i].data(), kPacketBytes};
      messages_[i].msg_hdr.msg_iov = &vectors_[i];
      messages_[i].msg_hdr.msg_iovlen = 1;
    }
  }
  ~ReceiveBatch() = default;
  ReceiveBatch(const ReceiveBatch&) = delete;
  ReceiveBatch& operator=(const ReceiveBatch&) = delete;

  // How many datagrams were read from a connected socket without waiting.
  std::size_t Read(int fd) {
    const int count = recvmmsg(fd, messages_.data(), kPackets, MSG_DONTWAIT, nullptr);
    return count > 0 ? static_cast<std::size_t>(count) : 0;
  }
  [[nodiscard]] MutableBytes operator[](std::size_t index) {
    return MutableBytes(buffers_[index]).first(messages_[index].msg_len);
  }

 private:
  std::array<std::array<std::uint8_t, kPacketBytes>, kPackets> buffers_{};
  std::array<iovec, kPackets> vectors_{};
  std::array<mmsghdr, kPackets> messages_{};
};

}  // namespace tertulia::load
