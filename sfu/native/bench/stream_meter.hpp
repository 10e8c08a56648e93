// What a viewer sees of one slot: packets, gaps, delay, and whether the contents are what the publisher sent.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "histogram.hpp"
#include "synthetic_source.hpp"

namespace tertulia::load {

// The fields of a received packet's header that the meter needs. They are not encrypted.
struct PacketFields {
  std::uint16_t sequence = 0;
  std::uint32_t timestamp = 0;
  std::uint32_t csrc = 0;  // 0: none
};

// What all meters share: the sources by their stamp, and the CSRC under which each was first seen.
struct Truth {
  std::vector<const SyntheticSource*> sources;
  std::map<std::uint32_t, std::uint32_t> csrc_of_sender;
  Histogram delay;
};

// Report block fields of a receiver report (RFC 3550, 6.4.1).
struct Reception {
  std::uint8_t fraction_lost = 0;
  std::int32_t cumulative_lost = 0;
  std::uint32_t highest_sequence = 0;
  std::uint32_t jitter = 0;
};

struct StreamCounts {
  std::uint64_t packets = 0, bytes = 0, lost = 0, verified = 0, mismatched = 0;
};

class StreamMeter {
 public:
  StreamMeter(Kind kind, Truth& truth) : kind_(kind), truth_(truth) {}

  // Counts a packet. True: decrypt it and call Verify (one packet in 64, and the first after a change of source).
  [[nodiscard]] bool Count(const PacketFields& fields, std::size_t bytes, std::int64_t now_ns);

  // Compares decrypted contents with what was sent.
  void Verify(const PacketFields& fields, Bytes payload);
  // The packet could not be decrypted.
  void OnUndecryptable() { ++counts_.mismatched; }

  // Begins a new measuring window.
  void Reset();
  [[nodiscard]] StreamCounts Counts() const;
  [[nodiscard]] bool started() const { return started_; }

  // For the next receiver report; the fraction is since the last call.
  [[nodiscard]] Reception Report();

 private:
  void UpdateJitter(const PacketFields& fields, std::int64_t now_ns);

  Kind kind_;
  Truth& truth_;
  bool started_ = false;
  std::int64_t highest_ = 0;  // extended sequence numbers
  std::int64_t first_ = 0;
  std::uint64_t received_ = 0;

  // Which publisher's packets these are, and how its counter maps to the slot's sequence numbers.
  const SyntheticSource* source_ = nullptr;
  std::uint32_t csrc_ = 0;
  std::int64_t offset_ = 0;
  std::uint16_t picture_offset_ = 0;

  StreamCounts counts_;
  std::int64_t window_base_ = 0;
  std::int64_t hidden_ = 0;  // packets missing although the sequence numbers have no gap

  std::int64_t reported_expected_ = 0;
  std::uint64_t reported_received_ = 0;
  double jitter_ = 0;
  std::int64_t last_transit_ = 0;
};

}  // namespace tertulia::load
