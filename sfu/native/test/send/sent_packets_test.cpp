#include "send/sent_packets.hpp"

#include <gtest/gtest.h>

namespace tertulia {
namespace {

SentPacket Packet(std::uint16_t sequence) {
  SentPacket packet;
  packet.numbers.sequence = sequence;
  packet.numbers.timestamp = sequence * 3'000U;
  packet.source_sequence = 100'000U + sequence;
  packet.layer = 1;
  return packet;
}

// One packet every `spacing`; gives the time after the last.
TimeUs AddMany(SentPackets& sent, std::uint16_t first, int count, TimeUs spacing, TimeUs now = kSecond) {
  for (int i = 0; i < count; ++i) {
    sent.Add(Packet(static_cast<std::uint16_t>(first + i)), now);
    now += spacing;
  }
  return now;
}

TEST(SentPackets, FindsWhatWasSentAcrossTheTurnOfTheNumber) {
  SentPackets sent;
  EXPECT_EQ(sent.Find(0), nullptr);
  EXPECT_EQ(sent.capacity(), 0U);
  AddMany(sent, 65'520, 32, kMillisecond);
  for (std::uint16_t i = 65'520; i != 16; ++i) {
    const SentPacket* found = sent.Find(i);
    ASSERT_NE(found, nullptr) << i;
    EXPECT_EQ(found->source_sequence, 100'000U + i);
    EXPECT_EQ(found->numbers.timestamp, i * 3'000U);
  }
  EXPECT_EQ(sent.Find(16), nullptr);
  EXPECT_EQ(sent.Find(65'519), nullptr);
}

TEST(SentPackets, GrowsWithTheRateAndNoFurtherThanItsBound) {
  SentPackets slow;
  AddMany(slow, 0, 1'000, 40 * kMillisecond);  // 25 a second
  EXPECT_EQ(slow.capacity(), SentPackets::kMinSize);
  SentPackets quick;
  AddMany(quick, 0, 2'000, 5 * kMillisecond);  // 200 a second
  EXPECT_EQ(quick.capacity(), 256U);
  for (std::uint16_t i = 1'800; i < 2'000; ++i) {
    EXPECT_NE(quick.Find(i), nullptr) << i;
  }
  SentPackets flood;
  AddMany(flood, 0, 60'000, 10);
  EXPECT_EQ(flood.capacity(), SentPackets::kMaxSize);
}

TEST(SentPackets, TellsWhenAPacketWasSentLast) {
  SentPackets sent;
  sent.Add(Packet(5), 10 * kSecond);
  SentPacket* packet = sent.Find(5);
  ASSERT_NE(packet, nullptr);
  EXPECT_EQ(SentPackets::Since(*packet, 10 * kSecond + 42 * kMillisecond), 42 * kMillisecond);
  SentPackets::Touch(*packet, 11 * kSecond);
  EXPECT_EQ(SentPackets::Since(*packet, 11 * kSecond + 3 * kMillisecond), 3 * kMillisecond);
}

TEST(SentPackets, ForgetsEverythingWhenItIsCleared) {
  SentPackets sent;
  AddMany(sent, 0, 50, kMillisecond);
  sent.Clear();
  for (std::uint16_t i = 0; i < 50; ++i) {
    EXPECT_EQ(sent.Find(i), nullptr);
  }
}

}  // namespace
}  // namespace tertulia
