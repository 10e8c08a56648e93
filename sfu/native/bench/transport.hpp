// A peer's transport, as a browser has it: one UDP socket, ICE as the controlling agent (RFC 8445), DTLS as the client,
// SRTP both ways. Media comes out encrypted, because most of it is only counted.
#pragma once

#include <netinet/in.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "certificate.hpp"
#include "crypto/srtp.hpp"
#include "dtls_client.hpp"
#include "receive_batch.hpp"
#include "send_batch.hpp"
#include "wire/bytes.hpp"
#include "wire/stun.hpp"

namespace tertulia::load {

// What the server's description says.
struct Remote {
  std::string host;  // an IPv4 address
  std::uint16_t port = 0;
  std::string ufrag, pwd, fingerprint;
};

// Throws std::system_error if the host is no IPv4 address.
[[nodiscard]] sockaddr_in ToSocketAddress(const Remote& remote);

class TransportHandler {
 public:
  virtual ~TransportHandler() = default;
  virtual void OnRtp(MutableBytes packet, std::int64_t now_ns) = 0;     // encrypted
  virtual void OnRtcp(MutableBytes compound, std::int64_t now_ns) = 0;  // decrypted
};

class Transport {
 public:
  enum class State : std::uint8_t { kNew, kChecking, kHandshaking, kConnected, kFailed };

  Transport(std::string ufrag, std::string pwd, TransportHandler& handler);
  ~Transport();
  Transport(const Transport&) = delete;
  Transport& operator=(const Transport&) = delete;

  // Opens the socket and begins to check. Throws std::system_error if there is no socket to be had.
  void Connect(const Remote& remote, const std::string& profiles, std::int64_t now_ns);
  // Reads all that has arrived, through `batch`.
  void Receive(ReceiveBatch& batch, std::int64_t now_ns);
  // Timers: checks, consent (RFC 7675) and DTLS retransmission.
  void Advance(std::int64_t now_ns);
  void Close();

  // Encrypts a packet and queues it; Flush sends what is queued with one sendmmsg.
  void QueueRtp(Bytes header, Bytes payload);
  void SendRtcp(Bytes compound);
  void Flush();

  // Decrypts in place; nothing if the packet does not authenticate.
  std::optional<Bytes> Unprotect(MutableBytes packet);

  [[nodiscard]] State state() const { return state_; }
  [[nodiscard]] int fd() const { return fd_; }
  [[nodiscard]] const Remote& remote() const { return remote_; }
  [[nodiscard]] std::string Fingerprint() const { return certificate_.Fingerprint(); }
  [[nodiscard]] std::uint16_t profile() const { return dtls_ == nullptr ? std::uint16_t{0} : dtls_->keys().profile; }

 private:
  void ReceiveOne(MutableBytes datagram, std::int64_t now_ns);
  void ReceiveStun(Bytes datagram, std::int64_t now_ns);
  void SendCheck(std::int64_t now_ns);
  void AdoptKeys();
  void Send(Bytes datagram) const;

  std::string ufrag_, pwd_;
  TransportHandler& handler_;
  Certificate certificate_;
  Remote remote_;
  int fd_ = -1;
  State state_ = State::kNew;

  stun::TransactionId transaction_{};
  std::uint64_t tie_breaker_ = 0;
  std::int64_t next_check_ns_ = 0;
  std::int64_t last_answer_ns_ = 0;

  std::unique_ptr<DtlsClient> dtls_;
  std::unique_ptr<SrtpSender> sender_;
  std::unique_ptr<SrtpReceiver> receiver_;
  std::unique_ptr<SendBatch> out_;
};

}  // namespace tertulia::load
