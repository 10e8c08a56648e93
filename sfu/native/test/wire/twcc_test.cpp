#include "wire/twcc.hpp"

#include <gtest/gtest.h>

#include <array>
#include <random>
#include <vector>

#include "support/hex.hpp"

namespace tertulia::twcc {
namespace {

using test::FromHex;
using Arrivals = std::vector<TimeUs>;

constexpr TimeUs kLost = kNotReceived;
constexpr TimeUs kWrapUs = kReferenceUs << 24;

std::vector<Status> Read(Bytes bytes) {
  rtcp::CompoundReader compound(bytes);
  rtcp::Packet packet;
  EXPECT_TRUE(compound.Next(packet));
  auto reader = Reader::Parse(packet);
  EXPECT_TRUE(reader);
  std::vector<Status> statuses;
  for (Status status; reader && reader->Next(status);) statuses.push_back(status);
  return statuses;
}

// What is said must be heard: every arrival to the step of 250 µs it lies in.
void ExpectSaid(std::uint16_t base, std::span<const TimeUs> arrivals, const std::vector<Status>& statuses) {
  ASSERT_LE(statuses.size(), arrivals.size());
  for (std::size_t i = 0; i < statuses.size(); ++i) {
    EXPECT_EQ(statuses[i].sequence, static_cast<std::uint16_t>(base + i));
    ASSERT_EQ(statuses[i].received, arrivals[i] >= 0) << i;
    if (statuses[i].received) {
      EXPECT_EQ(statuses[i].arrival_us % kWrapUs, arrivals[i] / kDeltaUs * kDeltaUs % kWrapUs) << i;
    }
  }
}

struct RoundTrip {
  const char* what;
  Arrivals arrivals;
  std::size_t bytes;
};

class TwccRoundTrip : public ::testing::TestWithParam<RoundTrip> {};

TEST_P(TwccRoundTrip, SaysWhatArrived) {
  std::array<std::uint8_t, 1200> buffer{};
  const auto& [what, arrivals, bytes] = GetParam();
  const Built built = Build(buffer, 1, 2, 3, 65530, arrivals);
  EXPECT_EQ(built.statuses, arrivals.size()) << what;
  EXPECT_EQ(built.bytes, bytes) << what;
  ExpectSaid(65530, arrivals, Read(Bytes(buffer).first(built.bytes)));
}

INSTANTIATE_TEST_SUITE_P(
    Table, TwccRoundTrip,
    ::testing::Values(RoundTrip{"one packet", {5'000}, 24}, RoundTrip{"at time zero", {0, 0, 0}, 28},
                      RoundTrip{"losses between", {64'000, kLost, 64'250, kLost, kLost, 70'000}, 28},
                      RoundTrip{"losses first", {kLost, kLost, 1'000'000}, 24},
                      RoundTrip{"losses last", {1'000'000, kLost, kLost}, 24},
                      RoundTrip{"out of order in time", {100'000, 90'000, 80'000}, 28},
                      RoundTrip{"63.75 ms apart is a small delta", {0, 63'750}, 24},
                      RoundTrip{"64 ms apart is a large one", {0, 64'000}, 28},
                      RoundTrip{"the reference time wraps", {kWrapUs - 1, kWrapUs + 1'000}, 24},
                      RoundTrip{"a long run of losses",
                                [] {
                                  Arrivals arrivals(600, kLost);
                                  arrivals.front() = 0;
                                  arrivals.back() = 1'000;
                                  return arrivals;
                                }(),
                                28}));

TEST(Twcc, RoundingDoesNotAddUp) {
  Arrivals arrivals;
  for (int i = 0; i < 500; ++i) arrivals.push_back(1'000 + i * 333);
  std::array<std::uint8_t, 1200> buffer{};
  const Built built = Build(buffer, 1, 2, 3, 0, arrivals);
  EXPECT_EQ(built.statuses, arrivals.size());
  ExpectSaid(0, arrivals, Read(Bytes(buffer).first(built.bytes)));
}

TEST(Twcc, AGapThatADeltaCannotSayBeginsANewMessage) {
  const Arrivals arrivals{0, 8'191'750, 8'191'750 + 8'192'000};
  std::array<std::uint8_t, 1200> buffer{};
  const Built built = Build(buffer, 1, 2, 3, 0, arrivals);
  EXPECT_EQ(built.statuses, 2U);
  const Built rest = Build(buffer, 1, 2, 4, 2, std::span(arrivals).subspan(2));
  EXPECT_EQ(rest.statuses, 1U);
}

TEST(Twcc, NothingArrivedIsNothingToSay) {
  const Arrivals arrivals(20, kLost);
  std::array<std::uint8_t, 1200> buffer{};
  EXPECT_EQ(Build(buffer, 1, 2, 3, 0, arrivals).bytes, 0U);
  EXPECT_EQ(Build(buffer, 1, 2, 3, 0, {}).bytes, 0U);
}

TEST(Twcc, RandomArrivalsComeBackInMessagesOfAnySize) {
  std::mt19937 random(20260101);
  for (int round = 0; round < 2'000; ++round) {
    Arrivals arrivals;
    TimeUs now = static_cast<TimeUs>(random()) * 1'000;
    const unsigned loss = random() % 100;
    const unsigned step = 1 + random() % 200'000;
    for (std::size_t i = 0, n = 1 + random() % 1'500; i < n; ++i) {
      now += random() % step;
      const TimeUs jitter = static_cast<TimeUs>(random() % 5'000);
      arrivals.push_back(random() % 100 < loss ? kLost : now - jitter);
    }
    std::vector<std::uint8_t> buffer(24 + random() % 1'200);
    std::size_t said = 0;
    while (said < arrivals.size()) {
      const auto rest = std::span<const TimeUs>(arrivals).subspan(said);
      const auto base = static_cast<std::uint16_t>(said);
      const Built built = Build(buffer, 1, 2, 3, base, rest);
      if (built.statuses == 0) {
        EXPECT_TRUE(std::all_of(rest.begin(), rest.end(), [](TimeUs t) { return t < 0; }));
        break;
      }
      ASSERT_LE(built.bytes, buffer.size());
      ASSERT_EQ(built.bytes % 4, 0U);
      const auto statuses = Read(Bytes(buffer).first(built.bytes));
      ASSERT_EQ(statuses.size(), built.statuses);
      ExpectSaid(base, rest, statuses);
      said += built.statuses;
    }
  }
}

TEST(Twcc, ReadsEveryKindOfChunk) {
  // base 10, 25 statuses, reference 2: a run of 3 small, 14 one-bit, 7 two-bit, and 1 more of a run that says 2.
  const auto bytes = FromHex(
      "8fcd0008 00000001 00000002 000a0019 00000207 2003 a000 e000 2002"  // chunks
      "010203 04 ffff 05 00");
  rtcp::CompoundReader compound(bytes);
  rtcp::Packet packet;
  ASSERT_TRUE(compound.Next(packet));
  const auto reader = Reader::Parse(packet);
  ASSERT_TRUE(reader);
  EXPECT_EQ(reader->sender_ssrc(), 1U);
  EXPECT_EQ(reader->media_ssrc(), 2U);
  EXPECT_EQ(reader->feedback_count(), 7);
  EXPECT_EQ(reader->reference_time(), 2U);
  const auto statuses = Read(bytes);
  ASSERT_EQ(statuses.size(), 25U);
  EXPECT_EQ(statuses[0].arrival_us, 128'000 + 250);
  EXPECT_EQ(statuses[2].arrival_us, 128'000 + 6 * 250);
  EXPECT_EQ(statuses[3].arrival_us, 128'000 + 10 * 250);
  EXPECT_FALSE(statuses[4].received);
  EXPECT_EQ(statuses[17].arrival_us, 128'000 + 9 * 250) << "a negative delta";
  EXPECT_EQ(statuses[24].sequence, 34);
  EXPECT_EQ(statuses[24].arrival_us, 128'000 + 14 * 250);
}

struct Malformed {
  const char* why;
  const char* hex;
};

class TwccMalformed : public ::testing::TestWithParam<Malformed> {};

TEST_P(TwccMalformed, IsNotParsed) {
  const auto bytes = FromHex(GetParam().hex);
  rtcp::CompoundReader compound(bytes);
  rtcp::Packet packet;
  ASSERT_TRUE(compound.Next(packet)) << GetParam().why;
  EXPECT_FALSE(Reader::Parse(packet)) << GetParam().why;
}

INSTANTIATE_TEST_SUITE_P(
    Table, TwccMalformed,
    ::testing::Values(Malformed{"no statuses", "8fcd0005 0000000100000002 00000000 00000000 00000000"},
                      Malformed{"no chunk", "8fcd0004 0000000100000002 00000001 00000000"},
                      Malformed{"a delta is missing", "8fcd0005 0000000100000002 00000003 00000000 20030101"},
                      Malformed{"reserved symbol", "8fcd0005 0000000100000002 00000001 00000000 60010000"},
                      Malformed{"fewer symbols than announced", "8fcd0005 0000000100000002 0000ffff 00000000 00010002"},
                      Malformed{"more statuses than anybody needs",
                                "8fcd0005 0000000100000002 00002001 00000000 1fff1fff"},
                      Malformed{"the wrong format", "81cd0005 0000000100000002 00000001 00000000 20010000"}));

}  // namespace
}  // namespace tertulia::twcc
