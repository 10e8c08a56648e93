#include "flood.hpp"

#include <fcntl.h>
#include <openssl/rand.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <stdexcept>
#include <system_error>

#include "wire/bytes.hpp"
#include "wire/stun.hpp"

namespace tertulia::load {

namespace {

constexpr std::size_t kDtlsRecordHeader = 13;
constexpr std::size_t kDtlsBody = 100;
constexpr auto kTick = std::chrono::milliseconds(1);

void RandomFill(MutableBytes out) {
  if (RAND_bytes(out.data(), static_cast<int>(out.size())) != 1) throw std::runtime_error("no random bytes");
}

}  // namespace

Flood::Flood(const FloodOptions& options) : options_(options) {
  const bool spoofed = options.kind == FloodKind::kSrtp || options.kind == FloodKind::kDtls;
  // A descriptor of its own in either case: the victim may close its socket while we send.
  fd_ = spoofed ? dup(options.victim) : socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd_ < 0) throw std::system_error(errno, std::generic_category(), "socket of the flood");
  if (!spoofed && connect(fd_, reinterpret_cast<const sockaddr*>(&options.target), sizeof options.target) != 0) {
    close(fd_);
    throw std::system_error(errno, std::generic_category(), "connect");
  }
  for (std::size_t i = 0; i < kBatch; ++i) packets_.push_back(MakePacket());
  thread_ = std::thread([this] { Run(); });
}

Flood::~Flood() {
  stopping_ = true;
  thread_.join();
  close(fd_);
}

std::vector<std::uint8_t> Flood::MakePacket() const {
  std::vector<std::uint8_t> packet(1'500);
  RandomFill(packet);
  switch (options_.kind) {
    case FloodKind::kUnknown:
    case FloodKind::kSrtp:
      // A random SSRC has no replay window yet, so that nothing but its tag tells that it is forged.
      packet.resize(std::clamp<std::size_t>(options_.packet_bytes, 64, 1'400));
      packet[0] = 0x80;
      packet[1] = 96;
      return packet;
    case FloodKind::kStun: {
      stun::TransactionId transaction{};
      RandomFill(transaction);
      stun::Writer writer(packet, stun::Type::kBindingRequest, transaction);
      writer.AddUsername(options_.ufrag + ":mallory");
      writer.AddPriority(1);
      writer.AddUseCandidate();
      packet.resize(writer.Finish("not the password at all"));
      return packet;
    }
    case FloodKind::kDtls:
      packet.resize(kDtlsRecordHeader + kDtlsBody);
      packet[0] = 23;  // application data (RFC 6347, section 4.1), DTLS 1.2, epoch 1
      packet[1] = 254;
      packet[2] = 253;
      packet[3] = 0;
      packet[4] = 1;
      WriteU16(&packet[11], kDtlsBody);
      return packet;
  }
  return packet;
}

void Flood::Run() {
  std::array<iovec, kBatch> vectors{};
  std::array<mmsghdr, kBatch> messages{};
  for (std::size_t i = 0; i < kBatch; ++i) {
    vectors[i] = {packets_[i].data(), packets_[i].size()};
    messages[i].msg_hdr.msg_iov = &vectors[i];
    messages[i].msg_hdr.msg_iovlen = 1;
  }
  const auto start = std::chrono::steady_clock::now();
  auto next = start;
  std::uint64_t done = 0;
  while (!stopping_.load(std::memory_order_relaxed)) {
    next += kTick;
    std::this_thread::sleep_until(next);
    const double elapsed = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    const auto due = static_cast<std::uint64_t>(elapsed * options_.packets_per_second);
    while (done < due && !stopping_.load(std::memory_order_relaxed)) {
      const auto count = static_cast<unsigned>(std::min<std::uint64_t>(kBatch, due - done));
      const int n = sendmmsg(fd_, messages.data(), count, 0);
      // What the system refuses was not sent; what is due stays due.
      if (n <= 0) break;
      done += static_cast<std::uint64_t>(n);
      sent_.store(done, std::memory_order_relaxed);
    }
  }
}

}  // namespace tertulia::load
