// What arrives of one RTP stream: sequence numbers unwrapped, duplicates found, loss and jitter counted as RFC 3550
// (appendix A.1, A.3 and A.8) says, and the report block that tells the sender.
#pragma once

#include <array>
#include <cstdint>

#include "tertulia/types.hpp"
#include "wire/rtcp.hpp"

namespace tertulia {

class Reception {
 public:
  enum class Verdict : std::uint8_t {
    kAccepted,
    kRejected,   // a duplicate, too old to tell, or a single packet far from the others
    kRestarted,  // accepted, and the first of a new run: the sender began anew
  };

  struct Result {
    Verdict verdict = Verdict::kRejected;
    std::int64_t sequence = 0;
    bool newest = false;
    bool in_order = false;
    bool new_timestamp = false;
  };

  // `repaired`: it was sent again on another SSRC. Such a packet takes its place, but the reports go on saying that it
  // was lost: publishers choose their redundancy and their rate by what the network loses.
  Result Receive(std::uint16_t sequence, std::uint32_t timestamp, TimeUs now, std::uint32_t clock_rate,
                 bool repaired = false);
  void OnSenderReport(std::uint64_t ntp, TimeUs now);

  // The next report block; closes the interval over which the fraction lost is counted.
  [[nodiscard]] rtcp::ReportBlock Report(std::uint32_t ssrc, TimeUs now);

  [[nodiscard]] bool started() const { return started_; }
  // The newest, unwrapped.
  [[nodiscard]] std::int64_t highest() const { return highest_; }
  // Of the newest packets, this one has not arrived.
  [[nodiscard]] bool Misses(std::int64_t sequence) const {
    return started_ && sequence < highest_ && sequence > base_ && highest_ - sequence < kWindow && !Seen(sequence);
  }
  [[nodiscard]] bool ReceivedSinceReport() const { return received_ != received_at_report_; }
  // Repaired packets included: what the network lost.
  [[nodiscard]] std::int64_t lost() const { return Expected() - static_cast<std::int64_t>(received_); }
  [[nodiscard]] std::uint32_t jitter() const { return jitter_16_ >> 4; }

 private:
  static constexpr std::int64_t kWindow = 512;      // packets back in which a duplicate is told from a late one
  static constexpr std::uint16_t kMaxJump = 3'000;  // forward; RFC 3550's MAX_DROPOUT

  [[nodiscard]] std::int64_t Expected() const { return started_ ? highest_ - base_ + 1 : 0; }
  void Restart(std::uint16_t sequence);
  void MoveTo(std::int64_t sequence);
  [[nodiscard]] bool Seen(std::int64_t sequence) const;
  void MarkSeen(std::int64_t sequence);
  void UpdateJitter(std::uint32_t timestamp, TimeUs now, std::uint32_t clock_rate);

  bool started_ = false;
  bool suspicious_ = false;          // the last packet was far from the others ...
  std::uint16_t expected_next_ = 0;  // ... and this one would confirm it
  std::int64_t base_ = 0;
  std::int64_t highest_ = 0;
  std::uint32_t highest_timestamp_ = 0;
  std::uint64_t received_ = 0;
  std::uint64_t received_at_report_ = 0;
  std::int64_t expected_at_report_ = 0;
  std::uint32_t jitter_16_ = 0;  // times 16
  std::uint32_t last_transit_ = 0;
  bool has_transit_ = false;
  std::uint32_t last_sr_ = 0;
  TimeUs last_sr_us_ = 0;
  std::array<std::uint64_t, kWindow / 64> seen_{};
};

}  // namespace tertulia
