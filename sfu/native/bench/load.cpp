#include "load.hpp"

#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <system_error>
#include <utility>

namespace tertulia::load {

namespace {

constexpr std::int64_t kTickNs = 20'000'000;
constexpr std::uint64_t kTimerKey = UINT64_MAX;
constexpr std::uint64_t kInputKey = UINT64_MAX - 1;
constexpr int kEvents = 256;

int Require(int fd, const char* what) {
  if (fd < 0) throw std::system_error(errno, std::generic_category(), what);
  return fd;
}

}  // namespace

std::int64_t MonotonicNs() {
  return std::chrono::nanoseconds(std::chrono::steady_clock::now().time_since_epoch()).count();
}

Load::Load()
    : epoll_(Require(epoll_create1(EPOLL_CLOEXEC), "epoll")),
      timer_(Require(timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC), "timerfd")) {
  Watch(timer_, kTimerKey);
  window_start_ns_ = MonotonicNs();
}

Load::~Load() {
  close(timer_);
  close(epoll_);
}

void Load::Watch(int fd, std::uint64_t key) const {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = key;
  Require(epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event), "epoll_ctl");
}

std::string Load::AddPeer(std::uint32_t id, const std::string& ufrag, const std::string& pwd) {
  Entry& entry = entries_[id];
  entry.peer = std::make_unique<Peer>(id, ufrag, pwd);
  return entry.peer->transport().Fingerprint();
}

void Load::AddSource(std::uint32_t peer, SourceOptions options) {
  options.sender = static_cast<std::uint32_t>(truth_.sources.size());
  truth_.sources.push_back(&Find(peer).AddSource(std::move(options)));
}

void Load::AddSlot(std::uint32_t peer, Kind kind, std::uint32_t ssrc) { Find(peer).AddSlot(kind, ssrc, truth_); }

void Load::GiveFeedback(std::uint32_t peer, std::uint8_t extension_id) { Find(peer).GiveFeedback(extension_id); }

void Load::Connect(std::uint32_t peer, const Remote& remote, const std::string& profiles) {
  Transport& transport = Find(peer).transport();
  transport.Connect(remote, profiles, MonotonicNs());
  if (!polling_) Watch(transport.fd(), peer);
  ++connecting_;
}

void Load::Drop(std::uint32_t peer, bool goodbye) {
  const auto found = entries_.find(peer);
  if (found == entries_.end()) return;
  Peer& dropped = *found->second.peer;
  std::erase_if(tracks_, [&](const Track& track) { return track.peer == &dropped; });
  NoteChanges();
  const Transport::State state = dropped.transport().state();
  if (state == Transport::State::kChecking || state == Transport::State::kHandshaking) --connecting_;
  if (goodbye) dropped.transport().Close();
  for (auto& source : dropped.TakeSources()) retired_.push_back(std::move(source));
  entries_.erase(found);
}

// Publishers are not in step with each other: each starts a fraction of a frame later than the one before.
void Load::Stream(const Pace& video) {
  tracks_.clear();
  const std::int64_t start = MonotonicNs() + 1'000'000;
  constexpr std::int64_t kFrameNs = 33'333'333;
  const auto count = static_cast<std::int64_t>(truth_.sources.size());
  for (auto& [id, entry] : entries_) {
    const auto& sources = entry.peer->sources();
    for (std::size_t i = 0; i < sources.size(); ++i) {
      const Kind kind = sources[i]->options().kind;
      const std::int64_t shift = kFrameNs * static_cast<std::int64_t>(tracks_.size()) / count;
      tracks_.push_back({entry.peer.get(), i, Pacer(kind == Kind::kVideo ? video : kOpusPace, kind, start + shift)});
    }
  }
}

void Load::StartFlood(FloodKind kind, std::uint32_t victim, double packets_per_second, std::size_t packet_bytes) {
  const Transport& transport = Find(victim).transport();
  FloodOptions options;
  options.kind = kind;
  options.packets_per_second = packets_per_second;
  options.packet_bytes = packet_bytes;
  options.target = ToSocketAddress(transport.remote());
  options.ufrag = transport.remote().ufrag;
  options.victim = transport.fd();
  flooded_before_ = 0;
  flood_ = std::make_unique<Flood>(options);
}

void Load::Reset() {
  flooded_before_ = flood_ == nullptr ? 0 : flood_->sent();
  truth_.delay.Clear();
  window_start_ns_ = MonotonicNs();
  window_sent_ = 0;
  for (auto& [id, entry] : entries_) {
    for (Peer::SlotState& slot : entry.peer->slots()) slot.meter.Reset();
  }
  for (Track& track : tracks_) track.pacer.ResetLate();
}

Report Load::MakeReport() {
  Report report;
  report.seconds = static_cast<double>(MonotonicNs() - window_start_ns_) / 1e9;
  report.sent = window_sent_;
  report.flooded = flood_ == nullptr ? 0 : flood_->sent() - flooded_before_;
  report.fewest = UINT64_MAX;
  for (auto& [id, entry] : entries_) {
    for (const Peer::SlotState& slot : entry.peer->slots()) {
      const StreamCounts counts = slot.meter.Counts();
      ++report.slots;
      report.receiving += counts.packets > 0 ? 1 : 0;
      report.total.packets += counts.packets;
      report.total.bytes += counts.bytes;
      report.total.lost += counts.lost;
      report.total.verified += counts.verified;
      report.total.mismatched += counts.mismatched;
      report.fewest = std::min(report.fewest, counts.packets);
      report.most = std::max(report.most, counts.packets);
    }
    for (const auto& source : entry.peer->sources()) report.key_frames += source->key_frames();
  }
  if (report.slots == 0) report.fewest = 0;
  for (const Track& track : tracks_) {
    report.late_us = std::max(report.late_us, track.pacer.worst_late_ns() / 1000);
  }
  report.delay_p50_us = truth_.delay.PercentileUs(0.50);
  report.delay_p99_us = truth_.delay.PercentileUs(0.99);
  return report;
}

void Load::Close() {
  tracks_.clear();
  for (auto& [id, entry] : entries_) entry.peer->transport().Close();
}

bool Load::Wait(int input) {
  if (!input_watched_) {
    Watch(input, kInputKey);
    input_watched_ = true;
  }
  if (polling_) {
    for (auto& [id, entry] : entries_) {
      if (entry.peer->transport().fd() >= 0) entry.peer->transport().Receive(batch_, MonotonicNs());
      SendDue(MonotonicNs());
    }
  } else {
    ArmTimer();
  }
  std::array<epoll_event, kEvents> events{};
  const int count = epoll_wait(epoll_, events.data(), kEvents, polling_ ? 0 : -1);
  bool readable = false;
  for (int i = 0; i < count; ++i) {
    const std::uint64_t key = events[static_cast<std::size_t>(i)].data.u64;
    if (key == kInputKey) {
      readable = true;
    } else if (key == kTimerKey) {
      std::uint64_t expirations = 0;
      static_cast<void>(!read(timer_, &expirations, sizeof expirations));
    } else {
      Find(static_cast<std::uint32_t>(key)).transport().Receive(batch_, MonotonicNs());
    }
    SendDue(MonotonicNs());
  }
  Tick(MonotonicNs());
  return readable;
}

void Load::Tick(std::int64_t now_ns) {
  const bool due = now_ns >= next_tick_ns_;
  if (due) {
    next_tick_ns_ = now_ns + kTickNs;
    for (auto& [id, entry] : entries_) entry.peer->Advance(now_ns);
  }
  if (due || connecting_ > 0) NoteChanges();
}

void Load::SetPolling(bool polling) {
  if (polling == polling_) return;
  polling_ = polling;
  for (auto& [id, entry] : entries_) {
    const int fd = entry.peer->transport().fd();
    if (fd < 0) continue;
    if (polling) {
      epoll_ctl(epoll_, EPOLL_CTL_DEL, fd, nullptr);
    } else {
      Watch(fd, id);
    }
  }
}

void Load::SendDue(std::int64_t now_ns) {
  for (Track& track : tracks_) {
    if (now_ns < track.pacer.next_ns()) continue;
    const std::vector<Fragment>& due = track.pacer.Due(now_ns);
    for (const Fragment& fragment : due) track.peer->Send(track.index, fragment, now_ns);
    track.peer->Flush();
    window_sent_ += due.size();
  }
}

void Load::ArmTimer() const {
  std::int64_t next = next_tick_ns_;
  for (const Track& track : tracks_) next = std::min(next, track.pacer.next_ns());
  next = std::max<std::int64_t>(next, 1);  // zero would disarm it
  itimerspec when{};
  when.it_value.tv_sec = next / 1'000'000'000;
  when.it_value.tv_nsec = next % 1'000'000'000;
  timerfd_settime(timer_, TFD_TIMER_ABSTIME, &when, nullptr);
}

void Load::NoteChanges() {
  for (auto& [id, entry] : entries_) {
    const Transport::State state = entry.peer->transport().state();
    if (state == entry.announced) continue;
    entry.announced = state;
    if (state != Transport::State::kConnected && state != Transport::State::kFailed) continue;
    --connecting_;
    changes_.push_back({id, state == Transport::State::kConnected, entry.peer->transport().profile()});
  }
}

}  // namespace tertulia::load
