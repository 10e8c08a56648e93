// The client side of DTLS-SRTP (RFC 5764) over memory BIOs: datagrams in, datagrams out, keys at the end.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "certificate.hpp"
#include "openssl_handles.hpp"

namespace tertulia::load {

// What the handshake agreed on: the profile's DTLS-SRTP id (1, 7 or 8) and key followed by salt for each direction.
struct DtlsKeys {
  std::uint16_t profile = 0;
  std::vector<std::uint8_t> send;
  std::vector<std::uint8_t> receive;
};

class DtlsClient {
 public:
  enum class State : std::uint8_t { kNew, kHandshaking, kConnected, kFailed, kClosed };
  using SendDatagram = std::function<void(std::span<const std::uint8_t>)>;

  // `profiles` is OpenSSL's colon-separated list; `fingerprint` is the peer's, from its description.
  DtlsClient(const Certificate& certificate, const std::string& profiles, std::string fingerprint,
             SendDatagram send_datagram);

  void Start();
  void Receive(std::span<const std::uint8_t> datagram);
  // Retransmits what was lost. To be called every 50 ms or so while handshaking; OpenSSL keeps the schedule.
  void Advance();
  // Says goodbye (close_notify).
  void Close();

  [[nodiscard]] State state() const { return state_; }
  [[nodiscard]] const DtlsKeys& keys() const { return keys_; }

 private:
  void Continue();
  void Flush();
  void Finish();

  SslContextPtr context_;
  SslPtr ssl_;
  std::string fingerprint_;
  SendDatagram send_datagram_;
  State state_ = State::kNew;
  DtlsKeys keys_;
};

}  // namespace tertulia::load
