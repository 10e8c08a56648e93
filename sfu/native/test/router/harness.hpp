// A router under test on virtual time: publishers that write packets as browsers do, and an output that keeps what it
// is given.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tertulia/router.hpp"
#include "time.hpp"
#include "wire/rtcp.hpp"
#include "wire/rtp.hpp"

namespace tertulia::test {

// Header extension ids of publishers and viewers differ, as those of two browsers may.
inline constexpr std::uint8_t kPublisherMidId = 1, kPublisherRidId = 2, kPublisherRepairedId = 3, kPublisherLevelId = 4,
                              kPublisherTwccId = 5, kPublisherOrientationId = 6, kPublisherCaptureId = 7;
inline constexpr std::uint8_t kViewerMidId = 9, kViewerLevelId = 8, kViewerOrientationId = 7, kViewerCaptureId = 6,
                              kViewerTwccId = 5, kViewerSendTimeId = 3;

// What a test's payload formats are called.
inline constexpr std::uint16_t kOpusFormat = 1, kVp8Format = 2, kH264Format = 3, kRedFormat = 4;

MediaConfig PublisherMedia();
MediaConfig ViewerMedia();

// A packet that the router sent, taken apart.
struct Sent {
  Handle session = 0;
  TimeUs at = 0;
  std::uint32_t ssrc = 0, timestamp = 0, csrc = 0;
  std::uint16_t sequence = 0;
  std::uint8_t payload_type = 0;
  bool marker = false, key_frame = false;
  std::string mid;
  std::map<std::uint8_t, std::vector<std::uint8_t>> extensions;
  std::vector<std::uint8_t> payload;
};

struct SentRtcp {
  Handle session = 0;
  TimeUs at = 0;
  std::vector<std::uint8_t> bytes;
};

struct Switch {
  Handle slot = 0, source = 0;
  std::uint32_t first_timestamp = 0;
};

class Recorder : public RouterOutput {
 public:
  void SendRtp(Handle session, std::span<const std::uint8_t> header, std::span<const std::uint8_t> payload) override;
  void SendRtcp(Handle session, std::span<const std::uint8_t> packet) override;
  void OnSlotSwitched(Handle slot, Handle source, std::uint32_t first_rtp_timestamp) override;
  void OnSourceActive(Handle source, bool active) override { activity.emplace_back(source, active); }
  void OnSlotUnsupported(Handle slot, Handle source) override { unsupported.emplace_back(slot, source); }
  void OnSlotPaused(Handle slot, bool paused) override { pauses.emplace_back(slot, paused); }
  void OnLayersWanted(Handle source, std::uint32_t layers) override { wanted.emplace_back(source, layers); }
  void OnSpeakers(const std::vector<std::pair<Handle, std::uint8_t>>& list) override { speakers.push_back(list); }

  // Key-frame requests sent to a session: when, and for which SSRC.
  [[nodiscard]] std::vector<std::pair<TimeUs, std::uint32_t>> KeyFrameRequests(Handle session) const;
  // Sender reports sent to a session.
  [[nodiscard]] std::vector<std::pair<TimeUs, rtcp::SenderInfo>> SenderReports(Handle session) const;
  // Report blocks sent to a session.
  [[nodiscard]] std::vector<rtcp::ReportBlock> ReportBlocks(Handle session) const;
  [[nodiscard]] std::vector<Sent> OfSlot(std::uint32_t ssrc) const;

  TimeUs now = 0;
  std::vector<Sent> packets;
  std::vector<SentRtcp> rtcp;
  std::vector<Switch> switches;
  std::vector<std::pair<Handle, bool>> activity;
  std::vector<std::pair<Handle, Handle>> unsupported;
  std::vector<std::pair<Handle, bool>> pauses;
  std::vector<std::pair<Handle, std::uint32_t>> wanted;
  std::vector<std::vector<std::pair<Handle, std::uint8_t>>> speakers;
};

// What one test packet says.
struct PacketSpec {
  std::uint32_t ssrc = 0, timestamp = 0;
  std::uint16_t sequence = 0;
  std::uint8_t payload_type = 0;
  bool marker = false;
  std::string mid, rid, repaired_rid;
  std::optional<std::uint16_t> transport_sequence;
  std::optional<std::uint8_t> level;
  std::optional<std::uint8_t> orientation;
  std::optional<std::uint64_t> capture_time;
  std::vector<std::uint8_t> payload;
  std::uint8_t padding = 0;
};
std::vector<std::uint8_t> Build(const PacketSpec& spec);

// The VP8 payload of one packet of a picture. `tag` comes back out at the end of it.
struct Vp8Spec {
  std::uint16_t picture_id = 0;
  bool short_id = false;
  std::uint8_t tl0_index = 0, key_index = 0;
  bool start = true, key_frame = false;
  std::uint16_t width = 640, height = 360;
  std::uint32_t tag = 0;
};
std::vector<std::uint8_t> Vp8Payload(const Vp8Spec& spec);

// One encoding of a video publisher.
struct Encoding {
  std::uint32_t ssrc = 0;
  std::string rid;
  std::uint16_t width = 640, height = 360;
  std::uint32_t timestamp_base = 0;
  std::uint16_t sequence = 0;
  std::uint16_t picture_id = 0;
  std::uint8_t tl0_index = 0, key_index = 0;
  unsigned packets_a_frame = 3;
  bool key_frame_wanted = true;
  bool announce = true;  // says MID and RID
};

// A router, its output and the time. Wakes the router whenever it asks for it, and between packets.
class World {
 public:
  World() : router(output, 1'700'000'000'000'000) { AdvanceTo(10 * kSecond); }

  void AdvanceTo(TimeUs time);
  void Advance(TimeUs by) { AdvanceTo(now + by); }

  void AddPublisher(Handle session, const MediaConfig& config = PublisherMedia());
  void AddViewer(Handle session);
  void AddAudioSource(Handle session, Handle source, std::uint32_t csrc, const std::string& mid);
  void AddVideoSource(Handle session, Handle source, std::uint32_t csrc, const std::string& mid,
                      std::vector<std::string> rids = {});
  void AddSlot(Handle session, Handle slot, Kind kind, std::uint32_t ssrc, const std::string& mid,
               SendStamp stamp = SendStamp::kNone);

  void Receive(Handle session, const PacketSpec& spec) { ReceiveBytes(session, Build(spec)); }
  void ReceiveBytes(Handle session, std::vector<std::uint8_t> bytes);
  void ReceiveRtcp(Handle session, const rtcp::Writer& writer);
  // All packets of one picture, captured now; a key frame if one is wanted.
  void ReceiveFrame(Handle session, const std::string& mid, Encoding& encoding, std::uint32_t tag = 0);
  void SetSlot(Handle slot, Handle source) { router.SetSlot(slot, source, now); }

  Recorder output;
  TimeUs now = 0;
  Router router;
  std::uint16_t transport_sequence = 0;
};

}  // namespace tertulia::test
