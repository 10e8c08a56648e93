// A client that sends as a browser does: a camera in simulcast (VP8) and a microphone (Opus), MID and RID until they
// are acknowledged, transport-wide sequence numbers, sender reports; it answers NACKs with RTX and requests with key
// frames.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <vector>

#include "emulator/network.hpp"
#include "router/harness.hpp"

namespace tertulia::test {

struct EncodingOptions {
  std::string rid;  // empty without simulcast
  std::uint32_t ssrc = 0;
  std::uint32_t rtx_ssrc = 0;  // 0: what is lost is sent again on the same SSRC
  std::uint16_t width = 640, height = 360;
  std::uint64_t bitrate_bps = 600'000;
};

struct PublisherOptions {
  std::vector<EncodingOptions> encodings;  // none: no camera
  std::int64_t frame_rate = 30;
  std::uint32_t audio_ssrc = 0;  // 0: no microphone
  std::size_t redundancy = 0;    // earlier packets that each packet of sound carries (RED); 0: plain Opus
  std::string video_mid = "1", audio_mid = "0";
  std::size_t packet_bytes = 1'100;
  bool nack = true;  // sends again what it is asked for
};

// One layer without simulcast, 360p.
EncodingOptions SingleEncoding();

class PublisherModel : public Client {
 public:
  static constexpr std::uint8_t kVp8 = 96, kRtx = 97, kOpus = 111, kRed = 63;
  static constexpr TimeUs kAudioFrameUs = 20 * kMillisecond;

  explicit PublisherModel(PublisherOptions options) : options_(std::move(options)) { Start(); }

  void Receive(Bytes datagram, TimeUs now) override;
  void Advance(TimeUs now) override;
  [[nodiscard]] TimeUs next_us() const override;

  // What the router is told of it.
  [[nodiscard]] SourceConfig VideoSource(Handle source, std::uint32_t csrc) const;
  [[nodiscard]] SourceConfig AudioSource(Handle source, std::uint32_t csrc) const;

  void Stop() { video_us_ = audio_us_ = kNever; }

  // By frame number.
  [[nodiscard]] const std::vector<TimeUs>& video_frames() const { return video_frames_; }
  [[nodiscard]] const std::vector<TimeUs>& audio_frames() const { return audio_frames_; }

  struct Counters {
    std::uint64_t packets = 0, resent = 0, key_frames = 0, nacked = 0;
    std::uint64_t key_frame_requests = 0;
  };
  [[nodiscard]] const Counters& counters() const { return counters_; }
  [[nodiscard]] std::uint8_t reported_audio_loss() const { return reported_audio_loss_; }

 private:
  static constexpr std::size_t kHistory = 1'024;
  static constexpr TimeUs kKeyFrameSpacingUs = 300 * kMillisecond;

  struct Stream {
    EncodingOptions options;
    std::uint16_t sequence = 0, rtx_sequence = 0;
    std::uint32_t timestamp_base = 0, timestamp = 0;
    std::uint16_t picture_id = 0;
    std::uint8_t tl0_index = 0, key_index = 0;
    bool acknowledged = false;  // says no MID and RID any more
    bool rtx_acknowledged = false;
    std::uint32_t packets = 0, octets = 0;
    std::deque<PacketSpec> history;
  };

  void Start();
  void SendVideo(TimeUs now);
  void SendAudio(TimeUs now);
  std::vector<std::uint8_t> Redundant(const std::vector<std::uint8_t>& primary);
  void SendReports(TimeUs now);
  void Send(Stream& stream, PacketSpec packet);
  void Resend(Stream& stream, std::uint16_t sequence);
  void Emit(PacketSpec packet);
  [[nodiscard]] Stream* FindStream(std::uint32_t ssrc);
  [[nodiscard]] bool IsAudio(const Stream& stream) const { return &stream == &streams_.back() && has_audio(); }
  [[nodiscard]] bool has_audio() const { return options_.audio_ssrc != 0; }
  [[nodiscard]] bool has_video() const { return !options_.encodings.empty(); }

  PublisherOptions options_;
  std::vector<Stream> streams_;  // the encodings, then the microphone
  TimeUs video_us_ = kNever, audio_us_ = kNever, report_us_ = Network::kStart + kSecond;
  TimeUs key_frame_us_ = 0;
  bool key_frame_wanted_ = true;
  std::uint16_t transport_sequence_ = 0;
  std::vector<TimeUs> video_frames_, audio_frames_;
  std::deque<std::vector<std::uint8_t>> sound_;  // the newest payloads, for redundancy
  std::uint8_t reported_audio_loss_ = 0;
  Counters counters_;
};

}  // namespace tertulia::test
