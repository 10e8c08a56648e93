// A worker: one thread that owns sockets, sessions, rooms and their timers. Others reach it by commands and hear of it
// by events; it takes no locks and never waits for anybody.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "commands.hpp"
#include "directory.hpp"
#include "events.hpp"
#include "handle_table.hpp"
#include "port.hpp"
#include "recv/slab_pool.hpp"
#include "room.hpp"

namespace tertulia {

struct WorkerOptions {
  std::uint16_t port = 0;         // 0: any
  std::vector<std::string> bind;  // empty: all IPv4 and, where there is any, all IPv6 addresses
  int socket_buffer = 4 * 1024 * 1024;
  bool segmentation = true;  // UDP_SEGMENT
  std::size_t command_capacity = 8192;
  std::size_t event_capacity = 4096;
  ConsentTimes consent;
};

class Worker : private SessionHost, private RoomHost {
 public:
  // Throws std::system_error when a socket cannot be had.
  explicit Worker(const WorkerOptions& options);
  ~Worker() override;
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  void Start();
  // Ends the thread and waits for it. Commands after it are kept and never applied.
  void Stop();

  // From one thread. False: the ring is full, nothing was taken.
  [[nodiscard]] bool Submit(Command&& command) { return commands_.Push(std::move(command)); }
  // Pop from one thread (the same or another).
  [[nodiscard]] EventQueue& queue() { return events_; }
  [[nodiscard]] std::uint16_t port() const { return ports_.front()->socket().address().port; }

 private:
  enum class ThingKind : std::uint8_t { kNone, kRoom, kSession, kSource, kSlot };
  struct Thing {
    ThingKind kind = ThingKind::kNone;
    Room* room = nullptr;
    Member* member = nullptr;  // of a session, source or slot
  };

  // The loop (worker.cpp).
  void Run();
  void Wait();
  void Read(Port& port);
  void ReadRelay(RelayRing& ring);
  void RelayOut(const Member& member, bool rtcp, Bytes packet);
  void Receive(const ReceiveBatch::Datagram& datagram);
  void ReceiveStun(const ReceiveBatch::Datagram& datagram);
  void Advance();
  void AdvanceIce();
  void FlushPorts();
  void Touch(Room& room);
  void TouchIce(Member& member);

  // Commands (worker_commands.cpp).
  void Apply(const command::Nothing& /*command*/) {}
  void Apply(const command::CreateRoom& command);
  void Apply(const command::CloseRoom& command);
  void Apply(command::CreateSession& command);
  void Apply(command::RestartIce& command);
  void Apply(const command::ConfigureMedia& command);
  void Apply(const command::SetSrtpKeys& command);
  void Apply(const command::SendDtls& command);
  void Apply(const command::CloseSession& command);
  void Apply(command::AddSource& command);
  void Apply(const command::RemoveSource& command);
  void Apply(const command::PauseSource& command);
  void Apply(const command::AddSlot& command);
  void Apply(const command::RemoveSlot& command);
  void Apply(const command::SetSlots& command);
  void Apply(command::LinkTo& command);
  void Apply(command::LinkFrom& command);
  void Apply(const command::Relay& command);
  void Apply(const command::Mirror& command);
  void Apply(const command::RequestStats& command);

  Thing* FindThing(Handle handle, ThingKind kind);
  Member* FindMember(Handle session);
  void Insert(Handle handle, const Thing& thing);
  void Forget(Handle handle);
  void SetSlot(Handle slot, Handle source);
  void SetSlotView(Handle slot, const SlotView& view);
  void RemoveThing(Handle handle, ThingKind kind);
  void CloseMember(Handle session);
  void EnsureMedia(Member& member, const MediaConfig& config);

  Port* PortFor(const Address& local) override;
  EventQueue& events() override { return events_; }
  RelayLinks& links() override { return links_; }
  void RandomBytes(MutableBytes out) override;
  Session* FindSession(Handle session) override;
  [[nodiscard]] const ConsentTimes& consent() const override { return consent_; }

  CommandRing commands_;
  EventQueue events_;
  ReceiveBatch received_;
  std::vector<std::unique_ptr<Port>> ports_;
  std::vector<bool> writable_wanted_;  // a port: is EPOLLOUT asked for?
  int epoll_fd_ = -1;
  ConsentTimes consent_;
  std::atomic<bool> stopping_{false};
  std::thread thread_;

  // Everything below belongs to the thread.
  TimeUs now_ = 0;
  TimeUs last_advance_us_ = 0;
  TimeUs next_rooms_us_ = INT64_MAX;
  TimeUs next_ice_us_ = INT64_MAX;
  HandleTable<Thing> things_;
  SlabPool packets_;  // recent packets of all rooms
  std::unordered_map<Handle, std::unique_ptr<Room>> rooms_;
  std::unordered_map<Handle, std::unique_ptr<Member>> members_;
  Directory directory_;
  RelayLinks links_;
  std::vector<std::shared_ptr<RelayRing>> incoming_;
  event::WorkerCounters counters_;
};

}  // namespace tertulia
