#include "control/keyframe_gate.hpp"

#include <gtest/gtest.h>

namespace tertulia {
namespace {

TEST(KeyframeGate, TheFirstRequestIsDueAtOnceAndTheNextAfter320Milliseconds) {
  KeyframeGate gate;
  EXPECT_EQ(gate.due_us(), kNever);
  gate.Request(2);
  EXPECT_EQ(gate.Poll(kSecond), 2U);
  EXPECT_EQ(gate.Poll(kSecond + 319 * kMillisecond), std::nullopt);
  EXPECT_EQ(gate.Poll(kSecond + 320 * kMillisecond), 2U);
}

TEST(KeyframeGate, AKeyFrameEndsItButANewRequestStillKeepsTheDistance) {
  KeyframeGate gate;
  gate.Request(0);
  EXPECT_TRUE(gate.Poll(0).has_value());
  gate.Satisfy(0);
  EXPECT_EQ(gate.due_us(), kNever);
  gate.Request(0);
  EXPECT_EQ(gate.due_us(), 320 * kMillisecond);
}

TEST(KeyframeGate, EveryLayerIsWaitedForByItself) {
  KeyframeGate gate;
  gate.Request(0);
  gate.Request(1);
  gate.Satisfy(1);
  EXPECT_TRUE(gate.pending(0));
  EXPECT_EQ(gate.Poll(0), 0U);
}

TEST(KeyframeGate, ASourceThatNeverAnswersIsAskedMoreRarely) {
  KeyframeGate gate;
  gate.Request(0);
  unsigned asked = 0;
  for (TimeUs now = 0; now < 60 * kSecond; now += 10 * kMillisecond) {
    asked += gate.Poll(now) ? 1 : 0;
  }
  EXPECT_GT(asked, 40U);
  EXPECT_LT(asked, 50U);
  EXPECT_EQ(gate.sent(), asked);
}

}  // namespace
}  // namespace tertulia
