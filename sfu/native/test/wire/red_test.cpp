#include "wire/red.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace tertulia {
namespace {

using Buffer = std::vector<std::uint8_t>;

// Two redundant blocks (of 3 and 2 bytes, 1,920 and 960 before), then primary data of 4 bytes.
Buffer Example() {
  return {0x80 | 111,
          1'920 >> 6,
          (1'920 << 2) & 0xFF,
          3,
          0x80 | 111,
          960 >> 6,
          (960 << 2) & 0xFF,
          2,
          111,
          1,
          2,
          3,
          4,
          5,
          6,
          7,
          8,
          9};
}

TEST(Red, TakesAPacketApart) {
  Buffer bytes = Example();
  const auto red = ParseRed(bytes);
  ASSERT_TRUE(red.has_value());
  ASSERT_EQ(red->count, 2U);
  EXPECT_EQ(red->blocks[0].timestamp_offset, 1'920);
  EXPECT_EQ(Buffer(red->blocks[0].payload.begin(), red->blocks[0].payload.end()), (Buffer{1, 2, 3}));
  EXPECT_EQ(red->blocks[1].timestamp_offset, 960);
  EXPECT_EQ(Buffer(red->blocks[1].payload.begin(), red->blocks[1].payload.end()), (Buffer{4, 5}));
  EXPECT_EQ(red->primary.payload_type, 111);
  EXPECT_EQ(Buffer(red->primary.payload.begin(), red->primary.payload.end()), (Buffer{6, 7, 8, 9}));
}

TEST(Red, RefusesWhatOverrunsThePayload) {
  for (std::size_t size = 0; size < Example().size(); ++size) {
    Buffer bytes = Example();
    bytes.resize(size);
    const auto red = ParseRed(bytes);
    // Only the primary data may be shorter, since its length is what is left.
    EXPECT_EQ(red.has_value(), size >= 9 + 5 + 1) << size;
  }
}

TEST(Red, TakesPrimaryDataAlone) {
  Buffer bytes = {111, 42};
  const auto red = ParseRed(bytes);
  ASSERT_TRUE(red.has_value());
  EXPECT_EQ(red->count, 0U);
  EXPECT_EQ(red->primary.payload[0], 42);
}

TEST(Red, RefusesMoreBlocksThanItKnows) {
  Buffer bytes;
  for (std::size_t i = 0; i < RedPayload::kMaxRedundant + 1; ++i) {
    bytes.insert(bytes.end(), {0x80 | 111, 0, 0, 0});
  }
  bytes.insert(bytes.end(), {111, 1});
  EXPECT_FALSE(ParseRed(bytes).has_value());
  bytes.erase(bytes.begin(), bytes.begin() + 4);
  EXPECT_TRUE(ParseRed(bytes).has_value());
}

TEST(Red, TranslatesThePayloadTypeOfEveryBlock) {
  Buffer bytes = Example();
  SetRedPayloadTypes(bytes, 96);
  const auto red = ParseRed(bytes);
  ASSERT_TRUE(red.has_value());
  EXPECT_EQ(red->blocks[0].payload_type, 96);
  EXPECT_EQ(red->blocks[1].payload_type, 96);
  EXPECT_EQ(red->primary.payload_type, 96);
  SetRedPayloadTypes(bytes, 111);
  EXPECT_EQ(bytes, Example());
}

}  // namespace
}  // namespace tertulia
