#include "wire/rtp.hpp"

#include <gtest/gtest.h>

#include "support/hex.hpp"
#include "wire/demux.hpp"

namespace tertulia {
namespace {

using test::FromHex;
using test::ToHex;

TEST(Rtp, ReadsEveryFieldOfAPacketWithCsrcExtensionAndPadding) {
  const auto bytes = FromHex("b2 e0 1234 89abcdef 00000001 0000000a 0000000b bede0001 10ff0000 aabbcc 000003");
  const auto view = RtpView::Parse(bytes);
  ASSERT_TRUE(view);
  EXPECT_TRUE(view->marker());
  EXPECT_EQ(view->payload_type(), 96);
  EXPECT_EQ(view->sequence(), 0x1234);
  EXPECT_EQ(view->timestamp(), 0x89abcdefU);
  EXPECT_EQ(view->ssrc(), 1U);
  ASSERT_EQ(view->csrc_count(), 2U);
  EXPECT_EQ(view->csrc(0), 10U);
  EXPECT_EQ(view->csrc(1), 11U);
  EXPECT_EQ(ToHex(*view->Extension(1)), "ff");
  EXPECT_EQ(view->header().size(), 28U);
  EXPECT_EQ(ToHex(view->payload()), "aabbcc");
  EXPECT_EQ(view->padding_size(), 3U);
}

TEST(Rtp, APacketOfPaddingOnlyHasAnEmptyPayload) {
  const auto view = RtpView::Parse(FromHex("a060000100000000000000010000000000000008"));
  ASSERT_TRUE(view);
  EXPECT_TRUE(view->payload().empty());
  EXPECT_EQ(view->padding_size(), 8U);
}

TEST(Rtp, TheHeaderOfAnEncryptedPacketIsReadWithoutItsPadding) {
  const auto bytes = FromHex("a06000010000000000000001 aabbccff");
  EXPECT_FALSE(RtpView::Parse(bytes));
  const auto view = RtpView::ParseHeader(bytes);
  ASSERT_TRUE(view);
  EXPECT_EQ(view->payload().size(), 4U);
}

struct Malformed {
  const char* why;
  const char* hex;
};

class RtpMalformed : public ::testing::TestWithParam<Malformed> {};

TEST_P(RtpMalformed, IsRefused) { EXPECT_FALSE(RtpView::Parse(FromHex(GetParam().hex))) << GetParam().why; }

INSTANTIATE_TEST_SUITE_P(Table, RtpMalformed,
                         ::testing::Values(Malformed{"empty", ""}, Malformed{"eleven bytes", "8060000100000000000000"},
                                           Malformed{"version 1", "406000010000000000000001"},
                                           Malformed{"CSRC list cut", "82600001000000000000000100000001"},
                                           Malformed{"extension header cut", "906000010000000000000001bede"},
                                           Malformed{"extension data cut", "906000010000000000000001bede000210000000"},
                                           Malformed{"padding without payload", "a06000010000000000000001"},
                                           Malformed{"padding of zero", "a0600001000000000000000100"},
                                           Malformed{"padding longer than the payload",
                                                     "a0600001000000000000000100000005"}));

struct ExtensionCase {
  const char* what;
  std::uint16_t profile;
  const char* data;
  const char* elements;  // "id=value id=value"
};

class Extensions : public ::testing::TestWithParam<ExtensionCase> {};

TEST_P(Extensions, AreStepped) {
  const auto data = FromHex(GetParam().data);
  const ExtensionBlock block(GetParam().profile, data);
  std::string seen;
  std::size_t offset = 0;
  for (ExtensionElement element; block.Next(offset, element);) {
    seen += (seen.empty() ? "" : " ") + std::to_string(element.id) + "=" + ToHex(element.value);
    EXPECT_EQ(ToHex(*block.Find(element.id)), ToHex(element.value));
  }
  EXPECT_EQ(seen, GetParam().elements) << GetParam().what;
}

INSTANTIATE_TEST_SUITE_P(
    Table, Extensions,
    ::testing::Values(ExtensionCase{"one element and padding", 0xBEDE, "10aa0000", "1=aa"},
                      ExtensionCase{"padding between elements", 0xBEDE, "10aa000020bb0000", "1=aa 2=bb"},
                      ExtensionCase{"sixteen bytes", 0xBEDE, "1f000102030405060708090a0b0c0d0e0f000000",
                                    "1=000102030405060708090a0b0c0d0e0f"},
                      ExtensionCase{"id 15 ends it", 0xBEDE, "10aaf000 20bb0000", "1=aa"},
                      ExtensionCase{"id 0 with a length ends it", 0xBEDE, "10aa0100 20bb0000", "1=aa"},
                      ExtensionCase{"an element overruns", 0xBEDE, "10aa2fbb", "1=aa"},
                      ExtensionCase{"only padding", 0xBEDE, "00000000", ""},
                      ExtensionCase{"empty block", 0xBEDE, "", ""},
                      ExtensionCase{"two-byte form, empty value, long id", 0x1000, "1000ff0201020000", "16= 255=0102"},
                      ExtensionCase{"two-byte form with appbits", 0x100F, "01010200", "1=02"},
                      ExtensionCase{"two-byte form overruns", 0x1000, "0101aa0002ff0000", "1=aa"},
                      ExtensionCase{"two-byte form, length byte missing", 0x1000, "01010003", "1=00"},
                      ExtensionCase{"unknown profile", 0x1234, "10aa0000", ""}));

TEST(Rtp, TheIdZeroIsNeverFound) {
  const auto data = FromHex("00010203");
  EXPECT_FALSE(ExtensionBlock(0x1000, data).Find(0));
}

TEST(Rtp, AWrittenHeaderIsReadBack) {
  std::array<std::uint8_t, 128> buffer{};
  RtpHeader header;
  header.marker = true;
  header.payload_type = 111;
  header.sequence = 65535;
  header.timestamp = 0xFFFFFFFF;
  header.ssrc = 0xDEADBEEF;
  ASSERT_TRUE(header.AddCsrc(42));
  ASSERT_TRUE(header.AddExtension(1, StreamIdValue("mid7")));
  const auto transport = TransportCcValue(513);
  ASSERT_TRUE(header.AddExtension(14, transport));
  const std::size_t size = header.Write(buffer);
  ASSERT_EQ(size, header.Size());
  EXPECT_EQ(size % 4, 0U);
  const auto view = RtpView::Parse(Bytes(buffer).first(size));
  ASSERT_TRUE(view);
  EXPECT_TRUE(view->marker());
  EXPECT_EQ(view->payload_type(), 111);
  EXPECT_EQ(view->sequence(), 65535);
  EXPECT_EQ(view->timestamp(), 0xFFFFFFFFU);
  EXPECT_EQ(view->ssrc(), 0xDEADBEEFU);
  EXPECT_EQ(view->csrc(0), 42U);
  EXPECT_TRUE(view->extensions().one_byte());
  EXPECT_EQ(ParseStreamId(*view->Extension(1)), "mid7");
  EXPECT_EQ(ParseTransportCc(*view->Extension(14)), 513);
  EXPECT_TRUE(view->payload().empty());
}

TEST(Rtp, TheTwoByteFormIsUsedOnlyWhereItIsNeededAndAllowed) {
  const std::vector<std::uint8_t> value(17, 7);
  RtpHeader header;
  EXPECT_FALSE(header.AddExtension(1, value));
  EXPECT_FALSE(header.AddExtension(15, Bytes(value).first(1)));
  EXPECT_FALSE(header.AddExtension(1, {}));
  EXPECT_FALSE(header.AddExtension(0, Bytes(value).first(1)));
  header.two_byte_allowed = true;
  ASSERT_TRUE(header.AddExtension(2, Bytes(value).first(1)));
  std::array<std::uint8_t, 128> buffer{};
  EXPECT_TRUE(RtpView::Parse(Bytes(buffer).first(header.Write(buffer)))->extensions().one_byte());
  ASSERT_TRUE(header.AddExtension(1, value));
  const auto view = RtpView::Parse(Bytes(buffer).first(header.Write(buffer)));
  ASSERT_TRUE(view);
  EXPECT_TRUE(view->extensions().two_byte());
  EXPECT_EQ(view->Extension(1)->size(), 17U);
  EXPECT_EQ(view->Extension(2)->size(), 1U);
}

TEST(Rtp, AHeaderHasBoundedRoom) {
  RtpHeader header;
  for (std::size_t i = 0; i < kRtpMaxCsrc; ++i) EXPECT_TRUE(header.AddCsrc(1));
  EXPECT_FALSE(header.AddCsrc(1));
  const std::array<std::uint8_t, 1> value{};
  for (std::size_t i = 0; i < kRtpMaxExtensions; ++i) EXPECT_TRUE(header.AddExtension(1, value));
  EXPECT_FALSE(header.AddExtension(1, value));
  std::array<std::uint8_t, 256> buffer{};
  EXPECT_EQ(header.Write(MutableBytes(buffer).first(header.Size() - 1)), 0U);
  EXPECT_EQ(header.Write(buffer), header.Size());
}

TEST(Rtp, EditsTouchOnlyTheirField) {
  auto bytes = FromHex("80600001000000020000000300");
  SetRtpMarker(bytes, true);
  SetRtpPayloadType(bytes, 97);
  SetRtpSequence(bytes, 0xABCD);
  SetRtpTimestamp(bytes, 0x01020304);
  SetRtpSsrc(bytes, 0x05060708);
  EXPECT_EQ(ToHex(bytes), "80e1abcd010203040506070800");
}

TEST(Rtp, SerialNumbersCompareAcrossTheWrap) {
  EXPECT_TRUE(SequenceNewer(0, 65535));
  EXPECT_FALSE(SequenceNewer(65535, 0));
  EXPECT_FALSE(SequenceNewer(5, 5));
  EXPECT_TRUE(TimestampNewer(10, 0xFFFFFFF0));
  EXPECT_FALSE(TimestampNewer(0xFFFFFFF0, 10));
}

TEST(ExtensionValues, AreRead) {
  EXPECT_TRUE(ParseAudioLevel(FromHex("8a"))->voice);
  EXPECT_EQ(ParseAudioLevel(FromHex("8a"))->level, 10);
  EXPECT_FALSE(ParseAudioLevel({}));
  EXPECT_FALSE(ParseTransportCc(FromHex("01")));
  EXPECT_FALSE(ParseAbsSendTime(FromHex("0102")));
  EXPECT_EQ(ParseAbsSendTime(AbsSendTimeValue(0)), 0U);
  EXPECT_EQ(ParseAbsSendTime(AbsSendTimeValue(1'000'000)), 1U << 18);
  EXPECT_EQ(ParseAbsSendTime(AbsSendTimeValue(64'500'000)), 1U << 17) << "wraps every 64 s";
}

TEST(ExtensionValues, StreamIdsAreTokens) {
  const auto id = [](std::string_view text) { return ParseStreamId(test::AsBytes(text)); };
  EXPECT_EQ(id("q"), "q");
  EXPECT_EQ(id("video-1_a"), "video-1_a");
  EXPECT_FALSE(id(""));
  EXPECT_FALSE(id("a b"));
  EXPECT_FALSE(id("a\nb"));
  EXPECT_FALSE(id("a\xff"));
  EXPECT_FALSE(id(std::string(65, 'a')));
}

TEST(Demux, TheFirstByteDecides) {
  const auto kind = [](std::uint8_t first, std::uint8_t second, std::size_t size = 40) {
    std::vector<std::uint8_t> bytes(size, 0);
    if (size > 1) {
      bytes[0] = first;
      bytes[1] = second;
    }
    return Classify(bytes);
  };
  EXPECT_EQ(kind(0, 1), DatagramKind::kStun);
  EXPECT_EQ(kind(1, 1), DatagramKind::kStun);
  EXPECT_EQ(kind(4, 0), DatagramKind::kOther);
  EXPECT_EQ(kind(20, 0), DatagramKind::kDtls);
  EXPECT_EQ(kind(63, 0), DatagramKind::kDtls);
  EXPECT_EQ(kind(64, 0), DatagramKind::kOther);
  EXPECT_EQ(kind(128, 96), DatagramKind::kRtp);
  EXPECT_EQ(kind(191, 224), DatagramKind::kRtp);
  EXPECT_EQ(kind(128, 192), DatagramKind::kRtcp);
  EXPECT_EQ(kind(128, 223), DatagramKind::kRtcp);
  EXPECT_EQ(kind(128, 191), DatagramKind::kRtp);
  EXPECT_EQ(kind(192, 0), DatagramKind::kOther);
  EXPECT_EQ(kind(128, 96, 11), DatagramKind::kOther) << "too short for RTP";
  EXPECT_EQ(kind(128, 200, 8), DatagramKind::kRtcp);
  EXPECT_EQ(kind(0, 0, 0), DatagramKind::kOther);
}

}  // namespace
}  // namespace tertulia
