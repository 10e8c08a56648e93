// An IP address with a port, and a path: the pair of addresses that a datagram travelled between. Conversion from and
// to the system's structures belongs to io/.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <functional>
#include <string_view>

namespace tertulia {

struct Address {
  std::array<std::uint8_t, 16> ip{};  // network order; IPv4 uses the first four bytes, the others are zero
  std::uint16_t port = 0;
  bool v6 = false;

  static Address V4(std::uint8_t a, std::uint8_t b, std::uint8_t c, std::uint8_t d, std::uint16_t port) {
    Address address;
    address.ip = {a, b, c, d};
    address.port = port;
    return address;
  }

  friend bool operator==(const Address&, const Address&) = default;
};

// Replies must leave from the local address that was hit (a host may have several), so a path is the pair.
struct IcePath {
  Address local;
  Address remote;

  friend bool operator==(const IcePath&, const IcePath&) = default;
};

struct AddressHash {
  std::size_t operator()(const Address& address) const {
    const std::string_view ip(reinterpret_cast<const char*>(address.ip.data()), address.ip.size());
    return std::hash<std::string_view>{}(ip) ^ (std::size_t{address.port} * 0x9e3779b97f4a7c15U);
  }
};

}  // namespace tertulia
