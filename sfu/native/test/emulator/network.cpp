#include "emulator/network.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>

#include "wire/demux.hpp"

namespace tertulia::test {

Network::Network(std::uint64_t seed) : seed_(seed), router_(*this, 1'700'000'000'000'000) { router_.Advance(now_); }

void Network::Join(Handle session, const MediaConfig& media, Client& client, const LinkConfig& up,
                   const LinkConfig& down) {
  std::vector<std::uint8_t> key(28);  // AES-128-GCM: 16 bytes of key, 12 of salt
  key[0] = static_cast<std::uint8_t>(session);
  auto leg = std::make_unique<Leg>(client);
  leg->up = std::make_unique<Link>(up, seed_ * 1'000 + 2 * session);
  leg->down = std::make_unique<Link>(down, seed_ * 1'000 + 2 * session + 1);
  leg->sender = SrtpSender::Create(SrtpProfile::kAeadAes128Gcm, key);
  leg->receiver = SrtpReceiver::Create(SrtpProfile::kAeadAes128Gcm, key);
  if (leg->sender == nullptr || leg->receiver == nullptr) {
    std::abort();
  }
  legs_.emplace(session, std::move(leg));
  router_.AddSession(session, media);
  router_.SetSessionReady(session, now_);
}

void Network::RunUntil(TimeUs end) {
  while (true) {
    for (const auto& [session, leg] : legs_) {
      Post(*leg);
    }
    TimeUs next = router_.NextWakeup();
    for (const auto& [session, leg] : legs_) {
      next = std::min({next, leg->client.next_us(), leg->up->next_us(), leg->down->next_us()});
    }
    if (next > end) {
      break;
    }
    now_ = std::max(now_, next);
    for (const auto& [session, leg] : legs_) {
      Deliver(session, *leg);
    }
    if (router_.NextWakeup() <= now_) {
      router_.Advance(now_);
    }
  }
  now_ = std::max(now_, end);
}

void Network::Deliver(Handle session, Leg& leg) {
  while (auto datagram = leg.up->Take(now_)) {
    if (Classify(*datagram) == DatagramKind::kRtcp) {
      router_.ReceiveRtcp(session, *datagram, now_);
    } else {
      router_.ReceiveRtp(session, *datagram, now_);
    }
  }
  while (auto datagram = leg.down->Take(now_)) {
    const bool rtcp = Classify(*datagram) == DatagramKind::kRtcp;
    const SrtpResult result = rtcp ? leg.receiver->UnprotectRtcp(*datagram) : leg.receiver->Unprotect(*datagram);
    if (!result.ok()) {
      ++replayed_;
      continue;
    }
    leg.client.Receive(Bytes(*datagram).first(result.size), now_);
  }
  if (leg.client.next_us() <= now_) {
    leg.client.Advance(now_);
  }
}

void Network::Post(Leg& leg) {
  for (const auto& datagram : leg.client.out) {
    leg.up->Send(datagram, now_);
  }
  leg.client.out.clear();
}

void Network::SendRtp(Handle session, Bytes header, Bytes payload) {
  Leg& leg = *legs_.at(session);
  std::array<std::uint8_t, 2'048> buffer{};
  const SrtpResult result = leg.sender->Protect(header, payload, buffer);
  if (!result.ok()) {
    ++refused_;
    return;
  }
  leg.down->Send(Bytes(buffer).first(result.size), now_);
}

void Network::SendRtcp(Handle session, Bytes packet) {
  Leg& leg = *legs_.at(session);
  std::array<std::uint8_t, 2'048> buffer{};
  const SrtpResult result = leg.sender->ProtectRtcp(packet, buffer);
  if (!result.ok()) {
    ++refused_;
    return;
  }
  leg.down->Send(Bytes(buffer).first(result.size), now_);
}

}  // namespace tertulia::test
