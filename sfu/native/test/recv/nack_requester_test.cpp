#include "recv/nack_requester.hpp"

#include <gtest/gtest.h>

#include <array>

namespace tertulia {
namespace {

constexpr TimeUs kGiveUp = 500 * kMillisecond;
constexpr TimeUs kRetry = 50 * kMillisecond;
using Numbers = std::vector<std::uint16_t>;

class NackRequesterTest : public testing::Test {
 protected:
  Numbers Poll(TimeUs now, TimeUs retry_us = kRetry) {
    std::array<std::uint16_t, 64> out{};
    const std::size_t count = nacks.Poll(now, retry_us, out);
    return {out.begin(), out.begin() + static_cast<std::ptrdiff_t>(count)};
  }
  NackRequester nacks{kGiveUp};
};

TEST_F(NackRequesterTest, AsksForNothingWhileNothingIsMissing) {
  for (std::int64_t i = 10; i < 300; ++i) {
    nacks.OnPacket(i, i);
  }
  EXPECT_EQ(nacks.due_us(), kNever);
  EXPECT_EQ(Poll(kSecond), Numbers());
}

TEST_F(NackRequesterTest, AsksForAGapAfterTheToleranceOfReordering) {
  nacks.OnPacket(10, 0);
  nacks.OnPacket(13, 1'000);
  EXPECT_EQ(nacks.due_us(), 1'000 + NackRequester::kReorderUs);
  EXPECT_EQ(Poll(nacks.due_us() - 1), Numbers());
  EXPECT_EQ(Poll(nacks.due_us()), (Numbers{11, 12}));
}

TEST_F(NackRequesterTest, AsksNotForWhatWasOnlyOvertaken) {
  nacks.OnPacket(10, 0);
  nacks.OnPacket(12, 1'000);
  EXPECT_TRUE(nacks.OnPacket(11, 2'000).was_missing);
  EXPECT_EQ(Poll(kSecond), Numbers());
}

TEST_F(NackRequesterTest, AsksAcrossTheTurnOfTheNumberAndAgainAfterTheRetryInterval) {
  nacks.OnPacket(65'534, 0);
  nacks.OnPacket(65'538, 0);
  const TimeUs first = nacks.due_us();
  EXPECT_EQ(Poll(first), (Numbers{65'535, 0, 1}));
  EXPECT_EQ(nacks.due_us(), first + kRetry);
  EXPECT_EQ(Poll(first + kRetry - 1), Numbers());
  EXPECT_TRUE(nacks.OnPacket(65'536, first + 10'000).was_missing);
  EXPECT_EQ(Poll(first + kRetry), (Numbers{65'535, 1}));
}

TEST_F(NackRequesterTest, TellsTheResponseTimeOfFirstRequestsOnly) {
  nacks.OnPacket(1, 0);
  nacks.OnPacket(4, 0);
  Poll(10'000);
  EXPECT_EQ(nacks.OnPacket(2, 42'000).response_us, 32'000);
  Poll(10'000 + kRetry);
  EXPECT_FALSE(nacks.OnPacket(3, 90'000).response_us.has_value());
}

TEST_F(NackRequesterTest, GivesUpAfterSoManyTries) {
  nacks.OnPacket(1, 0);
  nacks.OnPacket(3, 0);
  unsigned tries = 0;
  while (nacks.due_us() != kNever) {
    tries += Poll(nacks.due_us(), kMillisecond).empty() ? 0 : 1;
  }
  EXPECT_EQ(tries, NackRequester::kMaxTries);
  EXPECT_EQ(nacks.TakeGivenUp(), 1U);
  EXPECT_EQ(nacks.TakeGivenUp(), 0U);
}

TEST_F(NackRequesterTest, GivesUpWhatIsTooLateToMatter) {
  nacks.OnPacket(1, 0);
  nacks.OnPacket(3, 0);
  TimeUs last = 0;
  while (nacks.due_us() != kNever) {
    last = nacks.due_us();
    Poll(last, 200 * kMillisecond);
  }
  EXPECT_GT(last, kGiveUp);
  EXPECT_LE(last, kGiveUp + 200 * kMillisecond);
  EXPECT_EQ(nacks.TakeGivenUp(), 1U);
}

TEST_F(NackRequesterTest, ForgetsWhatIsBeforeAKeyFrame) {
  nacks.OnPacket(1, 0);
  nacks.OnPacket(3, 0);
  nacks.OnPacket(10, 0);
  nacks.Forget(5);
  EXPECT_EQ(Poll(20 * kMillisecond), (Numbers{5, 6, 7, 8, 9}));
}

TEST_F(NackRequesterTest, RemembersABoundedNumberAndGivesUpTheOldest) {
  nacks.OnPacket(0, 0);
  for (std::int64_t i = 2; i <= 4'000; i += 2) {
    nacks.OnPacket(i, 0);
  }
  EXPECT_EQ(nacks.missing(), NackRequester::kMaxMissing);
  EXPECT_EQ(nacks.TakeGivenUp(), 2'000 - NackRequester::kMaxMissing);
}

TEST_F(NackRequesterTest, TakesAGapThatIsTooLongForAnInterruption) {
  nacks.OnPacket(0, 0);
  nacks.OnPacket(2, 0);
  nacks.OnPacket(2'000, 0);
  EXPECT_EQ(nacks.missing(), 0U);
  EXPECT_EQ(nacks.due_us(), kNever);
  EXPECT_EQ(nacks.TakeGivenUp(), 1'998U);
}

TEST_F(NackRequesterTest, GoesOnWithTheRestWhenOneMessageIsFull) {
  nacks.OnPacket(0, 0);
  nacks.OnPacket(101, 0);
  EXPECT_EQ(Poll(20 * kMillisecond).size(), 64U);
  EXPECT_EQ(Poll(20 * kMillisecond).size(), 36U);
  EXPECT_EQ(Poll(20 * kMillisecond).size(), 0U);
}

}  // namespace
}  // namespace tertulia
