#include "control/reported_loss.hpp"

#include <gtest/gtest.h>

namespace tertulia {
namespace {

TEST(ReportedLoss, IsTheWorseOfBothWays) {
  ReportedLoss loss;
  EXPECT_EQ(loss.Update(10, 0), 10);
  EXPECT_EQ(loss.Update(10, 30), 30);
  EXPECT_EQ(loss.Update(40, 30), 40);
}

TEST(ReportedLoss, RisesAtOnceAndIsGivenUpSlowly) {
  ReportedLoss loss;
  EXPECT_EQ(loss.Update(0, 40), 40);
  EXPECT_EQ(loss.Update(0, 0), 30);
  int reports = 0;
  for (; loss.Update(0, 0) != 0; ++reports) {
  }
  EXPECT_GT(reports, 3);
  EXPECT_LT(reports, 15);
}

TEST(ReportedLoss, BoundsWhatOneListenerCanAskFor) {
  ReportedLoss loss;
  EXPECT_EQ(loss.Update(0, 255), ReportedLoss::kMax);
  EXPECT_EQ(loss.Update(255, 255), 255);
}

}  // namespace
}  // namespace tertulia
