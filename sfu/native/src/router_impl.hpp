// The router's inside: what it remembers of sessions, sources and slots, and the steps that wire them. The steps are
// spread over router.cpp (commands), router_receive.cpp (packets), router_switching.cpp (what a slot shows),
// router_recovery.cpp (losses), router_sound.cpp (redundant sound), router_allocation.cpp (what a viewer's network
// carries, and who gets how much of it), router_demand.cpp (which layers of a source somebody wants), router_rtcp.cpp
// (reports received), router_timers.cpp and router_reports.cpp (reports sent); each mechanism that they use lives in
// recv/, send/ or control/.
#pragma once

#include <array>
#include <memory>
#include <unordered_map>
#include <vector>

#include "control/allocator.hpp"
#include "control/keyframe_gate.hpp"
#include "control/remb_estimate.hpp"
#include "control/reported_loss.hpp"
#include "control/speakers.hpp"
#include "control/timer_queue.hpp"
#include "recv/clock_map.hpp"
#include "recv/demultiplexer.hpp"
#include "recv/recovery.hpp"
#include "recv/remb_ramp.hpp"
#include "recv/response_time.hpp"
#include "recv/source.hpp"
#include "recv/twcc_recorder.hpp"
#include "send/congestion.hpp"
#include "send/freeze_counter.hpp"
#include "send/rtx_stream.hpp"
#include "send/slot.hpp"
#include "tertulia/router.hpp"
#include "token_bucket.hpp"

namespace tertulia {

struct RedPayload;
struct RoutedSource;
struct RouterSession;

// A slot and what is decided about it: which source, which layer of it is shown, what it waits for.
struct RoutedSlot {
  RoutedSlot(const SlotConfig& config, RouterSession& owner);

  Slot slot;
  RouterSession& session;
  RoutedSource* source = nullptr;
  Layer* showing = nullptr;  // packets of this layer are forwarded
  bool waiting = false;      // for a packet at which another layer, or the first, may begin
  bool announced = false;    // the switch to `source` was told
  bool unsupported = false;  // ... or that the viewer cannot decode it
  bool stuck = false;        // what is wanted of the layer that is shown waits for a key frame
  TimeUs waiting_since_us = 0;
  SlotView view;                    // what the viewer wants of it
  LayerTarget target = kBestLayer;  // what it may have, as the allocation says ...
  LayerTarget cap = kBestLayer;     // ... and no more than this
  bool paused = false;              // ... which may be nothing
  std::unique_ptr<RtxStream> rtx;   // null: nothing is sent again
  FreezeCounter freezes;
  bool allocated = false;     // ... and has said
  TimeUs raised_us = kNever;  // when it last got better
  TimeUs retry_us = 0;        // nothing better before
  TimeUs retry_wait_us = 0;
  std::uint64_t retry_bps = UINT64_MAX;  // ... unless the viewer's network is known to carry so much

  [[nodiscard]] bool shows_video() const { return source != nullptr && slot.kind() == Kind::kVideo; }
  // Nothing of its source may be sent.
  [[nodiscard]] bool closed() const { return slot.kind() == Kind::kVideo && (paused || !view.visible); }

  std::uint64_t switches = 0;
  std::uint64_t nacked = 0;  // packets that the viewer asked for again
  std::uint64_t resent = 0;  // ... and that it was sent
  std::uint8_t fraction_lost = 0;
  std::int64_t round_trip_us = -1;
};

// A source and who looks at it.
struct RoutedSource {
  RoutedSource(const SourceConfig& config, RouterSession& owner) : source(config), session(owner), nack(config.nack) {}

  // What follows continues nothing that viewers saw.
  void Break() {
    for (RoutedSlot* slot : slots) {
      slot->freezes.Break();
    }
  }
  // Nobody is there who might miss anything, or nothing comes any more.
  void ForgetPackets() {
    for (const auto& layer : recovery) {
      if (layer != nullptr) {
        layer->ring.Clear();
      }
    }
  }

  Source source;
  RouterSession& session;
  KeyframeGate gate;
  Voice* voice = nullptr;
  ReportedLoss reported_loss;  // of sound
  bool paused = false;
  int wanted_rank = UINT8_MAX;               // the best layer that somebody wants, -1: none; as the publisher was told
  std::uint32_t wanted_layers = UINT32_MAX;  // ... and all that are no better, a bit each
  TimeUs demand_due_us = kNever;             // look whether it is still so
  TimeUs fewer_since_us = kNever;            // since when less would do
  std::vector<RoutedSlot*> slots;
  std::vector<RoutedSlot*> waiting;
  std::array<std::vector<RoutedSlot*>, Source::kMaxLayers> showing;    // by layer
  std::array<std::unique_ptr<Recovery>, Source::kMaxLayers> recovery;  // by layer, made with its first packet
  const bool nack;                                                     // the publisher sends again what it is asked for
  std::uint64_t packets = 0;
  std::uint64_t bytes = 0;
  std::uint64_t lost = 0;         // of streams that were replaced
  std::uint64_t nacked = 0;       // packets asked for again, repetitions included
  std::uint64_t repaired = 0;     // ... and that came as RTX
  std::uint64_t unrecovered = 0;  // ... and that were given up
  std::uint64_t unpacked = 0;     // lost packets whose data came in the redundancy of others
};

struct RouterSession {
  RouterSession(Handle session_handle, const MediaConfig& media_config);

  Handle handle;
  MediaConfig config;
  std::array<Ext, 256> extension_of{};  // by id; kCount: none
  std::uint32_t timer = 0;              // index in the queue
  std::uint32_t local_ssrc;             // of reports and feedback
  bool ready = false;

  // As a publisher.
  Demultiplexer demultiplexer;
  PublisherClock clock;
  std::unique_ptr<TwccRecorder> feedback;
  RembRamp ramp;
  ResponseTime response;
  TimeUs reports_due_us = kNever;
  std::vector<std::unique_ptr<RoutedSource>> sources;

  // As a viewer.
  std::unique_ptr<Congestion> congestion;  // where transport-wide feedback was negotiated for what we send
  std::unique_ptr<RembEstimate> remb;      // or where REMB came
  TimeUs allocation_due_us = kNever;
  TimeUs allocated_us = 0;
  TimeUs over_since_us = kNever;  // what is granted exceeds the estimate, a little
  Allocation allocation;
  static constexpr double kResentBytesPerSecond = 250'000;
  static constexpr double kResentBurst = 100'000;
  TokenBucket resend_budget{kResentBytesPerSecond, kResentBurst, 0};
  std::vector<std::unique_ptr<RoutedSlot>> slots;
};

struct Router::Impl {
  Impl(RouterOutput& router_output, std::int64_t wall_clock_us, SlabPool* shared_pool)
      : output(router_output),
        wall_clock_offset_us(wall_clock_us),
        own_pool(shared_pool == nullptr ? std::make_unique<SlabPool>() : nullptr),
        pool(shared_pool == nullptr ? own_pool.get() : shared_pool) {
    timers.Resize(1);
  }

  static constexpr std::uint32_t kSpeakersTimer = 0;
  static constexpr std::size_t kMaxRtcp = 1'200;
  static constexpr TimeUs kReportUs = kSecond;

  [[nodiscard]] RouterSession* FindSession(Handle session) const;
  [[nodiscard]] RoutedSource* FindSource(Handle source) const;
  [[nodiscard]] RoutedSlot* FindSlot(Handle slot) const;

  // router_switching.cpp
  void Attach(RoutedSlot& slot, RoutedSource& source, TimeUs now);
  void Detach(RoutedSlot& slot);
  void Wait(RoutedSlot& slot, TimeUs now);
  void StopWaiting(RoutedSlot& slot);
  void StopShowing(RoutedSlot& slot);
  void Regate(RoutedSource& source, TimeUs now);
  void Regate(RoutedSource& source, const Layer& layer, TimeUs now);
  void Retarget(RoutedSource& source, TimeUs now);
  // What the slot shall show of its source, and whether it shall show anything.
  void WantLayer(RoutedSlot& slot, LayerTarget wanted, TimeUs now);
  void PauseSlot(RoutedSlot& slot, bool paused, TimeUs now);
  void Steer(RoutedSlot& slot, TimeUs now);
  void NoteStuck(RoutedSlot& slot, TimeUs now);
  void ReleaseGate(RoutedSource& source);
  [[nodiscard]] static Layer* Target(const RoutedSlot& slot);
  void RequestKeyFrame(RoutedSource& source, const Layer& layer, TimeUs now);
  void OpenWaiting(RoutedSource& source, Layer& layer, IncomingPacket& packet);
  void OpenLate(RoutedSource& source, Layer& layer, IncomingPacket& packet);
  void TellUnsupported(RoutedSlot& slot);
  void SetActive(RoutedSource& source, bool active);

  // router_receive.cpp
  void ReceiveRtp(RouterSession& session, MutableBytes bytes, TimeUs now);
  Route* FindRoute(RouterSession& session, IncomingPacket& packet, TimeUs now);
  void ReceiveMedia(RoutedSource& source, Layer& layer, IncomingPacket& packet, std::uint16_t sequence,
                    std::size_t size);
  void Forward(RoutedSource& source, Layer& layer, IncomingPacket& packet);
  void SendTo(RoutedSlot& slot, IncomingPacket& packet);

  // router_recovery.cpp
  Recovery& RecoveryOf(RoutedSource& source, const Layer& layer);
  void ReceiveRepair(RoutedSource& source, Layer& layer, IncomingPacket& packet, std::size_t size);
  void TrackLosses(RoutedSource& source, Layer& layer, const IncomingPacket& packet, bool restarted);
  void SendNacks(RouterSession& session, TimeUs now);
  void RememberSent(RoutedSlot& slot, const IncomingPacket& packet, Bytes header, const Numbers& numbers);
  void OnNack(RouterSession& session, const rtcp::Nack& nack, TimeUs now);
  void Resend(RoutedSlot& slot, std::uint16_t sequence, TimeUs now);

  // router_allocation.cpp
  void Transmit(RouterSession& viewer, MutableBytes header, HeaderWriter::Stamp stamp, Bytes payload);
  void OnTransportFeedback(RouterSession& viewer, const rtcp::Packet& packet, TimeUs now);
  void OnRemb(RouterSession& viewer, const rtcp::Remb& remb, TimeUs now);
  [[nodiscard]] static std::optional<std::uint64_t> EstimateOf(const RouterSession& viewer);
  static void LimitResends(RouterSession& viewer, std::uint64_t estimate_bps);
  void AllocateSoon(RouterSession& viewer, TimeUs now);
  void AllocateNow(RouterSession& viewer, TimeUs now);
  void Allocate(RouterSession& viewer, TimeUs now);
  void ServiceViewer(RouterSession& viewer, TimeUs now);
  void SendProbes(RouterSession& viewer, TimeUs now);
  std::size_t SendPadding(RoutedSlot& slot);
  [[nodiscard]] static TimeUs ViewerDue(const RouterSession& viewer);
  [[nodiscard]] std::uint64_t SoundOf(const RouterSession& viewer) const;
  [[nodiscard]] static std::uint64_t Patience(RouterSession& viewer, std::uint64_t granted_bps,
                                              std::uint64_t available_bps, TimeUs now);
  void Apply(RoutedSlot& slot, const SlotDemand& demand, const SlotGrant& grant, bool overrun, TimeUs now);

  // router_demand.cpp
  void OnDemand(const RoutedSlot& slot, TimeUs now);
  void UpdateDemand(RoutedSource& source, TimeUs now);

  // router_sound.cpp
  [[nodiscard]] static bool CanShow(const RoutedSlot& slot, const IncomingPacket& packet);
  void ReadRed(RoutedSource& source, Layer& layer, IncomingPacket& packet);
  void ForwardRedundant(RoutedSource& source, Layer& layer, const IncomingPacket& packet, const RedPayload& red);
  void SendRed(RoutedSlot& slot, IncomingPacket& packet);
  static void ChooseForm(const RoutedSlot& slot, IncomingPacket& packet);
  static void TranslateRed(const RoutedSlot& slot, IncomingPacket& packet);
  [[nodiscard]] static std::uint8_t LossToReport(RoutedSource& source, std::uint8_t own);

  // router_rtcp.cpp
  void ReceiveRtcp(RouterSession& session, Bytes bytes, TimeUs now);
  void ReceiveRelayedRtcp(RouterSession& session, Bytes bytes, TimeUs now);
  void OnSenderReport(RouterSession& session, const rtcp::SenderInfo& info, TimeUs now);
  void OnReportBlocks(RouterSession& session, const rtcp::ReportBlocks& blocks, TimeUs now);
  void OnKeyFrameWanted(RouterSession& session, std::uint32_t ssrc, TimeUs now);

  // router_timers.cpp and router_reports.cpp
  void Advance(TimeUs now);
  void Service(RouterSession& session, TimeUs now);
  [[nodiscard]] TimeUs NextDue(const RouterSession& session) const;
  void CheckSources(RouterSession& session, TimeUs now);
  void StartReports(RouterSession& session, TimeUs now);
  void SendFeedback(RouterSession& session);
  void SendKeyFrameRequests(RouterSession& session, TimeUs now);
  void SendReports(RouterSession& session, TimeUs now);
  void SendSlotReports(RouterSession& session, TimeUs now);
  void Schedule(RouterSession& session, TimeUs due_us) { timers.Set(session.timer, due_us); }

  RouterOutput& output;
  std::int64_t wall_clock_offset_us;
  std::unique_ptr<SlabPool> own_pool;
  SlabPool* pool;  // where recent packets are kept
  std::unordered_map<Handle, std::unique_ptr<RouterSession>> sessions;
  std::unordered_map<Handle, RoutedSource*> sources;
  std::unordered_map<Handle, RoutedSlot*> slots;
  std::vector<RouterSession*> timer_owners{nullptr};  // by index; null: the speakers, or free
  std::vector<std::uint32_t> free_timers;
  TimerQueue timers;
  Speakers speakers;
  struct {  // of the allocation that is being made
    std::vector<RoutedSlot*> slots;
    std::vector<SlotDemand> demands;
    std::vector<SlotGrant> grants;
  } scratch;
  TimeUs now_us = 0;  // of the call that is being served
};

}  // namespace tertulia
