// The estimator against a bottleneck on virtual time: a sender that uses what it is allowed, and one that does not.
#include "control/bandwidth.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "control/bottleneck.hpp"

namespace tertulia::test {
namespace {

constexpr TimeUs kFrameUs = 33'333;
constexpr TimeUs kClockOffsetUs = 77'777'777;  // the receiver's clock is another

// Sends frames as bursts of packets at `min(estimate, most_bps)` through a link; feedback comes every 100 ms.
class Flow {
 public:
  explicit Flow(Bottleneck& link, bool probing = true) : link_(link), estimator(probing) {}

  void Run(TimeUs us) {
    for (const TimeUs end = now + us; now < end;) {
      now = std::min(next_frame_us_, next_feedback_us_);
      if (now == next_frame_us_) {
        SendFrame();
        next_frame_us_ += kFrameUs;
      } else {
        Feedback();
        next_feedback_us_ += 100 * kMillisecond;
      }
      lowest_bps = std::min(lowest_bps, estimator.estimate_bps());
      highest_bps = std::max(highest_bps, estimator.estimate_bps());
    }
  }
  void ForgetExtremes() { lowest_bps = highest_bps = estimator.estimate_bps(); }
  // Bits a second that arrived since the last call.
  std::uint64_t Arrived() {
    const std::uint64_t bps = arrived_ * 8 * kSecond / static_cast<std::uint64_t>(std::max<TimeUs>(now - asked_us_, 1));
    arrived_ = 0;
    asked_us_ = now;
    return bps;
  }

 private:
  void SendFrame() {
    const std::uint64_t rate = std::min(estimator.estimate_bps(), most_bps);
    budget_ += static_cast<double>(rate) * kFrameUs / kSecond / 8;
    // Frames vary in size by a quarter.
    double bytes = budget_ * std::uniform_real_distribution<>(0.75, 1.25)(random_);
    while (bytes > 100) {
      const auto size = static_cast<std::uint32_t>(std::min(bytes, 1'200.0));
      bytes -= size;
      budget_ -= size;
      const auto arrival = link_.Send(now, size);
      PacketResult result{now, std::nullopt, size, 0};
      if (arrival) {
        result.arrival_us = *arrival + kClockOffsetUs;
        arrived_ += size;
      }
      sent_.push_back(result);
    }
  }

  // All up to the newest that has arrived by the time the feedback left.
  void Feedback() {
    const TimeUs left = now - link_.delay_us + kClockOffsetUs;
    std::size_t count = 0;
    for (std::size_t i = 0; i < sent_.size(); ++i) {
      if (sent_[i].arrival_us && *sent_[i].arrival_us <= left) {
        count = i + 1;
      }
    }
    if (count == 0) {
      return;
    }
    for (std::size_t i = 0; i < count; ++i) {
      estimator.OnPacket(sent_[i]);
    }
    sent_.erase(sent_.begin(), sent_.begin() + static_cast<std::ptrdiff_t>(count));
    estimator.Conclude(now);
  }

  Bottleneck& link_;
  std::mt19937_64 random_{7};
  std::vector<PacketResult> sent_;
  double budget_ = 0;
  std::uint64_t arrived_ = 0;
  TimeUs asked_us_ = kSecond;
  TimeUs next_frame_us_ = kSecond;
  TimeUs next_feedback_us_ = kSecond + 100 * kMillisecond;

 public:
  BandwidthEstimator estimator;
  TimeUs now = kSecond;
  std::uint64_t most_bps = UINT64_MAX;
  std::uint64_t lowest_bps = UINT64_MAX;
  std::uint64_t highest_bps = 0;
};

struct Case {
  std::uint64_t rate_bps;
  TimeUs delay_us;
  TimeUs jitter_us;
  double loss;
  std::uint64_t seed;
};

class Convergence : public testing::TestWithParam<Case> {};

TEST_P(Convergence, UsesMostOfTheBottleneckAndStays) {
  const Case& c = GetParam();
  Bottleneck link;
  link.rate_bps = c.rate_bps;
  link.delay_us = c.delay_us;
  link.jitter_us = c.jitter_us;
  link.loss = c.loss;
  link.random.seed(c.seed);
  Flow flow(link);
  flow.Run(40 * kSecond);
  flow.ForgetExtremes();
  flow.Arrived();
  flow.Run(30 * kSecond);
  const auto capacity = static_cast<double>(c.rate_bps);
  EXPECT_GT(static_cast<double>(flow.Arrived()), 0.75 * capacity * (1 - c.loss));
  EXPECT_GT(static_cast<double>(flow.lowest_bps), 0.6 * capacity);
  EXPECT_LT(static_cast<double>(flow.highest_bps), 1.3 * capacity);
}

INSTANTIATE_TEST_SUITE_P(Links, Convergence,
                         testing::Values(Case{500'000, 25'000, 0, 0, 1}, Case{500'000, 100'000, 10'000, 0, 2},
                                         Case{2'000'000, 25'000, 0, 0, 3}, Case{2'000'000, 50'000, 20'000, 0.01, 4},
                                         Case{500'000, 30'000, 5'000, 0.05, 5}, Case{2'000'000, 30'000, 5'000, 0.05, 6},
                                         Case{2'000'000, 30'000, 5'000, 0.05, 7}, Case{150'000, 30'000, 0, 0, 8}));

TEST(Bandwidth, FollowsADropWithinASecondOrSo) {
  for (const TimeUs queue : {TimeUs{1'000'000}, TimeUs{300'000}, TimeUs{60'000}}) {
    Bottleneck link;
    link.rate_bps = 2'000'000;
    link.queue_us = queue;
    Flow flow(link);
    flow.Run(30 * kSecond);
    ASSERT_GT(flow.estimator.estimate_bps(), 1'200'000U) << queue;
    link.rate_bps = 500'000;
    // What tells of the drop waits in the same queue.
    flow.Run(1'000 * kMillisecond + queue);
    EXPECT_LT(flow.estimator.estimate_bps(), 600'000U) << queue;
    flow.Run(3 * kSecond);
    flow.ForgetExtremes();
    flow.Arrived();
    flow.Run(20 * kSecond);
    EXPECT_GT(flow.Arrived(), 350'000U) << queue;
    EXPECT_LT(flow.highest_bps, 650'000U) << queue;
  }
}

TEST(Bandwidth, WhatIsNotSentProvesNothing) {
  Bottleneck link;
  link.rate_bps = 50'000'000;
  Flow flow(link);
  flow.most_bps = 400'000;
  flow.Run(60 * kSecond);
  EXPECT_LT(flow.estimator.estimate_bps(), 650'000U);
  EXPECT_GE(flow.estimator.estimate_bps(), 450'000U);
}

TEST(Bandwidth, WithoutProbesTheMediaFindsOutSlowlyWhatIsPossible) {
  Bottleneck link;
  link.rate_bps = 50'000'000;
  Flow flow(link, false);
  flow.most_bps = 700'000;
  flow.Run(20 * kSecond);
  EXPECT_GT(flow.estimator.estimate_bps(), 1'800'000U);
  EXPECT_LT(flow.estimator.estimate_bps(), 2'500'000U);
}

TEST(Bandwidth, RandomLossAloneNeverMakesItCollapse) {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    Bottleneck link;
    link.rate_bps = 3'000'000;
    link.loss = 0.05;
    link.random.seed(seed);
    Flow flow(link);
    flow.most_bps = 1'200'000;
    flow.Run(20 * kSecond);
    flow.ForgetExtremes();
    flow.Run(60 * kSecond);
    EXPECT_GT(flow.lowest_bps, 900'000U) << seed;
  }
}

TEST(Bandwidth, AProbeRaisesTheEstimateAtOnce) {
  BandwidthEstimator estimator(true);
  estimator.OnProbe(1'800'000, false, kSecond);
  EXPECT_EQ(estimator.estimate_bps(), 1'800'000U);
  estimator.OnProbe(1'000'000, false, 2 * kSecond);  // sent at no more than that, so it says no more
  EXPECT_EQ(estimator.estimate_bps(), 1'800'000U);
}

TEST(Bandwidth, AProbeThatMetTheBottleneckLowersItToo) {
  BandwidthEstimator estimator(true);
  estimator.OnProbe(500'000, true, kSecond);
  EXPECT_EQ(estimator.estimate_bps(), 475'000U);
}

TEST(Bandwidth, StaysWithinItsBounds) {
  BandwidthEstimator estimator(true);
  estimator.OnProbe(UINT64_MAX / 8, false, kSecond);
  EXPECT_EQ(estimator.estimate_bps(), BandwidthEstimator::kMaxBps);
  for (int i = 0; i < 100; ++i) {
    estimator.OnSilence();
  }
  EXPECT_EQ(estimator.estimate_bps(), BandwidthEstimator::kMinBps);
}

// Whatever feedback says, be it forged: the estimate stays a number within its bounds.
TEST(Bandwidth, SurvivesAnyFeedback) {
  std::mt19937_64 random(99);
  for (int run = 0; run < 20; ++run) {
    BandwidthEstimator estimator(run % 2 == 0);
    TimeUs now = kSecond;
    for (int i = 0; i < 2'000; ++i) {
      PacketResult packet;
      packet.sent_us = now - static_cast<TimeUs>(random() % 2'000'000);
      packet.size = static_cast<std::uint32_t>(random() % 4'096);
      packet.cluster = static_cast<std::uint8_t>(random() % 3);
      if (random() % 4 != 0) {
        packet.arrival_us = static_cast<TimeUs>(random() >> (random() % 40 + 20));
      }
      estimator.OnPacket(packet);
      if (random() % 10 == 0) {
        estimator.Conclude(now);
      }
      now += static_cast<TimeUs>(random() % 50'000);
      ASSERT_GE(estimator.estimate_bps(), BandwidthEstimator::kMinBps);
      ASSERT_LE(estimator.estimate_bps(), BandwidthEstimator::kMaxBps);
    }
  }
}

}  // namespace
}  // namespace tertulia::test
