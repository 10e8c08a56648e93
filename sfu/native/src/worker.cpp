#include "worker.hpp"

#include <pthread.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <ctime>
#include <system_error>

#include "wire/demux.hpp"
#include "wire/stun.hpp"

namespace tertulia {

namespace {

constexpr std::uint64_t kCommandsTag = UINT64_MAX;
constexpr std::uint64_t kRelayTag = std::uint64_t{1} << 32;  // and those above it, one a ring
constexpr std::size_t kCommandsPerTurn = 512;
constexpr std::size_t kRelayedPerTurn = 256;
constexpr int kBatchesPerTurn = 4;            // then the other sockets and the timers have their turn
constexpr TimeUs kTimerSlackUs = 5'000;       // timers that are due close together are served together
constexpr TimeUs kIceIntervalUs = 100'000;    // no timer of ICE is finer
constexpr TimeUs kUnsettledRetryUs = 10'000;  // Python lags: try again to hand over states
constexpr int kPortAttempts = 32;

TimeUs Now() {
  timespec time{};
  clock_gettime(CLOCK_MONOTONIC, &time);
  return static_cast<TimeUs>(time.tv_sec) * 1'000'000 + time.tv_nsec / 1'000;
}

std::unique_ptr<Port> Bind(const std::string& text, std::uint16_t port, const WorkerOptions& options, Bytes lasting) {
  const auto address = ParseAddress(text, port);
  if (!address) {
    throw std::system_error(EINVAL, std::generic_category(), text);
  }
  return std::make_unique<Port>(*address, options.socket_buffer, options.segmentation, lasting);
}

// All sockets have one port number. With "any port" the first socket's choice may be taken elsewhere: choose again.
std::vector<std::unique_ptr<Port>> BindAll(const WorkerOptions& options, Bytes lasting) {
  const bool everywhere = options.bind.empty();
  const std::vector<std::string> addresses = everywhere ? std::vector<std::string>{"0.0.0.0", "::"} : options.bind;
  for (int attempt = 1;; ++attempt) {
    std::vector<std::unique_ptr<Port>> ports;
    try {
      std::uint16_t number = options.port;
      for (const std::string& address : addresses) {
        try {
          ports.push_back(Bind(address, number, options, lasting));
          number = ports.front()->socket().address().port;
        } catch (const std::system_error& error) {
          const int code = error.code().value();
          if (!everywhere || ports.empty() || (code != EAFNOSUPPORT && code != EADDRNOTAVAIL)) {
            throw;
          }  // a machine without IPv6
        }
      }
      return ports;
    } catch (const std::system_error& error) {
      if (options.port != 0 || error.code().value() != EADDRINUSE || attempt == kPortAttempts) {
        throw;
      }
    }
  }
}

void Watch(int epoll_fd, int operation, int fd, std::uint32_t events, std::uint64_t tag) {
  epoll_event event{};
  event.events = events;
  event.data.u64 = tag;
  if (epoll_ctl(epoll_fd, operation, fd, &event) != 0) {
    throw std::system_error(errno, std::generic_category(), "epoll_ctl");
  }
}

}  // namespace

void Worker::Apply(command::LinkTo& command) { links_.Add(command.worker, std::move(command.ring)); }

void Worker::Apply(command::LinkFrom& command) {
  incoming_.push_back(std::move(command.ring));
  Watch(epoll_fd_, EPOLL_CTL_ADD, incoming_.back()->fd(), EPOLLIN, kRelayTag + incoming_.size() - 1);
}

Worker::Worker(const WorkerOptions& options)
    : commands_(options.command_capacity),
      events_(options.event_capacity),
      ports_(BindAll(options, received_.region())),
      writable_wanted_(ports_.size(), false),
      epoll_fd_(epoll_create1(EPOLL_CLOEXEC)),
      consent_(options.consent) {
  if (epoll_fd_ < 0) {
    throw std::system_error(errno, std::generic_category(), "epoll_create1");
  }
  Watch(epoll_fd_, EPOLL_CTL_ADD, commands_.fd(), EPOLLIN, kCommandsTag);
  for (std::size_t i = 0; i < ports_.size(); ++i) {
    Watch(epoll_fd_, EPOLL_CTL_ADD, ports_[i]->socket().fd(), EPOLLIN, i);
  }
}

Worker::~Worker() {
  Stop();
  ::close(epoll_fd_);
}

void Worker::Start() {
  if (thread_.joinable() || stopping_) {
    return;
  }
  // Signals are for the main thread: the new one inherits a full mask.
  sigset_t all;
  sigset_t old;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &old);
  thread_ = std::thread([this] { Run(); });
  pthread_sigmask(SIG_SETMASK, &old, nullptr);
  pthread_setname_np(thread_.native_handle(), "media-worker");
}

void Worker::Stop() {
  stopping_ = true;
  if (thread_.joinable()) {
    const std::uint64_t one = 1;
    while (::write(commands_.fd(), &one, sizeof(one)) < 0 && errno == EINTR) {
    }
    thread_.join();
  }
}

void Worker::Run() {
  now_ = Now();
  while (!stopping_.load(std::memory_order_relaxed)) {
    Wait();
    if (now_ >= std::min(next_rooms_us_, next_ice_us_) && now_ >= last_advance_us_ + kTimerSlackUs) {
      Advance();
    }
    FlushPorts();
    events_.Settle();
  }
}

void Worker::Wait() {
  TimeUs due = std::min(next_rooms_us_, next_ice_us_);
  if (due != INT64_MAX) {
    due = std::max(due, last_advance_us_ + kTimerSlackUs);
  }
  if (events_.unsettled()) {
    due = std::min(due, now_ + kUnsettledRetryUs);
  }
  const TimeUs wait = due == INT64_MAX ? -1 : std::max<TimeUs>(0, due - Now());
  const timespec timeout{wait / 1'000'000, wait % 1'000'000 * 1'000};
  std::array<epoll_event, 16> ready{};
  int count = epoll_pwait2(epoll_fd_, ready.data(), ready.size(), wait < 0 ? nullptr : &timeout, nullptr);
  if (count < 0 && errno == ENOSYS) {  // kernels before 5.11
    const int wait_ms = wait < 0 ? -1 : static_cast<int>(std::min<TimeUs>((wait + 999) / 1'000, INT32_MAX));
    count = epoll_wait(epoll_fd_, ready.data(), ready.size(), wait_ms);
  }
  now_ = Now();
  ++counters_.wakeups;
  for (int i = 0; i < count; ++i) {
    const epoll_event& event = ready[static_cast<std::size_t>(i)];
    if (event.data.u64 == kCommandsTag) {
      commands_.Pop(kCommandsPerTurn, [this](Command command) { std::visit([this](auto& c) { Apply(c); }, command); });
      continue;
    }
    if (event.data.u64 >= kRelayTag) {
      ReadRelay(*incoming_[event.data.u64 - kRelayTag]);
      continue;
    }
    Port& port = *ports_[event.data.u64];
    if ((event.events & EPOLLOUT) != 0) {
      port.batch().OnWritable();
    }
    if ((event.events & (EPOLLIN | EPOLLERR)) != 0) {
      Read(port);
    }
  }
}

void Worker::Read(Port& port) {
  for (int i = 0; i < kBatchesPerTurn; ++i) {
    const auto datagrams = received_.Receive(port.socket());
    for (const ReceiveBatch::Datagram& datagram : datagrams) {
      Receive(datagram);
    }
    FlushPorts();  // before the buffers are used again: what is sent refers to them
    if (datagrams.size() < ReceiveBatch::kSize) {
      return;
    }
    now_ = Now();
  }
}

// What another worker decrypted: packets for mirrors, and what routers elsewhere ask of publishers here.
void Worker::ReadRelay(RelayRing& ring) {
  ring.Pop(kRelayedPerTurn, [this](RelayedPacket&& packet) {
    Member* member = FindMember(packet.session);
    if (member == nullptr) {
      return;
    }
    const MutableBytes bytes = MutableBytes(packet.bytes).first(packet.size);
    Router& router = member->room.router();
    if (!member->session.mirrors()) {
      router.ReceiveRelayedRtcp(packet.session, bytes, now_);
    } else if (packet.rtcp) {
      router.ReceiveRtcp(packet.session, bytes, now_);
    } else {
      router.ReceiveRtp(packet.session, bytes, now_);
    }
    Touch(member->room);
  });
  FlushPorts();
}

// Before the router sees the packet, which it may change.
void Worker::RelayOut(const Member& member, bool rtcp, Bytes packet) {
  for (const RelayTarget& target : member.relays) {
    ++(links_.Send(target.worker, target.mirror, rtcp, packet) ? counters_.relayed : counters_.relay_lost);
  }
}

void Worker::Receive(const ReceiveBatch::Datagram& datagram) {
  ++counters_.received;
  counters_.received_bytes += datagram.bytes.size();
  const DatagramKind kind = Classify(datagram.bytes);
  if (kind == DatagramKind::kOther) {
    ++counters_.malformed;
    return;
  }
  if (kind == DatagramKind::kStun) {
    ReceiveStun(datagram);
    return;
  }
  Member* member = directory_.Find(datagram.path);
  if (member == nullptr) {
    ++counters_.unknown_source;
    return;
  }
  Session& session = member->session;
  if (kind == DatagramKind::kDtls) {
    session.ReceiveDtls(datagram.bytes, now_);
  } else if (kind == DatagramKind::kRtp) {
    const MutableBytes packet = session.ReceiveRtp(datagram.path, datagram.bytes, now_);
    if (!packet.empty()) {
      RelayOut(*member, false, packet);
      member->room.router().ReceiveRtp(session.handle(), packet, now_);
      Touch(member->room);
    }
  } else {
    const MutableBytes packet = session.ReceiveRtcp(datagram.path, datagram.bytes, now_);
    if (!packet.empty()) {
      RelayOut(*member, true, packet);
      member->room.router().ReceiveRtcp(session.handle(), packet, now_);
      Touch(member->room);
    }
  }
}

void Worker::ReceiveStun(const ReceiveBatch::Datagram& datagram) {
  const auto message = stun::Parse(datagram.bytes);
  if (!message) {
    ++counters_.malformed;
    return;
  }
  Member* holder = directory_.Find(datagram.path);
  Member* member = holder;
  if (message->Is(stun::Type::kBindingRequest)) {
    member = directory_.FindUfrag(stun::LocalUfrag(message->username));
  }
  if (member == nullptr) {
    ++counters_.unknown_source;
    return;
  }
  // A path in use belongs to one session: whoever knows another session's credentials and can forge a source address
  // must not take it over.
  if (holder != nullptr && holder != member && holder->session.Holds(datagram.path)) {
    ++counters_.unknown_source;
    return;
  }
  if (member->session.ReceiveStun(datagram.path, datagram.bytes, now_)) {
    directory_.AddPath(*member, datagram.path);
    TouchIce(*member);
  }
}

// Timers are kept as one earliest time for all rooms and one for all sessions; what is touched moves it forward.
void Worker::Touch(Room& room) { next_rooms_us_ = std::min(next_rooms_us_, room.router().NextWakeup()); }
void Worker::TouchIce(Member& member) { next_ice_us_ = std::min(next_ice_us_, member.session.ice().NextWakeup()); }

void Worker::Advance() {
  last_advance_us_ = now_;
  if (now_ >= next_rooms_us_) {
    next_rooms_us_ = INT64_MAX;
    for (auto& [handle, room] : rooms_) {
      if (room->router().NextWakeup() <= now_) {
        room->router().Advance(now_);
      }
      Touch(*room);
    }
  }
  if (now_ >= next_ice_us_) {
    AdvanceIce();
  }
}

void Worker::AdvanceIce() {
  next_ice_us_ = INT64_MAX;
  for (auto& [handle, member] : members_) {
    LiteAgent& ice = member->session.ice();
    if (ice.NextWakeup() <= now_) {
      ice.Advance(now_);
    }
    directory_.Prune(*member, now_);
    TouchIce(*member);
  }
  if (next_ice_us_ != INT64_MAX) {
    next_ice_us_ = std::max(next_ice_us_, now_ + kIceIntervalUs);
  }
}

void Worker::FlushPorts() {
  for (std::size_t i = 0; i < ports_.size(); ++i) {
    SendBatch& batch = ports_[i]->batch();
    batch.Flush();
    if (batch.waiting() != writable_wanted_[i]) {
      writable_wanted_[i] = batch.waiting();
      const std::uint32_t interest = EPOLLIN | (batch.waiting() ? std::uint32_t{EPOLLOUT} : 0U);
      Watch(epoll_fd_, EPOLL_CTL_MOD, ports_[i]->socket().fd(), interest, i);
    }
  }
}

Port* Worker::PortFor(const Address& local) {
  const auto found = std::find_if(ports_.begin(), ports_.end(), [&](const auto& port) { return port->Serves(local); });
  return found == ports_.end() ? nullptr : found->get();
}

void Worker::RandomBytes(MutableBytes out) {
  if (getrandom(out.data(), out.size(), 0) != static_cast<ssize_t>(out.size())) {
    throw std::system_error(errno, std::generic_category(), "getrandom");  // at most 256 bytes: never short
  }
}

Session* Worker::FindSession(Handle session) {
  Member* member = FindMember(session);
  return member == nullptr ? nullptr : &member->session;
}

}  // namespace tertulia
