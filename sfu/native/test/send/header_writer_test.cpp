#include "send/header_writer.hpp"

#include <gtest/gtest.h>

#include "wire/rtp.hpp"

namespace tertulia {
namespace {

ExtensionIds Ids(std::uint8_t mid, std::uint8_t level, bool two_byte = false) {
  ExtensionIds ids;
  ids.id[static_cast<std::size_t>(Ext::kMid)] = mid;
  ids.id[static_cast<std::size_t>(Ext::kAudioLevel)] = level;
  ids.two_byte = two_byte;
  return ids;
}

// Writes a header with this level and gives it back as a reader sees it. The bytes live in `buffer`.
RtpView Write(const HeaderWriter& writer, std::uint8_t level, HeaderWriter::Buffer& buffer) {
  const std::array value = {level};
  IncomingPacket packet;
  packet.extensions[static_cast<std::size_t>(Ext::kAudioLevel)] = value;
  Numbers numbers;
  numbers.marker = true;
  numbers.sequence = 0xABCD;
  numbers.timestamp = 0x12345678;
  const std::size_t size = writer.Write(buffer, 100, 0xC0FFEE, numbers, packet);
  const auto view = RtpView::Parse(Bytes(buffer.data(), size));
  EXPECT_TRUE(view.has_value());
  EXPECT_EQ(view->header().size(), size);
  return *view;
}

std::string Text(std::optional<Bytes> value) { return value ? std::string(value->begin(), value->end()) : "none"; }

TEST(HeaderWriter, WritesWhatItIsGivenUnderTheViewersIds) {
  HeaderWriter::Buffer buffer{};
  const RtpView view = Write(HeaderWriter(Ids(4, 9), "seat-3", 77), 55, buffer);
  EXPECT_EQ(view.payload_type(), 100);
  EXPECT_TRUE(view.marker());
  EXPECT_EQ(view.sequence(), 0xABCD);
  EXPECT_EQ(view.timestamp(), 0x12345678U);
  EXPECT_EQ(view.ssrc(), 77U);
  ASSERT_EQ(view.csrc_count(), 1U);
  EXPECT_EQ(view.csrc(0), 0xC0FFEEU);
  EXPECT_TRUE(view.extensions().one_byte());
  EXPECT_EQ(Text(view.Extension(4)), "seat-3");
  EXPECT_EQ((*view.Extension(9))[0], 55);
}

TEST(HeaderWriter, IdsAbove14TakeTheTwoByteFormWhereThatIsAllowed) {
  HeaderWriter::Buffer buffer{};
  RtpView view = Write(HeaderWriter(Ids(4, 20, true), "m", 77), 55, buffer);
  EXPECT_TRUE(view.extensions().two_byte());
  EXPECT_EQ(Text(view.Extension(4)), "m");
  EXPECT_EQ((*view.Extension(20))[0], 55);
  view = Write(HeaderWriter(Ids(4, 20), "m", 77), 55, buffer);
  EXPECT_TRUE(view.extensions().one_byte());
  EXPECT_EQ(Text(view.Extension(4)), "m");
  EXPECT_EQ(view.Extension(20), std::nullopt);
}

TEST(HeaderWriter, WithoutExtensionsThereIsNoBlock) {
  HeaderWriter::Buffer buffer{};
  const RtpView view = Write(HeaderWriter(Ids(0, 0), "m", 77), 55, buffer);
  EXPECT_EQ(view.header().size(), 16U);
}

}  // namespace
}  // namespace tertulia
