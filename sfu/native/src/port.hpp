// One socket of the worker with what it receives into and sends from.
#pragma once

#include <cerrno>

#include "io/send_batch.hpp"
#include "io/udp_socket.hpp"

namespace tertulia {

class Port {
 public:
  Port(const Address& bind, int buffer_bytes, bool segmentation)
      : socket_(bind, buffer_bytes),
        batch_([fd = socket_.fd()](mmsghdr* messages,
                                   unsigned count) { return sendmmsg(fd, messages, count, MSG_DONTWAIT); },
               segmentation) {}

  [[nodiscard]] const UdpSocket& socket() const { return socket_; }
  [[nodiscard]] SendBatch& batch() { return batch_; }
  [[nodiscard]] const SendBatch& batch() const { return batch_; }
  std::span<ReceiveBatch::Datagram> Receive() { return receive_.Receive(socket_); }
  [[nodiscard]] const ReceiveBatch& received() const { return receive_; }

  // Does a datagram for this local address leave from here?
  [[nodiscard]] bool Serves(const Address& local) const {
    const Address& bound = socket_.address();
    return bound.v6 == local.v6 && bound.port == local.port && (bound.ip == local.ip || bound.ip == Address{}.ip);
  }

 private:
  UdpSocket socket_;
  SendBatch batch_;
  ReceiveBatch receive_;
};

}  // namespace tertulia
