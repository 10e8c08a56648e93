#include "recv/response_time.hpp"

#include <gtest/gtest.h>

namespace tertulia {
namespace {

TEST(ResponseTime, IsGuessedUntilItIsMeasured) {
  const ResponseTime response;
  EXPECT_FALSE(response.known());
  EXPECT_EQ(response.retry_us(), ResponseTime::kUnknownUs);
}

TEST(ResponseTime, SettlesOnWhatItIsAndLeavesRoomForItsVariation) {
  ResponseTime response;
  for (int i = 0; i < 100; ++i) {
    response.Sample(60 * kMillisecond);
  }
  EXPECT_NEAR(static_cast<double>(response.smoothed_us()), 60'000, 100);
  EXPECT_LT(response.retry_us(), 65 * kMillisecond);
  for (int i = 0; i < 100; ++i) {
    response.Sample((i % 2 == 0 ? 40 : 80) * kMillisecond);
  }
  EXPECT_GT(response.retry_us(), 100 * kMillisecond);
}

TEST(ResponseTime, StaysWithinItsBoundsWhateverIsMeasured) {
  ResponseTime response;
  response.Sample(-5);
  EXPECT_EQ(response.retry_us(), ResponseTime::kMinUs);
  for (int i = 0; i < 100; ++i) {
    response.Sample(3'600 * kSecond);
  }
  EXPECT_EQ(response.retry_us(), ResponseTime::kMaxUs);
}

}  // namespace
}  // namespace tertulia
