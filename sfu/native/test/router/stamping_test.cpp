// What packets to a viewer carry so that its congestion feedback can be told.
#include <gtest/gtest.h>

#include <set>

#include "router/harness.hpp"

namespace tertulia::test {
namespace {

constexpr Handle kAlice = 1, kBob = 2, kVoice = 10, kCamera = 11, kVoiceSlot = 20, kPictureSlot = 21;

// Alice's voice and picture, shown to Bob in slots with this stamp, for a second.
std::vector<Sent> Show(World& world, SendStamp stamp) {
  world.AddPublisher(kAlice);
  world.AddViewer(kBob);
  world.AddAudioSource(kAlice, kVoice, 700, "0");
  world.AddVideoSource(kAlice, kCamera, 701, "1");
  world.AddSlot(kBob, kVoiceSlot, Kind::kAudio, 0x5000, "4", stamp);
  world.AddSlot(kBob, kPictureSlot, Kind::kVideo, 0x5001, "5", stamp);
  world.SetSlot(kVoiceSlot, kVoice);
  world.SetSlot(kPictureSlot, kCamera);
  Encoding camera;
  camera.ssrc = 0x100;
  PacketSpec voice;
  voice.ssrc = 0x200;
  voice.payload_type = 111;
  voice.mid = "0";
  voice.payload.assign(60, 1);
  for (int i = 0; i < 50; ++i) {
    voice.timestamp += 960;
    ++voice.sequence;
    world.Receive(kAlice, voice);
    world.ReceiveFrame(kAlice, "1", camera);
    world.Advance(20 * kMillisecond);
  }
  return world.output.packets;
}

TEST(Stamping, OneCounterRunsOverAllSlotsOfAViewer) {
  World world;
  const auto packets = Show(world, SendStamp::kTransportCc);
  ASSERT_GT(packets.size(), 150U);
  std::uint16_t expected = 0;
  std::set<std::uint32_t> streams;
  for (const Sent& sent : packets) {
    ASSERT_TRUE(sent.extensions.contains(kViewerTwccId));
    EXPECT_EQ(ReadU16(sent.extensions.at(kViewerTwccId).data()), expected++);
    streams.insert(sent.ssrc);
  }
  EXPECT_EQ(streams.size(), 2U);
}

TEST(Stamping, ReceiversWithoutTransportWideFeedbackAreToldTheTimeOfSending) {
  World world;
  for (const Sent& sent : Show(world, SendStamp::kAbsSendTime)) {
    ASSERT_TRUE(sent.extensions.contains(kViewerSendTimeId));
    EXPECT_EQ(ParseAbsSendTime(sent.extensions.at(kViewerSendTimeId)), ParseAbsSendTime(AbsSendTimeValue(sent.at)));
    EXPECT_FALSE(sent.extensions.contains(kViewerTwccId));
  }
}

TEST(Stamping, NothingIsStampedThatWasNotNegotiated) {
  World world;
  for (const Sent& sent : Show(world, SendStamp::kNone)) {
    EXPECT_FALSE(sent.extensions.contains(kViewerSendTimeId));
    EXPECT_FALSE(sent.extensions.contains(kViewerTwccId));
  }
}

}  // namespace
}  // namespace tertulia::test
