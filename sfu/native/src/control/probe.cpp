#include "control/probe.hpp"

#include <algorithm>

namespace tertulia {
namespace {

constexpr std::uint64_t kFastestBps = 12'000'000;
constexpr std::uint64_t kFirstFactor = 3;
constexpr std::uint64_t kFactor = 2;
// Less than this of what was sent arrived in its time: the bottleneck was met.
constexpr double kLimited = 0.88;

std::uint64_t Rate(std::uint64_t bytes, TimeUs us) {
  return us <= 0 ? 0 : bytes * 8 * kSecond / static_cast<std::uint64_t>(us);
}

}  // namespace

void Prober::Consider(std::uint64_t estimate_bps, std::uint64_t wanted_bps, bool congested, TimeUs now) {
  wanting_ = wanted_bps > estimate_bps;
  if (active_ || waiting_ || !wanting_ || now < next_us_) {
    return;
  }
  if (congested) {
    next_us_ = now + kFirstWaitUs / 4;
    return;
  }
  // A little more than is wanted: what just suffices is measured as not quite enough.
  const std::uint64_t enough = wanted_bps + wanted_bps / 8;
  target_bps_ = std::min({estimate_bps * (started_ ? kFactor : kFirstFactor), enough, kFastestBps});
  const auto least_us = static_cast<TimeUs>(kLeastBytes * 8 * kSecond / std::max<std::uint64_t>(target_bps_, 1));
  begin_us_ = next_burst_us_ = now;
  end_us_ = now + std::clamp(least_us, kLengthUs, kLongestUs);
  active_ = true;
  cluster_ = cluster_ == UINT8_MAX ? std::uint8_t{1} : static_cast<std::uint8_t>(cluster_ + 1);
  sent_bytes_ = sent_packets_ = told_ = 0;
  received_bytes_ = first_bytes_ = 0;
  ++probes_;
}

std::size_t Prober::DueBytes(TimeUs now) {
  if (!active_ || now < next_burst_us_) {
    return 0;
  }
  if (now >= end_us_) {
    active_ = false;
    waiting_ = true;
    next_us_ = now + kAnswerUs;
    return 0;
  }
  next_burst_us_ = std::min(now + kBurstUs, end_us_);
  const std::uint64_t due = target_bps_ * static_cast<std::uint64_t>(next_burst_us_ - begin_us_) / (8 * kSecond);
  return due > sent_bytes_ ? due - sent_bytes_ : 0;
}

void Prober::Abandon(TimeUs now) {
  active_ = waiting_ = false;
  next_us_ = now + kLongestWaitUs;
}

void Prober::OnFeedback(std::uint8_t cluster, TimeUs sent_us, std::optional<TimeUs> arrival_us, std::size_t bytes) {
  if (cluster == 0 || cluster != cluster_ || (!waiting_ && !active_)) {
    return;
  }
  ++told_;
  if (!arrival_us) {
    return;
  }
  if (received_bytes_ == 0) {
    first_sent_us_ = last_sent_us_ = sent_us;
    first_arrival_us_ = last_arrival_us_ = *arrival_us;
  }
  received_bytes_ += bytes;
  // The clock starts when all that left with the first packet has arrived.
  if (sent_us == first_sent_us_) {
    first_bytes_ += bytes;
    first_arrival_us_ = std::max(first_arrival_us_, *arrival_us);
  }
  last_sent_us_ = std::max(last_sent_us_, sent_us);
  last_arrival_us_ = std::max(last_arrival_us_, *arrival_us);
}

std::optional<Prober::Result> Prober::Take(TimeUs now) {
  if (!waiting_) {
    return std::nullopt;
  }
  if (told_ < sent_packets_) {
    if (now >= next_us_) {
      Fail(now);
    }
    return std::nullopt;
  }
  waiting_ = false;
  const std::uint64_t counted = received_bytes_ - first_bytes_;
  if (counted * 2 < sent_bytes_) {
    Fail(now);  // most of it was lost
    return std::nullopt;
  }
  const TimeUs sending = last_sent_us_ - first_sent_us_;
  const TimeUs arriving = last_arrival_us_ - first_arrival_us_;
  const std::uint64_t sent = Rate(counted, sending);
  const std::uint64_t received = arriving <= 0 ? sent : Rate(counted, arriving);
  Result result;
  result.limited = static_cast<double>(received) < kLimited * static_cast<double>(sent);
  result.received_bps = std::min({sent, received, target_bps_});
  started_ = true;
  if (result.limited) {
    Fail(now);
  } else {
    wait_us_ = kFirstWaitUs;
    next_us_ = now;
  }
  return result;
}

void Prober::Fail(TimeUs now) {
  waiting_ = false;
  next_us_ = now + wait_us_;
  wait_us_ = std::min(2 * wait_us_, kLongestWaitUs);
}

}  // namespace tertulia
