#include "io/udp_socket.hpp"

#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <system_error>

namespace tertulia {

namespace {

[[noreturn]] void ThrowErrno(const char* what) { throw std::system_error(errno, std::generic_category(), what); }

void SetOption(int fd, int level, int option, int value, const char* what) {
  if (setsockopt(fd, level, option, &value, sizeof(value)) != 0) {
    ThrowErrno(what);
  }
}

// The privileged form goes beyond net.core.rmem_max; without the privilege the ordinary one is capped by it silently,
// so the granted size is read back.
int RaiseBuffer(int fd, int forced_option, int option, int bytes) {
  if (setsockopt(fd, SOL_SOCKET, forced_option, &bytes, sizeof(bytes)) != 0) {
    SetOption(fd, SOL_SOCKET, option, bytes, "socket buffer");
  }
  int granted = 0;
  socklen_t size = sizeof(granted);
  getsockopt(fd, SOL_SOCKET, option, &granted, &size);
  return granted;
}

// What arrives while the thread waits for a core must fit, a flood with it: 16 MiB hold 14,000 full datagrams (the
// kernel doubles what is asked for, and counts 2.3 KB for one), 140 ms of 100,000 a second and more of what calls send.
constexpr int kReceiveShare = 4;

}  // namespace

UdpSocket::UdpSocket(const Address& bind, int buffer_bytes) : address_(bind) {
  fd_ = socket(bind.v6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd_ < 0) {
    ThrowErrno("socket");
  }
  try {
    if (bind.v6) {
      SetOption(fd_, IPPROTO_IPV6, IPV6_V6ONLY, 1, "IPV6_V6ONLY");
      SetOption(fd_, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1, "IPV6_RECVPKTINFO");
    } else {
      SetOption(fd_, IPPROTO_IP, IP_PKTINFO, 1, "IP_PKTINFO");
    }
    SetOption(fd_, SOL_SOCKET, SO_RXQ_OVFL, 1, "SO_RXQ_OVFL");
    receive_buffer_ = RaiseBuffer(fd_, SO_RCVBUFFORCE, SO_RCVBUF, kReceiveShare * buffer_bytes);
    send_buffer_ = RaiseBuffer(fd_, SO_SNDBUFFORCE, SO_SNDBUF, buffer_bytes);
    SocketAddress name{};
    socklen_t size = ToSocketAddress(bind, name);
    if (::bind(fd_, &name.any, size) != 0) {
      ThrowErrno("bind");
    }
    size = sizeof(name);
    if (getsockname(fd_, &name.any, &size) != 0) {
      ThrowErrno("getsockname");
    }
    address_ = FromSocketAddress(name);
  } catch (...) {
    ::close(fd_);
    throw;
  }
}

UdpSocket::~UdpSocket() { ::close(fd_); }

ReceiveBatch::ReceiveBatch() : slots_(kSize), vectors_(kSize), messages_(kSize), datagrams_(kSize) {
  for (std::size_t i = 0; i < kSize; ++i) {
    vectors_[i] = {slots_[i].bytes.data(), slots_[i].bytes.size()};
    msghdr& header = messages_[i].msg_hdr;
    header.msg_name = &slots_[i].remote;
    header.msg_iov = &vectors_[i];
    header.msg_iovlen = 1;
    header.msg_control = slots_[i].control.data();
  }
}

std::span<ReceiveBatch::Datagram> ReceiveBatch::Receive(UdpSocket& socket) {
  for (mmsghdr& message : messages_) {
    message.msg_hdr.msg_namelen = sizeof(SocketAddress);
    message.msg_hdr.msg_controllen = kControlSize;
  }
  const int count = recvmmsg(socket.fd(), messages_.data(), kSize, MSG_DONTWAIT, nullptr);
  std::size_t kept = 0;
  for (int i = 0; i < count; ++i) {
    mmsghdr& message = messages_[static_cast<std::size_t>(i)];
    Slot& slot = slots_[static_cast<std::size_t>(i)];
    const Address local = LocalAddress(message.msg_hdr, socket);
    if ((message.msg_hdr.msg_flags & MSG_TRUNC) != 0) {
      ++truncated_;
      continue;
    }
    datagrams_[kept++] = {{local, FromSocketAddress(slot.remote)}, MutableBytes(slot.bytes).first(message.msg_len)};
  }
  return std::span(datagrams_).first(kept);
}

Address ReceiveBatch::LocalAddress(msghdr& message, UdpSocket& socket) {
  Address local = socket.address();
  for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr; header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_level == IPPROTO_IP && header->cmsg_type == IP_PKTINFO) {
      in_pktinfo info{};
      std::memcpy(&info, CMSG_DATA(header), sizeof(info));
      std::memcpy(local.ip.data(), &info.ipi_addr, 4);
    } else if (header->cmsg_level == IPPROTO_IPV6 && header->cmsg_type == IPV6_PKTINFO) {
      in6_pktinfo info{};
      std::memcpy(&info, CMSG_DATA(header), sizeof(info));
      std::memcpy(local.ip.data(), &info.ipi6_addr, 16);
    } else if (header->cmsg_level == SOL_SOCKET && header->cmsg_type == SO_RXQ_OVFL) {
      std::memcpy(&socket.kernel_drops_, CMSG_DATA(header), sizeof(socket.kernel_drops_));
    }
  }
  return local;
}

}  // namespace tertulia
