#include "ice/lite_agent.hpp"

#include <algorithm>

namespace tertulia {

namespace {
constexpr std::size_t kMaxMessage = 1'200;
constexpr TimeUs kNever = INT64_MAX;
// Type preference 110 for peer reflexive (RFC 8445, 5.1.2.2), one component. Nobody sorts by it: the client has formed
// its pairs already, but the attribute must be there.
constexpr std::uint32_t kPriority = 110U << 24 | 0xFFFFU << 8 | 255;
}  // namespace

LiteAgent::LiteAgent(LiteAgentOutput& output, RandomBytes random, IceCredentials local, IceCredentials remote,
                     TimeUs now, ConsentTimes consent)
    : output_(output),
      random_(std::move(random)),
      current_{std::move(local), std::move(remote)},
      consent_(consent),
      consent_check_us_(std::min(kConsentCheckUs, consent.disconnected_after_us / 2)),
      started_us_(now) {
  std::array<std::uint8_t, 8> bytes{};
  random_(bytes);
  tie_breaker_ = ReadU64(bytes.data());
}

void LiteAgent::Restart(IceCredentials local, IceCredentials remote, TimeUs now) {
  former_ = std::exchange(current_, {std::move(local), std::move(remote)});
  former_until_us_ = now + kOldCredentialsUs;
  for (Candidate& candidate : candidates_) {
    candidate.former_remote = true;
    candidate.transmissions = 0;
  }
}

bool LiteAgent::ReceiveStun(const IcePath& path, Bytes datagram, TimeUs now) {
  const std::optional<stun::Message> message = stun::Parse(datagram);
  // RFC 8445, 7.1.1: both directions of a check carry FINGERPRINT; without a right one it is not for us.
  if (!message || !stun::VerifyFingerprint(*message)) return false;
  if (message->Is(stun::Type::kBindingRequest)) return ReceiveRequest(path, *message, now);
  if (message->Is(stun::Type::kBindingSuccess) || message->Is(stun::Type::kBindingError)) {
    return ReceiveResponse(path, *message, now);
  }
  return false;
}

bool LiteAgent::ReceiveRequest(const IcePath& path, const stun::Message& request, TimeUs now) {
  const Credentials* credentials = CredentialsFor(stun::LocalUfrag(request.username), now);
  if (credentials == nullptr || !stun::VerifyIntegrity(request, credentials->local.pwd)) {
    // RFC 8489, 9.1.3: 400 if USERNAME or MESSAGE-INTEGRITY is missing, 401 if they are wrong; both without integrity.
    if (now < next_error_us_) return false;
    next_error_us_ = now + kErrorIntervalUs;
    const bool complete = !request.username.empty() && request.integrity_offset != 0;
    SendError(path, request, complete ? stun::ErrorCode::kUnauthenticated : stun::ErrorCode::kBadRequest, {});
    return false;
  }
  if (request.unknown_count > 0) {
    SendError(path, request, stun::ErrorCode::kUnknownAttribute, credentials->local.pwd);
    return true;
  }
  if (request.controlled) {
    // RFC 8445, 7.3.1.1: a lite agent is always controlled and cannot give way, whatever the tie-breakers say.
    SendError(path, request, stun::ErrorCode::kRoleConflict, credentials->local.pwd);
    return true;
  }

  std::array<std::uint8_t, 128> buffer{};
  stun::Writer writer(buffer, stun::Type::kBindingSuccess, request.transaction);
  writer.AddXorMappedAddress(path.remote);
  output_.SendStun(path, Bytes(buffer).first(writer.Finish(credentials->local.pwd)));

  Candidate& candidate = FindOrAdd(path, now);
  candidate.former_remote = former_ && stun::RemoteUfrag(request.username) == former_->remote.ufrag &&
                            former_->remote.ufrag != current_.remote.ufrag;
  if (!path_) {
    Use(candidate, now);
  } else if (IsPath(path)) {
    OnConsent(now);
  } else if (request.use_candidate) {
    Want(candidate, now);
  }
  return true;
}

bool LiteAgent::ReceiveResponse(const IcePath& path, const stun::Message& response, TimeUs now) {
  Candidate* candidate = Find(path);
  if (candidate == nullptr || !candidate->asking() || candidate->transaction != response.transaction) return false;
  if (!stun::VerifyIntegrity(response, RemoteOf(*candidate).pwd)) return false;
  candidate->transmissions = 0;
  candidate->last_heard_us = now;
  if (response.Is(stun::Type::kBindingError)) {
    candidate->wanted = false;  // the client is there, and does not want us to send
    return true;
  }
  if (IsPath(path)) {
    proven_ = true;
    OnConsent(now);
  } else if (std::exchange(candidate->wanted, false)) {
    proven_ = true;
    Use(*candidate, now);
  }
  return true;
}

void LiteAgent::SendError(const IcePath& path, const stun::Message& request, stun::ErrorCode code,
                          const std::string& pwd) {
  std::array<std::uint8_t, 128> buffer{};
  stun::Writer writer(buffer, stun::Type::kBindingError, request.transaction);
  writer.AddErrorCode(code);
  if (code == stun::ErrorCode::kUnknownAttribute) {
    writer.AddUnknownAttributes(std::span(request.unknown).first(request.unknown_count));
  }
  output_.SendStun(path, Bytes(buffer).first(writer.Finish(pwd)));
}

bool LiteAgent::MayClaim(TimeUs now) {
  if (now < next_claim_us_) return false;
  next_claim_us_ = now + kClaimIntervalUs;
  return true;
}

void LiteAgent::OnAuthenticatedPacket(const IcePath& path, TimeUs now) {
  if (!path_) return;
  if (!IsPath(path)) {
    Candidate& candidate = FindOrAdd(path, now);
    if (now - last_heard_us_ >= kClaimSilenceUs) Want(candidate, now);
    return;
  }
  last_heard_us_ = now;
  if (state_ == IceState::kDisconnected) SetState(IceState::kConnected);
}

bool LiteAgent::Knows(const IcePath& path) const {
  return std::any_of(candidates_.begin(), candidates_.end(),
                     [&](const Candidate& candidate) { return candidate.used && candidate.path == path; });
}

bool LiteAgent::HasLocalUfrag(std::string_view ufrag, TimeUs now) const {
  return CredentialsFor(ufrag, now) != nullptr;
}

const LiteAgent::Credentials* LiteAgent::CredentialsFor(std::string_view local_ufrag, TimeUs now) const {
  if (local_ufrag == current_.local.ufrag) return &current_;
  if (former_ && now < former_until_us_ && local_ufrag == former_->local.ufrag) return &*former_;
  return nullptr;
}

const IceCredentials& LiteAgent::RemoteOf(const Candidate& candidate) const {
  return candidate.former_remote && former_ ? former_->remote : current_.remote;
}

LiteAgent::Candidate* LiteAgent::Find(const IcePath& path) {
  const auto found = std::find_if(candidates_.begin(), candidates_.end(),
                                  [&](const Candidate& candidate) { return candidate.used && candidate.path == path; });
  return found == candidates_.end() ? nullptr : &*found;
}

// With all places taken, the one that has been silent for longest gives way, never the path in use.
LiteAgent::Candidate& LiteAgent::FindOrAdd(const IcePath& path, TimeUs now) {
  Candidate* candidate = Find(path);
  if (candidate == nullptr) {
    const auto age = [this](const Candidate& c) {
      if (!c.used) return INT64_MIN;
      return IsPath(c.path) ? INT64_MAX : c.last_heard_us;
    };
    candidate = &*std::min_element(candidates_.begin(), candidates_.end(),
                                   [&](const Candidate& a, const Candidate& b) { return age(a) < age(b); });
    *candidate = {};
    candidate->path = path;
    candidate->used = true;
  }
  candidate->last_heard_us = now;
  return *candidate;
}

// The client has been seen at another address, or nominates it: ask there. Too many questions are not asked; the
// client's next check brings the next chance.
void LiteAgent::Want(Candidate& candidate, TimeUs now) {
  candidate.wanted = true;
  if (candidate.asking() || now < next_question_us_) return;
  next_question_us_ = now + kQuestionIntervalUs;
  Ask(candidate, now);
}

void LiteAgent::Ask(Candidate& candidate, TimeUs now) {
  random_(candidate.transaction);
  candidate.transmissions = 0;
  SendQuestion(candidate, now);
}

void LiteAgent::SendQuestion(Candidate& candidate, TimeUs now) {
  candidate.next_transmission_us = now + (kFirstRetransmitUs << candidate.transmissions);
  ++candidate.transmissions;
  const IceCredentials& remote = RemoteOf(candidate);
  const IceCredentials& local = candidate.former_remote && former_ ? former_->local : current_.local;
  std::array<std::uint8_t, kMaxMessage> buffer{};
  stun::Writer writer(buffer, stun::Type::kBindingRequest, candidate.transaction);
  writer.AddUsername(remote.ufrag + ":" + local.ufrag);
  writer.AddControlled(tie_breaker_);
  writer.AddPriority(kPriority);
  const std::size_t size = writer.Finish(remote.pwd);
  if (size > 0) output_.SendStun(candidate.path, Bytes(buffer).first(size));
}

void LiteAgent::Use(Candidate& candidate, TimeUs now) {
  path_ = candidate.path;
  output_.OnPathChanged(candidate.path);
  OnConsent(now);
}

void LiteAgent::OnConsent(TimeUs now) {
  last_heard_us_ = now;
  last_consent_us_ = now;
  SetState(IceState::kConnected);
}

void LiteAgent::SetState(IceState state) {
  if (state_ == state) return;
  state_ = state;
  output_.OnIceState(state);
}

void LiteAgent::Advance(TimeUs now) {
  if (former_ && now >= former_until_us_) former_.reset();
  for (Candidate& candidate : candidates_) {
    if (!candidate.asking() || now < candidate.next_transmission_us) continue;
    if (candidate.transmissions >= kMaxTransmissions) {
      candidate.transmissions = 0;
      candidate.wanted = false;
    } else {
      SendQuestion(candidate, now);
    }
  }
  if (state_ == IceState::kFailed) return;
  if (!path_) {
    if (now - started_us_ >= kNeverConnectedUs) SetState(IceState::kFailed);
    return;
  }
  if (now - last_consent_us_ >= consent_.failed_after_us) {
    SetState(IceState::kFailed);
    return;
  }
  if (now - last_heard_us_ >= consent_.disconnected_after_us) SetState(IceState::kDisconnected);
  Candidate* in_use = Find(*path_);
  if (in_use != nullptr && !in_use->asking() && now - last_consent_us_ >= consent_check_us_) Ask(*in_use, now);
}

TimeUs LiteAgent::NextWakeup() const {
  TimeUs next = former_ ? former_until_us_ : kNever;
  bool asking_path = false;
  for (const Candidate& candidate : candidates_) {
    if (!candidate.asking()) continue;
    next = std::min(next, candidate.next_transmission_us);
    asking_path = asking_path || IsPath(candidate.path);
  }
  if (state_ == IceState::kFailed) return next;
  if (!path_) return std::min(next, started_us_ + kNeverConnectedUs);
  next = std::min(next, last_consent_us_ + consent_.failed_after_us);
  if (state_ == IceState::kConnected) next = std::min(next, last_heard_us_ + consent_.disconnected_after_us);
  if (!asking_path) next = std::min(next, last_consent_us_ + consent_check_us_);
  return next;
}

}  // namespace tertulia
