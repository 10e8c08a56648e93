// Packets of one frame, waiting to leave with one sendmmsg.
#pragma once

#include <sys/socket.h>

#include <array>
#include <cstddef>
#include <cstdint>

#include "wire/bytes.hpp"

namespace tertulia::load {

class SendBatch {
 public:
  static constexpr std::size_t kPackets = 64;
  static constexpr std::size_t kPacketBytes = 1500;

  SendBatch() {
    for (std::size_t i = 0; i < kPackets; ++i) {
      messages_[i].msg_hdr.msg_iov = &vectors_[i];
      messages_[i].msg_hdr.msg_iovlen = 1;
    }
  }
  ~SendBatch() = default;
  SendBatch(const SendBatch&) = delete;
  SendBatch& operator=(const SendBatch&) = delete;

  [[nodiscard]] bool full() const { return count_ == kPackets; }
  // Room for the next packet; Commit says how long it became.
  [[nodiscard]] MutableBytes Next() { return buffers_[count_]; }
  void Commit(std::size_t size) {
    vectors_[count_] = {buffers_[count_].data(), size};
    ++count_;
  }
  // What a full socket refuses is lost, as in a browser.
  void Flush(int fd) {
    for (std::size_t sent = 0; sent < count_;) {
      const int n = sendmmsg(fd, &messages_[sent], static_cast<unsigned>(count_ - sent), 0);
      if (n <= 0) break;
      sent += static_cast<std::size_t>(n);
    }
    count_ = 0;
  }

 private:
  std::array<std::array<std::uint8_t, kPacketBytes>, kPackets> buffers_{};
  std::array<iovec, kPackets> vectors_{};
  std::array<mmsghdr, kPackets> messages_{};
  std::size_t count_ = 0;
};

}  // namespace tertulia::load
