// One synthetic track: VP8 packets with correct payload descriptors (RFC 7741) or Opus packets with audio levels
// (RFC 6464). Makes plain RTP; remembers when each packet was sent, so that receivers can tell its age.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tertulia/types.hpp"
#include "wire/bytes.hpp"

namespace tertulia::load {

struct SourceOptions {
  std::uint32_t sender = 0;  // goes into the stamp
  Kind kind = Kind::kVideo;
  std::uint32_t ssrc = 0;
  std::uint8_t payload_type = 0;
  std::string mid;
  // Header extension ids of the negotiated session; 0: not negotiated.
  std::uint8_t mid_id = 0, transport_cc_id = 0, audio_level_id = 0;
};

// The place of a packet in its frame.
struct Fragment {
  bool first = true, last = true;
  std::uint32_t rtp_timestamp = 0;
  std::size_t packet_bytes = 0;  // header, extensions and payload, before encryption
};

class SyntheticSource {
 public:
  // VP8 payload descriptor with picture id, TL0PICIDX and temporal id, then room for the VP8 frame header.
  static constexpr std::size_t kVp8Descriptor = 6;
  static constexpr std::size_t kVp8FrameHeader = 10;
  static constexpr std::size_t kOpusToc = 1;

  explicit SyntheticSource(SourceOptions options);

  // Writes the next packet to `out` and returns the size of its header; the packet has fragment.packet_bytes bytes.
  // `transport_sequence` counts over all of a session's tracks.
  std::size_t Write(const Fragment& fragment, std::uint16_t transport_sequence, std::int64_t now_ns, MutableBytes out);

  // A receiver asked for a key frame (PLI or FIR): the next frame is one.
  void RequestKeyFrame() { key_wanted_ = true; }

  [[nodiscard]] const SourceOptions& options() const { return options_; }
  [[nodiscard]] std::uint64_t packets() const { return counter_; }
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }
  [[nodiscard]] std::uint64_t key_frames() const { return key_frames_; }
  [[nodiscard]] std::uint32_t last_rtp_timestamp() const { return last_timestamp_; }
  [[nodiscard]] std::int64_t last_sent_ns() const { return last_sent_ns_; }

  // When packet `counter` was sent; 0 if it was not, or is forgotten.
  [[nodiscard]] std::int64_t SentAt(std::uint64_t counter) const;

 private:
  std::size_t WriteHeader(const Fragment& fragment, std::uint16_t transport_sequence, MutableBytes out) const;
  std::size_t WriteVp8(const Fragment& fragment, MutableBytes payload);

  static constexpr std::size_t kRemembered = 1 << 16;

  SourceOptions options_;
  std::uint64_t counter_ = 0;
  std::uint64_t bytes_ = 0;
  std::uint64_t key_frames_ = 0;
  std::uint16_t first_sequence_ = 0;
  std::uint16_t picture_id_ = 0;
  std::uint8_t tl0_index_ = 0;
  std::uint8_t key_index_ = 0;
  std::uint32_t last_timestamp_ = 0;
  std::int64_t last_sent_ns_ = 0;
  bool key_wanted_ = true;
  bool key_frame_ = false;
  std::vector<std::int64_t> sent_at_ = std::vector<std::int64_t>(kRemembered);
};

}  // namespace tertulia::load
