#include "transport.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <openssl/rand.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>
#include <utility>

#include "wire/demux.hpp"

namespace tertulia::load {

namespace {

constexpr std::int64_t kMs = 1'000'000;
constexpr std::int64_t kCheckEvery = 50 * kMs;       // Ta (RFC 8445, 14.2)
constexpr std::int64_t kConsentEvery = 2'500 * kMs;  // Chromium's interval on a stable connection
constexpr std::int64_t kGiveUp = 15'000 * kMs;
constexpr std::uint32_t kHostPriority = (126U << 24) | (65'535U << 8) | 255U;
constexpr int kSocketBuffer = 1 << 20;

void RaiseBuffer(int fd, int force, int polite) {
  const int size = kSocketBuffer;
  if (setsockopt(fd, SOL_SOCKET, force, &size, sizeof size) != 0)
    setsockopt(fd, SOL_SOCKET, polite, &size, sizeof size);
}

void FillRandom(MutableBytes out) {
  if (RAND_bytes(out.data(), static_cast<int>(out.size())) != 1) throw std::runtime_error("no random bytes");
}

}  // namespace

sockaddr_in ToSocketAddress(const Remote& remote) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(remote.port);
  if (inet_pton(AF_INET, remote.host.c_str(), &address.sin_addr) != 1) {
    throw std::system_error(EINVAL, std::generic_category(), remote.host);
  }
  return address;
}

Transport::Transport(std::string ufrag, std::string pwd, TransportHandler& handler)
    : ufrag_(std::move(ufrag)), pwd_(std::move(pwd)), handler_(handler) {
  FillRandom(MutableBytes(reinterpret_cast<std::uint8_t*>(&tie_breaker_), sizeof tie_breaker_));
}

Transport::~Transport() {
  if (fd_ >= 0) close(fd_);
}

void Transport::Connect(const Remote& remote, const std::string& profiles, std::int64_t now_ns) {
  remote_ = remote;
  const sockaddr_in address = ToSocketAddress(remote);
  fd_ = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd_ < 0 || connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    throw std::system_error(errno, std::generic_category(), "socket");
  }
  RaiseBuffer(fd_, SO_RCVBUFFORCE, SO_RCVBUF);
  RaiseBuffer(fd_, SO_SNDBUFFORCE, SO_SNDBUF);
  dtls_ = std::make_unique<DtlsClient>(certificate_, profiles, remote.fingerprint,
                                       [this](Bytes datagram) { Send(datagram); });
  state_ = State::kChecking;
  last_answer_ns_ = now_ns;
  SendCheck(now_ns);
}

void Transport::Receive(ReceiveBatch& batch, std::int64_t now_ns) {
  for (;;) {
    const std::size_t count = batch.Read(fd_);
    for (std::size_t i = 0; i < count; ++i) ReceiveOne(batch[i], now_ns);
    if (count < ReceiveBatch::kPackets) return;
  }
}

void Transport::ReceiveOne(MutableBytes datagram, std::int64_t now_ns) {
  switch (Classify(datagram)) {
    case DatagramKind::kRtp:
      if (receiver_ != nullptr) handler_.OnRtp(datagram, now_ns);
      return;
    case DatagramKind::kRtcp: {
      if (receiver_ == nullptr) return;
      const SrtpResult result = receiver_->UnprotectRtcp(datagram);
      if (result.ok()) handler_.OnRtcp(datagram.first(result.size), now_ns);
      return;
    }
    case DatagramKind::kStun:
      ReceiveStun(datagram, now_ns);
      return;
    case DatagramKind::kDtls:
      dtls_->Receive(datagram);
      AdoptKeys();
      return;
    case DatagramKind::kOther:
      return;
  }
}

void Transport::ReceiveStun(Bytes datagram, std::int64_t now_ns) {
  const std::optional<stun::Message> message = stun::Parse(datagram);
  if (!message.has_value() || !stun::VerifyFingerprint(*message)) return;
  if (message->Is(stun::Type::kBindingRequest) && stun::VerifyIntegrity(*message, pwd_)) {
    std::array<std::uint8_t, 256> out{};
    stun::Writer writer(out, stun::Type::kBindingSuccess, message->transaction);
    Address mapped;
    mapped.port = remote_.port;
    if (inet_pton(AF_INET, remote_.host.c_str(), mapped.ip.data()) == 1) writer.AddXorMappedAddress(mapped);
    Send(Bytes(out).first(writer.Finish(pwd_)));
    return;
  }
  if (!message->Is(stun::Type::kBindingSuccess) || message->transaction != transaction_ ||
      !stun::VerifyIntegrity(*message, remote_.pwd)) {
    return;
  }
  last_answer_ns_ = now_ns;
  if (state_ == State::kChecking) {
    state_ = State::kHandshaking;
    next_check_ns_ = now_ns + kConsentEvery;
    dtls_->Start();
  }
}

void Transport::Advance(std::int64_t now_ns) {
  if (state_ == State::kNew || state_ == State::kFailed) return;
  if (now_ns - last_answer_ns_ > kGiveUp) {
    state_ = State::kFailed;
    return;
  }
  if (now_ns >= next_check_ns_) SendCheck(now_ns);
  if (state_ == State::kHandshaking) dtls_->Advance();
}

void Transport::Close() {
  if (dtls_ != nullptr) dtls_->Close();
}

void Transport::SendCheck(std::int64_t now_ns) {
  // A retransmission keeps its transaction; every consent check is a new one (RFC 7675, 5.1).
  if (state_ != State::kChecking || next_check_ns_ == 0) FillRandom(transaction_);
  next_check_ns_ = now_ns + (state_ == State::kChecking ? kCheckEvery : kConsentEvery);
  std::array<std::uint8_t, 512> out{};
  stun::Writer writer(out, stun::Type::kBindingRequest, transaction_);
  writer.AddUsername(remote_.ufrag + ":" + ufrag_);
  writer.AddControlling(tie_breaker_);
  writer.AddPriority(kHostPriority);
  writer.AddUseCandidate();
  Send(Bytes(out).first(writer.Finish(remote_.pwd)));
}

void Transport::AdoptKeys() {
  if (state_ != State::kHandshaking) return;
  if (dtls_->state() == DtlsClient::State::kFailed) state_ = State::kFailed;
  if (dtls_->state() != DtlsClient::State::kConnected) return;
  const DtlsKeys& keys = dtls_->keys();
  const std::optional<SrtpProfile> profile = SrtpProfileFromNumber(keys.profile);
  if (profile.has_value()) {
    sender_ = SrtpSender::Create(*profile, keys.send);
    receiver_ = SrtpReceiver::Create(*profile, keys.receive);
  }
  state_ = sender_ != nullptr && receiver_ != nullptr ? State::kConnected : State::kFailed;
}

void Transport::QueueRtp(Bytes header, Bytes payload) {
  if (sender_ == nullptr) return;
  if (out_ == nullptr) out_ = std::make_unique<SendBatch>();
  if (out_->full()) Flush();
  const SrtpResult result = sender_->Protect(header, payload, out_->Next());
  if (result.ok()) out_->Commit(result.size);
}

void Transport::Flush() {
  if (out_ != nullptr) out_->Flush(fd_);
}

void Transport::SendRtcp(Bytes compound) {
  if (sender_ == nullptr) return;
  std::array<std::uint8_t, 1500> out{};
  const SrtpResult result = sender_->ProtectRtcp(compound, out);
  if (result.ok()) Send(Bytes(out).first(result.size));
}

std::optional<Bytes> Transport::Unprotect(MutableBytes packet) {
  const SrtpResult result = receiver_->Unprotect(packet);
  if (!result.ok()) return std::nullopt;
  return Bytes(packet).first(result.size);
}

// UDP may lose anything, a full socket included: everything that must arrive is sent again by its own protocol.
void Transport::Send(Bytes datagram) const { static_cast<void>(send(fd_, datagram.data(), datagram.size(), 0)); }

}  // namespace tertulia::load
