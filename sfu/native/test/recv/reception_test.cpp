#include "recv/reception.hpp"

#include <gtest/gtest.h>

namespace tertulia {
namespace {

using Verdict = Reception::Verdict;

class ReceptionTest : public testing::Test {
 protected:
  Reception::Result Receive(std::uint16_t sequence) {
    return reception.Receive(sequence, sequence * 960U, now += 20'000, 48'000);
  }
  Reception reception;
  TimeUs now = 0;
};

TEST_F(ReceptionTest, SequenceNumbersGoOnThroughAWrap) {
  EXPECT_EQ(Receive(65'535).sequence, 65'535);
  EXPECT_EQ(Receive(0).sequence, 65'536);
  EXPECT_EQ(Receive(65'534).sequence, 65'534);
  EXPECT_EQ(Receive(1).sequence, 65'537);
}

TEST_F(ReceptionTest, ADuplicateIsRejectedALatePacketIsNot) {
  Receive(10);
  Receive(12);
  const auto late = Receive(11);
  EXPECT_EQ(late.verdict, Verdict::kAccepted);
  EXPECT_FALSE(late.newest);
  for (const std::uint16_t sequence : {10, 11, 12}) {
    EXPECT_EQ(Receive(sequence).verdict, Verdict::kRejected);
  }
  EXPECT_EQ(reception.lost(), 0);
}

TEST_F(ReceptionTest, OnePacketFarAwayIsRejectedTwoAreANewBeginning) {
  Receive(10);
  EXPECT_EQ(Receive(30'000).verdict, Verdict::kRejected);
  EXPECT_EQ(Receive(11).verdict, Verdict::kAccepted);
  EXPECT_EQ(Receive(40'000).verdict, Verdict::kRejected);
  const auto restarted = Receive(40'001);
  EXPECT_EQ(restarted.verdict, Verdict::kRestarted);
  EXPECT_GT(restarted.sequence, 11);
  EXPECT_EQ(static_cast<std::uint16_t>(restarted.sequence), 40'001);
  EXPECT_EQ(reception.lost(), 0);
}

TEST_F(ReceptionTest, PacketsBehindTheWindowAreRejected) {
  Receive(1'000);
  Receive(2'000);
  EXPECT_EQ(Receive(1'488).verdict, Verdict::kRejected);
  EXPECT_EQ(Receive(1'489).verdict, Verdict::kAccepted);
}

TEST_F(ReceptionTest, TheFractionLostIsThatOfTheIntervalAndTheRestIsCumulative) {
  for (std::uint16_t i = 0; i < 100; ++i) {
    if (i % 4 != 1) {
      Receive(i);
    }
  }
  rtcp::ReportBlock block = reception.Report(7, now);
  EXPECT_EQ(block.fraction_lost, 64);
  EXPECT_EQ(block.cumulative_lost, 25);
  EXPECT_FALSE(reception.ReceivedSinceReport());
  for (std::uint16_t i = 100; i < 200; ++i) {
    Receive(i);
  }
  block = reception.Report(7, now);
  EXPECT_EQ(block.fraction_lost, 0);
  EXPECT_EQ(block.cumulative_lost, 25);
  EXPECT_EQ(block.highest_sequence, 199U);
}

TEST_F(ReceptionTest, JitterSettlesOnTheDeviationAndIgnoresPacketsOfOnePicture) {
  for (std::uint16_t i = 0; i < 500; ++i) {
    const TimeUs arrival = i * 20'000 + (i % 2) * 5'000;
    reception.Receive(static_cast<std::uint16_t>(2 * i), i * 1'800U, arrival, 90'000);
    reception.Receive(static_cast<std::uint16_t>(2 * i + 1), i * 1'800U, arrival + 3'000, 90'000);
  }
  EXPECT_NEAR(reception.jitter(), 450, 30);  // 5 ms either way at 90 kHz
}

}  // namespace
}  // namespace tertulia
