// One socket of the worker and what leaves through it.
#pragma once

#include "io/send_batch.hpp"
#include "io/udp_socket.hpp"

namespace tertulia {

class Port {
 public:
  // `lasting`: see SendBatch.
  Port(const Address& bind, int buffer_bytes, bool segmentation, Bytes lasting)
      : socket_(bind, buffer_bytes),
        batch_([fd = socket_.fd()](mmsghdr* messages,
                                   unsigned count) { return sendmmsg(fd, messages, count, MSG_DONTWAIT); },
               segmentation, lasting) {}

  [[nodiscard]] UdpSocket& socket() { return socket_; }
  [[nodiscard]] const UdpSocket& socket() const { return socket_; }
  [[nodiscard]] SendBatch& batch() { return batch_; }
  [[nodiscard]] const SendBatch& batch() const { return batch_; }

  // Does a datagram for this local address leave from here?
  [[nodiscard]] bool Serves(const Address& local) const {
    const Address& bound = socket_.address();
    return bound.v6 == local.v6 && bound.port == local.port && (bound.ip == local.ip || bound.ip == Address{}.ip);
  }

 private:
  UdpSocket socket_;
  SendBatch batch_;
};

}  // namespace tertulia
