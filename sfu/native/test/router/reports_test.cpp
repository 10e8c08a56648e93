// What publishers and viewers are told.
#include <gtest/gtest.h>

#include "recv/clock_map.hpp"
#include "router/harness.hpp"
#include "wire/twcc.hpp"

namespace tertulia::test {
namespace {

constexpr Handle kAlice = 1, kBob = 2, kVoice = 11, kCamera = 12, kVoiceSlot = 21, kPictureSlot = 22;
constexpr std::uint32_t kVoiceSsrc = 0x5001, kPictureSsrc = 0x5002;

class Reports : public testing::Test {
 protected:
  Reports() {
    world.AddPublisher(kAlice);
    world.AddViewer(kBob);
    world.AddAudioSource(kAlice, kVoice, 700, "0");
    world.AddVideoSource(kAlice, kCamera, 701, "1");
    world.AddSlot(kBob, kVoiceSlot, Kind::kAudio, kVoiceSsrc, "4");
    world.AddSlot(kBob, kPictureSlot, Kind::kVideo, kPictureSsrc, "5");
  }

  PacketSpec Voice(std::uint16_t sequence) {
    PacketSpec packet;
    packet.ssrc = 0xA;
    packet.sequence = sequence;
    packet.timestamp = static_cast<std::uint32_t>((world.now - delay) * 48 / 1'000);
    packet.payload_type = 111;
    packet.mid = "0";
    packet.payload.assign(80, 0x42);
    packet.transport_sequence = world.transport_sequence++;
    return packet;
  }

  void ReceiveSenderReport(std::uint32_t ssrc, std::uint64_t ntp, std::uint32_t timestamp) {
    std::array<std::uint8_t, 64> buffer{};
    rtcp::Writer writer(buffer);
    writer.AddSenderReport({ssrc, ntp, timestamp, 0, 0});
    world.ReceiveRtcp(kAlice, writer);
  }

  World world;
  Encoding camera{.ssrc = 0xB, .rid = {}};
  TimeUs delay = 0;
};

TEST_F(Reports, FeedbackNamesEveryPacketOfTheTransportEvery50Milliseconds) {
  std::map<int, bool> expected;
  std::uint16_t sequence = 0;
  world.transport_sequence = 65'500;
  for (int i = 0; i < 300; ++i) {
    const PacketSpec packet = Voice(sequence++);
    const bool lost = i % 7 == 3 && i < 290;
    expected[*packet.transport_sequence] = !lost;
    if (!lost) {
      PacketSpec other = packet;
      if (i % 5 == 0) {
        other.ssrc = 0xDEAD;  // belongs to nothing, and has arrived all the same
        other.mid = "nobody";
      }
      world.Receive(kAlice, other);
    }
    world.Advance(3 * kMillisecond);
  }
  world.Advance(100 * kMillisecond);
  std::map<int, bool> told;
  TimeUs last = 0;
  std::uint8_t count = 0;
  for (const SentRtcp& sent : world.output.rtcp) {
    rtcp::CompoundReader reader(sent.bytes);
    rtcp::Packet packet;
    while (reader.Next(packet)) {
      auto feedback = twcc::Reader::Parse(packet);
      if (!feedback) {
        continue;
      }
      if (last != 0) {
        EXPECT_LE(sent.at - last, 60 * kMillisecond);
      }
      last = sent.at;
      EXPECT_EQ(feedback->feedback_count(), count++);
      twcc::Status status;
      while (feedback->Next(status)) {
        told[status.sequence] = status.received;
      }
    }
  }
  EXPECT_EQ(told, expected);
}

TEST_F(Reports, ALatePacketIsToldAfterAll) {
  world.transport_sequence = 10;
  const PacketSpec first = Voice(0), late = Voice(1), third = Voice(2);
  world.Receive(kAlice, first);
  world.Receive(kAlice, third);
  world.Advance(60 * kMillisecond);
  world.output.rtcp.clear();
  world.Receive(kAlice, late);
  world.Advance(60 * kMillisecond);
  ASSERT_EQ(world.output.rtcp.size(), 1U);
  rtcp::CompoundReader reader(world.output.rtcp[0].bytes);
  rtcp::Packet packet;
  ASSERT_TRUE(reader.Next(packet) && reader.Next(packet));
  auto feedback = twcc::Reader::Parse(packet);
  ASSERT_TRUE(feedback.has_value());
  EXPECT_EQ(feedback->base_sequence(), 11);
  EXPECT_EQ(feedback->status_count(), 2);
}

TEST_F(Reports, ReceiverReportsCountLossAndEchoTheSendersReport) {
  world.Receive(kAlice, Voice(65'534));
  ReceiveSenderReport(0xA, 0x1234'5678'9ABC'DEF0, 0);
  for (const int i : {65'535, 0, 1, 2, 5, 6, 7}) {
    world.Advance(20 * kMillisecond);
    world.Receive(kAlice, Voice(static_cast<std::uint16_t>(i)));
  }
  world.Advance(500 * kMillisecond);
  const auto blocks = world.output.ReportBlocks(kAlice);
  ASSERT_EQ(blocks.size(), 1U);
  EXPECT_EQ(blocks[0].ssrc, 0xAU);
  EXPECT_EQ(blocks[0].cumulative_lost, 2);
  EXPECT_EQ(blocks[0].fraction_lost, 2 * 256 / 10);
  EXPECT_EQ(blocks[0].highest_sequence, 65'536U + 7);
  EXPECT_EQ(blocks[0].last_sr, 0x5678'9ABCU);
  EXPECT_NEAR(blocks[0].delay_since_last_sr, 0.5 * 65'536, 0.02 * 65'536);
  EXPECT_LT(blocks[0].jitter, 48U);
}

TEST_F(Reports, NothingIsReportedOfAnSsrcThatIsNotMapped) {
  PacketSpec packet = Voice(1);
  packet.mid.clear();
  packet.payload_type = 96;  // so not found by its payload type either
  packet.mid = "unknown";
  world.Receive(kAlice, packet);
  world.Advance(5 * kSecond);
  EXPECT_TRUE(world.output.ReportBlocks(kAlice).empty());
}

TEST_F(Reports, APublisherWithoutFeedbackGetsARampOfRemb) {
  MediaConfig media = PublisherMedia();
  media.transport_cc = false;
  media.remb = true;
  world.AddPublisher(5, media);
  world.AddAudioSource(5, 51, 800, "0");
  std::uint64_t last = 0;
  for (std::uint16_t i = 0; i < 150; ++i) {
    world.Receive(5, Voice(i));
    world.Advance(20 * kMillisecond);
  }
  int told = 0;
  for (const SentRtcp& sent : world.output.rtcp) {
    rtcp::CompoundReader reader(sent.bytes);
    rtcp::Packet packet;
    while (reader.Next(packet)) {
      if (const auto remb = rtcp::ParseRemb(packet)) {
        EXPECT_EQ(sent.session, 5U);
        EXPECT_GE(remb->bitrate_bps, last);
        last = remb->bitrate_bps;
        ++told;
      }
    }
  }
  EXPECT_GE(told, 5);
  EXPECT_GT(last, 4'000'000U);
}

TEST_F(Reports, TwoSenderReportsFollowEveryOccupationAndThenOneASecond) {
  world.SetSlot(kVoiceSlot, kVoice);
  const TimeUs start = world.now;
  std::uint32_t first = 0;
  for (std::uint16_t i = 0; i < 160; ++i) {
    world.Receive(kAlice, Voice(i));
    world.Advance(20 * kMillisecond);
  }
  first = world.output.packets[0].timestamp;
  const auto reports = world.output.SenderReports(kBob);
  ASSERT_GE(reports.size(), 4U);
  EXPECT_EQ(reports[0].first, start);
  EXPECT_EQ(reports[1].first, start + 60 * kMillisecond);
  EXPECT_EQ(reports[2].first, start + 1'060 * kMillisecond);
  for (const auto& [at, info] : reports) {
    EXPECT_EQ(info.ssrc, kVoiceSsrc);
    EXPECT_EQ(info.ntp, WallNtp(1'700'000'000'000'000 + at));
    // All on one line, whenever they are sent; and the first packet, captured at the start, is on it.
    EXPECT_NEAR(static_cast<std::int32_t>(info.rtp_timestamp - first), (at - start) * 48 / 1'000, 2);
  }
  world.Advance(10 * kSecond);
  EXPECT_LE(world.output.SenderReports(kBob).size(), reports.size() + 2) << "a slot that is silent reports nothing";
}

TEST_F(Reports, SoundAndPictureCapturedTogetherStayTogetherThoughThePublishersClockIsFiveSecondsOff) {
  world.SetSlot(kVoiceSlot, kVoice);
  world.SetSlot(kPictureSlot, kCamera);
  // Sound arrives 10 ms after it was captured, the picture of the same moment 90 ms later still.
  delay = 10 * kMillisecond;
  camera.timestamp_base = 0x8000'0000 - 100 * 90;
  const auto ntp = [&](TimeUs at) { return WallNtp(1'700'000'005'000'000 + at); };
  std::uint16_t sequence = 0;
  for (int i = 0; i < 600; ++i) {
    const bool silence = i % 100 >= 90;  // pauses let corrections of sound pass
    if (!silence) {
      world.Receive(kAlice, Voice(sequence++));
    }
    if (i % 2 == 0) {
      world.ReceiveFrame(kAlice, "1", camera);
    }
    if (i % 50 == 25) {
      ReceiveSenderReport(0xA, ntp(world.now), static_cast<std::uint32_t>(world.now * 48 / 1'000));
      ReceiveSenderReport(0xB, ntp(world.now), 0x8000'0000 + static_cast<std::uint32_t>(world.now * 9 / 100));
    }
    world.Advance(20 * kMillisecond);
  }
  // Where the slots' reports put the last packets, against when they were captured.
  const auto reports = world.output.SenderReports(kBob);
  std::map<std::uint32_t, std::pair<TimeUs, rtcp::SenderInfo>> line;
  for (const auto& report : reports) {
    line[report.second.ssrc] = report;
  }
  const auto place = [&](std::uint32_t ssrc, TimeUs rate_khz) {
    const Sent last = world.output.OfSlot(ssrc).back();
    const auto& [at, info] = line.at(ssrc);
    return at + static_cast<std::int32_t>(last.timestamp - info.rtp_timestamp) * 1'000 / rate_khz;
  };
  const Sent voice = world.output.OfSlot(kVoiceSsrc).back();
  const Sent picture = world.output.OfSlot(kPictureSsrc).back();
  const TimeUs voice_error = place(kVoiceSsrc, 48) - (voice.at - 10 * kMillisecond);
  const TimeUs picture_error = place(kPictureSsrc, 90) - (picture.at - 100 * kMillisecond);
  EXPECT_LT(std::abs(voice_error - picture_error), 45 * kMillisecond) << voice_error << " " << picture_error;
}

TEST_F(Reports, AViewersReportTellsLossAndRoundTrip) {
  world.SetSlot(kVoiceSlot, kVoice);
  world.Receive(kAlice, Voice(1));
  const auto [at, info] = world.output.SenderReports(kBob).at(0);
  world.Advance(300 * kMillisecond);
  std::array<std::uint8_t, 64> buffer{};
  rtcp::Writer writer(buffer);
  rtcp::ReportBlock block;
  block.ssrc = kVoiceSsrc;
  block.fraction_lost = 64;
  block.last_sr = static_cast<std::uint32_t>(info.ntp >> 16);
  block.delay_since_last_sr = 65'536 / 4;
  writer.AddReceiverReport(1, std::span(&block, 1));
  world.ReceiveRtcp(kBob, writer);
  const SlotStats stats = [&] {
    for (const SlotStats& slot : world.router.GetSlotStats()) {
      if (slot.slot == kVoiceSlot) {
        return slot;
      }
    }
    return SlotStats();
  }();
  EXPECT_EQ(stats.fraction_lost, 64);
  EXPECT_NEAR(static_cast<double>(stats.round_trip_us), 50'000, 100);
  EXPECT_EQ(stats.packets, 1U);
  EXPECT_EQ(stats.bytes, 80U);
}

TEST_F(Reports, KeyFrameRequestsOfManyViewersAreOneEvery320MillisecondsAndEndWithAKeyFrame) {
  for (Handle viewer = 50; viewer < 60; ++viewer) {
    world.AddViewer(viewer);
    world.AddSlot(viewer, viewer + 100, Kind::kVideo, static_cast<std::uint32_t>(viewer), "5");
    world.SetSlot(viewer + 100, kCamera);
  }
  world.ReceiveFrame(kAlice, "1", camera);
  EXPECT_TRUE(world.output.KeyFrameRequests(kAlice).empty());
  for (int i = 0; i < 100; ++i) {
    std::array<std::uint8_t, 64> buffer{};
    rtcp::Writer writer(buffer);
    if (i % 2 == 0) {
      writer.AddPli(1, 50 + static_cast<std::uint32_t>(i) % 10);
    } else {
      writer.AddFir(1, 50 + static_cast<std::uint32_t>(i) % 10, static_cast<std::uint8_t>(i));
    }
    world.ReceiveRtcp(50 + static_cast<Handle>(i) % 10, writer);
    world.ReceiveFrame(kAlice, "1", camera);
    world.Advance(10 * kMillisecond);
  }
  const auto requests = world.output.KeyFrameRequests(kAlice);
  ASSERT_EQ(requests.size(), 4U);
  for (std::size_t i = 1; i < requests.size(); ++i) {
    EXPECT_GE(requests[i].first - requests[i - 1].first, 320 * kMillisecond);
  }
  camera.key_frame_wanted = true;
  world.ReceiveFrame(kAlice, "1", camera);
  world.Advance(5 * kSecond);
  EXPECT_EQ(world.output.KeyFrameRequests(kAlice).size(), 4U);
}

TEST_F(Reports, TheFirstRequestWaitsUntilThePublisherIsReady) {
  world.router.AddSession(6, PublisherMedia());
  world.AddVideoSource(6, 61, 900, "1");
  world.SetSlot(kPictureSlot, 61);
  camera.key_frame_wanted = false;
  world.ReceiveFrame(6, "1", camera);
  world.Advance(kSecond);
  EXPECT_TRUE(world.output.KeyFrameRequests(6).empty());
  world.router.SetSessionReady(6, world.now);
  world.AdvanceTo(world.now);
  EXPECT_EQ(world.output.KeyFrameRequests(6).size(), 1U);
}

TEST_F(Reports, AFloodOfUnknownStreamsCostsNothingThatStays) {
  world.SetSlot(kVoiceSlot, kVoice);
  world.Receive(kAlice, Voice(1));
  for (std::uint32_t i = 0; i < 20'000; ++i) {
    PacketSpec packet = Voice(static_cast<std::uint16_t>(i));
    packet.ssrc = 0x1'0000 + i;
    packet.transport_sequence.reset();
    switch (i % 3) {
      case 0:
        packet.mid = "x" + std::to_string(i);
        break;
      case 1:
        packet.mid = "1";  // a real section, claimed by one SSRC after the other
        packet.payload_type = 97;
        break;
      default:
        packet.mid.clear();
        packet.payload_type = 5;
    }
    world.Receive(kAlice, packet);
  }
  EXPECT_EQ(world.output.packets.size(), 1U);
  world.Receive(kAlice, Voice(2));
  EXPECT_EQ(world.output.packets.size(), 2U);
}

TEST_F(Reports, SpeakersAreToldWhenTheyChange) {
  world.AddAudioSource(kAlice, 13, 703, "3");
  std::uint16_t sequence = 0;
  const auto run = [&](std::optional<std::uint8_t> first, std::optional<std::uint8_t> second, TimeUs us) {
    for (const TimeUs end = world.now + us; world.now < end; world.Advance(20 * kMillisecond)) {
      PacketSpec packet = Voice(sequence++);
      packet.level = first;
      world.Receive(kAlice, packet);
      packet.ssrc = 0xC;
      packet.mid = "3";
      packet.level = second;
      world.Receive(kAlice, packet);
    }
  };
  run(90, 90, kSecond);
  EXPECT_TRUE(world.output.speakers.empty());
  run(20, 90, kSecond);
  ASSERT_FALSE(world.output.speakers.empty());
  ASSERT_EQ(world.output.speakers.back().size(), 1U);
  EXPECT_EQ(world.output.speakers.back()[0].first, kVoice);
  EXPECT_NEAR(world.output.speakers.back()[0].second, 20, 6);
  run(40, 10, kSecond);
  ASSERT_EQ(world.output.speakers.back().size(), 2U);
  EXPECT_EQ(world.output.speakers.back()[0].first, 13U);
  world.Advance(3 * kSecond);
  EXPECT_TRUE(world.output.speakers.back().empty());
  const std::size_t told = world.output.speakers.size();
  world.Advance(60 * kSecond);
  EXPECT_EQ(world.output.speakers.size(), told);
}

}  // namespace
}  // namespace tertulia::test
