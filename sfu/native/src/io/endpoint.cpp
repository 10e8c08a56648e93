#include "io/endpoint.hpp"

#include <arpa/inet.h>
#include <netinet/udp.h>

#include <cstring>

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif

namespace tertulia {

socklen_t ToSocketAddress(const Address& address, SocketAddress& out) {
  out = {};
  if (address.v6) {
    out.v6.sin6_family = AF_INET6;
    out.v6.sin6_port = htons(address.port);
    std::memcpy(&out.v6.sin6_addr, address.ip.data(), 16);
    return sizeof(sockaddr_in6);
  }
  out.v4.sin_family = AF_INET;
  out.v4.sin_port = htons(address.port);
  std::memcpy(&out.v4.sin_addr, address.ip.data(), 4);
  return sizeof(sockaddr_in);
}

Address FromSocketAddress(const SocketAddress& address) {
  Address result;
  if (address.any.sa_family == AF_INET6) {
    result.v6 = true;
    result.port = ntohs(address.v6.sin6_port);
    std::memcpy(result.ip.data(), &address.v6.sin6_addr, 16);
  } else {
    result.port = ntohs(address.v4.sin_port);
    std::memcpy(result.ip.data(), &address.v4.sin_addr, 4);
  }
  return result;
}

std::optional<Address> ParseAddress(const std::string& text, std::uint16_t port) {
  Address result;
  result.port = port;
  if (inet_pton(AF_INET, text.c_str(), result.ip.data()) == 1) {
    return result;
  }
  if (inet_pton(AF_INET6, text.c_str(), result.ip.data()) == 1) {
    result.v6 = true;
    return result;
  }
  return std::nullopt;
}

namespace {

template <typename T>
std::size_t PutControl(std::uint8_t* out, int level, int type, const T& value) {
  cmsghdr header{};
  header.cmsg_level = level;
  header.cmsg_type = type;
  header.cmsg_len = CMSG_LEN(sizeof(T));
  std::memcpy(out, &header, sizeof(header));
  std::memcpy(out + CMSG_LEN(0), &value, sizeof(T));
  return CMSG_SPACE(sizeof(T));
}

}  // namespace

Endpoint::Endpoint(const IcePath& path) : remote_size(ToSocketAddress(path.remote, remote)) {
  if (path.local.v6) {
    in6_pktinfo info{};
    std::memcpy(&info.ipi6_addr, path.local.ip.data(), 16);
    control_size = PutControl(control.data(), IPPROTO_IPV6, IPV6_PKTINFO, info);
  } else {
    in_pktinfo info{};
    std::memcpy(&info.ipi_spec_dst, path.local.ip.data(), 4);
    control_size = PutControl(control.data(), IPPROTO_IP, IP_PKTINFO, info);
  }
}

std::size_t WriteControl(const Endpoint& endpoint, std::uint16_t segment_size, std::uint8_t* out) {
  std::memcpy(out, endpoint.control.data(), endpoint.control_size);
  if (segment_size == 0) {
    return endpoint.control_size;
  }
  return endpoint.control_size + PutControl(out + endpoint.control_size, IPPROTO_UDP, UDP_SEGMENT, segment_size);
}

}  // namespace tertulia
