#include "event_tuples.hpp"

namespace nb = nanobind;

namespace tertulia::bindings {

namespace {

const char* NameOf(IceState state) {
  switch (state) {
    case IceState::kChecking:
      return "checking";
    case IceState::kConnected:
      return "connected";
    case IceState::kDisconnected:
      return "disconnected";
    case IceState::kFailed:
      return "failed";
  }
  return "failed";
}

nb::dict ToDict(const event::WorkerCounters& c) {
  nb::dict d;
  d["cpu_us"] = c.cpu_us;
  d["wakeups"] = c.wakeups;
  d["received"] = c.received;
  d["received_bytes"] = c.received_bytes;
  d["unknown_source"] = c.unknown_source;
  d["malformed"] = c.malformed;
  d["truncated"] = c.truncated;
  d["kernel_drops"] = c.kernel_drops;
  d["sent"] = c.sent;
  d["sent_bytes"] = c.sent_bytes;
  d["sent_messages"] = c.sent_messages;
  d["send_calls"] = c.send_calls;
  d["send_deferred"] = c.send_deferred;
  d["send_dropped"] = c.send_dropped;
  d["send_refused"] = c.send_refused;
  d["backlog"] = c.backlog;
  d["sessions"] = c.sessions;
  d["rooms"] = c.rooms;
  d["receive_buffer"] = c.receive_buffer;
  d["send_buffer"] = c.send_buffer;
  d["relayed"] = c.relayed;
  d["relay_lost"] = c.relay_lost;
  d["gso"] = c.segmentation;
  return d;
}

nb::dict ToDict(const event::SessionCounters& c) {
  nb::dict d;
  d["received"] = c.received;
  d["received_bytes"] = c.received_bytes;
  d["sent"] = c.sent;
  d["sent_bytes"] = c.sent_bytes;
  d["forged"] = c.forged;
  d["replayed"] = c.replayed;
  d["dtls_dropped"] = c.dtls_dropped;
  d["unproven"] = c.unproven;
  return d;
}

nb::dict ToDict(const SourceStats& s) {
  nb::dict d;
  d["packets"] = s.packets;
  d["bytes"] = s.bytes;
  d["lost"] = s.lost;
  d["key_frames"] = s.key_frames;
  d["key_frame_requests"] = s.key_frame_requests;
  d["nacked"] = s.nacked;
  d["repaired"] = s.repaired;
  d["unrecovered"] = s.unrecovered;
  d["unpacked"] = s.unpacked;
  d["jitter"] = s.jitter;
  return d;
}

nb::dict ToDict(const SlotStats& s) {
  nb::dict d;
  d["packets"] = s.packets;
  d["bytes"] = s.bytes;
  d["switches"] = s.switches;
  d["dropped"] = s.dropped;
  d["nacked"] = s.nacked;
  d["resent"] = s.resent;
  d["freezes"] = s.freezes;
  d["frozen_us"] = s.frozen_us;
  d["fraction_lost"] = s.fraction_lost;
  d["round_trip_us"] = s.round_trip_us;
  d["paused"] = s.paused;
  d["spatial"] = s.spatial;
  d["temporal"] = s.temporal;
  return d;
}

nb::dict ToDict(const ViewerStats& v) {
  nb::dict d;
  d["estimate_bps"] = v.estimate_bps;
  d["granted_bps"] = v.granted_bps;
  d["wanted_bps"] = v.wanted_bps;
  d["probes"] = v.probes;
  d["loss"] = v.loss;
  d["round_trip_us"] = v.round_trip_us;
  return d;
}

// One overload a kind of event.
struct Translate {
  nb::tuple operator()(const event::Nothing& /*e*/) const { return nb::make_tuple("nothing"); }
  nb::tuple operator()(const event::Dtls& e) const {
    return nb::make_tuple("dtls", e.session, nb::bytes(e.datagram.data(), e.datagram.size()));
  }
  nb::tuple operator()(const event::Path& e) const { return nb::make_tuple("path", e.session, NameOf(e.state)); }
  nb::tuple operator()(const event::Switched& e) const {
    return nb::make_tuple("switched", e.slot, e.source, e.first_rtp_timestamp);
  }
  nb::tuple operator()(const event::Active& e) const { return nb::make_tuple("active", e.source, e.active); }
  nb::tuple operator()(const event::Unsupported& e) const { return nb::make_tuple("unsupported", e.slot, e.source); }
  nb::tuple operator()(const event::Paused& e) const { return nb::make_tuple("paused", e.slot, e.paused); }
  nb::tuple operator()(const event::LayersWanted& e) const { return nb::make_tuple("layers", e.source, e.layers); }
  nb::tuple operator()(const event::Closed& e) const { return nb::make_tuple("closed", e.handle); }
  nb::tuple operator()(const event::Speakers& e) const {
    nb::list speakers;
    for (const auto& [source, level] : e.speakers) {
      speakers.append(nb::make_tuple(source, level));
    }
    return nb::make_tuple("speakers", e.room, speakers);
  }
  nb::tuple operator()(const std::shared_ptr<const event::Stats>& stats) const {
    nb::dict sessions;
    nb::dict sources;
    nb::dict slots;
    for (const auto& session : stats->sessions) {
      sessions[nb::int_(session.session)] = ToDict(session);
    }
    for (const auto& source : stats->sources) {
      sources[nb::int_(source.source)] = ToDict(source);
    }
    for (const auto& slot : stats->slots) {
      slots[nb::int_(slot.slot)] = ToDict(slot);
    }
    nb::dict viewers;
    for (const auto& viewer : stats->viewers) {
      viewers[nb::int_(viewer.session)] = ToDict(viewer);
    }
    nb::dict all;
    all["worker"] = ToDict(stats->worker);
    all["sessions"] = sessions;
    all["sources"] = sources;
    all["slots"] = slots;
    all["viewers"] = viewers;
    return nb::make_tuple("stats", all);
  }
};

}  // namespace

nb::tuple ToTuple(const Event& event) { return std::visit(Translate{}, event); }

}  // namespace tertulia::bindings
