#include "emulator/link.hpp"

#include <gtest/gtest.h>

namespace tertulia::test {
namespace {

std::vector<std::uint8_t> Datagram(std::uint32_t number, std::size_t size = 100) {
  std::vector<std::uint8_t> bytes(size);
  WriteU32(bytes.data(), number);
  return bytes;
}

// Sends one datagram a millisecond; gives when each arrived, kNever for those that were lost.
std::vector<TimeUs> SendMany(Link& link, std::uint32_t count, std::size_t size = 100) {
  std::vector<TimeUs> arrivals(count, kNever);
  for (std::uint32_t i = 0; i < count; ++i) {
    link.Send(Datagram(i, size), i * kMillisecond);
  }
  while (link.next_us() != kNever) {
    const TimeUs now = link.next_us();
    while (const auto bytes = link.Take(now)) {
      arrivals[ReadU32(bytes->data())] = now;
    }
  }
  return arrivals;
}

TEST(Link, LosesTheShareItWasToldAndTheSameWithTheSameSeed) {
  LinkConfig config;
  config.loss = 0.05;
  Link first(config, 7);
  Link second(config, 7);
  Link other(config, 8);
  const auto arrivals = SendMany(first, 20'000);
  EXPECT_NEAR(static_cast<double>(first.counters().lost), 1'000, 120);
  EXPECT_EQ(first.counters().delivered + first.counters().lost, 20'000U);
  EXPECT_EQ(arrivals, SendMany(second, 20'000));
  EXPECT_NE(arrivals, SendMany(other, 20'000));
}

TEST(Link, DelaysAndKeepsTheOrderUnderJitter) {
  LinkConfig config;
  config.delay_us = 30 * kMillisecond;
  config.jitter_us = 20 * kMillisecond;
  Link link(config, 1);
  const auto arrivals = SendMany(link, 1'000);
  TimeUs most = 0;
  for (std::size_t i = 0; i < arrivals.size(); ++i) {
    const TimeUs delay = arrivals[i] - static_cast<TimeUs>(i) * kMillisecond;
    EXPECT_GE(delay, config.delay_us);
    EXPECT_LE(delay, config.delay_us + config.jitter_us);
    EXPECT_TRUE(i == 0 || arrivals[i] >= arrivals[i - 1]);
    most = std::max(most, delay);
  }
  EXPECT_GT(most, config.delay_us + config.jitter_us / 2);
}

TEST(Link, LetsSomeBeOvertaken) {
  LinkConfig config;
  config.reorder = 0.1;
  config.reorder_us = 5 * kMillisecond;
  Link link(config, 1);
  const auto arrivals = SendMany(link, 1'000);
  std::size_t overtaken = 0;
  for (std::size_t i = 1; i < arrivals.size(); ++i) {
    overtaken += arrivals[i - 1] > arrivals[i] ? 1 : 0;
  }
  EXPECT_GT(overtaken, 50U);
  EXPECT_EQ(link.counters().delivered, 1'000U);
}

TEST(Link, PassesItsRateAndDropsWhatItsQueueDoesNotHold) {
  LinkConfig config;
  config.rate_bps = 400'000;  // 50 bytes a millisecond; twice as many are sent
  config.queue_us = 100 * kMillisecond;
  Link link(config, 1);
  const auto arrivals = SendMany(link, 2'000);
  TimeUs last = 0;
  for (std::size_t i = 0; i < arrivals.size(); ++i) {
    if (arrivals[i] != kNever) {
      EXPECT_LE(arrivals[i] - static_cast<TimeUs>(i) * kMillisecond, config.queue_us + 2 * kMillisecond);
      last = arrivals[i];
    }
  }
  const double rate = static_cast<double>(link.counters().delivered_bytes) * 8e6 / static_cast<double>(last);
  EXPECT_NEAR(rate, 400'000, 8'000);
  EXPECT_GT(link.counters().overflow, 800U);
}

TEST(Link, LosesWhatItIsToldTo) {
  LinkConfig config;
  config.drop = [](Bytes datagram) { return ReadU32(datagram.data()) % 10 == 3; };
  Link link(config, 1);
  const auto arrivals = SendMany(link, 100);
  EXPECT_EQ(link.counters().lost, 10U);
  EXPECT_EQ(arrivals[13], kNever);
  EXPECT_NE(arrivals[14], kNever);
}

}  // namespace
}  // namespace tertulia::test
