#include "synthetic_source.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "pattern.hpp"
#include "wire/rtp.hpp"

namespace tertulia::load {

namespace {

constexpr std::uint8_t kSpeechLevel = 0x80 | 25;  // V bit and -25 dBov

// VP8 payload descriptor bits (RFC 7741, 4.2).
constexpr std::uint8_t kExtended = 0x80;
constexpr std::uint8_t kStartOfPartition = 0x10;
constexpr std::uint8_t kHasPictureId = 0x80;
constexpr std::uint8_t kHasTl0Index = 0x40;
constexpr std::uint8_t kHasTemporalId = 0x20;
constexpr std::uint8_t kHasKeyIndex = 0x10;
constexpr std::uint8_t kLongPictureId = 0x80;

}  // namespace

SyntheticSource::SyntheticSource(SourceOptions options)
    : options_(std::move(options)), first_sequence_(static_cast<std::uint16_t>(options_.ssrc & 0x7FFF)) {}

std::int64_t SyntheticSource::SentAt(std::uint64_t counter) const {
  if (counter >= counter_ || counter + kRemembered <= counter_) return 0;
  return sent_at_[counter % kRemembered];
}

std::size_t SyntheticSource::Write(const Fragment& fragment, std::uint16_t transport_sequence, std::int64_t now_ns,
                                   MutableBytes out) {
  const std::size_t header = WriteHeader(fragment, transport_sequence, out);
  std::size_t lead = kOpusToc;
  const auto payload = out.subspan(header, fragment.packet_bytes - header);
  if (options_.kind == Kind::kVideo) {
    lead = WriteVp8(fragment, payload);
  } else {
    payload[0] = 0x78;  // Opus TOC: CELT, full band, 20 ms, mono, one frame (RFC 6716, 3.1)
  }
  WriteBody({options_.sender, counter_}, payload.subspan(lead));
  sent_at_[counter_ % kRemembered] = now_ns;
  last_timestamp_ = fragment.rtp_timestamp;
  last_sent_ns_ = now_ns;
  bytes_ += payload.size();
  ++counter_;
  return header;
}

std::size_t SyntheticSource::WriteHeader(const Fragment& fragment, std::uint16_t transport_sequence,
                                         MutableBytes out) const {
  RtpHeader header;
  header.marker = options_.kind == Kind::kVideo && fragment.last;
  header.payload_type = options_.payload_type;
  header.sequence = static_cast<std::uint16_t>(first_sequence_ + counter_);
  header.timestamp = fragment.rtp_timestamp;
  header.ssrc = options_.ssrc;
  if (options_.mid_id != 0) header.AddExtension(options_.mid_id, StreamIdValue(options_.mid));
  const auto sequence = TransportCcValue(transport_sequence);
  if (options_.transport_cc_id != 0) header.AddExtension(options_.transport_cc_id, sequence);
  const std::array<std::uint8_t, 1> level{kSpeechLevel};
  if (options_.audio_level_id != 0) header.AddExtension(options_.audio_level_id, level);
  return header.Write(out);
}

std::size_t SyntheticSource::WriteVp8(const Fragment& fragment, MutableBytes payload) {
  if (fragment.first) {
    key_frame_ = std::exchange(key_wanted_, false);
    picture_id_ = static_cast<std::uint16_t>((picture_id_ + 1) & 0x7FFF);
    ++tl0_index_;
    if (key_frame_) {
      ++key_index_;
      ++key_frames_;
    }
  }
  payload[0] = static_cast<std::uint8_t>(kExtended | (fragment.first ? kStartOfPartition : 0));
  payload[1] = kHasPictureId | kHasTl0Index | kHasTemporalId | kHasKeyIndex;
  WriteU16(&payload[2], picture_id_);
  payload[2] |= kLongPictureId;
  payload[4] = tl0_index_;
  payload[5] = static_cast<std::uint8_t>(key_index_ & 0x1F);  // temporal layer 0
  const auto frame = payload.subspan(kVp8Descriptor, kVp8FrameHeader);
  std::fill(frame.begin(), frame.end(), 0);
  if (fragment.first) {
    // Frame tag: bit 0 clear for a key frame, show_frame set; then start code and 640 x 360 (RFC 6386, 9.1).
    frame[0] = static_cast<std::uint8_t>(0x10 | (key_frame_ ? 0 : 1));
    if (key_frame_) {
      constexpr std::uint8_t kStart[] = {0x9D, 0x01, 0x2A, 0x80, 0x02, 0x68, 0x01};
      std::copy(std::begin(kStart), std::end(kStart), frame.subspan(3).begin());
    }
  }
  return kVp8Descriptor + kVp8FrameHeader;
}

}  // namespace tertulia::load
