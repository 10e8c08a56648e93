// ICE-lite for one session, without I/O (RFC 8445, RFC 7675). The client is the controlling full agent and does the
// checks; we answer them, keep its consent, and choose the path that DTLS and media take.
//
// The first authenticated check makes a path, which is provisional: only DTLS runs on it, and the handshake can be
// completed only by someone who received what we sent there. Every other address is a claim, whatever was nominated on
// it and whatever arrived from it, until it has answered a Binding request of our own (which RFC 8445 does not ask of a
// lite agent): without that, a participant could aim the media of a whole room at a victim.
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

// How long silence lasts before it means something.
struct ConsentTimes {
  TimeUs disconnected_after_us = 5'000'000;  // nothing authenticated arrived on the path
  TimeUs failed_after_us = 15'000'000;       // no check and no answer to ours (RFC 7675)
};

// Fills the span with bytes that nobody can predict (transaction ids). Passed in, so that tests are deterministic.
using RandomBytes = std::function<void(MutableBytes)>;

class LiteAgent {
 public:
  static constexpr std::size_t kMaxPaths = 8;
  static constexpr TimeUs kNeverConnectedUs = 30'000'000;  // no check at all: failed
  static constexpr TimeUs kOldCredentialsUs = 10'000'000;  // how long they live on after a restart
  // Clients renew consent every 2.5 s (Chromium) to 6 s (RFC 7675: 5 s, give or take a fifth). After so long we ask
  // ourselves, so that the slower ones never look disconnected (or after half of `disconnected_after_us`, if that is
  // less).
  static constexpr TimeUs kConsentCheckUs = 3'000'000;
  // Packets under way when the client moved still arrive from where it was. A packet from elsewhere counts as a claim
  // only when the path in use has been silent for so long.
  static constexpr TimeUs kClaimSilenceUs = 100'000;
  static constexpr TimeUs kFirstRetransmitUs = 250'000;  // doubled each time
  static constexpr int kMaxTransmissions = 5;
  // What a stranger can make us do is limited: questions to claimed addresses, trial decrypts of packets from unknown
  // addresses, and error answers to requests that did not authenticate.
  static constexpr TimeUs kQuestionIntervalUs = 100'000;
  static constexpr TimeUs kClaimIntervalUs = 100'000;
  static constexpr TimeUs kErrorIntervalUs = 100'000;

  LiteAgent(LiteAgentOutput& output, RandomBytes random, IceCredentials local, IceCredentials remote, TimeUs now,
            ConsentTimes consent = {});

  // New credentials; the old ones stay valid for some seconds (clients have been seen to check with them from a new
  // port).
  void Restart(IceCredentials local, IceCredentials remote, TimeUs now);

  // A datagram that Classify called STUN. True if it was authenticated (the caller may then remember the path as this
  // session's). A bad one costs a CRC and at most one HMAC.
  bool ReceiveStun(const IcePath& path, Bytes datagram, TimeUs now);

  // May a packet from an unknown address be tried under the session's SRTP keys? Limits the rate: ask once a packet.
  [[nodiscard]] bool MayClaim(TimeUs now);
  // A packet from this path was authenticated under the session's SRTP keys. On the path in use it is a sign of life,
  // on another one a claim that we examine.
  void OnAuthenticatedPacket(const IcePath& path, TimeUs now);

  // The DTLS handshake is complete: the path in use is proven.
  void OnDtlsConnected([[maybe_unused]] TimeUs now) { proven_ = true; }

  // The path that DTLS and media take; nothing before the first authenticated check.
  [[nodiscard]] const std::optional<IcePath>& path() const { return path_; }
  // Was an authenticated check received from there? Other datagrams of unknown paths are dropped.
  [[nodiscard]] bool Knows(const IcePath& path) const;
  [[nodiscard]] IceState state() const { return state_; }
  // Nothing but DTLS may be sent on a path that is not proven.
  [[nodiscard]] bool proven() const { return proven_; }

  // Is this one of the fragments (current or, for some seconds, former) that USERNAME may begin with?
  [[nodiscard]] bool HasLocalUfrag(std::string_view ufrag, TimeUs now) const;
  [[nodiscard]] const IceCredentials& local() const { return current_.local; }

  void Advance(TimeUs now);
  // Earliest time at which Advance has something to do; INT64_MAX if never.
  [[nodiscard]] TimeUs NextWakeup() const;

 private:
  struct Credentials {
    IceCredentials local;
    IceCredentials remote;
  };

  // An address that sent something authenticated, and our own question to it, if one is under way.
  struct Candidate {
    IcePath path;
    bool used = false;
    bool wanted = false;         // becomes the path when it has answered
    bool former_remote = false;  // its client still uses the credentials from before the restart
    TimeUs last_heard_us = 0;
    stun::TransactionId transaction{};
    int transmissions = 0;  // 0: nothing was asked
    TimeUs next_transmission_us = 0;

    [[nodiscard]] bool asking() const { return transmissions > 0; }
  };

  bool ReceiveRequest(const IcePath& path, const stun::Message& request, TimeUs now);
  bool ReceiveResponse(const IcePath& path, const stun::Message& response, TimeUs now);
  void SendError(const IcePath& path, const stun::Message& request, stun::ErrorCode code, const std::string& pwd);
  [[nodiscard]] const Credentials* CredentialsFor(std::string_view local_ufrag, TimeUs now) const;
  [[nodiscard]] const IceCredentials& RemoteOf(const Candidate& candidate) const;

  Candidate* Find(const IcePath& path);
  Candidate& FindOrAdd(const IcePath& path, TimeUs now);
  void Want(Candidate& candidate, TimeUs now);
  void Ask(Candidate& candidate, TimeUs now);
  void SendQuestion(Candidate& candidate, TimeUs now);
  void Use(Candidate& candidate, TimeUs now);

  void OnConsent(TimeUs now);
  void SetState(IceState state);
  [[nodiscard]] bool IsPath(const IcePath& path) const { return path_ && *path_ == path; }

  LiteAgentOutput& output_;
  RandomBytes random_;
  Credentials current_;
  std::optional<Credentials> former_;
  TimeUs former_until_us_ = 0;
  std::uint64_t tie_breaker_ = 0;

  std::array<Candidate, kMaxPaths> candidates_{};
  std::optional<IcePath> path_;
  bool proven_ = false;

  ConsentTimes consent_;
  TimeUs consent_check_us_;  // silent for so long: we ask ourselves
  IceState state_ = IceState::kChecking;
  TimeUs started_us_;
  TimeUs last_heard_us_ = 0;    // anything authenticated, on the path
  TimeUs last_consent_us_ = 0;  // a check or an answer, on the path
  TimeUs next_question_us_ = 0;
  TimeUs next_claim_us_ = 0;
  TimeUs next_error_us_ = 0;
};

}  // namespace tertulia
