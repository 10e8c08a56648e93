// What a viewer gets over networks that carry less than there is: the whole router with its estimator and allocator, on
// virtual time.
#include <gtest/gtest.h>

#include "emulator/call.hpp"

namespace tertulia::test {
namespace {

constexpr TimeUs kStart = Network::kStart;

// Three simulcast layers; the viewer's way down carries `rate_bps`.
CallOptions Narrow(std::uint64_t seed, std::uint64_t rate_bps) {
  CallOptions options = LossyCall(seed, 0, 60 * kMillisecond);
  options.publisher.encodings = {{"q", 0x1000, 0x1001, 320, 180, 150'000},
                                 {"h", 0x1010, 0x1011, 640, 360, 330'000},
                                 {"f", 0x1020, 0x1021, 1'280, 720, 1'300'000}};
  options.viewer.stamp = SendStamp::kTransportCc;
  options.viewer_down.rate_bps = rate_bps;
  options.viewer_down.queue_us = 300 * kMillisecond;
  options.viewer_down.jitter_us = 3 * kMillisecond;
  return options;
}

// What was shown: the pictures' sizes, each with the time it began.
std::vector<std::pair<TimeUs, std::uint32_t>> Sizes(const SlotModel& slot) {
  std::vector<std::pair<TimeUs, std::uint32_t>> sizes;
  for (const ShownFrame& frame : slot.frames) {
    if (frame.key_frame && (sizes.empty() || sizes.back().second != frame.pixels)) {
      sizes.emplace_back(frame.at, frame.pixels);
    }
  }
  return sizes;
}

std::size_t ChangesAfter(const SlotModel& slot, TimeUs time) {
  std::size_t changes = 0;
  for (const auto& [at, pixels] : Sizes(slot)) {
    changes += at > time ? 1 : 0;
  }
  return changes;
}

class SlowNetwork : public testing::TestWithParam<std::uint64_t> {};

TEST_P(SlowNetwork, At500KilobitsTheViewerSettlesWithin3SecondsAndStays) {
  Call call(Narrow(GetParam(), 500'000));
  call.network.Run(3 * kSecond);
  const auto before = call.network.down(Call::kViewer).counters();
  const auto sizes = Sizes(call.video());
  ASSERT_FALSE(sizes.empty());
  EXPECT_EQ(sizes.back().second, 640U * 360U);
  call.network.Run(30 * kSecond);
  const auto after = call.network.down(Call::kViewer).counters();
  EXPECT_LE(ChangesAfter(call.video(), kStart + 3 * kSecond), 1U);
  EXPECT_GE((after.delivered_bytes - before.delivered_bytes) * 8 / 30, 300'000U);
  EXPECT_LE(call.video().LongestGap(kStart + 3 * kSecond, kStart + 33 * kSecond), 400 * kMillisecond);
  EXPECT_GE(call.audio().frames.size(), 33U * 48U);
}

TEST_P(SlowNetwork, AfterADropItGivesWayWithinASecondOrSoAndSoundGoesOn) {
  Call call(Narrow(GetParam(), 4'000'000));
  call.network.Run(12 * kSecond);
  LinkConfig link = call.network.down(Call::kViewer).config();
  link.rate_bps = 500'000;
  call.network.down(Call::kViewer).Configure(link);
  call.network.Run(2 * kSecond);
  const auto overflow = call.network.down(Call::kViewer).counters().overflow;
  call.network.Run(10 * kSecond);
  EXPECT_LT(call.network.down(Call::kViewer).counters().overflow - overflow, 60U);
  EXPECT_LE(Sizes(call.video()).back().second, 640U * 360U);
  EXPECT_GE(call.audio().frames.size(), 23U * 48U);
}

INSTANTIATE_TEST_SUITE_P(Seeds, SlowNetwork, testing::Range<std::uint64_t>(1, 9));

TEST(Congestion, AViewerWithoutFeedbackGetsTheBest) {
  CallOptions options = Narrow(1, 0);
  options.viewer.stamp = SendStamp::kNone;
  Call call(options);
  call.network.Run(4 * kSecond);
  EXPECT_EQ(Sizes(call.video()).back().second, 1'280U * 720U);
}

TEST(Congestion, AViewerThatNegotiatedFeedbackAndGivesNoneGetsTheBestAfterAWhile) {
  CallOptions options = Narrow(1, 0);
  options.viewer.feedback_us = 0;
  Call call(options);
  call.network.Run(5 * kSecond);
  EXPECT_EQ(Sizes(call.video()).back().second, 1'280U * 720U);
}

TEST(Congestion, WhereNothingFitsThePictureIsPausedSaidSoAndSoundGoesOn) {
  Call call(Narrow(3, 90'000));
  call.network.Run(20 * kSecond);
  ASSERT_FALSE(call.network.pauses.empty());
  EXPECT_TRUE(call.network.pauses.back().paused);
  const std::size_t before = call.audio().frames.size();
  call.network.Run(5 * kSecond);
  EXPECT_GE(call.audio().frames.size() - before, 245U);
}

TEST(Congestion, WhatIsPausedComesBackWhenThereIsRoom) {
  Call call(Narrow(3, 90'000));
  call.network.Run(10 * kSecond);
  ASSERT_TRUE(!call.network.pauses.empty() && call.network.pauses.back().paused);
  LinkConfig link = call.network.down(Call::kViewer).config();
  link.rate_bps = 3'000'000;
  call.network.down(Call::kViewer).Configure(link);
  call.network.Run(40 * kSecond);
  EXPECT_FALSE(call.network.pauses.back().paused);
}

TEST(Congestion, AHiddenSlotGetsNothingAndAVisibleOneIsBackWithAKeyFrame) {
  Call call(Narrow(1, 0));
  call.network.Run(3 * kSecond);
  call.network.router().SetSlotView(Call::kVideoSlot, {.visible = false}, call.network.now());
  call.network.Run(200 * kMillisecond);
  const std::size_t frames = call.video().frames.size();
  call.network.Run(3 * kSecond);
  EXPECT_EQ(call.video().frames.size(), frames);
  call.network.router().SetSlotView(Call::kVideoSlot, {}, call.network.now());
  call.network.Run(500 * kMillisecond);
  ASSERT_GT(call.video().frames.size(), frames + 5);
  EXPECT_TRUE(call.video().frames[frames].key_frame);
}

TEST(Congestion, ASmallPlaceGetsASmallPictureAndTheLayersNobodyWantsMayRest) {
  Call call(Narrow(1, 0));
  call.network.router().SetSlotView(Call::kVideoSlot, {.max_pixels = 320 * 180}, call.network.now());
  call.network.Run(4 * kSecond);
  EXPECT_EQ(Sizes(call.video()).back().second, 320U * 180U);
  EXPECT_TRUE(call.network.wanted.empty());
  call.network.Run(4 * kSecond);
  ASSERT_EQ(call.network.wanted.size(), 1U);
  EXPECT_EQ(call.network.wanted[0], (std::pair<Handle, std::uint32_t>{Call::kCamera, 0b001}));
  call.network.router().SetSlotView(Call::kVideoSlot, {.max_pixels = 640 * 360}, call.network.now());
  call.network.Run(100 * kMillisecond);
  ASSERT_EQ(call.network.wanted.size(), 2U);
  EXPECT_EQ(call.network.wanted[1].second, 0b011U);
}

}  // namespace
}  // namespace tertulia::test
