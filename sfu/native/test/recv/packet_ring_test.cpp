#include "recv/packet_ring.hpp"

#include <gtest/gtest.h>

#include <numeric>
#include <vector>

namespace tertulia {
namespace {

constexpr std::size_t kPackets = 64;

// A packet whose bytes follow from its number.
class PacketRingTest : public testing::Test {
 protected:
  void Store(PacketRing& ring, std::int64_t sequence, std::size_t size = 1'000, TimeUs now = 0) {
    bytes.resize(size);
    std::iota(bytes.begin(), bytes.end(), static_cast<std::uint8_t>(sequence));
    IncomingPacket packet;
    packet.payload = bytes;
    packet.sequence = sequence;
    packet.timestamp = static_cast<std::uint32_t>(sequence * 3'000);
    packet.payload_type = 96;
    packet.marker = sequence % 2 == 0;
    packet.arrival_us = now;
    packet.picture.picture_id = sequence * 2;
    packet.picture.has_picture_id = true;
    packet.extensions[static_cast<std::size_t>(Ext::kOrientation)] = orientation;
    packet.extensions[static_cast<std::size_t>(Ext::kMid)] = orientation;
    ring.Store(packet);
  }
  bool Holds(const PacketRing& ring, std::int64_t sequence, std::size_t size = 1'000) {
    IncomingPacket packet;
    if (!ring.Load(static_cast<std::uint32_t>(sequence), packet, scratch)) {
      return false;
    }
    std::vector<std::uint8_t> expected(size);
    std::iota(expected.begin(), expected.end(), static_cast<std::uint8_t>(sequence));
    EXPECT_EQ(packet.sequence, sequence);
    EXPECT_TRUE(std::equal(packet.payload.begin(), packet.payload.end(), expected.begin(), expected.end()));
    EXPECT_EQ(packet.timestamp, static_cast<std::uint32_t>(sequence * 3'000));
    EXPECT_EQ(packet.marker, sequence % 2 == 0);
    EXPECT_EQ(packet.payload_type, 96);
    EXPECT_EQ(packet.picture.picture_id, sequence * 2);
    EXPECT_EQ(packet.extension(Ext::kOrientation).size(), 1U);
    EXPECT_TRUE(packet.extension(Ext::kMid).empty());
    return true;
  }

  SlabPool pool;
  PacketRing::Scratch scratch{};
  std::vector<std::uint8_t> bytes;
  std::array<std::uint8_t, 1> orientation{2};
};

TEST_F(PacketRingTest, GivesBackWhatWasStored) {
  PacketRing ring(pool, 4, kPackets);
  for (std::int64_t i = 65'530; i < 65'545; ++i) {
    Store(ring, i);
  }
  for (std::int64_t i = 65'530; i < 65'545; ++i) {
    EXPECT_TRUE(Holds(ring, i));
  }
  EXPECT_FALSE(Holds(ring, 65'529));
  EXPECT_FALSE(Holds(ring, 65'545));
}

TEST_F(PacketRingTest, HasNoMemoryUntilSomethingIsStored) {
  PacketRing ring(pool, 4, kPackets);
  EXPECT_FALSE(Holds(ring, 0));
  EXPECT_EQ(pool.bytes_in_use(), 0U);
  Store(ring, 0);
  EXPECT_EQ(pool.bytes_in_use(), kSlabBytes);
  ring.Clear();
  EXPECT_EQ(pool.bytes_in_use(), 0U);
  EXPECT_FALSE(Holds(ring, 0));
  Store(ring, 1);
  EXPECT_TRUE(Holds(ring, 1));
}

TEST_F(PacketRingTest, ForgetsTheOldestWhenItsBytesAreUsedUp) {
  PacketRing ring(pool, 3, 1'024);
  for (std::int64_t i = 0; i < 200; ++i) {
    Store(ring, i);
  }
  EXPECT_EQ(ring.bytes(), 3 * kSlabBytes);
  EXPECT_FALSE(Holds(ring, 150));
  for (std::int64_t i = 199; i > 199 - 2 * 14; --i) {
    EXPECT_TRUE(Holds(ring, i)) << i;
  }
}

TEST_F(PacketRingTest, ForgetsTheOldestWhenItsNumbersAreUsedUp) {
  PacketRing ring(pool, 4, kPackets);
  for (std::int64_t i = 0; i < 100; ++i) {
    Store(ring, i, 20);
  }
  EXPECT_FALSE(Holds(ring, 35, 20));
  EXPECT_TRUE(Holds(ring, 36, 20));
}

TEST_F(PacketRingTest, UsesMemoryAgainRatherThanMoreOfItWhenItsPacketsAreOld) {
  PacketRing ring(pool, 32, 1'024);
  for (std::int64_t i = 0; i < 1'000; ++i) {
    Store(ring, i, 1'000, i * 100 * kMillisecond);  // 20 packets in the time that they are kept
  }
  EXPECT_LE(ring.bytes(), 4 * kSlabBytes);
}

TEST_F(PacketRingTest, SharesTheWorkersMemoryWithOthers) {
  SlabPool small(3 * kSlabBytes);
  PacketRing first(small, 4, kPackets);
  PacketRing second(small, 4, kPackets);
  PacketRing third(small, 4, kPackets);
  for (std::int64_t i = 0; i < 40; ++i) {
    Store(first, i);
    Store(second, i);
  }
  EXPECT_LE(small.bytes_in_use(), 3 * kSlabBytes);
  Store(third, 7);  // nothing is left for it
  EXPECT_FALSE(Holds(third, 7));
  EXPECT_TRUE(Holds(first, 39));
  EXPECT_TRUE(Holds(second, 39));
  first.Clear();
  Store(third, 7);
  EXPECT_TRUE(Holds(third, 7));
}

TEST_F(PacketRingTest, KeepsNoPacketThatIsTooLong) {
  PacketRing ring(pool, 4, kPackets);
  Store(ring, 1, PacketRing::kMaxPayload + 1);
  EXPECT_FALSE(Holds(ring, 1));
  Store(ring, 2, PacketRing::kMaxPayload);
  EXPECT_TRUE(Holds(ring, 2, PacketRing::kMaxPayload));
}

}  // namespace
}  // namespace tertulia
