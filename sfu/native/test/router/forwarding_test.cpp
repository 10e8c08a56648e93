// What comes in goes out to the slots that show it, translated.
#include <gtest/gtest.h>

#include "recv/clock_map.hpp"
#include "router/harness.hpp"
#include "wire/vp8.hpp"

namespace tertulia::test {
namespace {

constexpr Handle kAlice = 1, kBob = 2, kAliceVoice = 11, kAliceCamera = 12, kVoiceSlot = 21, kPictureSlot = 22;
constexpr std::uint32_t kVoiceSsrc = 0x5001, kPictureSsrc = 0x5002;

class Forwarding : public testing::Test {
 protected:
  Forwarding() {
    world.AddPublisher(kAlice);
    world.AddViewer(kBob);
    world.AddAudioSource(kAlice, kAliceVoice, 700, "0");
    world.AddVideoSource(kAlice, kAliceCamera, 701, "1");
    world.AddSlot(kBob, kVoiceSlot, Kind::kAudio, kVoiceSsrc, "4");
    world.AddSlot(kBob, kPictureSlot, Kind::kVideo, kPictureSsrc, "5");
  }

  PacketSpec Voice() {
    PacketSpec packet;
    packet.ssrc = 0xA;
    packet.sequence = sequence_++;
    packet.timestamp = 5'000 + static_cast<std::uint32_t>(world.now * 48 / 1'000);
    packet.payload_type = 111;
    packet.mid = "0";
    packet.level = 30;
    packet.payload.assign(80, 0x42);
    return packet;
  }

  World world;
  Encoding camera{.ssrc = 0xB, .rid = {}, .sequence = 65'530, .picture_id = 0x7FFE, .tl0_index = 250, .key_index = 30};

 private:
  std::uint16_t sequence_ = 100;
};

TEST_F(Forwarding, AudioGoesOutUnderTheSlotsOwnNames) {
  world.SetSlot(kVoiceSlot, kAliceVoice);
  world.Receive(kAlice, Voice());
  ASSERT_EQ(world.output.packets.size(), 1U);
  const Sent& sent = world.output.packets[0];
  EXPECT_EQ(sent.session, kBob);
  EXPECT_EQ(sent.ssrc, kVoiceSsrc);
  EXPECT_EQ(sent.csrc, 700U);
  EXPECT_EQ(sent.payload_type, 109);
  EXPECT_EQ(sent.mid, "4");
  EXPECT_TRUE(sent.marker);
  EXPECT_EQ(sent.extensions.at(kViewerLevelId), std::vector<std::uint8_t>{30});
  EXPECT_EQ(sent.payload, std::vector<std::uint8_t>(80, 0x42));
  ASSERT_EQ(world.output.switches.size(), 1U);
  EXPECT_EQ(world.output.switches[0].source, kAliceVoice);
  EXPECT_EQ(world.output.switches[0].first_timestamp, sent.timestamp);
}

TEST_F(Forwarding, NothingGoesToAViewerThatIsNotReady) {
  world.router.AddSession(3, ViewerMedia());
  world.AddSlot(3, 31, Kind::kAudio, 0x6001, "4");
  world.SetSlot(31, kAliceVoice);
  world.Receive(kAlice, Voice());
  EXPECT_TRUE(world.output.packets.empty());
  world.router.SetSessionReady(3, world.now);
  world.Receive(kAlice, Voice());
  EXPECT_EQ(world.output.packets.size(), 1U);
}

TEST_F(Forwarding, AKeyFrameWhoseFirstPacketComesLateIsShownFromThere) {
  world.ReceiveFrame(kAlice, "1", camera);
  world.SetSlot(kPictureSlot, kAliceCamera);
  world.Advance(33 * kMillisecond);
  const std::size_t asked = world.output.KeyFrameRequests(kAlice).size();
  const TimeUs captured = world.now;
  // Its first packet is on its way for longer than all of the next picture.
  const auto receive = [&](std::uint16_t sequence, bool start, bool key_frame, bool marker, std::uint16_t picture) {
    PacketSpec packet;
    packet.ssrc = 0xB;
    packet.sequence = sequence;
    packet.timestamp = static_cast<std::uint32_t>((captured + picture * 33 * kMillisecond) * 9 / 100);
    packet.payload_type = 96;
    packet.marker = marker;
    packet.mid = "1";
    Vp8Spec vp8;
    vp8.picture_id = static_cast<std::uint16_t>((camera.picture_id + 1 + picture) & 0x7FFF);
    vp8.tl0_index = static_cast<std::uint8_t>(camera.tl0_index + 1 + picture);
    vp8.start = start;
    vp8.key_frame = key_frame;
    vp8.tag = sequence;
    packet.payload = Vp8Payload(vp8);
    return packet;
  };
  const std::uint16_t first = camera.sequence;
  const auto number = [&](int step) { return static_cast<std::uint16_t>(first + step); };
  world.Receive(kAlice, receive(number(1), false, false, false, 0));
  world.Receive(kAlice, receive(number(2), false, false, true, 0));
  world.Advance(33 * kMillisecond);
  world.Receive(kAlice, receive(number(3), true, false, true, 1));
  EXPECT_TRUE(world.output.OfSlot(kPictureSsrc).empty());
  world.Advance(20 * kMillisecond);
  world.Receive(kAlice, receive(number(0), true, true, false, 0));
  world.Advance(13 * kMillisecond);
  world.Receive(kAlice, receive(number(4), true, false, true, 2));

  const std::vector<Sent> sent = world.output.OfSlot(kPictureSsrc);
  ASSERT_EQ(sent.size(), 5U);
  EXPECT_TRUE(sent[0].key_frame);
  for (std::size_t i = 0; i < sent.size(); ++i) {
    EXPECT_EQ(sent[i].sequence, static_cast<std::uint16_t>(sent[0].sequence + i));
    EXPECT_EQ(ReadU32(&sent[i].payload[sent[i].payload.size() - 4]), number(static_cast<int>(i)));
  }
  // The pictures keep their distance, and the line: the first was captured 53 ms before it was sent.
  EXPECT_EQ(sent[1].timestamp, sent[0].timestamp);
  EXPECT_NEAR(static_cast<double>(sent[3].timestamp - sent[0].timestamp), 33 * 90, 1);
  EXPECT_NEAR(static_cast<double>(sent[4].timestamp - sent[3].timestamp), 33 * 90, 1);
  world.Advance(kSecond);
  EXPECT_EQ(world.output.KeyFrameRequests(kAlice).size(), asked);
}

TEST_F(Forwarding, VideoWaitsForAKeyFrameAndAsksForOne) {
  world.ReceiveFrame(kAlice, "1", camera);
  world.Advance(33 * kMillisecond);
  world.SetSlot(kPictureSlot, kAliceCamera);
  world.ReceiveFrame(kAlice, "1", camera);
  EXPECT_TRUE(world.output.packets.empty());
  ASSERT_EQ(world.output.KeyFrameRequests(kAlice).size(), 1U);
  EXPECT_EQ(world.output.KeyFrameRequests(kAlice)[0].second, 0xBU);
  camera.key_frame_wanted = true;
  world.Advance(33 * kMillisecond);
  world.ReceiveFrame(kAlice, "1", camera);
  ASSERT_EQ(world.output.packets.size(), 3U);
  EXPECT_TRUE(world.output.packets[0].key_frame);
  EXPECT_TRUE(world.output.packets[2].marker);
  EXPECT_EQ(world.output.packets[0].csrc, 701U);
}

TEST_F(Forwarding, AKeyFrameHalfOfWhichCameBeforeTheRequestDoesNotOpenTheSlot) {
  PacketSpec packet;
  packet.ssrc = 0xB;
  packet.payload_type = 96;
  packet.mid = "1";
  packet.sequence = 1;
  packet.payload = Vp8Payload({.picture_id = 5, .start = true, .key_frame = true});
  world.Receive(kAlice, packet);
  world.SetSlot(kPictureSlot, kAliceCamera);
  packet.sequence = 2;
  packet.payload = Vp8Payload({.picture_id = 5, .start = false});
  world.Receive(kAlice, packet);
  EXPECT_TRUE(world.output.packets.empty());
}

TEST_F(Forwarding, ALateKeyFrameOfWhichNothingElseIsHereDoesNotOpenTheSlot) {
  world.SetSlot(kPictureSlot, kAliceCamera);
  PacketSpec packet;
  packet.ssrc = 0xB;
  packet.payload_type = 96;
  packet.mid = "1";
  packet.sequence = 2;
  packet.timestamp = 3'000;
  packet.payload = Vp8Payload({.picture_id = 6, .start = true});
  world.Receive(kAlice, packet);
  packet.sequence = 1;
  packet.timestamp = 0;
  packet.payload = Vp8Payload({.picture_id = 5, .start = true, .key_frame = true});
  world.Receive(kAlice, packet);
  EXPECT_TRUE(world.output.packets.empty());
  EXPECT_FALSE(world.output.KeyFrameRequests(kAlice).empty());
}

TEST_F(Forwarding, NumbersContinueWhenAllOfThemWrap) {
  world.SetSlot(kPictureSlot, kAliceCamera);
  for (int i = 0; i < 20; ++i) {
    world.ReceiveFrame(kAlice, "1", camera);
    world.Advance(33 * kMillisecond);
  }
  ASSERT_EQ(world.output.packets.size(), 60U);
  const auto first = ParseVp8(world.output.packets[0].payload);
  for (std::size_t i = 1; i < 60; ++i) {
    EXPECT_EQ(world.output.packets[i].sequence, static_cast<std::uint16_t>(world.output.packets[0].sequence + i));
    const auto vp8 = ParseVp8(world.output.packets[i].payload);
    EXPECT_EQ(*vp8->picture_id, (*first->picture_id + i / 3) & 0x7FFF);
    EXPECT_EQ(*vp8->tl0_index, static_cast<std::uint8_t>(*first->tl0_index + i / 3));
    EXPECT_EQ(*vp8->key_index, *first->key_index);
  }
}

TEST_F(Forwarding, AShortPictureIdIsSaidInTheLongForm) {
  world.SetSlot(kPictureSlot, kAliceCamera);
  for (unsigned i = 0; i < 300; ++i) {
    PacketSpec packet;
    packet.ssrc = 0xB;
    packet.payload_type = 96;
    packet.mid = "1";
    packet.orientation = 3;
    packet.sequence = static_cast<std::uint16_t>(i);
    packet.timestamp = i * 3'000;
    packet.payload = Vp8Payload(
        {.picture_id = static_cast<std::uint16_t>(100 + i), .short_id = true, .key_frame = i == 0, .tag = i});
    world.Receive(kAlice, packet);
    world.Advance(33 * kMillisecond);
  }
  ASSERT_EQ(world.output.packets.size(), 300U);
  const auto first = ParseVp8(world.output.packets[0].payload);
  for (std::size_t i = 0; i < 300; ++i) {
    const Sent& sent = world.output.packets[i];
    const auto vp8 = ParseVp8(sent.payload);
    EXPECT_TRUE(vp8->long_picture_id);
    EXPECT_EQ(*vp8->picture_id, (*first->picture_id + i) & 0x7FFF);
    EXPECT_EQ(ReadU32(&sent.payload[sent.payload.size() - 4]), i);
    EXPECT_EQ(sent.extensions.at(kViewerOrientationId), std::vector<std::uint8_t>{3});
  }
}

TEST_F(Forwarding, PaddingIsTakenOffAndPacketsOfPaddingOnlyLeaveNoGap) {
  world.SetSlot(kVoiceSlot, kAliceVoice);
  for (int i = 0; i < 9; ++i) {
    PacketSpec packet = Voice();
    packet.padding = 20;
    if (i % 3 == 1) {
      packet.payload.clear();
    }
    world.Receive(kAlice, packet);
    world.Advance(20 * kMillisecond);
  }
  ASSERT_EQ(world.output.packets.size(), 6U);
  for (std::size_t i = 1; i < 6; ++i) {
    EXPECT_EQ(world.output.packets[i].sequence, static_cast<std::uint16_t>(world.output.packets[i - 1].sequence + 1));
    EXPECT_EQ(world.output.packets[i].payload.size(), 80U);
  }
}

TEST_F(Forwarding, LatePacketsKeepTheirPlaceAndDuplicatesAreDropped) {
  world.SetSlot(kVoiceSlot, kAliceVoice);
  const PacketSpec a = Voice(), b = Voice(), padding = [&] {
    PacketSpec packet = Voice();
    packet.payload.clear();
    packet.padding = 8;
    return packet;
  }();
  const PacketSpec c = Voice(), d = Voice();
  for (const PacketSpec& packet : {a, padding, b, d, c, b, c, d, padding}) {
    world.Receive(kAlice, packet);
  }
  std::vector<int> order;
  for (const Sent& sent : world.output.packets) {
    order.push_back(sent.sequence - world.output.packets[0].sequence);
  }
  EXPECT_EQ(order, (std::vector<int>{0, 1, 3, 2}));
}

TEST_F(Forwarding, AFormatThatTheViewerDoesNotKnowIsToldOnceAndNotSent) {
  world.SetSlot(kPictureSlot, kAliceCamera);
  for (int i = 0; i < 3; ++i) {
    PacketSpec packet;
    packet.ssrc = 0xB;
    packet.payload_type = 102;
    packet.mid = "1";
    packet.sequence = static_cast<std::uint16_t>(i);
    packet.payload = {0x67, 0x42, 0xE0, 0x1F};  // an SPS
    world.Receive(kAlice, packet);
  }
  EXPECT_TRUE(world.output.packets.empty());
  EXPECT_EQ(world.output.unsupported, (std::vector<std::pair<Handle, Handle>>{{kPictureSlot, kAliceCamera}}));
}

TEST_F(Forwarding, APausedSourceIsHeardByNobodyAndComesBackWithAKeyFrame) {
  world.SetSlot(kPictureSlot, kAliceCamera);
  world.ReceiveFrame(kAlice, "1", camera);
  EXPECT_EQ(world.output.packets.size(), 3U);
  world.router.PauseSource(kAliceCamera, true);
  world.Advance(kSecond);
  world.ReceiveFrame(kAlice, "1", camera);
  EXPECT_EQ(world.output.packets.size(), 3U);
  EXPECT_TRUE(world.output.KeyFrameRequests(kAlice).empty());
  world.router.PauseSource(kAliceCamera, false);
  world.AdvanceTo(world.now);
  EXPECT_EQ(world.output.KeyFrameRequests(kAlice).size(), 1U);
  world.ReceiveFrame(kAlice, "1", camera);
  EXPECT_EQ(world.output.packets.size(), 3U);
  camera.key_frame_wanted = true;
  world.ReceiveFrame(kAlice, "1", camera);
  ASSERT_EQ(world.output.packets.size(), 6U);
  EXPECT_EQ(world.output.packets[3].sequence, static_cast<std::uint16_t>(world.output.packets[2].sequence + 1));
}

TEST_F(Forwarding, EmptyingASlotAndRemovingASourceAreTold) {
  world.SetSlot(kVoiceSlot, kAliceVoice);
  world.Receive(kAlice, Voice());
  world.SetSlot(kVoiceSlot, 0);
  world.Receive(kAlice, Voice());
  EXPECT_EQ(world.output.packets.size(), 1U);
  world.SetSlot(kVoiceSlot, kAliceVoice);
  world.Receive(kAlice, Voice());
  EXPECT_EQ(world.output.packets.size(), 2U);
  world.router.RemoveSession(kAlice);
  ASSERT_EQ(world.output.switches.size(), 4U);
  EXPECT_EQ(world.output.switches[1].source, 0U);
  EXPECT_EQ(world.output.switches[3].source, 0U);
  EXPECT_TRUE(world.router.GetSourceStats().empty());
}

TEST_F(Forwarding, SettingWhatIsSetAndStaleHandlesDoNothing) {
  world.SetSlot(kVoiceSlot, kAliceVoice);
  world.Receive(kAlice, Voice());
  world.SetSlot(kVoiceSlot, kAliceVoice);
  world.SetSlot(kVoiceSlot, kAliceCamera);  // of the other kind
  world.SetSlot(kVoiceSlot, 999);
  world.SetSlot(999, kAliceVoice);
  world.router.RemoveSource(999);
  world.router.RemoveSlot(999);
  world.router.RemoveSession(999);
  world.router.PauseSource(999, true);
  world.Receive(999, Voice());
  world.Receive(kAlice, Voice());
  EXPECT_EQ(world.output.packets.size(), 2U);
  EXPECT_EQ(world.output.switches.size(), 1U);
}

TEST_F(Forwarding, TheCaptureTimeIsTranslatedToTheWorkersClock) {
  world.SetSlot(kVoiceSlot, kAliceVoice);
  PacketSpec packet = Voice();
  packet.capture_time = std::uint64_t{12'345} << 32;
  world.Receive(kAlice, packet);
  const auto& value = world.output.packets.at(0).extensions.at(kViewerCaptureId);
  ASSERT_EQ(value.size(), 8U);
  EXPECT_EQ(ReadU64(value.data()), WallNtp(1'700'000'000'000'000 + world.now));
}

TEST_F(Forwarding, ActivityIsToldOnceEachWay) {
  world.Receive(kAlice, Voice());
  world.Advance(kSecond);
  world.Receive(kAlice, Voice());
  world.Advance(3 * kSecond);
  world.Receive(kAlice, Voice());
  EXPECT_EQ(world.output.activity,
            (std::vector<std::pair<Handle, bool>>{{kAliceVoice, true}, {kAliceVoice, false}, {kAliceVoice, true}}));
}

TEST_F(Forwarding, RemovedThingsLeaveNothingBehind) {
  world.SetSlot(kVoiceSlot, kAliceVoice);
  world.SetSlot(kPictureSlot, kAliceCamera);
  world.Receive(kAlice, Voice());
  world.router.RemoveSession(kBob);
  world.Receive(kAlice, Voice());
  world.router.RemoveSource(kAliceVoice);
  world.Receive(kAlice, Voice());
  world.router.RemoveSession(kAlice);
  world.Receive(kAlice, Voice());
  world.Advance(10 * kSecond);
  EXPECT_EQ(world.output.packets.size(), 1U);
  EXPECT_TRUE(world.router.GetSlotStats().empty());
  EXPECT_TRUE(world.router.GetSourceStats().empty());
}

}  // namespace
}  // namespace tertulia::test
