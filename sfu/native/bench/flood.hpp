// What an attacker sends, as fast as is asked: from a thread of its own, so that the load's own pace does not suffer.
#pragma once

#include <netinet/in.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

namespace tertulia::load {

enum class FloodKind : std::uint8_t {
  kUnknown,  // RTP from an address that no session has
  kStun,     // Binding requests with a session's ufrag, a right fingerprint and a wrong MESSAGE-INTEGRITY
  kSrtp,     // RTP from a session's own address, each packet to be decrypted before it is known to be forged
  kDtls,     // DTLS application data from a session's own address
};

struct FloodOptions {
  FloodKind kind = FloodKind::kUnknown;
  double packets_per_second = 100'000;
  std::size_t packet_bytes = 1'100;  // of RTP
  sockaddr_in target{};
  std::string ufrag;  // the server's for the victim's session
  // The victim's socket, for what comes from its address; sending on it is what a spoofed packet looks like to the
  // server, and needs no privilege.
  int victim = -1;
};

class Flood {
 public:
  explicit Flood(const FloodOptions& options);
  ~Flood();
  Flood(const Flood&) = delete;
  Flood& operator=(const Flood&) = delete;

  [[nodiscard]] std::uint64_t sent() const { return sent_.load(std::memory_order_relaxed); }

 private:
  void Run();
  [[nodiscard]] std::vector<std::uint8_t> MakePacket() const;

  static constexpr std::size_t kBatch = 64;

  FloodOptions options_;
  int fd_ = -1;
  std::vector<std::vector<std::uint8_t>> packets_;
  std::atomic<std::uint64_t> sent_ = 0;
  std::atomic<bool> stopping_ = false;
  std::thread thread_;
};

}  // namespace tertulia::load
