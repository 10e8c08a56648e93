// Probes through a bottleneck on virtual time.
#include "control/probe.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "control/bottleneck.hpp"

namespace tertulia::test {
namespace {

struct Sent {
  TimeUs at_us = 0;
  std::size_t size = 0;
  std::uint8_t cluster = 0;
  std::optional<TimeUs> arrival_us;
};

// Lets one probe run through the link (with 250-byte packets) and answers it.
std::optional<Prober::Result> RunProbe(Prober& prober, Bottleneck& link, std::uint64_t estimate, std::uint64_t wanted,
                                       TimeUs& now, std::uint64_t* bytes = nullptr) {
  prober.Consider(estimate, wanted, false, now);
  std::vector<Sent> sent;
  while (prober.active()) {
    now = std::max(now, prober.due_us());
    for (std::size_t due = prober.DueBytes(now); due > 0; due -= std::min<std::size_t>(due, 250)) {
      sent.push_back({now, 250, prober.OnSent(250), link.Send(now, 250)});
    }
  }
  now += 300 * kMillisecond;
  for (const Sent& packet : sent) {
    prober.OnFeedback(packet.cluster, packet.at_us, packet.arrival_us, packet.size);
    if (bytes != nullptr) {
      *bytes += packet.size;
    }
  }
  return prober.Take(now);
}

TEST(Prober, MeasuresAFreeLinkAsFastAsItProbed) {
  Prober prober;
  Bottleneck link;
  link.rate_bps = 100'000'000;
  TimeUs now = kSecond;
  const auto result = RunProbe(prober, link, 600'000, 10'000'000, now);
  ASSERT_TRUE(result.has_value());
  EXPECT_FALSE(result->limited);
  EXPECT_NEAR(static_cast<double>(result->received_bps), 1'800'000, 250'000);
}

TEST(Prober, MeasuresTheBottleneck) {
  for (const std::uint64_t rate : {400'000U, 700'000U, 1'200'000U}) {
    Prober prober;
    Bottleneck link;
    link.rate_bps = rate;
    TimeUs now = kSecond;
    const auto result = RunProbe(prober, link, 600'000, 10'000'000, now);
    ASSERT_TRUE(result.has_value());
    EXPECT_TRUE(result->limited);
    EXPECT_NEAR(static_cast<double>(result->received_bps), static_cast<double>(rate), 0.12 * static_cast<double>(rate));
  }
}

TEST(Prober, ClimbsStepByStepToWhatIsWanted) {
  Prober prober;
  Bottleneck link;
  link.rate_bps = 100'000'000;
  TimeUs now = kSecond;
  std::uint64_t estimate = 600'000;
  int probes = 0;
  while (estimate < 5'000'000 && probes < 10) {
    const auto result = RunProbe(prober, link, estimate, 5'000'000, now);
    ASSERT_TRUE(result.has_value());
    estimate = std::max(estimate, result->received_bps);
    ++probes;
  }
  EXPECT_LE(probes, 4);
  // Nothing more is wanted: no more probes.
  prober.Consider(estimate, 5'000'000, false, now);
  EXPECT_FALSE(prober.active());
  EXPECT_EQ(prober.due_us(), kNever);
}

TEST(Prober, TriesRarelyWhatFails) {
  Prober prober;
  Bottleneck link;
  link.rate_bps = 500'000;
  TimeUs now = kSecond;
  std::uint64_t bytes = 0;
  for (const TimeUs end = now + 120 * kSecond; now < end; now += 100 * kMillisecond) {
    RunProbe(prober, link, 450'000, 2'000'000, now, &bytes);
  }
  EXPECT_LE(prober.sent(), 7U);
  EXPECT_LT(bytes * 8 / 120, 5'000U);
}

TEST(Prober, OneThatIsNeverAnsweredIsGivenUp) {
  Prober prober;
  TimeUs now = kSecond;
  prober.Consider(600'000, 2'000'000, false, now);
  while (prober.active()) {
    now = std::max(now, prober.due_us());
    if (const std::size_t due = prober.DueBytes(now)) {
      prober.OnSent(due);
    }
  }
  EXPECT_FALSE(prober.Take(now).has_value());
  now = prober.due_us();
  EXPECT_FALSE(prober.Take(now).has_value());
  prober.Consider(600'000, 2'000'000, false, now);
  EXPECT_FALSE(prober.active());
  prober.Consider(600'000, 2'000'000, false, prober.due_us());
  EXPECT_TRUE(prober.active());
}

TEST(Prober, WaitsWhileThereIsCongestion) {
  Prober prober;
  prober.Consider(600'000, 2'000'000, true, kSecond);
  EXPECT_FALSE(prober.active());
  EXPECT_GT(prober.due_us(), kSecond);
}

}  // namespace
}  // namespace tertulia::test
