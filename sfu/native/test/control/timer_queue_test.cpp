#include "control/timer_queue.hpp"

#include <gtest/gtest.h>

namespace tertulia {
namespace {

TEST(TimerQueue, TakesWhatIsDueInOrderAndOnce) {
  TimerQueue queue;
  queue.Resize(3);
  queue.Set(0, 30);
  queue.Set(1, 10);
  queue.Set(2, 20);
  queue.Set(0, 15);
  queue.Set(0, 40);  // later than what is set: nothing changes
  EXPECT_EQ(queue.Next(), 10);
  EXPECT_EQ(queue.Take(20), 1U);
  EXPECT_EQ(queue.Take(20), 0U);
  EXPECT_EQ(queue.Take(20), 2U);
  EXPECT_EQ(queue.Take(100), std::nullopt);
  EXPECT_EQ(queue.Next(), kNever);
}

TEST(TimerQueue, ACancelledTimeIsPassedOver) {
  TimerQueue queue;
  queue.Resize(2);
  queue.Set(0, 10);
  queue.Set(1, 20);
  queue.Cancel(0);
  EXPECT_EQ(queue.Next(), 20);
  EXPECT_EQ(queue.Take(100), 1U);
  queue.Set(0, 30);
  EXPECT_EQ(queue.Take(100), 0U);
}

}  // namespace
}  // namespace tertulia
