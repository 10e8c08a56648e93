// ICE-lite for one session, without I/O (RFC 8445, RFC 7675). The client is the controlling full agent and does the
// checks; we answer them, keep its consent, and choose the path that media takes.
//
// Which path media takes: the first authenticated check makes a provisional path, on which DTLS runs; the client may
// still nominate others. When the DTLS handshake is complete the path in use is proven. From then on an address is only
// a claim, whatever was nominated on it, until it has answered a Binding request of our own: without that, a
// participant could aim the media of a whole room at a victim.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "tertulia/types.hpp"
#include "wire/address.hpp"
#include "wire/bytes.hpp"
#include "wire/stun.hpp"

namespace tertulia {

struct IceCredentials {
  std::string ufrag;
  std::string pwd;
};

enum class IceState : std::uint8_t { kChecking, kConnected, kDisconnected, kFailed };

// Called synchronously from within the agent's calls.
class LiteAgentOutput {
 public:
  virtual ~LiteAgentOutput() = default;
  // Sends one STUN message; valid only during the call.
  virtual void SendStun(const IcePath& path, Bytes datagram) = 0;
  virtual void OnIceState(IceState state) = 0;
  // Everything (DTLS, media) goes there from now on.
  virtual void OnPathChanged(const IcePath& path) = 0;
};

// Fills the span with bytes that nobody can predict (transaction ids). Passed in, so that tests are deterministic.
using RandomBytes = std::function<void(MutableBytes)>;

class LiteAgent {
 public:
  static constexpr std::size_t kMaxPaths = 8;
  static constexpr TimeUs kDisconnectedAfterUs = 5'000'000;
  static constexpr TimeUs kFailedAfterUs = 15'000'000;
  static constexpr TimeUs kNeverConnectedUs = 30'000'000;  // no check at all: failed
  static constexpr TimeUs kOldCredentialsUs = 10'000'000;  // after a restart
  static constexpr TimeUs kConsentCheckUs = 3'000'000;     // silent for so long: we ask ourselves
  static constexpr TimeUs kFirstRetransmitUs = 250'000;    // doubled each time
  static constexpr int kMaxTransmissions = 6;
  static constexpr TimeUs kClaimIntervalUs = 500'000;  // between claims that are examined (trial decrypts)

  LiteAgent(LiteAgentOutput& output, RandomBytes random, IceCredentials local, IceCredentials remote, TimeUs now);

  // New credentials; the old ones stay valid for some seconds (clients have been seen to check with them from a new
  // port).
  void Restart(IceCredentials local, IceCredentials remote, TimeUs now);

  // A datagram that Classify called STUN. True if it was authenticated (the caller may then remember the path as this
  // session's). Bad ones cost one CRC and at most two HMACs, and are not answered unless they are well-formed requests.
  bool ReceiveStun(const IcePath& path, Bytes datagram, TimeUs now);

  // May this path, which is not one of ours, try to authenticate a media packet under the session's keys? Limits the
  // rate.
  [[nodiscard]] bool MayClaim(TimeUs now);
  // A packet from this path was authenticated under the session's SRTP keys. Cheap for the path in use; for another one
  // it is a claim that we examine with a Binding request.
  void OnAuthenticatedPacket(const IcePath& path, TimeUs now);

  // The DTLS handshake is complete: the path in use is proven.
  void OnDtlsConnected(TimeUs now);

  // The path that DTLS and media take; nothing before the first authenticated check.
  [[nodiscard]] const std::optional<IcePath>& path() const { return path_; }
  // Was an authenticated check received from there? Other datagrams of unknown paths are dropped.
  [[nodiscard]] bool Knows(const IcePath& path) const;
  [[nodiscard]] IceState state() const { return state_; }
  [[nodiscard]] bool proven() const { return proven_; }

  // Is this one of the fragments (current or, for some seconds, former) that USERNAME may begin with?
  [[nodiscard]] bool HasLocalUfrag(std::string_view ufrag, TimeUs now) const;
  [[nodiscard]] const IceCredentials& local() const { return current_.local; }

  void Advance(TimeUs now);
  // Earliest time at which Advance has something to do; INT64_MAX if never.
  [[nodiscard]] TimeUs NextWakeup() const;

 private:
  struct CredentialPair {
    IceCredentials local;
    IceCredentials remote;
  };

  // An address that has sent an authenticated check, and our own question to it, if one is under way.
  struct Candidate {
    IcePath path;
    TimeUs last_heard_us = 0;
    bool used = false;
    bool nominated = false;
    bool asking = false;
    stun::TransactionId transaction{};
    int transmissions = 0;
    TimeUs next_transmission_us = 0;
  };

  void ReceiveRequest(const IcePath& path, const stun::Message& message, TimeUs now);
  bool ReceiveResponse(const IcePath& path, const stun::Message& message, TimeUs now);
  void Answer(const IcePath& path, const stun::Message& request, const std::string& pwd);
  void AnswerError(const IcePath& path, const stun::Message& request, stun::ErrorCode code, const std::string& pwd);
  [[nodiscard]] const CredentialPair* Authenticate(const stun::Message& message, TimeUs now) const;
  Candidate* Find(const IcePath& path);
  Candidate& FindOrAdd(const IcePath& path, TimeUs now);
  void Ask(Candidate& candidate, TimeUs now);
  void SendRequest(Candidate& candidate, TimeUs now);
  void Use(Candidate& candidate, TimeUs now);
  void Alive(TimeUs now);
  void SetState(IceState state);

  LiteAgentOutput& output_;
  RandomBytes random_;
  CredentialPair current_;
  std::optional<CredentialPair> former_;
  TimeUs former_until_us_ = 0;

  std::array<Candidate, kMaxPaths> candidates_{};
  std::optional<IcePath> path_;
  bool proven_ = false;
  IceState state_ = IceState::kChecking;
  TimeUs started_us_;
  TimeUs last_alive_us_ = 0;
  TimeUs last_claim_us_ = INT64_MIN / 2;
  std::uint64_t tie_breaker_ = 0;
};

}  // namespace tertulia
