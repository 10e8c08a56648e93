// A slot's stream through a thousand switches: whatever is shown, the viewer sees one stream without a seam.
#include <gtest/gtest.h>

#include <random>

#include "router/harness.hpp"
#include "send/timeline.hpp"
#include "wire/vp8.hpp"

namespace tertulia::test {
namespace {

constexpr Handle kViewer = 100, kPictureSlot = 200, kVoiceSlot = 201;
constexpr std::uint32_t kPictureSsrc = 0x77, kVoiceSsrc = 0x78;
constexpr TimeUs kFrameUs = 33'333;

struct Publisher {
  Handle session = 0, camera = 0, voice = 0;
  std::uint32_t camera_csrc = 0, voice_csrc = 0;
  std::vector<Encoding> encodings;
  std::uint16_t voice_sequence = 0;
  std::uint32_t voice_base = 0;
};

// What the viewer of one slot may rely on, checked packet by packet.
class Viewer {
 public:
  explicit Viewer(std::uint32_t ssrc) : ssrc_(ssrc) {}

  void Expect(std::uint32_t csrc) {
    expected_csrc_ = csrc;
    ++epoch_;
  }

  // Looks at what was sent since the last call.
  void Check(const Recorder& output, bool video) {
    for (; seen_ < output.packets.size(); ++seen_) {
      const Sent& sent = output.packets[seen_];
      if (sent.ssrc != ssrc_) {
        continue;
      }
      ASSERT_EQ(sent.csrc, expected_csrc_) << "a packet of something that is not shown";
      if (count_ > 0) {
        ASSERT_EQ(sent.sequence, static_cast<std::uint16_t>(last_.sequence + 1)) << "packet " << count_;
        ASSERT_GE(static_cast<std::int32_t>(sent.timestamp - last_.timestamp), 0) << "packet " << count_;
      }
      if (video) {
        const auto vp8 = ParseVp8(sent.payload);
        ASSERT_TRUE(vp8.has_value());
        if (count_ == 0 || epoch_ != shown_epoch_) {
          ASSERT_TRUE(sent.key_frame) << "the first packet after a switch";
        }
        if (count_ > 0) {
          const auto last = ParseVp8(last_.payload);
          const int step = (*vp8->picture_id - *last->picture_id) & 0x7FFF;
          ASSERT_EQ(step, vp8->frame_start ? 1 : 0);
          ASSERT_EQ((*vp8->tl0_index - *last->tl0_index) & 0xFF, vp8->frame_start ? 1 : 0);
        }
      }
      // On the line: the packets of these publishers arrive when they are captured.
      const double line_us = static_cast<double>(sent.at - origin_us_);
      const double rate = video ? 0.09 : 0.048;
      if (count_ == 0) {
        origin_us_ = sent.at;
        unwrapped_ = 0;
      } else {
        unwrapped_ += static_cast<std::int32_t>(sent.timestamp - last_.timestamp);
        ASSERT_NEAR(static_cast<double>(unwrapped_) / rate, line_us, 25'000.0) << "packet " << count_;
      }
      shown_epoch_ = epoch_;
      last_ = sent;
      ++count_;
    }
  }

  [[nodiscard]] std::size_t count() const { return count_; }

 private:
  std::uint32_t ssrc_;
  std::uint32_t expected_csrc_ = 0;
  int epoch_ = 0, shown_epoch_ = -1;
  std::size_t seen_ = 0, count_ = 0;
  TimeUs origin_us_ = 0;
  std::int64_t unwrapped_ = 0;
  Sent last_;
};

class Switching : public testing::Test {
 protected:
  Switching() {
    for (unsigned i = 0; i < 4; ++i) {
      Publisher publisher;
      publisher.session = 1 + i;
      publisher.camera = 10 + i;
      publisher.voice = 20 + i;
      publisher.camera_csrc = 1'000 + i;
      publisher.voice_csrc = 2'000 + i;
      publisher.voice_base = random();
      publisher.voice_sequence = static_cast<std::uint16_t>(random());
      std::vector<std::string> rids;
      for (unsigned layer = 0; layer < (i < 2 ? 3U : 1U); ++layer) {
        // The same SSRCs in every session: tables are a session's own.
        Encoding encoding{.ssrc = 0x900 + layer, .rid = i < 2 ? std::string(1, "qhf"[layer]) : std::string()};
        encoding.width = static_cast<std::uint16_t>(320 << layer);
        encoding.height = static_cast<std::uint16_t>(180 << layer);
        encoding.timestamp_base = random();
        encoding.sequence = static_cast<std::uint16_t>(random());
        encoding.picture_id = static_cast<std::uint16_t>(random());
        encoding.tl0_index = static_cast<std::uint8_t>(random());
        encoding.packets_a_frame = 1 + layer;
        if (!encoding.rid.empty()) {
          rids.push_back(encoding.rid);
        }
        publisher.encodings.push_back(encoding);
      }
      world.AddPublisher(publisher.session);
      world.AddVideoSource(publisher.session, publisher.camera, publisher.camera_csrc, "v", rids);
      world.AddAudioSource(publisher.session, publisher.voice, publisher.voice_csrc, "a");
      publishers.push_back(publisher);
    }
    world.AddViewer(kViewer);
    world.AddSlot(kViewer, kPictureSlot, Kind::kVideo, kPictureSsrc, "5");
    world.AddSlot(kViewer, kVoiceSlot, Kind::kAudio, kVoiceSsrc, "6");
  }

  // All publishers send a picture and some sound; whoever was asked sends key frames on all layers.
  void Tick(TimeUs us) {
    for (Publisher& publisher : publishers) {
      if (!world.output.KeyFrameRequests(publisher.session).empty()) {
        for (Encoding& encoding : publisher.encodings) {
          encoding.key_frame_wanted = true;
        }
      }
      for (Encoding& encoding : publisher.encodings) {
        world.ReceiveFrame(publisher.session, "v", encoding);
      }
      PacketSpec voice;
      voice.ssrc = 0x800;
      voice.sequence = publisher.voice_sequence++;
      voice.timestamp = publisher.voice_base + static_cast<std::uint32_t>(world.now * 48 / 1'000);
      voice.payload_type = 111;
      voice.mid = "a";
      voice.payload.assign(60, 1);
      world.Receive(publisher.session, voice);
    }
    world.output.rtcp.clear();
    if (checked) {
      picture.Check(world.output, true);
      voice.Check(world.output, false);
    }
    world.Advance(us);
  }

  std::mt19937 random{20'261'122};
  World world;
  std::vector<Publisher> publishers;
  bool checked = true;
  Viewer picture{kPictureSsrc};
  Viewer voice{kVoiceSsrc};
};

TEST_F(Switching, AThousandSwitchesBetweenSourcesAndLayersLeaveNoSeam) {
  Handle shown = 0;
  for (int i = 0; i < 1'000 && !HasFatalFailure(); ++i) {
    const Publisher& next = publishers[random() % publishers.size()];
    world.SetSlot(kPictureSlot, next.camera);
    world.SetSlot(kVoiceSlot, next.voice);
    if (next.camera != shown) {
      picture.Expect(next.camera_csrc);
      voice.Expect(next.voice_csrc);
      shown = next.camera;
    }
    for (unsigned ticks = 1 + random() % 14; ticks > 0 && !HasFatalFailure(); --ticks) {
      Tick(kFrameUs);
    }
  }
  EXPECT_GT(picture.count(), 5'000U);
  EXPECT_GT(voice.count(), 5'000U);
}

TEST_F(Switching, AfterASwitchNothingOfTheOldSourceIsSentNotEvenLate) {
  checked = false;
  const Publisher& a = publishers[2];
  const Publisher& b = publishers[3];
  world.SetSlot(kVoiceSlot, a.voice);
  Tick(kFrameUs);
  PacketSpec late;
  late.ssrc = 0x800;
  late.sequence = static_cast<std::uint16_t>(a.voice_sequence);
  late.payload_type = 111;
  late.mid = "a";
  late.payload.assign(60, 1);
  world.SetSlot(kVoiceSlot, b.voice);
  const std::size_t before = world.output.packets.size();
  world.Receive(a.session, late);
  EXPECT_EQ(world.output.packets.size(), before);
}

TEST_F(Switching, BackToASourceOnlyItsNewPacketsAreSent) {
  checked = false;  // a packet will be missing
  const Publisher& a = publishers[2];
  world.SetSlot(kVoiceSlot, a.voice);
  Tick(kFrameUs);
  Tick(kFrameUs);
  PacketSpec missing;
  missing.ssrc = 0x800;
  missing.payload_type = 111;
  missing.mid = "a";
  missing.payload.assign(60, 1);
  missing.sequence = publishers[2].voice_sequence++;  // held up on its way
  Tick(kFrameUs);
  world.SetSlot(kVoiceSlot, 0);
  world.SetSlot(kVoiceSlot, a.voice);
  const std::size_t before = world.output.OfSlot(kVoiceSsrc).size();
  world.Receive(a.session, missing);
  EXPECT_EQ(world.output.OfSlot(kVoiceSsrc).size(), before);
}

}  // namespace
}  // namespace tertulia::test
