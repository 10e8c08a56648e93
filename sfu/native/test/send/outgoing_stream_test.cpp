#include "send/outgoing_stream.hpp"

#include <gtest/gtest.h>

namespace tertulia {
namespace {

constexpr TimeUs kFrameUs = 33'333;

IncomingPacket Packet(std::int64_t sequence, std::uint32_t timestamp, TimeUs captured) {
  IncomingPacket packet;
  packet.sequence = sequence;
  packet.timestamp = timestamp;
  packet.capture_us = captured;
  packet.newest = packet.in_order = packet.new_timestamp = true;
  return packet;
}

std::int64_t Distance(const Timeline& line, std::uint32_t timestamp, TimeUs at) {
  return static_cast<std::int32_t>(timestamp - line.At(at));
}

TEST(OutgoingStream, ALateMappingIsCorrectedSlowlyAndNeverBackwards) {
  OutgoingStream stream(Kind::kVideo, 1);
  TimeUs now = kSecond;
  auto packet = Packet(0, 0, now);
  stream.Open(packet);
  std::uint32_t last = stream.Map(packet)->timestamp;
  EXPECT_EQ(last, stream.timeline().At(now));
  // The first report shows that everything is captured 100 ms earlier than it seemed.
  for (int i = 1; i < 60; ++i) {
    now += kFrameUs;
    packet = Packet(i, static_cast<std::uint32_t>(i) * 3'000, now - 100 * kMillisecond);
    const std::uint32_t timestamp = stream.Map(packet)->timestamp;
    EXPECT_GE(timestamp - last, 3'000U * 7 / 8);
    EXPECT_LE(timestamp - last, 3'000U * 9 / 8);
    last = timestamp;
  }
  EXPECT_LE(std::abs(Distance(stream.timeline(), last, now - 100 * kMillisecond)), 300);
}

TEST(OutgoingStream, PacketsOfOnePictureShareATimestampAlsoWhileItIsCorrected) {
  OutgoingStream stream(Kind::kVideo, 1);
  auto packet = Packet(0, 0, kSecond);
  stream.Open(packet);
  stream.Map(packet);
  auto first = Packet(1, 3'000, kSecond + 200 * kMillisecond);
  const std::uint32_t corrected = stream.Map(first)->timestamp;
  auto second = Packet(2, 3'000, kSecond + 200 * kMillisecond);
  second.new_timestamp = false;
  EXPECT_EQ(stream.Map(second)->timestamp, corrected);
  auto late = Packet(0, 0, 0);
  late.newest = late.in_order = late.new_timestamp = false;
  EXPECT_EQ(stream.Map(late)->timestamp, stream.timeline().At(kSecond));
}

TEST(OutgoingStream, SoundIsCorrectedInAPauseOnlyUnlessItIsFarOff) {
  OutgoingStream stream(Kind::kAudio, 1);
  auto packet = Packet(0, 0, kSecond);
  stream.Open(packet);
  const std::uint32_t start = stream.Map(packet)->timestamp;
  packet = Packet(1, 960, kSecond + 50 * kMillisecond);  // 30 ms off
  EXPECT_EQ(stream.Map(packet)->timestamp, start + 960);
  packet = Packet(2, 1'920, kSecond + 10 * kMillisecond);  // behind: never in running speech
  EXPECT_EQ(stream.Map(packet)->timestamp, start + 1'920);
  packet = Packet(3, 1'920 + 19'200, kSecond + 480 * kMillisecond);  // after DTX
  EXPECT_EQ(stream.Map(packet)->timestamp, start + 480 * 48);
  packet = Packet(4, 1'920 + 20'160, kSecond + 600 * kMillisecond);  // 100 ms off
  EXPECT_EQ(stream.Map(packet)->timestamp, start + 600 * 48);
}

TEST(OutgoingStream, WhatFollowsIsNeverBeforeWhatWasSent) {
  OutgoingStream stream(Kind::kAudio, 1);
  auto packet = Packet(0, 0, kSecond);
  stream.Open(packet);
  const auto first = *stream.Map(packet);
  auto other = Packet(70'000, 0xFFFF'FFF0, kSecond - 300 * kMillisecond);
  stream.Open(other);
  const auto second = *stream.Map(other);
  EXPECT_EQ(second.sequence, static_cast<std::uint16_t>(first.sequence + 1));
  EXPECT_EQ(second.timestamp, first.timestamp + 960);
  auto old = Packet(69'999, 0, kSecond);
  old.newest = old.in_order = false;
  EXPECT_FALSE(stream.Map(old).has_value());
}

// What came after it was not for this slot, so it is late for the source and the newest here all the same.
TEST(OutgoingStream, WhatFollowsIsNeverBeforeALatePacketThatWasSent) {
  OutgoingStream stream(Kind::kVideo, 1);
  auto packet = Packet(0, 0, kSecond);
  stream.Open(packet);
  stream.Map(packet);
  auto late = Packet(2, 9'000, 0);
  late.newest = late.in_order = late.new_timestamp = false;
  const std::uint32_t sent = stream.Map(late)->timestamp;
  auto other = Packet(3, 9'000, kSecond + 90 * kMillisecond);
  stream.Open(other);
  EXPECT_EQ(stream.Map(other)->timestamp, sent + 90);
}

TEST(OutgoingStream, ALongRunOfPaddingTakesOneInterval) {
  OutgoingStream stream(Kind::kVideo, 1);
  auto packet = Packet(0, 0, kSecond);
  stream.Open(packet);
  const auto first = *stream.Map(packet);
  for (std::int64_t i = 2; i < 500; ++i) {
    stream.Skip(Packet(i, 0, kSecond));
  }
  auto after = Packet(500, 3'000, kSecond + kFrameUs);
  EXPECT_EQ(stream.Map(after)->sequence, static_cast<std::uint16_t>(first.sequence + 2));
  auto late = Packet(1, 0, kSecond);
  late.newest = late.in_order = late.new_timestamp = false;
  EXPECT_EQ(stream.Map(late)->sequence, static_cast<std::uint16_t>(first.sequence + 1));
}

TEST(OutgoingStream, TheLineNeitherOverflowsNorDriftsInYears) {
  const Timeline line(0, 90'000);
  const TimeUs years = 20LL * 365 * 86'400 * kSecond;
  EXPECT_EQ(line.At(years + kSecond) - line.At(years), 90'000U);
  EXPECT_EQ(line.At(1'000'011), 90'000U);
}

}  // namespace
}  // namespace tertulia
