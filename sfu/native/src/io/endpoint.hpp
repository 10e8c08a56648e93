// Between our addresses and the system's: what the kernel needs to send from a local address to a remote one, built
// once a path and not once a packet.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cstddef>
#include <optional>
#include <string>

#include "wire/address.hpp"

namespace tertulia {

union SocketAddress {
  sockaddr any;
  sockaddr_in v4;
  sockaddr_in6 v6;
};

[[nodiscard]] socklen_t ToSocketAddress(const Address& address, SocketAddress& out);
[[nodiscard]] Address FromSocketAddress(const SocketAddress& address);
// Text form ("127.0.0.1", "::1") to an address with this port; nothing if it is neither IPv4 nor IPv6.
[[nodiscard]] std::optional<Address> ParseAddress(const std::string& text, std::uint16_t port);

// A path as sendmsg wants it: the remote name, and the control message that sets the source address.
struct Endpoint {
  // PKTINFO for either family, then room for UDP_SEGMENT.
  static constexpr std::size_t kPktInfoSize = CMSG_SPACE(sizeof(in6_pktinfo));
  static constexpr std::size_t kControlSize = kPktInfoSize + CMSG_SPACE(sizeof(std::uint16_t));

  SocketAddress remote{};
  socklen_t remote_size = 0;
  std::array<std::uint8_t, kPktInfoSize> control{};
  std::size_t control_size = 0;

  Endpoint() = default;
  explicit Endpoint(const IcePath& path);
};

// Writes the control messages of one sendmsg into `out` (kControlSize bytes, aligned for cmsghdr): the source address,
// and the segment size unless it is 0. Returns their size.
std::size_t WriteControl(const Endpoint& endpoint, std::uint16_t segment_size, std::uint8_t* out);

}  // namespace tertulia
