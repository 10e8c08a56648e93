#include "wire/rtcp.hpp"

#include <gtest/gtest.h>

#include <array>
#include <vector>

#include "support/hex.hpp"

namespace tertulia::rtcp {
namespace {

using test::FromHex;

// The only packet of a compound.
Packet One(Bytes bytes) {
  CompoundReader reader(bytes);
  Packet packet;
  EXPECT_TRUE(reader.Next(packet));
  Packet other;
  EXPECT_FALSE(reader.Next(other));
  EXPECT_FALSE(reader.malformed());
  return packet;
}

ReportBlock SampleBlock() {
  ReportBlock block;
  block.ssrc = 7;
  block.fraction_lost = 128;
  block.cumulative_lost = -3;
  block.highest_sequence = 0x0001FFFF;
  block.jitter = 90;
  block.last_sr = 0xAABBCCDD;
  block.delay_since_last_sr = 65536;
  return block;
}

void ExpectSampleBlock(const ReportBlock& block) {
  EXPECT_EQ(block.ssrc, 7U);
  EXPECT_EQ(block.fraction_lost, 128);
  EXPECT_EQ(block.cumulative_lost, -3);
  EXPECT_EQ(block.highest_sequence, 0x0001FFFFU);
  EXPECT_EQ(block.jitter, 90U);
  EXPECT_EQ(block.last_sr, 0xAABBCCDDU);
  EXPECT_EQ(block.delay_since_last_sr, 65536U);
}

TEST(Rtcp, ReportsComeBackAsTheyWereWritten) {
  std::array<std::uint8_t, 256> buffer{};
  Writer writer(buffer);
  const std::array blocks{SampleBlock(), SampleBlock()};
  ASSERT_TRUE(writer.AddSenderReport(
      {.ssrc = 1, .ntp = 0x0102030405060708, .rtp_timestamp = 3, .packets = 4, .octets = 5}, blocks));
  const auto sender = ParseSenderReport(One(writer.written()));
  ASSERT_TRUE(sender);
  EXPECT_EQ(sender->info.ssrc, 1U);
  EXPECT_EQ(sender->info.ntp, 0x0102030405060708U);
  EXPECT_EQ(sender->info.rtp_timestamp, 3U);
  EXPECT_EQ(sender->info.packets, 4U);
  EXPECT_EQ(sender->info.octets, 5U);
  ASSERT_EQ(sender->reports.size(), 2U);
  ExpectSampleBlock(sender->reports[1]);

  Writer other(buffer);
  ASSERT_TRUE(other.AddReceiverReport(9, blocks));
  const auto receiver = ParseReceiverReport(One(other.written()));
  ASSERT_TRUE(receiver);
  EXPECT_EQ(receiver->ssrc, 9U);
  ASSERT_EQ(receiver->reports.size(), 2U);
  ExpectSampleBlock(receiver->reports[0]);
  EXPECT_FALSE(ParseSenderReport(One(other.written())));
}

TEST(Rtcp, CumulativeLossIsClampedTo24Bits) {
  std::array<std::uint8_t, 64> buffer{};
  Writer writer(buffer);
  ReportBlock block;
  block.cumulative_lost = 0x7FFFFFFF;
  ASSERT_TRUE(writer.AddReceiverReport(1, std::span(&block, 1)));
  EXPECT_EQ(ParseReceiverReport(One(writer.written()))->reports[0].cumulative_lost, 0x7FFFFF);
}

TEST(Rtcp, ACompoundIsSteppedThrough) {
  std::array<std::uint8_t, 512> buffer{};
  Writer writer(buffer);
  const std::array<std::uint32_t, 2> ssrcs{5, 6};
  const std::array<std::uint16_t, 1> lost{77};
  ASSERT_TRUE(writer.AddReceiverReport(1));
  ASSERT_TRUE(writer.AddSdesCname(1, "cname"));
  ASSERT_TRUE(writer.AddPli(1, 2));
  ASSERT_TRUE(writer.AddFir(1, 2, 200));
  ASSERT_TRUE(writer.AddNack(1, 2, lost));
  ASSERT_TRUE(writer.AddRemb(1, 1'000'000, ssrcs));
  ASSERT_TRUE(writer.AddBye(1));
  std::vector<Type> types;
  CompoundReader reader(writer.written());
  for (Packet packet; reader.Next(packet);) types.push_back(packet.type);
  EXPECT_FALSE(reader.malformed());
  EXPECT_EQ(types, (std::vector{Type::kReceiverReport, Type::kSourceDescription, Type::kPayloadFeedback,
                                Type::kPayloadFeedback, Type::kTransportFeedback, Type::kPayloadFeedback, Type::kBye}));
}

TEST(Rtcp, FeedbackComesBackAsItWasWritten) {
  std::array<std::uint8_t, 64> buffer{};
  Writer pli(buffer);
  ASSERT_TRUE(pli.AddPli(1, 2));
  EXPECT_EQ(ParsePli(One(pli.written()))->media_ssrc, 2U);
  EXPECT_FALSE(ParseFir(One(pli.written())));
  Writer fir(buffer);
  ASSERT_TRUE(fir.AddFir(1, 2, 200));
  const auto parsed = ParseFir(One(fir.written()));
  ASSERT_TRUE(parsed);
  ASSERT_EQ(parsed->size(), 1U);
  EXPECT_EQ((*parsed)[0].ssrc, 2U);
  EXPECT_EQ((*parsed)[0].sequence, 200);
  Writer bye(buffer);
  ASSERT_TRUE(bye.AddBye(3));
  EXPECT_EQ(ParseBye(One(bye.written()))->ssrc(0), 3U);
}

TEST(Rtcp, CnamesOfEveryLengthArePaddedAndRead) {
  for (std::size_t length = 1; length <= 255; ++length) {
    std::array<std::uint8_t, 512> buffer{};
    Writer writer(buffer);
    const std::string cname(length, 'c');
    ASSERT_TRUE(writer.AddSdesCname(length == 255 ? 9 : 8, cname));
    ASSERT_EQ(writer.size() % 4, 0U);
    const Packet packet = One(writer.written());
    SdesReader reader(packet);
    SdesChunk chunk;
    ASSERT_TRUE(reader.Next(chunk)) << length;
    EXPECT_EQ(chunk.cname, cname);
    EXPECT_FALSE(reader.Next(chunk));
    EXPECT_FALSE(reader.malformed());
  }
  std::array<std::uint8_t, 512> buffer{};
  EXPECT_FALSE(Writer(buffer).AddSdesCname(1, std::string(256, 'c')));
}

TEST(Rtcp, NackFoldsNeighboursAndUnfoldsThemAgain) {
  const std::vector<std::vector<std::uint16_t>> cases{
      {1}, {1, 2, 17}, {1, 17, 18}, {65534, 65535, 0, 1, 14, 15}, {10, 40, 41, 57, 58}};
  for (const auto& lost : cases) {
    std::array<std::uint8_t, 64> buffer{};
    Writer writer(buffer);
    ASSERT_TRUE(writer.AddNack(1, 2, lost));
    std::vector<std::uint16_t> seen;
    ParseNack(One(writer.written()))->ForEach([&](std::uint16_t sequence) { seen.push_back(sequence); });
    EXPECT_EQ(seen, lost);
  }
  std::array<std::uint8_t, 64> buffer{};
  Writer writer(buffer);
  ASSERT_TRUE(writer.AddNack(1, 2, cases[1]));
  EXPECT_EQ(writer.size(), 16U) << "17 is 16 after 1, so one item says it all";
  EXPECT_FALSE(writer.AddNack(1, 2, {}));
}

TEST(Rtcp, RembRoundsToEighteenBits) {
  const std::vector<std::pair<std::uint64_t, std::uint64_t>> cases{
      {0, 0}, {262'143, 262'143}, {262'145, 262'144}, {1'000'000, 1'000'000}, {UINT64_MAX, 0xFFFFC00000000000}};
  for (const auto& [said, heard] : cases) {
    std::array<std::uint8_t, 64> buffer{};
    Writer writer(buffer);
    const std::array<std::uint32_t, 1> ssrcs{42};
    ASSERT_TRUE(writer.AddRemb(1, said, ssrcs));
    const auto remb = ParseRemb(One(writer.written()));
    ASSERT_TRUE(remb);
    EXPECT_EQ(remb->bitrate_bps, heard);
    EXPECT_EQ(remb->ssrc(0), 42U);
  }
}

TEST(Rtcp, ARembTooLargeForABitrateMeansNoLimit) {
  const auto bytes = FromHex("8fce0005 00000001 00000000 52454d42 01ffffff 00000002");
  EXPECT_EQ(ParseRemb(One(bytes))->bitrate_bps, UINT64_MAX);
}

TEST(Rtcp, PaddingIsTakenOff) {
  const auto bytes = FromHex("a1ce0003 00000001 00000002 00000004");
  EXPECT_EQ(One(bytes).body.size(), 8U);
  EXPECT_TRUE(ParsePli(One(bytes)));
}

struct Malformed {
  const char* why;
  const char* hex;
};

class RtcpCompoundMalformed : public ::testing::TestWithParam<Malformed> {};

TEST_P(RtcpCompoundMalformed, EndsEarly) {
  const auto bytes = FromHex(GetParam().hex);
  CompoundReader reader(bytes);
  for (Packet packet; reader.Next(packet);) continue;
  EXPECT_TRUE(reader.malformed()) << GetParam().why;
}

INSTANTIATE_TEST_SUITE_P(Table, RtcpCompoundMalformed,
                         ::testing::Values(Malformed{"three bytes", "80c900"}, Malformed{"version 1", "40c90000"},
                                           Malformed{"length beyond the end", "80c90001"},
                                           Malformed{"second packet cut", "80c9000100000001 80c9"},
                                           Malformed{"padding longer than the body", "a0c9000100000005"},
                                           Malformed{"padding of zero", "a0c9000100000000"},
                                           Malformed{"padding without a body", "a0c90000"}));

class RtcpBodyMalformed : public ::testing::TestWithParam<Malformed> {};

TEST_P(RtcpBodyMalformed, IsNotParsed) {
  const auto bytes = FromHex(GetParam().hex);
  const Packet packet = One(bytes);
  EXPECT_FALSE(ParseSenderReport(packet) || ParseReceiverReport(packet) || ParseBye(packet) || ParsePli(packet) ||
               ParseFir(packet) || ParseNack(packet) || ParseRemb(packet))
      << GetParam().why;
  SdesReader reader(packet);
  SdesChunk chunk;
  EXPECT_FALSE(packet.type == Type::kSourceDescription && reader.Next(chunk)) << GetParam().why;
}

INSTANTIATE_TEST_SUITE_P(
    Table, RtcpBodyMalformed,
    ::testing::Values(Malformed{"SR without sender info", "80c8000100000001"},
                      Malformed{"RR announces a report it lacks", "81c9000100000001"},
                      Malformed{"SDES item overruns", "81ca0002 00000001 01ff6161"},
                      Malformed{"SDES without an end", "81ca0002 00000001 01026161"},
                      Malformed{"BYE announces a source it lacks", "82cb000100000001"},
                      Malformed{"PLI without a media source", "81ce000100000001"},
                      Malformed{"FIR without an entry", "84ce00020000000100000000"},
                      Malformed{"FIR with half an entry", "84ce0003000000010000000000000002"},
                      Malformed{"NACK without an item", "81cd00020000000100000002"},
                      Malformed{"REMB under another name", "8fce0004 00000001 00000000 52454d43 00000001"},
                      Malformed{"REMB announces a source it lacks", "8fce0004 00000001 00000000 52454d42 01000001"}));

TEST(Rtcp, WhatDoesNotFitLeavesTheCompoundAsItWas) {
  std::array<std::uint8_t, 20> buffer{};
  Writer writer(buffer);
  ASSERT_TRUE(writer.AddReceiverReport(1));
  const std::array<std::uint16_t, 2> lost{1, 100};
  const std::array<std::uint32_t, 1> ssrcs{1};
  EXPECT_FALSE(writer.AddSenderReport({}));
  EXPECT_FALSE(writer.AddSdesCname(1, "a long canonical name"));
  EXPECT_FALSE(writer.AddFir(1, 2, 3));
  EXPECT_FALSE(writer.AddNack(1, 2, lost));
  EXPECT_FALSE(writer.AddRemb(1, 2, ssrcs));
  EXPECT_EQ(writer.size(), 8U);
  EXPECT_TRUE(writer.AddPli(1, 2));
  EXPECT_FALSE(writer.AddBye(1));
  EXPECT_FALSE(writer.AddPli(1, 2));
  EXPECT_EQ(writer.size(), 20U);
}

}  // namespace
}  // namespace tertulia::rtcp
