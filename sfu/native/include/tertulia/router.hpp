// The router: sources to slots of one room. Sans-I/O: decrypted packets and the time in, packets and events out.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "tertulia/types.hpp"

namespace tertulia {

class SlabPool;

// Where the router's results go. Called synchronously from within the router's own calls; spans are valid only
// during the call. The implementation (a session) encrypts straight from `header` and `payload` into its send batch.
// No callback may call back into the router.
class RouterOutput {
 public:
  virtual ~RouterOutput() = default;

  // One plain RTP packet to a viewer: complete header (fixed part, CSRC, extensions), then payload. A payload that lies
  // in the received packet is read again when the whole batch of received packets has been handled: only its first 16
  // bytes may be rewritten for another viewer after this call.
  virtual void SendRtp(Handle session, std::span<const std::uint8_t> header, std::span<const std::uint8_t> payload) = 0;

  // One plain compound RTCP packet to a publisher or a viewer (it begins with SR or RR; RFC 3550, 6.1).
  virtual void SendRtcp(Handle session, std::span<const std::uint8_t> packet) = 0;

  // The slot now shows `source` (0: nothing); `first_rtp_timestamp` is on the slot's own line.
  virtual void OnSlotSwitched(Handle slot, Handle source, std::uint32_t first_rtp_timestamp) = 0;

  // The source began to send, or sent nothing for 2 s (a still screen repeats itself once a second, and DTX is not
  // silence). A simulcast layer that falls silent is noticed within 300 ms and is nobody's business but the router's.
  virtual void OnSourceActive(Handle source, bool active) = 0;

  // The slot's viewer has no payload type for what the source sends.
  virtual void OnSlotUnsupported(Handle slot, Handle source) = 0;

  // The slot's viewer has no bandwidth for any layer of its source (or has again).
  virtual void OnSlotPaused(Handle slot, bool paused) = 0;

  // Layers of a source (a bit each, in the order of the offer's RIDs) that somebody wants now. What nobody has wanted
  // for some seconds need not be sent; what is wanted again is told at once.
  virtual void OnLayersWanted(Handle source, std::uint32_t layers) = 0;

  // Audio sources that carry speech now, loudest first, with their smoothed RFC 6464 level; sent when it changes.
  virtual void OnSpeakers(const std::vector<std::pair<Handle, std::uint8_t>>& speakers) = 0;
};

struct SourceStats {
  Handle source = 0;
  std::uint64_t packets = 0, bytes = 0, lost = 0, key_frames = 0, key_frame_requests = 0;
  std::uint64_t nacked = 0;       // packets that its publisher was asked for again, repetitions included
  std::uint64_t repaired = 0;     // packets that came as RTX in time
  std::uint64_t unrecovered = 0;  // packets that were asked for and given up
  std::uint64_t unpacked = 0;     // lost packets of sound whose data came in the redundancy of others
  std::uint32_t jitter = 0;       // RFC 3550, in clock units
};

struct SlotStats {
  Handle slot = 0;
  std::uint64_t packets = 0, bytes = 0, switches = 0, dropped = 0;
  std::uint64_t nacked = 0, resent = 0;  // packets that the viewer asked for again, and was sent again
  std::uint64_t freezes = 0;             // of the picture, as far as they are not its network's
  std::int64_t frozen_us = 0;            // their sum
  std::uint8_t fraction_lost = 0;        // from the viewer's last receiver report
  std::int64_t round_trip_us = -1;       // from LSR and DLSR; -1: unknown
  bool paused = false;                   // its viewer's network carries no layer of it
  std::uint8_t spatial = UINT8_MAX, temporal = UINT8_MAX;  // the layers it may have; UINT8_MAX: all
};

// A viewer's network. Without feedback the estimate is 0 and everything is sent.
struct ViewerStats {
  Handle session = 0;
  std::uint64_t estimate_bps = 0, granted_bps = 0, wanted_bps = 0;  // of video: granted, wanted
  std::uint64_t probes = 0;
  double loss = 0;                 // of what was sent, 0 to 1
  std::int64_t round_trip_us = 0;  // with the time that feedback waited; 0: unknown
};

class Router {
 public:
  // NTP time in sender reports is the worker's time plus `wall_clock_offset_us` (microseconds since 1970 at worker
  // time 0). Recent packets are kept in `pool`, which must outlive the router; without one it has its own.
  explicit Router(RouterOutput& output, std::int64_t wall_clock_offset_us = 0, SlabPool* pool = nullptr);
  ~Router();
  Router(const Router&) = delete;
  Router& operator=(const Router&) = delete;

  // Commands that name a handle which is taken already, or one that is unknown, do nothing.
  void AddSession(Handle session, const MediaConfig& config);
  void RemoveSession(Handle session);  // with its sources and slots

  void AddSource(Handle session, const SourceConfig& config);
  void RemoveSource(Handle source);
  // A paused source is dropped on arrival (permission revoked, muted by a moderator).
  void PauseSource(Handle source, bool paused);

  void AddSlot(const SlotConfig& config);
  void RemoveSlot(Handle slot);
  // Show `source` in the slot (0: nothing). The old source stops at once; video opens at the next key frame sent after
  // the request. Setting what is already set does nothing.
  void SetSlot(Handle slot, Handle source, TimeUs now);

  // What the viewer wants of the slot, whatever source is in it. Slots begin visible, with the best there is.
  void SetSlotView(Handle slot, const SlotView& view, TimeUs now);
  // The highest layers that the slot gets from now on (255: all there are), whatever its viewer's network carries.
  void SetSlotLayer(Handle slot, std::uint8_t spatial, std::uint8_t temporal, TimeUs now);

  // The viewer's transport can carry media now (DTLS done): key frames are worth asking for, reports are sent.
  void SetSessionReady(Handle session, TimeUs now);

  // `packet` is decrypted and may be changed in place, also after its header has been read.
  void ReceiveRtp(Handle session, std::span<std::uint8_t> packet, TimeUs now);
  void ReceiveRtcp(Handle session, std::span<const std::uint8_t> packet, TimeUs now);

  // What the router of a mirror of this session on another worker says to its publisher: of it only the wish for key
  // frames is passed on; loss and arrival are the business of the router that the publisher sends to.
  void ReceiveRelayedRtcp(Handle session, std::span<const std::uint8_t> packet, TimeUs now);

  // Timers: reports, transport-wide feedback (every 50 ms), key-frame retries, silent layers, speakers.
  void Advance(TimeUs now);
  // Earliest time at which Advance has something to do; INT64_MAX if never.
  [[nodiscard]] TimeUs NextWakeup() const;

  [[nodiscard]] std::vector<SourceStats> GetSourceStats() const;
  [[nodiscard]] std::vector<SlotStats> GetSlotStats() const;
  [[nodiscard]] std::vector<ViewerStats> GetViewerStats() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tertulia
