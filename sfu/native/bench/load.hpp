// The load: all peers on one thread, and the figures over all of them.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "flood.hpp"
#include "pacer.hpp"
#include "peer.hpp"
#include "receive_batch.hpp"
#include "stream_meter.hpp"

namespace tertulia::load {

// What all viewers together saw since the last Reset.
struct Report {
  double seconds = 0;
  std::uint64_t sent = 0;  // by all publishers
  std::size_t slots = 0, receiving = 0;
  StreamCounts total;
  std::uint64_t fewest = 0, most = 0;  // packets a slot
  std::int64_t delay_p50_us = 0, delay_p99_us = 0;
  std::int64_t late_us = 0;  // how far the generator was behind its own schedule at worst
  std::uint64_t key_frames = 0;
  std::uint64_t flooded = 0;  // packets of an attacker
};

struct StateChange {
  std::uint32_t peer = 0;
  bool connected = false;
  std::uint16_t profile = 0;
};

class Load {
 public:
  Load();
  ~Load();
  Load(const Load&) = delete;
  Load& operator=(const Load&) = delete;

  // Returns the fingerprint of the new peer's certificate.
  std::string AddPeer(std::uint32_t id, const std::string& ufrag, const std::string& pwd);
  void AddSource(std::uint32_t peer, SourceOptions options);
  void AddSlot(std::uint32_t peer, Kind kind, std::uint32_t ssrc);
  void GiveFeedback(std::uint32_t peer, std::uint8_t extension_id);
  void Connect(std::uint32_t peer, const Remote& remote, const std::string& profiles);
  // The peer is no more: with a goodbye (close_notify), or as if its machine had lost power.
  void Drop(std::uint32_t peer, bool goodbye);
  void Stream(const Pace& video);
  void Stop() { tracks_.clear(); }
  void Reset();
  [[nodiscard]] Report MakeReport();
  void Close();

  // Attacks the session of a connected peer, until StopFlood.
  void StartFlood(FloodKind kind, std::uint32_t victim, double packets_per_second, std::size_t packet_bytes);
  void StopFlood() { flood_.reset(); }

  // Asks every socket in turn, without end, instead of sleeping until one has something. A sender on the same machine
  // pays for waking a sleeping receiver, and for epoll's bookkeeping; one on another machine never does.
  void SetPolling(bool polling);

  // Waits for sockets, timers and `input` (a file descriptor); true if there is something to read from `input`.
  bool Wait(int input);
  // Peers that connected or failed since the last call.
  [[nodiscard]] std::vector<StateChange> TakeChanges() { return std::exchange(changes_, {}); }

 private:
  struct Entry {
    std::unique_ptr<Peer> peer;
    Transport::State announced = Transport::State::kNew;
  };
  struct Track {
    Peer* peer = nullptr;
    std::size_t index = 0;
    Pacer pacer;
  };

  [[nodiscard]] Peer& Find(std::uint32_t peer) { return *entries_.at(peer).peer; }
  void Tick(std::int64_t now_ns);
  void NoteChanges();
  void SendDue(std::int64_t now_ns);
  void ArmTimer() const;
  void Watch(int fd, std::uint64_t key) const;

  int epoll_ = -1;
  int timer_ = -1;
  bool input_watched_ = false;
  bool polling_ = false;
  std::int64_t next_tick_ns_ = 0;
  std::map<std::uint32_t, Entry> entries_;
  std::vector<std::unique_ptr<SyntheticSource>> retired_;  // of dropped publishers; viewers may still compare with them
  std::vector<Track> tracks_;
  std::vector<StateChange> changes_;
  int connecting_ = 0;  // peers whose outcome is not known yet
  Truth truth_;
  ReceiveBatch batch_;
  std::int64_t window_start_ns_ = 0;
  std::uint64_t window_sent_ = 0;
  std::unique_ptr<Flood> flood_;
  std::uint64_t flooded_before_ = 0;
};

[[nodiscard]] std::int64_t MonotonicNs();

}  // namespace tertulia::load
