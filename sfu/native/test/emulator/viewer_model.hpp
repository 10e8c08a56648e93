// A client that receives as a browser does: asks again for what is missing, unpacks RTX, puts frames together, decodes
// what follows on what it decoded, asks for a key frame when it is stuck, and reports its losses. What it shows can be
// compared with what the publisher sent.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <vector>

#include "emulator/content.hpp"
#include "emulator/network.hpp"
#include "recv/sequence.hpp"
#include "recv/twcc_recorder.hpp"
#include "router/harness.hpp"

namespace tertulia::test {

struct ViewerOptions {
  bool nack = true;
  bool red = false;
  TimeUs nack_retry_us = 100 * kMillisecond;  // libwebrtc's guess of the round trip of a client that sends nothing
  TimeUs give_up_us = kSecond;                // then a key frame is asked for
  SendStamp stamp = SendStamp::kNone;         // transport-wide feedback comes where packets carry its numbers
  TimeUs feedback_us = 100 * kMillisecond;    // this often; 0: never
};

// One frame as it was shown.
struct ShownFrame {
  TimeUs at = 0;
  std::uint32_t frame = 0, csrc = 0, timestamp = 0, pixels = 0;
  bool key_frame = false;
};

// What a slot shows.
class SlotModel {
 public:
  SlotModel(Kind kind, std::uint32_t ssrc, std::uint32_t rtx_ssrc) : kind(kind), ssrc(ssrc), rtx_ssrc(rtx_ssrc) {}

  const Kind kind;
  const std::uint32_t ssrc, rtx_ssrc;

  // In the order they were shown (video) or arrived (audio).
  std::vector<ShownFrame> frames;
  std::uint64_t packets = 0, bytes = 0, rtx_packets = 0, rtx_useless = 0, corrupt = 0, duplicates = 0;
  std::uint64_t asked = 0;  // sequence numbers asked for, repetitions included
  std::uint64_t key_frame_requests = 0;
  std::uint64_t skipped = 0;  // packets that were missing when a later key frame was shown

  // Of the sound that was captured between two times, what had not arrived (in whatever packet) `delay` after that.
  [[nodiscard]] std::size_t Unheard(const std::vector<TimeUs>& captured, TimeUs begin, TimeUs end, TimeUs delay) const;
  // The longest time between two frames, up to `end`.
  [[nodiscard]] TimeUs LongestGap(TimeUs begin, TimeUs end) const;

 private:
  friend class ViewerModel;
  struct Packet {
    std::uint32_t timestamp = 0, csrc = 0, pixels = 0;
    ContentTag content;
    bool marker = false, start = false, key_frame = false;
  };
  struct Missing {
    TimeUs since_us = 0, asked_us = kNever;
  };

  bool Insert(std::int64_t sequence, const Packet& packet, TimeUs now);
  void Show(TimeUs now);
  // One after the last packet of the frame that begins at `sequence`, if it is all there.
  [[nodiscard]] std::optional<std::int64_t> FrameEnd(std::int64_t sequence) const;

  Unwrapper<16> unwrapper_;
  std::map<std::int64_t, Packet> packets_;  // not shown yet
  std::map<std::int64_t, Missing> missing_;
  std::set<std::int64_t> seen_;
  std::optional<std::int64_t> newest_, next_;
  TimeUs asked_key_frame_us_ = 0;

  // For the report.
  std::int64_t first_ = 0, expected_reported_ = 0;
  std::uint64_t received_ = 0, received_reported_ = 0;
  std::uint32_t last_sr_ = 0;
  TimeUs last_sr_us_ = 0;
};

class ViewerModel : public Client {
 public:
  static constexpr std::uint8_t kOpus = 109, kRed = 110, kVp8 = 120, kRtx = 121;

  explicit ViewerModel(ViewerOptions options = {}) : options_(options) {}

  // What the router is told of the slot, which the viewer then knows.
  SlotConfig AddSlot(Handle session, Handle slot, Kind kind, std::uint32_t ssrc, std::uint32_t rtx_ssrc = 0);
  [[nodiscard]] const SlotModel& slot(std::uint32_t ssrc) const { return *slots_.at(ssrc); }

  void Receive(Bytes datagram, TimeUs now) override;
  void Advance(TimeUs now) override;
  [[nodiscard]] TimeUs next_us() const override { return next_us_; }

 private:
  static constexpr TimeUs kTickUs = 5 * kMillisecond;
  static constexpr TimeUs kReportUs = kSecond;

  void ReceiveRtp(Bytes datagram, TimeUs now);
  void ReceiveMedia(SlotModel& slot, std::uint16_t sequence, const RtpView& view, Bytes payload, bool resent,
                    TimeUs now);
  bool ReceiveSound(SlotModel& slot, const RtpView& view, Bytes payload, TimeUs now);
  void AskAgain(SlotModel& slot, TimeUs now);
  void SendReport(TimeUs now);
  void SendFeedback();

  ViewerOptions options_;
  std::map<std::uint32_t, std::unique_ptr<SlotModel>> slots_;
  TimeUs next_us_ = Network::kStart;
  TimeUs report_us_ = Network::kStart + kReportUs;
  TwccRecorder recorder_;
  TimeUs feedback_us_ = 0;
};

}  // namespace tertulia::test
