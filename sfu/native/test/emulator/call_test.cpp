#include "emulator/call.hpp"

#include <gtest/gtest.h>

namespace tertulia::test {
namespace {

TEST(EmulatedCall, ShowsEveryFrameInOrderOnACleanNetwork) {
  Call call(LossyCall(1, 0, 60 * kMillisecond));
  call.network.Run(10 * kSecond);
  const auto& frames = call.video().frames;
  ASSERT_GE(frames.size(), 295U);
  EXPECT_TRUE(frames.front().key_frame);
  for (std::size_t i = 1; i < frames.size(); ++i) {
    EXPECT_EQ(frames[i].frame, frames[i - 1].frame + 1);
  }
  for (const ShownFrame& frame : frames) {
    EXPECT_EQ(frame.at - call.publisher.video_frames()[frame.frame], 30 * kMillisecond);
    EXPECT_EQ(frame.csrc, 100U);
  }
  EXPECT_GE(call.audio().frames.size(), 495U);
  EXPECT_EQ(call.video().corrupt + call.audio().corrupt, 0U);
  EXPECT_EQ(call.video().asked, 0U);
  EXPECT_EQ(call.network.refused() + call.network.replayed(), 0U);
}

TEST(EmulatedCall, IsTheSameAgainWithTheSameSeed) {
  std::vector<std::vector<TimeUs>> shown;
  for (const std::uint64_t seed : {5, 5, 6}) {
    Call call(LossyCall(seed, 0.05, 60 * kMillisecond));
    call.network.Run(5 * kSecond);
    shown.emplace_back();
    for (const ShownFrame& frame : call.video().frames) {
      shown.back().push_back(frame.at);
    }
  }
  EXPECT_EQ(shown[0], shown[1]);
  EXPECT_NE(shown[0], shown[2]);
}

TEST(EmulatedCall, SimulcastIsFollowedByItsRids) {
  CallOptions options = LossyCall(1, 0, 60 * kMillisecond);
  options.publisher.encodings = {{"q", 0x1000, 0x1001, 320, 180, 150'000}, {"h", 0x1010, 0x1011, 640, 360, 600'000}};
  Call call(options);
  call.network.Run(5 * kSecond);
  ASSERT_FALSE(call.video().frames.empty());
  std::uint32_t pixels = 0;
  for (const ShownFrame& frame : call.video().frames) {
    pixels = frame.key_frame ? frame.pixels : pixels;
  }
  EXPECT_EQ(pixels, 640U * 360U);
  EXPECT_LT(call.video().LongestGap(Network::kStart + kSecond, Network::kStart + 5 * kSecond), 100 * kMillisecond);
}

}  // namespace
}  // namespace tertulia::test
