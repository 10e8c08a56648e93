// A router with clients around it on virtual time, each behind a link of its own in either direction. What the router
// sends is encrypted and decrypted as a session does it, so a packet that could not leave, or that a client would take
// for a replay, is noticed.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "crypto/srtp.hpp"
#include "emulator/link.hpp"
#include "tertulia/router.hpp"

namespace tertulia::test {

// A client: what it receives is plain RTP or RTCP, and what it sends goes to `out`.
class Client {
 public:
  virtual ~Client() = default;
  virtual void Receive(Bytes datagram, TimeUs now) = 0;
  // Does what is due.
  virtual void Advance(TimeUs now) = 0;
  [[nodiscard]] virtual TimeUs next_us() const = 0;

  std::vector<std::vector<std::uint8_t>> out;
};

class Network : public RouterOutput {
 public:
  static constexpr TimeUs kStart = 10 * kSecond;

  explicit Network(std::uint64_t seed);

  // `client` must outlive the network.
  void Join(Handle session, const MediaConfig& media, Client& client, const LinkConfig& up, const LinkConfig& down);
  void RunUntil(TimeUs end);
  void Run(TimeUs time) { RunUntil(now_ + time); }

  [[nodiscard]] Link& up(Handle session) { return *legs_.at(session)->up; }
  [[nodiscard]] Link& down(Handle session) { return *legs_.at(session)->down; }
  [[nodiscard]] TimeUs now() const { return now_; }
  Router& router() { return router_; }

  // Packets that SRTP refused to encrypt: their index was used already.
  [[nodiscard]] std::uint64_t refused() const { return refused_; }
  // Packets that a client's SRTP refused: a replay, a forgery.
  [[nodiscard]] std::uint64_t replayed() const { return replayed_; }

  std::vector<std::pair<Handle, Handle>> unsupported;
  std::vector<std::vector<std::pair<Handle, std::uint8_t>>> speakers;
  struct Switch {
    TimeUs at = 0;
    Handle slot = 0, source = 0;
    std::uint32_t first_timestamp = 0;
  };
  std::vector<Switch> switches;
  struct Pause {
    TimeUs at = 0;
    Handle slot = 0;
    bool paused = false;
  };
  std::vector<Pause> pauses;
  std::vector<std::pair<Handle, std::uint32_t>> wanted;

 private:
  struct Leg {
    Client& client;
    std::unique_ptr<Link> up, down;
    std::unique_ptr<SrtpSender> sender;
    std::unique_ptr<SrtpReceiver> receiver;
  };

  void SendRtp(Handle session, Bytes header, Bytes payload) override;
  void SendRtcp(Handle session, Bytes packet) override;
  void OnSlotSwitched(Handle slot, Handle source, std::uint32_t first_rtp_timestamp) override {
    switches.push_back({now_, slot, source, first_rtp_timestamp});
  }
  void OnSourceActive(Handle /*source*/, bool /*active*/) override {}
  void OnSlotUnsupported(Handle slot, Handle source) override { unsupported.emplace_back(slot, source); }
  void OnSlotPaused(Handle slot, bool paused) override { pauses.push_back({now_, slot, paused}); }
  void OnLayersWanted(Handle source, std::uint32_t layers) override { wanted.emplace_back(source, layers); }
  void OnSpeakers(const std::vector<std::pair<Handle, std::uint8_t>>& list) override { speakers.push_back(list); }

  void Deliver(Handle session, Leg& leg);
  void Post(Leg& leg);

  std::uint64_t seed_;
  TimeUs now_ = kStart;
  std::map<Handle, std::unique_ptr<Leg>> legs_;  // ordered: the same on every run
  std::uint64_t refused_ = 0, replayed_ = 0;
  Router router_;
};

}  // namespace tertulia::test
