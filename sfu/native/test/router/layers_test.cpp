// Simulcast: the best layer that is alive is shown, and a layer that falls silent is noticed.
#include <gtest/gtest.h>

#include "router/harness.hpp"

namespace tertulia::test {
namespace {

constexpr Handle kAlice = 1, kBob = 2, kCamera = 11, kSlot = 21;
constexpr std::uint32_t kSlotSsrc = 0x5001;
constexpr TimeUs kFrameUs = 33 * kMillisecond;

class Layers : public testing::Test {
 protected:
  Layers() {
    world.AddPublisher(kAlice);
    world.AddViewer(kBob);
    // The best layer is in the middle: the order of RIDs says nothing.
    world.AddVideoSource(kAlice, kCamera, 700, "1", {"a", "b", "c"});
    world.AddSlot(kBob, kSlot, Kind::kVideo, kSlotSsrc, "5");
    Add("a", 320, 180);
    Add("b", 1'280, 720);
    Add("c", 640, 360);
  }

  void Add(const std::string& rid, std::uint16_t width, std::uint16_t height) {
    Encoding encoding{.ssrc = static_cast<std::uint32_t>(0x100 + encodings.size()), .rid = rid};
    encoding.width = width;
    encoding.height = height;
    encodings.push_back(encoding);
    sending.push_back(true);
  }

  // Sends pictures of the layers that send, answering key-frame requests on all of them.
  void Run(TimeUs us) {
    for (const TimeUs end = world.now + us; world.now < end; world.Advance(kFrameUs)) {
      const std::size_t asked = world.output.KeyFrameRequests(kAlice).size();
      for (std::size_t i = 0; i < encodings.size(); ++i) {
        encodings[i].key_frame_wanted = encodings[i].key_frame_wanted || asked > answered;
        if (sending[i]) {
          world.ReceiveFrame(kAlice, "1", encodings[i], static_cast<std::uint32_t>(i));
        }
      }
      answered = asked;
    }
  }

  // Which layer the last packet came from.
  std::uint32_t Shown() { return ReadU32(&world.output.packets.back().payload.end()[-4]); }

  World world;
  std::vector<Encoding> encodings;
  std::vector<bool> sending;
  std::size_t answered = 0;
};

TEST_F(Layers, TheBestByResolutionIsShownWhateverTheOrder) {
  world.SetSlot(kSlot, kCamera);
  Run(kSecond);
  EXPECT_EQ(Shown(), 1U);
}

TEST_F(Layers, ALayerThatFallsSilentIsReplacedWithin300Milliseconds) {
  world.SetSlot(kSlot, kCamera);
  Run(2 * kSecond);
  ASSERT_EQ(Shown(), 1U);
  const std::size_t requests = world.output.KeyFrameRequests(kAlice).size();
  const TimeUs silent_since = world.now - kFrameUs;
  sending[1] = false;
  Run(400 * kMillisecond);
  ASSERT_EQ(Shown(), 2U);
  const auto asked = world.output.KeyFrameRequests(kAlice);
  ASSERT_GT(asked.size(), requests);
  EXPECT_LE(asked[requests].first - silent_since, 300 * kMillisecond);
  EXPECT_EQ(asked[requests].second, 0x102U);
}

TEST_F(Layers, ALayerThatComesBackIsShownAgainOnceItHasProvenItself) {
  world.SetSlot(kSlot, kCamera);
  Run(2 * kSecond);
  sending[1] = false;
  Run(2 * kSecond);
  ASSERT_EQ(Shown(), 2U);
  sending[1] = true;
  encodings[1].key_frame_wanted = true;
  Run(400 * kMillisecond);
  EXPECT_EQ(Shown(), 2U);
  Run(600 * kMillisecond);
  EXPECT_EQ(Shown(), 1U);
}

TEST_F(Layers, AllLayersSilentTogetherIsAPauseAndNothingIsSwitched) {
  world.SetSlot(kSlot, kCamera);
  Run(2 * kSecond);
  const auto switches = world.router.GetSlotStats().at(0).switches;
  world.Advance(10 * kSecond);
  Run(kSecond);
  EXPECT_EQ(Shown(), 1U);
  EXPECT_EQ(world.router.GetSlotStats().at(0).switches, switches);
  EXPECT_EQ(world.output.activity.size(), 3U);
}

TEST_F(Layers, FourPicturesASecondAreNotSilence) {
  world.SetSlot(kSlot, kCamera);
  Run(kSecond);
  const auto switches = world.router.GetSlotStats().at(0).switches;
  for (int i = 0; i < 40; ++i) {
    for (Encoding& encoding : encodings) {
      world.ReceiveFrame(kAlice, "1", encoding);
      world.Advance(8 * kMillisecond);
    }
    world.Advance(226 * kMillisecond);
  }
  EXPECT_EQ(world.router.GetSlotStats().at(0).switches, switches);
}

TEST_F(Layers, WithoutKnownResolutionsTheBitRateDecides) {
  for (Encoding& encoding : encodings) {
    encoding.width = encoding.height = 0;
  }
  encodings[1].packets_a_frame = 12;
  world.SetSlot(kSlot, kCamera);
  Run(3 * kSecond);
  EXPECT_EQ(Shown(), 1U);
}

TEST_F(Layers, AViewerWithoutAPictureTakesAnotherLayerWhenTheBestOnesKeyFrameIsLost) {
  Run(kSecond);
  world.SetSlot(kSlot, kCamera);
  for (int i = 0; i < 20; ++i) {
    encodings[1].key_frame_wanted = false;
    encodings[0].key_frame_wanted = true;
    for (Encoding& encoding : encodings) {
      world.ReceiveFrame(kAlice, "1", encoding, encoding.ssrc - 0x100);
    }
    world.Advance(kFrameUs);
  }
  ASSERT_FALSE(world.output.packets.empty());
  EXPECT_EQ(Shown(), 0U);
  encodings[1].key_frame_wanted = true;
  Run(kFrameUs);
  EXPECT_EQ(Shown(), 1U);
}

TEST_F(Layers, AnUnacknowledgedStreamIsKnownByItsNamesAndLaterByItsSsrc) {
  world.SetSlot(kSlot, kCamera);
  Run(kSecond);
  for (Encoding& encoding : encodings) {
    encoding.announce = false;
  }
  const std::size_t before = world.output.packets.size();
  Run(kSecond);
  EXPECT_GT(world.output.packets.size(), before + 60);
}

TEST_F(Layers, ALayerThatChangesItsSsrcGoesOnAfterAKeyFrame) {
  world.SetSlot(kSlot, kCamera);
  Run(kSecond);
  const Sent last = world.output.packets.back();
  const std::size_t before = world.output.packets.size();
  encodings[1].ssrc = 0x999;
  encodings[1].sequence = 12'345;
  Run(kSecond);
  EXPECT_EQ(Shown(), 1U);
  EXPECT_EQ(world.output.packets[before].sequence, static_cast<std::uint16_t>(last.sequence + 1));
  EXPECT_TRUE(world.output.packets[before].key_frame);
}

TEST_F(Layers, AFormatThatTheViewerDoesNotKnowIsToldAndSoIsTheWayBack) {
  world.SetSlot(kSlot, kCamera);
  Run(kSecond);
  ASSERT_TRUE(world.output.unsupported.empty());
  ASSERT_EQ(world.output.switches.size(), 1U);
  Encoding& best = encodings[1];
  PacketSpec foreign;
  foreign.ssrc = best.ssrc;
  foreign.payload_type = 102;  // H264, which the slot does not have
  foreign.mid = "1";
  foreign.rid = "b";
  foreign.payload = {0x65, 0x88};
  for (int i = 0; i < 3; ++i) {
    foreign.sequence = best.sequence++;
    foreign.timestamp = static_cast<std::uint32_t>(world.now * 9 / 100);
    world.Receive(kAlice, foreign);
    world.Advance(kFrameUs);
  }
  EXPECT_EQ(world.output.unsupported, (std::vector<std::pair<Handle, Handle>>{{kSlot, kCamera}}));
  best.key_frame_wanted = true;
  Run(kSecond);
  ASSERT_EQ(world.output.switches.size(), 2U);
  EXPECT_EQ(world.output.switches[1].source, kCamera);
}

TEST_F(Layers, AWantedLayerIsTakenAtItsKeyFrameWhileTheOneBeforeGoesOn) {
  world.SetSlot(kSlot, kCamera);
  Run(kSecond);
  world.router.SetSlotLayer(kSlot, 0, UINT8_MAX, world.now);
  const std::size_t requests = world.output.KeyFrameRequests(kAlice).size();
  const std::size_t before = world.output.packets.size();
  for (int i = 0; i < 5; ++i) {
    for (Encoding& encoding : encodings) {
      world.ReceiveFrame(kAlice, "1", encoding, encoding.ssrc - 0x100);
    }
    world.Advance(kFrameUs);
  }
  EXPECT_EQ(Shown(), 1U);
  EXPECT_EQ(world.output.packets.size(), before + 15);
  ASSERT_GT(world.output.KeyFrameRequests(kAlice).size(), requests);
  EXPECT_EQ(world.output.KeyFrameRequests(kAlice).back().second, 0x100U);
  Run(kSecond);
  EXPECT_EQ(Shown(), 0U);
  world.router.SetSlotLayer(kSlot, 1, UINT8_MAX, world.now);
  Run(kSecond);
  EXPECT_EQ(Shown(), 2U) << "ranked by size, not by their order";
}

TEST_F(Layers, AKeyFrameThatIsOnItsWayWhenTheWishChangesBackIsNotTaken) {
  world.SetSlot(kSlot, kCamera);
  Run(kSecond);
  world.router.SetSlotLayer(kSlot, 0, UINT8_MAX, world.now);
  world.router.SetSlotLayer(kSlot, UINT8_MAX, UINT8_MAX, world.now);
  const auto switches = world.router.GetSlotStats().at(0).switches;
  encodings[0].key_frame_wanted = true;
  Run(kSecond);
  EXPECT_EQ(Shown(), 1U);
  EXPECT_EQ(world.router.GetSlotStats().at(0).switches, switches);
}

TEST_F(Layers, RepairStreamsAreKeptApart) {
  world.SetSlot(kSlot, kCamera);
  Run(kSecond);
  const std::size_t before = world.output.packets.size();
  PacketSpec repair;
  repair.ssrc = 0x555;
  repair.payload_type = 97;
  repair.mid = "1";
  repair.repaired_rid = "b";
  repair.payload.assign(20, 0);
  for (std::uint16_t i = 0; i < 10; ++i) {
    repair.sequence = i;
    world.Receive(kAlice, repair);
  }
  EXPECT_EQ(world.output.packets.size(), before);
}

}  // namespace
}  // namespace tertulia::test
