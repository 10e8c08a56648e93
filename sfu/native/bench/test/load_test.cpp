// The load generator must notice what it is there to notice: wrong bytes, wrong names, gaps, and delay.
#include <gtest/gtest.h>

#include <array>
#include <vector>

#include "histogram.hpp"
#include "pacer.hpp"
#include "pattern.hpp"
#include "stream_meter.hpp"
#include "synthetic_source.hpp"
#include "wire/rtp.hpp"
#include "wire/vp8.hpp"

namespace tertulia::load {
namespace {

constexpr std::uint32_t kCsrc = 77;

SourceOptions VideoOptions() {
  SourceOptions options;
  options.ssrc = 1234;
  options.payload_type = 96;
  options.mid = "0";
  options.mid_id = 1;
  options.transport_cc_id = 2;
  return options;
}

// One source and one slot that shows it, without a network between.
class Loopback {
 public:
  Loopback() { truth_.sources.push_back(&source_); }

  // The next packet of the source; `change` may spoil its payload.
  template <typename Change>
  void Deliver(std::uint16_t sequence, std::uint32_t csrc, std::int64_t delay_ns, Change&& change) {
    std::array<std::uint8_t, 1500> packet{};
    const Fragment fragment{true, true, sequence, 1100};
    const std::size_t header = source_.Write(fragment, sequence, now_ns_, packet);
    const MutableBytes payload = MutableBytes(packet).first(fragment.packet_bytes).subspan(header);
    change(payload);
    const PacketFields fields{sequence, fragment.rtp_timestamp, csrc};
    if (meter_.Count(fields, fragment.packet_bytes, now_ns_ + delay_ns)) meter_.Verify(fields, payload);
    now_ns_ += 10'000'000;
  }
  void Deliver(std::uint16_t sequence) {
    Deliver(sequence, kCsrc, 1'000'000, [](MutableBytes) {});
  }
  // The publisher sent it, the viewer never saw it.
  void Lose() {
    std::array<std::uint8_t, 1500> packet{};
    source_.Write({true, true, 0, 1100}, 0, now_ns_, packet);
  }

  Truth truth_;
  SyntheticSource source_{VideoOptions()};
  StreamMeter meter_{Kind::kVideo, truth_};
  std::int64_t now_ns_ = 1'000'000'000;
};

TEST(Pattern, WhatWasWrittenIsRecognisedAndOneChangedByteIsNoticed) {
  std::vector<std::uint8_t> body(1000);
  WriteBody({3, 123'456'789}, body);
  const std::optional<Stamp> stamp = CheckBody(body);
  ASSERT_TRUE(stamp.has_value());
  EXPECT_EQ(stamp->sender, 3U);
  EXPECT_EQ(stamp->counter, 123'456'789U);
  body[900] ^= 1;
  EXPECT_FALSE(CheckBody(body).has_value());
  EXPECT_FALSE(CheckBody(Bytes(body).first(kStampSize - 1)).has_value());
}

TEST(SyntheticSource, PacketsParseAndTheFirstFrameIsAKeyFrameAndSoIsOneThatWasAskedFor) {
  SyntheticSource source(VideoOptions());
  std::array<std::uint8_t, 1500> packet{};
  std::vector<bool> key_frames;
  for (int i = 0; i < 4; ++i) {
    if (i == 2) source.RequestKeyFrame();
    source.Write({true, true, 3000, 900}, 9, 1, packet);
    const auto view = RtpView::Parse(Bytes(packet).first(900));
    ASSERT_TRUE(view.has_value());
    EXPECT_TRUE(view->marker());
    EXPECT_EQ(view->ssrc(), 1234U);
    EXPECT_EQ(ParseStreamId(view->Extension(1).value_or(Bytes())), "0");
    const auto descriptor = ParseVp8(view->payload());
    ASSERT_TRUE(descriptor.has_value());
    EXPECT_EQ(descriptor->size, SyntheticSource::kVp8Descriptor);
    EXPECT_EQ(descriptor->picture_id, i + 1);
    key_frames.push_back(descriptor->key_frame);
  }
  EXPECT_EQ(key_frames, (std::vector<bool>{true, false, true, false}));
}

TEST(StreamMeter, UndamagedPacketsAreCountedVerifiedAndTimed) {
  Loopback loop;
  for (std::uint16_t i = 0; i < 200; ++i) loop.Deliver(static_cast<std::uint16_t>(65'500 + i));  // over the wrap
  const StreamCounts counts = loop.meter_.Counts();
  EXPECT_EQ(counts.packets, 200U);
  EXPECT_EQ(counts.lost, 0U);
  EXPECT_EQ(counts.mismatched, 0U);
  EXPECT_EQ(counts.verified, 1U + 3U);  // the first, and one in 64
  EXPECT_NEAR(static_cast<double>(loop.truth_.delay.PercentileUs(0.5)), 1000, 20);
}

TEST(StreamMeter, AGapIsALoss) {
  Loopback loop;
  loop.Deliver(10);
  loop.meter_.Reset();
  loop.Deliver(11);
  loop.Lose();
  loop.Deliver(13);
  EXPECT_EQ(loop.meter_.Counts().lost, 1U);
}

TEST(StreamMeter, ALossThatTheServerHidesByRenumberingIsALoss) {
  Loopback loop;
  for (std::uint16_t i = 0; i < 70; ++i) {
    if (i == 30) loop.Lose();
    loop.Deliver(i);
  }
  EXPECT_EQ(loop.meter_.Counts().lost, 1U);
}

TEST(StreamMeter, AChangedByteIsAMismatch) {
  Loopback loop;
  loop.Deliver(1, kCsrc, 0, [](MutableBytes payload) { payload[500] ^= 0x10; });
  EXPECT_EQ(loop.meter_.Counts().mismatched, 1U);
}

TEST(StreamMeter, AnotherNameForTheSameSenderAndNoNameAtAllAreMismatches) {
  Loopback loop;
  loop.Deliver(1);
  loop.Deliver(2, kCsrc + 1, 0, [](MutableBytes) {});
  loop.Deliver(3, 0, 0, [](MutableBytes) {});
  EXPECT_EQ(loop.meter_.Counts().mismatched, 2U);
}

TEST(StreamMeter, ReportsSayWhatWasLostSinceTheLastOne) {
  Loopback loop;
  loop.Deliver(1);
  loop.Deliver(3);
  Reception reception = loop.meter_.Report();
  EXPECT_EQ(reception.cumulative_lost, 1);
  EXPECT_EQ(reception.fraction_lost, 256 / 3);
  EXPECT_EQ(reception.highest_sequence, 3U);
  loop.Deliver(4);
  reception = loop.meter_.Report();
  EXPECT_EQ(reception.fraction_lost, 0);
  EXPECT_EQ(reception.cumulative_lost, 1);
}

struct Paced {
  std::size_t packets = 0, frames = 0;
};

Paced RunOneSecond(const Pace& pace, Kind kind) {
  Pacer pacer(pace, kind, 0);
  Paced paced;
  while (pacer.next_ns() < 1'000'000'000) {
    for (const Fragment& fragment : pacer.Due(pacer.next_ns())) {
      ++paced.packets;
      paced.frames += fragment.last ? 1 : 0;
      EXPECT_LE(fragment.packet_bytes, pace.packet_bytes + 1);
    }
  }
  return paced;
}

TEST(Pacer, KeepsTheRateInBothShapes) {
  const Paced frames = RunOneSecond({Shape::kFrames, 80, 1100}, Kind::kVideo);
  EXPECT_EQ(frames.packets, 80U);
  EXPECT_EQ(frames.frames, 30U);
  EXPECT_NEAR(static_cast<double>(RunOneSecond({Shape::kEven, 80, 1100}, Kind::kVideo).packets), 80, 1);
  EXPECT_EQ(RunOneSecond(kOpusPace, Kind::kAudio).packets, 50U);
}

TEST(Histogram, GivesPercentilesToABucketsWidth) {
  Histogram histogram;
  EXPECT_EQ(histogram.PercentileUs(0.5), 0);
  for (std::int64_t us = 1; us <= 1000; ++us) histogram.Add(us * 1000);
  EXPECT_NEAR(static_cast<double>(histogram.PercentileUs(0.50)), 500, 10);
  EXPECT_NEAR(static_cast<double>(histogram.PercentileUs(0.99)), 990, 10);
  histogram.Add(10'000'000'000);
  EXPECT_EQ(histogram.PercentileUs(0.9999), 2'000'000);
}

}  // namespace
}  // namespace tertulia::load
