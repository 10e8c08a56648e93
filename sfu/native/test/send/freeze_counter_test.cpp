#include "send/freeze_counter.hpp"

#include <gtest/gtest.h>

namespace tertulia {
namespace {

TEST(FreezeCounter, CountsAWaitForAKeyFrame) {
  FreezeCounter freezes;
  freezes.OnOpen(0);
  freezes.OnPacket(0, true);
  freezes.OnPacket(kSecond, false);
  freezes.OnOpen(kSecond + 400 * kMillisecond);
  EXPECT_EQ(freezes.count(), 1U);
  EXPECT_EQ(freezes.duration_us(), 400 * kMillisecond);
}

TEST(FreezeCounter, CountsNoSwitchThatNobodySees) {
  FreezeCounter freezes;
  freezes.OnPacket(0, true);
  freezes.OnOpen(33 * kMillisecond);
  EXPECT_EQ(freezes.count(), 0U);
}

TEST(FreezeCounter, CountsALossUntilTheNextKeyFrameOnce) {
  FreezeCounter freezes;
  freezes.OnPacket(0, true);
  freezes.OnLoss(kSecond);
  freezes.OnPacket(kSecond + 1, false);
  freezes.OnLoss(kSecond + 100 * kMillisecond);
  freezes.OnPacket(kSecond + 300 * kMillisecond, true);
  freezes.OnPacket(2 * kSecond, true);
  EXPECT_EQ(freezes.count(), 1U);
  EXPECT_EQ(freezes.duration_us(), 300 * kMillisecond);
}

TEST(FreezeCounter, CountsNothingAcrossABreak) {
  FreezeCounter freezes;
  freezes.OnPacket(0, true);
  freezes.Break();
  freezes.OnOpen(10 * kSecond);
  freezes.OnPacket(10 * kSecond, true);
  EXPECT_EQ(freezes.count(), 0U);
  EXPECT_EQ(freezes.duration_us(), 0);
}

}  // namespace
}  // namespace tertulia
