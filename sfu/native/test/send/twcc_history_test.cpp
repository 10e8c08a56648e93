#include "send/twcc_history.hpp"

#include <gtest/gtest.h>

namespace tertulia {
namespace {

TEST(TwccHistory, TellsOnceWhatWasSentUnderANumber) {
  TwccHistory history;
  EXPECT_EQ(history.Add(1'000, 1'200, 0), 0);
  EXPECT_EQ(history.Add(2'000, 300, 7), 1);
  const auto sent = history.Take(1);
  ASSERT_TRUE(sent.has_value());
  EXPECT_EQ(sent->at_us, 2'000);
  EXPECT_EQ(sent->size, 300);
  EXPECT_EQ(sent->cluster, 7);
  EXPECT_FALSE(history.Take(1).has_value());
  EXPECT_TRUE(history.Take(0).has_value());
}

TEST(TwccHistory, KnowsNothingOfNumbersThatWereNeverUsed) {
  TwccHistory history;
  EXPECT_FALSE(history.Take(0).has_value());
  history.Add(1, 100, 0);
  EXPECT_FALSE(history.Take(1).has_value());
  EXPECT_FALSE(history.Take(65'535).has_value());
  EXPECT_FALSE(history.Take(40'000).has_value());
}

TEST(TwccHistory, GoesOnOverTheWrapOfItsNumbers) {
  TwccHistory history;
  TimeUs now = 1;
  for (int i = 0; i < 200'000; ++i, now += 3'000) {
    const std::uint16_t number = history.Add(now, 1'000, 0);
    ASSERT_EQ(number, static_cast<std::uint16_t>(i));
    if (i >= 50) {
      const auto sent = history.Take(static_cast<std::uint16_t>(i - 50));
      ASSERT_TRUE(sent.has_value());
      EXPECT_EQ(sent->at_us, now - 50 * 3'000);
    }
  }
  // Feedback 150 ms behind needs no more than the first allocation.
  EXPECT_EQ(history.size(), TwccHistory::kFirstSize);
}

TEST(TwccHistory, GrowsWhileYoungPacketsAreUnansweredAndKeepsThem) {
  TwccHistory history;
  for (int i = 0; i < 1'000; ++i) {
    history.Add(1 + i * 1'000, 500, 0);
  }
  EXPECT_EQ(history.size(), 1'024U);
  for (int i = 0; i < 1'000; ++i) {
    const auto sent = history.Take(static_cast<std::uint16_t>(i));
    ASSERT_TRUE(sent.has_value());
    EXPECT_EQ(sent->at_us, 1 + i * 1'000);
  }
}

TEST(TwccHistory, IsBoundedWhenNothingIsEverAnswered) {
  TwccHistory history;
  for (int i = 0; i < 100'000; ++i) {
    history.Add(1 + i, 500, 0);
  }
  EXPECT_EQ(history.size(), TwccHistory::kMaxSize);
  // At a low rate old ones make way and nothing grows.
  TwccHistory slow;
  for (int i = 0; i < 10'000; ++i) {
    slow.Add(1 + i * 100'000LL, 500, 0);
  }
  EXPECT_EQ(slow.size(), TwccHistory::kFirstSize);
}

}  // namespace
}  // namespace tertulia
