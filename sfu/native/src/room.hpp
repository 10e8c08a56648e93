// A room on its worker: the router, and where the router's results go: packets to sessions, news to Python.
#pragma once

#include <vector>

#include "events.hpp"
#include "session.hpp"
#include "tertulia/router.hpp"

namespace tertulia {

// What a room needs of the worker that owns it.
class RoomHost {
 public:
  virtual ~RoomHost() = default;
  virtual Session* FindSession(Handle session) = 0;
};

class Room : private RouterOutput {
 public:
  // `wall_clock_offset_us` added to worker time gives microseconds since 1970, for sender reports.
  Room(RoomHost& host, EventQueue& events, Handle handle, std::int64_t wall_clock_offset_us, SlabPool& packets)
      : host_(host), events_(events), handle_(handle), router_(*this, wall_clock_offset_us, &packets) {}

  [[nodiscard]] Handle handle() const { return handle_; }
  [[nodiscard]] Router& router() { return router_; }
  [[nodiscard]] std::vector<Handle>& sessions() { return sessions_; }

 private:
  void SendRtp(Handle session, Bytes header, Bytes payload) override {
    if (Session* viewer = host_.FindSession(session)) {
      viewer->SendRtp(header, payload);
    }
  }
  void SendRtcp(Handle session, Bytes packet) override {
    if (Session* peer = host_.FindSession(session)) {
      peer->SendRtcp(packet);
    }
  }
  void OnSlotSwitched(Handle slot, Handle source, std::uint32_t first_rtp_timestamp) override {
    events_.PushState(event::Switched{slot, source, first_rtp_timestamp});
  }
  void OnSourceActive(Handle source, bool active) override { events_.PushState(event::Active{source, active}); }
  void OnSlotUnsupported(Handle slot, Handle source) override { events_.PushState(event::Unsupported{slot, source}); }
  void OnSlotPaused(Handle slot, bool paused) override { events_.PushState(event::Paused{slot, paused}); }
  void OnLayersWanted(Handle source, std::uint32_t layers) override {
    events_.PushState(event::LayersWanted{source, layers});
  }
  void OnSpeakers(const std::vector<std::pair<Handle, std::uint8_t>>& speakers) override {
    events_.PushState(event::Speakers{handle_, speakers});
  }

  RoomHost& host_;
  EventQueue& events_;
  Handle handle_;
  std::vector<Handle> sessions_;
  Router router_;
};

}  // namespace tertulia
