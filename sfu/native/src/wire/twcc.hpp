// Transport-wide congestion control feedback (draft-holmer-rmcat-transport-wide-cc-extensions-01): which packets of a
// transport arrived, and when, in steps of 250 µs.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "tertulia/types.hpp"
#include "wire/bytes.hpp"
#include "wire/rtcp.hpp"

namespace tertulia::twcc {

inline constexpr TimeUs kNotReceived = -1;
inline constexpr TimeUs kDeltaUs = 250;         // unit of a receive delta
inline constexpr TimeUs kReferenceUs = 64'000;  // unit of the reference time (24 bits)
// What one message that we believe names. The format allows 65,535 in a dozen bytes, each of which costs the reader
// time; a client that reports every 250 ms would have to receive 32,000 packets a second to need more.
inline constexpr std::size_t kMaxReadStatuses = 8192;
inline constexpr std::size_t kMaxStatusCount = 1024;  // what one message that we build names; the format allows 65,535

struct Status {
  std::uint16_t sequence = 0;
  bool received = false;
  TimeUs arrival_us = kNotReceived;  // on the reporter's clock, modulo 2^24 * 64 ms; kNotReceived when lost
};

// The statuses of one feedback message. Parse checks that every chunk and every delta is there, and that there are not
// too many.
class Reader {
 public:
  static std::optional<Reader> Parse(const rtcp::Packet& packet);

  [[nodiscard]] std::uint32_t sender_ssrc() const { return sender_ssrc_; }
  [[nodiscard]] std::uint32_t media_ssrc() const { return media_ssrc_; }
  [[nodiscard]] std::uint16_t base_sequence() const { return base_sequence_; }
  [[nodiscard]] std::uint16_t status_count() const { return status_count_; }
  [[nodiscard]] std::uint8_t feedback_count() const { return feedback_count_; }
  [[nodiscard]] std::uint32_t reference_time() const { return reference_time_; }  // in steps of 64 ms, 24 bits

  // The next status in order of sequence; false at the end.
  bool Next(Status& status);

 private:
  static std::uint16_t SymbolCount(std::uint16_t chunk);
  // The symbol at `index` of a chunk.
  static std::uint8_t Symbol(std::uint16_t chunk, std::uint16_t index);

  std::uint32_t sender_ssrc_ = 0;
  std::uint32_t media_ssrc_ = 0;
  std::uint16_t base_sequence_ = 0;
  std::uint16_t status_count_ = 0;
  std::uint8_t feedback_count_ = 0;
  std::uint32_t reference_time_ = 0;
  Bytes chunks_;
  Bytes deltas_;
  std::uint16_t position_ = 0;  // statuses given so far
  std::size_t chunk_offset_ = 0;
  std::uint16_t symbol_ = 0;  // within the chunk at chunk_offset_
  std::size_t delta_offset_ = 0;
  TimeUs time_us_ = 0;
};

struct Built {
  std::size_t bytes = 0;     // written into `out`; 0: nothing could be said (no packet arrived, or no room)
  std::size_t statuses = 0;  // how many of `arrivals` are covered; the caller goes on with the rest in another message
};

// Writes one feedback message. `arrivals[i]` is when `base_sequence + i` arrived (any order in time), or kNotReceived.
// Stops early when `out` is full, at kMaxStatusCount, or when two arrivals lie further apart than a delta can say (8.2
// s). `feedback_count` goes up by one a message of the transport, modulo 256.
[[nodiscard]] Built Build(MutableBytes out, std::uint32_t sender_ssrc, std::uint32_t media_ssrc,
                          std::uint8_t feedback_count, std::uint16_t base_sequence, std::span<const TimeUs> arrivals);

}  // namespace tertulia::twcc
