// What a viewer sees and hears when the network loses, delays and reorders.
#include <gtest/gtest.h>

#include "emulator/call.hpp"

namespace tertulia::test {
namespace {

SlotStats StatsOf(Call& call, Handle slot) {
  for (const SlotStats& stats : call.network.router().GetSlotStats()) {
    if (stats.slot == slot) {
      return stats;
    }
  }
  return {};
}

SourceStats StatsOfSource(Call& call, Handle source) {
  for (const SourceStats& stats : call.network.router().GetSourceStats()) {
    if (stats.source == source) {
      return stats;
    }
  }
  return {};
}

// Every frame that was captured in the time between is shown, in order, and none later than `bound` after its capture.
void ExpectComplete(const Call& call, TimeUs begin, TimeUs end, TimeUs bound) {
  const std::vector<TimeUs>& captured = call.publisher.video_frames();
  std::vector<TimeUs> shown(captured.size(), kNever);
  std::int64_t last = -1;
  for (const ShownFrame& frame : call.video().frames) {
    // A key frame of another layer may show the same moment again.
    EXPECT_GT(static_cast<std::int64_t>(frame.frame) + (frame.key_frame ? 1 : 0), last);
    last = frame.frame;
    shown[frame.frame] = frame.at;
  }
  for (std::size_t i = 0; i < captured.size(); ++i) {
    if (captured[i] >= begin && captured[i] < end) {
      ASSERT_NE(shown[i], kNever) << "frame " << i;
      EXPECT_LE(shown[i] - captured[i], bound) << "frame " << i;
    }
  }
}

void ExpectCleanNumbers(const Call& call) {
  EXPECT_EQ(call.network.refused(), 0U) << "an index was used twice";
  EXPECT_EQ(call.network.replayed(), 0U);
  EXPECT_EQ(call.video().duplicates + call.audio().duplicates, 0U);
  EXPECT_EQ(call.video().corrupt + call.audio().corrupt, 0U);
}

TEST(Loss, EveryFrameIsShownWithFivePercentLostOnBothLegs) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE(seed);
    Call call(LossyCall(seed, 0.05, kRoundTrip));
    call.network.Run(20 * kSecond);
    ExpectComplete(call, kBegin, call.network.now() - kSecond, 800 * kMillisecond);
    ExpectCleanNumbers(call);
    EXPECT_LT(call.video().LongestGap(kBegin, call.network.now()), 500 * kMillisecond);
    EXPECT_EQ(call.video().key_frame_requests, 0U);
    EXPECT_EQ(StatsOfSource(call, Call::kCamera).unrecovered, 0U);
    EXPECT_EQ(StatsOf(call, Call::kVideoSlot).freezes, 0U);
    EXPECT_GT(StatsOf(call, Call::kVideoSlot).resent, 20U);
    if (testing::Test::HasFailure()) {
      break;
    }
  }
}

TEST(Loss, IsRepairedWithoutRtxFromThePublisherToo) {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    CallOptions options = LossyCall(seed, 0.05, kRoundTrip);
    options.publisher.encodings[0].rtx_ssrc = 0;
    Call call(options);
    call.network.Run(10 * kSecond);
    ExpectComplete(call, kBegin, call.network.now() - kSecond, 800 * kMillisecond);
    ExpectCleanNumbers(call);
  }
}

TEST(Loss, IsRepairedInSimulcastWhoseRepairStreamsSayTheirRids) {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    CallOptions options = LossyCall(seed, 0.05, kRoundTrip);
    options.publisher.encodings = {{"q", 0x1000, 0x1001, 320, 180, 150'000}, {"h", 0x1010, 0x1011, 640, 360, 600'000}};
    Call call(options);
    call.network.Run(10 * kSecond);
    ExpectComplete(call, kBegin + kSecond, call.network.now() - kSecond, 800 * kMillisecond);
    ExpectCleanNumbers(call);
    EXPECT_GT(StatsOfSource(call, Call::kCamera).repaired, 10U);
  }
}

TEST(Loss, OnlyWhatWasOvertakenIsAskedForByNobody) {
  CallOptions options = LossyCall(3, 0, kRoundTrip);
  options.publisher_up.reorder = 0.05;
  options.publisher_up.reorder_us = 3 * kMillisecond;
  Call call(options);
  call.network.Run(10 * kSecond);
  ExpectComplete(call, kBegin, call.network.now() - kSecond, 100 * kMillisecond);
  ExpectCleanNumbers(call);
  EXPECT_EQ(call.publisher.counters().nacked, 0U);
}

TEST(Loss, JitterAndReorderingOnTopAreStoodToo) {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    CallOptions options = LossyCall(seed, 0.05, kRoundTrip);
    for (LinkConfig* link : {&options.publisher_up, &options.viewer_down}) {
      link->jitter_us = 15 * kMillisecond;
      link->reorder = 0.02;
      link->reorder_us = 20 * kMillisecond;
    }
    Call call(options);
    call.network.Run(10 * kSecond);
    ExpectComplete(call, kBegin, call.network.now() - kSecond, kSecond);
    EXPECT_EQ(call.network.refused() + call.network.replayed(), 0U);
    EXPECT_EQ(call.video().corrupt, 0U);
  }
}

TEST(Loss, APacketThatIsLostForGoodBringsAKeyFrameAndThePictureGoesOn) {
  CallOptions options = LossyCall(1, 0, kRoundTrip);
  // Of the picture after three seconds the first packet is lost, however often it is sent.
  const auto cut = [](Bytes datagram) {
    const auto view = RtpView::Parse(datagram);
    if (!view || view->payload().size() < 300) {
      return false;
    }
    const std::uint8_t* end = view->payload().data() + view->payload().size();
    return ReadU32(end - 8) == 90 && ReadU16(end - 4) == 0;
  };
  options.publisher_up.drop = cut;
  Call call(options);
  call.network.Run(10 * kSecond);
  EXPECT_EQ(StatsOfSource(call, Call::kCamera).unrecovered, 1U);
  EXPECT_EQ(StatsOf(call, Call::kVideoSlot).freezes, 1U);
  EXPECT_LE(call.publisher.counters().key_frames, 3U);
  EXPECT_LT(call.video().LongestGap(kBegin, call.network.now()), 1'200 * kMillisecond);
  EXPECT_GT(call.video().frames.back().frame, 290U);
}

TEST(Loss, AViewerThatAsksForEverythingIsSentABoundedShare) {
  CallOptions options = LossyCall(1, 0, kRoundTrip);
  Call call(options);
  call.network.Run(2 * kSecond);
  const std::uint64_t before = call.network.down(Call::kViewer).counters().bytes;
  // Four seconds of asking for all numbers there are, a thousand times a second.
  for (int i = 0; i < 4'000; ++i) {
    std::array<std::uint8_t, 1'200> buffer{};
    rtcp::Writer writer(buffer);
    writer.AddReceiverReport(7);
    std::vector<std::uint16_t> all(256);
    for (std::size_t k = 0; k < all.size(); ++k) {
      all[k] = static_cast<std::uint16_t>(i * 256 + static_cast<int>(k));
    }
    writer.AddNack(7, Call::kVideoSsrc, all);
    call.network.router().ReceiveRtcp(Call::kViewer, writer.written(), call.network.now());
    call.network.Run(kMillisecond);
  }
  const std::uint64_t sent = call.network.down(Call::kViewer).counters().bytes - before;
  EXPECT_GT(StatsOf(call, Call::kVideoSlot).resent, 50U);
  EXPECT_LT(sent, 4 * 100'000 + 4 * 250'000 + 100'000);  // the media itself, the budget and its burst
  ExpectCleanNumbers(call);
}

TEST(Loss, APacketIsNotSentTwiceWithinARoundTrip) {
  CallOptions options = LossyCall(1, 0, 200 * kMillisecond);
  bool lose = false;
  std::optional<std::uint16_t> lost;
  options.viewer_down.drop = [&](Bytes datagram) {
    const auto view = RtpView::ParseHeader(datagram);
    if (!lose || lost || !view || view->ssrc() != Call::kVideoSsrc) {
      return false;
    }
    lost = view->sequence();
    return true;
  };
  options.viewer.nack_retry_us = 10 * kMillisecond;  // impatient
  Call call(options);
  call.network.Run(4 * kSecond);
  ASSERT_NEAR(static_cast<double>(StatsOf(call, Call::kVideoSlot).round_trip_us), 100'000, 2'000);
  lose = true;
  call.network.Run(2 * kSecond);
  ASSERT_TRUE(lost.has_value());
  EXPECT_GT(call.video().asked, 8U);
  EXPECT_EQ(call.video().rtx_packets - call.video().rtx_useless, 1U);
  EXPECT_LE(call.video().rtx_useless, 1U);
}

}  // namespace
}  // namespace tertulia::test
