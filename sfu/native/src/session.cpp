#include "session.hpp"

#include <utility>

namespace tertulia {

namespace {

// A handshake is some ten records; a client that sends more before it is through is guessing or hostile. Afterwards
// records carry data channels.
constexpr double kHandshakeRecordsPerSecond = 50;
constexpr double kHandshakeBurst = 64;
constexpr double kDataRecordsPerSecond = 1000;
constexpr double kDataBurst = 256;

}  // namespace

Session::Session(SessionHost& host, Handle handle, Handle room, IceCredentials local, IceCredentials remote, TimeUs now)
    : host_(host),
      handle_(handle),
      room_(room),
      dtls_rate_(kHandshakeRecordsPerSecond, kHandshakeBurst, now),
      ice_(
          *this, [&host](MutableBytes out) { host.RandomBytes(out); }, std::move(local), std::move(remote), now,
          host.consent()) {
  counters_.session = handle;
}

Session::~Session() {
  if (port_ != nullptr) {
    port_->batch().Flush();  // it may hold datagrams for our destination
  }
}

bool Session::Holds(const IcePath& path) const { return ice_.state() == IceState::kConnected && ice_.path() == path; }

bool Session::ReceiveStun(const IcePath& path, Bytes datagram, TimeUs now) {
  const bool authentic = ice_.ReceiveStun(path, datagram, now);
  Consider();
  return authentic;
}

void Session::ReceiveDtls(Bytes datagram, TimeUs now) {
  if (!dtls_rate_.Take(now) || !host_.events().PushDtls(dtls_quota_, handle_, datagram)) {
    ++counters_.dtls_dropped;
  }
}

MutableBytes Session::ReceiveRtp(const IcePath& path, MutableBytes datagram, TimeUs now) {
  return receiver_ == nullptr ? MutableBytes() : Opened(path, datagram, receiver_->Unprotect(datagram), now);
}

MutableBytes Session::ReceiveRtcp(const IcePath& path, MutableBytes datagram, TimeUs now) {
  return receiver_ == nullptr ? MutableBytes() : Opened(path, datagram, receiver_->UnprotectRtcp(datagram), now);
}

MutableBytes Session::Opened(const IcePath& path, MutableBytes datagram, const SrtpResult& result, TimeUs now) {
  if (!result.ok()) {
    ++(result.error == SrtpError::kReplayed ? counters_.replayed : counters_.forged);
    return {};
  }
  ++counters_.received;
  counters_.received_bytes += datagram.size();
  ice_.OnAuthenticatedPacket(path, now);
  return datagram.first(result.size);
}

bool Session::SetKeys(std::uint16_t profile, Bytes send_key, Bytes receive_key, TimeUs now) {
  const auto known = SrtpProfileFromNumber(profile);
  if (!known || has_keys()) {
    return false;  // one handshake a session: new keys would begin their indices anew
  }
  auto sender = SrtpSender::Create(*known, send_key);
  auto receiver = SrtpReceiver::Create(*known, receive_key);
  if (sender == nullptr || receiver == nullptr) {
    return false;
  }
  sender_ = std::move(sender);
  receiver_ = std::move(receiver);
  dtls_rate_.SetRate(kDataRecordsPerSecond, kDataBurst);
  ice_.OnDtlsConnected(now);
  Consider();
  return true;
}

void Session::SendDtls(Bytes datagram) {
  if (port_ == nullptr || datagram.empty() || ice_.state() == IceState::kFailed) {
    return;
  }
  const MutableBytes out = port_->batch().Reserve(destination_, datagram.size());
  if (out.size() == datagram.size()) {
    std::memcpy(out.data(), datagram.data(), datagram.size());
    port_->batch().Commit(datagram.size(), SendPriority::kHigh);
  }
}

// Media goes only to an address that is known to be the client's, and while it consents (RFC 7675).
void Session::Consider() {
  may_send_media_ = sender_ != nullptr && port_ != nullptr && ice_.proven() && ice_.state() != IceState::kFailed;
}

void Session::SendRtp(Bytes header, Bytes payload) {
  if (!may_send_media_) {
    ++counters_.unproven;
    return;
  }
  const bool audio = audio_[header[1] & 0x7F];
  port_->batch().AddRtp(destination_, header, payload, audio ? SendPriority::kHigh : SendPriority::kNormal);
}

std::size_t Session::Seal(Bytes header, Bytes payload, MutableBytes out) {
  const SrtpResult result = sender_->Protect(header, payload, out);
  if (!result.ok()) {
    return 0;
  }
  ++counters_.sent;
  counters_.sent_bytes += result.size;
  return result.size;
}

void Session::SendRtcp(Bytes packet) {
  if (mirrors()) {
    host_.links().Send(origin_.worker, origin_.mirror, true, packet);
    return;
  }
  if (!may_send_media_) {
    ++counters_.unproven;
    return;
  }
  SendBatch& batch = port_->batch();
  const MutableBytes out = batch.Reserve(destination_, packet.size() + kSrtcpMaxOverhead);
  const SrtpResult result = sender_->ProtectRtcp(packet, out);
  if (result.ok()) {
    batch.Commit(result.size, SendPriority::kHigh);
    ++counters_.sent;
    counters_.sent_bytes += result.size;
  }
}

void Session::SendStun(const IcePath& path, Bytes datagram) {
  if (Port* port = host_.PortFor(path.local)) {
    port->batch().Send(path, datagram);
  }
}

void Session::OnIceState(IceState state) {
  Consider();
  host_.events().PushState(event::Path{handle_, state});
}

void Session::OnPathChanged(const IcePath& path) {
  if (port_ != nullptr) {
    port_->batch().Flush();
  }
  port_ = host_.PortFor(path.local);
  destination_ = Destination(path, this);
  Consider();
}

}  // namespace tertulia
