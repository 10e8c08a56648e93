// Layers left out and taken in again, over random wishes, losses and reorderings: what a viewer is sent can be decoded,
// and its numbers show no hole that we made.
#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <map>
#include <set>

#include "emulator/random.hpp"
#include "recv/sequence.hpp"
#include "router/harness.hpp"
#include "router/layered_encoder.hpp"
#include "wire/dd.hpp"
#include "wire/vp8.hpp"
#include "wire/vp9.hpp"

namespace tertulia::test {
namespace {

constexpr Handle kPublisher = 1, kViewer = 2, kCamera = 10, kSlot = 20;
constexpr std::uint32_t kSsrc = 0x1234, kSlotSsrc = 0x5678;
constexpr std::uint8_t kDescriptorId = 12, kPayloadType = 45;
constexpr std::uint16_t kFormat = 9;
constexpr TimeUs kFrameUs = 33'333;

struct Case {
  const char* name;
  LayeredOptions options;
};

MediaConfig Media() {
  MediaConfig media;
  media.extensions.id[static_cast<std::size_t>(Ext::kMid)] = 1;
  media.extensions.id[static_cast<std::size_t>(Ext::kDependencyDescriptor)] = kDescriptorId;
  media.extensions.two_byte = true;
  return media;
}

// One publisher of layers, one viewer.
class LayeredCall {
 public:
  LayeredCall(const LayeredOptions& options, std::uint64_t seed, double loss, double late)
      : encoder(options), random_(seed), loss_(loss), late_(late) {
    world.router.AddSession(kPublisher, Media());
    world.router.AddSession(kViewer, Media());
    SourceConfig source;
    source.source = kCamera;
    source.csrc = 7;
    source.mid = "v";
    source.kind = Kind::kVideo;
    source.payloads = {{kPayloadType, options.codec, kFormat, 90'000, 0}};
    world.router.AddSource(kPublisher, source);
    SlotConfig slot;
    slot.slot = kSlot;
    slot.session = kViewer;
    slot.mid = "5";
    slot.kind = Kind::kVideo;
    slot.ssrc = kSlotSsrc;
    slot.payloads = {{kFormat, 99}};
    world.router.AddSlot(slot);
    world.router.SetSessionReady(kPublisher, world.now);
    world.router.SetSessionReady(kViewer, world.now);
    world.router.SetSlot(kSlot, kCamera, world.now);
  }

  void Want(unsigned spatial, unsigned temporal) {
    world.router.SetSlotLayer(kSlot, static_cast<std::uint8_t>(spatial), static_cast<std::uint8_t>(temporal),
                              world.now);
  }

  void Picture() {
    const std::size_t asked = world.output.KeyFrameRequests(kPublisher).size();
    const bool key = asked > answered_ || encoder.frames().empty();
    answered_ = asked;
    for (const ModelPacket& packet : encoder.Encode(static_cast<std::uint32_t>(world.now * 9 / 100), key)) {
      const std::uint16_t sequence = sequence_++;
      if (random_.Chance(loss_)) {
        continue;
      }
      if (random_.Chance(late_)) {
        held_.push_back({Wire(packet, sequence), packet.frame, 1 + static_cast<int>(random_.Below(30))});
        continue;
      }
      Deliver(Wire(packet, sequence), packet.frame);
    }
    world.Advance(kFrameUs);
  }

  World world;
  LayeredEncoder encoder;
  std::map<std::uint32_t, unsigned> arrived;  // packets, by frame

 private:
  struct Held {
    std::vector<std::uint8_t> bytes;
    std::uint32_t frame = 0;
    int wait = 0;  // packets
  };

  static std::vector<std::uint8_t> Wire(const ModelPacket& packet, std::uint16_t sequence) {
    RtpHeader header;
    header.two_byte_allowed = true;
    header.marker = packet.marker;
    header.payload_type = kPayloadType;
    header.sequence = sequence;
    header.timestamp = packet.timestamp;
    header.ssrc = kSsrc;
    header.AddExtension(1, StreamIdValue("v"));
    if (!packet.descriptor.empty()) {
      header.AddExtension(kDescriptorId, packet.descriptor);
    }
    std::vector<std::uint8_t> bytes(header.Size());
    bytes.resize(header.Write(bytes));
    bytes.insert(bytes.end(), packet.payload.begin(), packet.payload.end());
    return bytes;
  }

  void Deliver(std::vector<std::uint8_t> bytes, std::uint32_t frame) {
    ++arrived[frame];
    world.ReceiveBytes(kPublisher, std::move(bytes));
    for (std::size_t i = 0; i < held_.size(); ++i) {
      if (--held_[i].wait == 0) {
        ++arrived[held_[i].frame];
        world.ReceiveBytes(kPublisher, std::move(held_[i].bytes));
        held_.erase(held_.begin() + static_cast<std::ptrdiff_t>(i--));
      }
    }
  }

  Random random_;
  double loss_, late_;
  std::uint16_t sequence_ = 65'400;
  std::size_t answered_ = 0;
  std::vector<Held> held_;
};

std::uint32_t FrameOf(const Sent& sent) { return ReadU32(&*(sent.payload.end() - 4)); }

// What the viewer was sent, frame by frame.
std::map<std::uint32_t, unsigned> SentOf(const std::vector<Sent>& packets) {
  std::map<std::uint32_t, unsigned> count;
  for (const Sent& sent : packets) {
    ++count[FrameOf(sent)];
  }
  return count;
}

class Layered : public testing::TestWithParam<Case> {
 protected:
  // Everything that a frame needs was sent as far as it arrived here.
  static void ExpectDecodable(const LayeredCall& call) {
    const auto sent = SentOf(call.world.output.packets);
    for (const auto& [number, count] : sent) {
      const ModelFrame& frame = call.encoder.frames()[number];
      for (const std::uint32_t reference : frame.references) {
        const auto arrived = call.arrived.find(reference);
        const unsigned there = arrived == call.arrived.end() ? 0 : arrived->second;
        const auto found = sent.find(reference);
        ASSERT_EQ(found == sent.end() ? 0 : found->second, there)
            << "frame " << number << " of layer " << frame.spatial << "." << frame.temporal << " needs " << reference;
      }
    }
  }

  // Late or not, a packet has one number of its own, in the order of what was sent to us.
  static void ExpectOrder(const LayeredCall& call) {
    Unwrapper<16> unwrapper;
    std::map<std::pair<std::uint32_t, std::uint32_t>, std::int64_t> numbers;  // by frame and packet
    std::set<std::int64_t> seen;
    for (const Sent& sent : call.world.output.packets) {
      const std::int64_t sequence = unwrapper.Unwrap(sent.sequence);
      ASSERT_TRUE(seen.insert(sequence).second) << "a number that was used";
      numbers[{FrameOf(sent), ReadU32(&*(sent.payload.end() - 8))}] = sequence;
    }
    std::int64_t last = -1;
    for (const auto& [packet, sequence] : numbers) {
      ASSERT_GT(sequence, last);
      last = sequence;
    }
  }

  // The viewer reads the descriptors by what it was sent of structures.
  static void ExpectDescriptors(const LayeredCall& call) {
    if (!call.encoder.options().described) {
      return;
    }
    auto structure = std::make_unique<dd::Structure>();
    auto fresh = std::make_unique<dd::Structure>();
    bool known = false;
    for (const Sent& sent : call.world.output.packets) {
      const auto found = sent.extensions.find(kDescriptorId);
      ASSERT_NE(found, sent.extensions.end());
      const auto descriptor = dd::Parse(found->second, known ? structure.get() : nullptr, *fresh);
      ASSERT_TRUE(descriptor.has_value());
      if (descriptor->has_structure) {
        *structure = *fresh;
        known = true;
      }
      const ModelFrame& frame = call.encoder.frames()[FrameOf(sent)];
      ASSERT_EQ(descriptor->frame.spatial, frame.spatial);
      ASSERT_EQ(descriptor->frame.temporal, frame.temporal);
      ASSERT_EQ(descriptor->frame.reference_count, frame.references.size());
      for (std::size_t i = 0; i < frame.references.size(); ++i) {
        ASSERT_EQ(descriptor->frame.references[i], frame.number - frame.references[i]);
      }
      if (descriptor->active) {
        ASSERT_NE(*descriptor->active & descriptor->frame.present, 0U) << "of no target that is said to be active";
      }
    }
  }
};

TEST_P(Layered, WithoutLossThereIsNoHoleInAnyNumberAndThePictureEndsWithAMarker) {
  const LayeredOptions& options = GetParam().options;
  LayeredCall call(options, 1, 0, 0);
  Random random(11);
  for (int i = 0; i < 600; ++i) {
    if (random.Chance(0.1)) {
      call.Want(static_cast<unsigned>(random.Below(options.spatial)),
                static_cast<unsigned>(random.Below(options.temporal)));
    }
    call.Picture();
  }
  const std::vector<Sent>& packets = call.world.output.packets;
  ASSERT_GT(packets.size(), 300U);
  ExpectDecodable(call);
  ExpectOrder(call);
  ExpectDescriptors(call);
  for (const auto& [frame, count] : SentOf(packets)) {
    ASSERT_EQ(count, options.packets) << "frame " << frame << " in part";
  }
  for (std::size_t i = 1; i < packets.size(); ++i) {
    ASSERT_EQ(packets[i].sequence, static_cast<std::uint16_t>(packets[i - 1].sequence + 1));
    ASSERT_EQ(packets[i - 1].marker, packets[i].timestamp != packets[i - 1].timestamp) << "packet " << i;
    const ModelFrame& frame = call.encoder.frames()[FrameOf(packets[i])];
    const ModelFrame& before = call.encoder.frames()[FrameOf(packets[i - 1])];
    if (options.codec == Codec::kVp8) {
      const auto now = ParseVp8(packets[i].payload);
      const auto last = ParseVp8(packets[i - 1].payload);
      const bool next = frame.picture != before.picture;
      ASSERT_EQ((*now->picture_id - *last->picture_id) & 0x7FFF, next ? 1 : 0);
      ASSERT_EQ((*now->tl0_index - *last->tl0_index) & 0xFF, next && frame.temporal == 0 ? 1 : 0);
    } else if (options.codec == Codec::kVp9) {
      const auto now = ParseVp9(packets[i].payload);
      const auto last = ParseVp9(packets[i - 1].payload);
      ASSERT_EQ((*now->picture_id - *last->picture_id) & 0x7FFF, frame.picture - before.picture);
    }
  }
}

TEST_P(Layered, WhatIsWantedIsReachedAndNoMoreIsSent) {
  const LayeredOptions& options = GetParam().options;
  LayeredCall call(options, 2, 0, 0);
  Random random(22);
  for (int round = 0; round < 60; ++round) {
    const auto spatial = static_cast<unsigned>(random.Below(options.spatial));
    const auto temporal = static_cast<unsigned>(random.Below(options.temporal));
    call.Want(spatial, temporal);
    for (int i = 0; i < 40; ++i) {
      call.Picture();
    }
    const std::size_t before = call.world.output.packets.size();
    for (int i = 0; i < 8; ++i) {
      call.Picture();
    }
    unsigned top_spatial = 0;
    unsigned top_temporal = 0;
    for (std::size_t i = before; i < call.world.output.packets.size(); ++i) {
      const ModelFrame& frame = call.encoder.frames()[FrameOf(call.world.output.packets[i])];
      top_spatial = std::max(top_spatial, frame.spatial);
      top_temporal = std::max(top_temporal, frame.temporal);
    }
    ASSERT_EQ(top_spatial, spatial) << "round " << round;
    ASSERT_EQ(top_temporal, temporal) << "round " << round;
  }
  ExpectDecodable(call);
}

TEST_P(Layered, WithLossesAndReorderingsWhatIsSentCanStillBeDecoded) {
  const LayeredOptions& options = GetParam().options;
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    LayeredCall call(options, seed, 0.03, 0.05);
    Random random(seed * 7);
    for (int i = 0; i < 400; ++i) {
      if (random.Chance(0.08)) {
        call.Want(static_cast<unsigned>(random.Below(options.spatial)),
                  static_cast<unsigned>(random.Below(options.temporal)));
      }
      call.Picture();
    }
    ExpectOrder(call);
    ExpectDecodable(call);
    EXPECT_GT(call.world.output.packets.size(), 200U) << "seed " << seed;
  }
}

INSTANTIATE_TEST_SUITE_P(All, Layered,
                         testing::Values(Case{"Vp8L1T2", {Codec::kVp8, 1, 2, true, false, true, 2}},
                                         Case{"Vp8L1T3", {Codec::kVp8, 1, 3, true, false, true, 3}},
                                         Case{"Vp9L1T1", {Codec::kVp9, 1, 1, true, false, true, 2}},
                                         Case{"Vp9L1T3", {Codec::kVp9, 1, 3, true, false, false, 2}},
                                         Case{"Vp9L2T2", {Codec::kVp9, 2, 2, false, false, true, 2}},
                                         Case{"Vp9L3T3", {Codec::kVp9, 3, 3, false, false, true, 2}},
                                         Case{"Vp9L3T3Key", {Codec::kVp9, 3, 3, true, false, true, 2}},
                                         Case{"Vp9L3T3KeyDescribed", {Codec::kVp9, 3, 3, true, true, true, 2}},
                                         Case{"Av1L1T3", {Codec::kAv1, 1, 3, true, true, true, 2}},
                                         Case{"Av1L3T3", {Codec::kAv1, 3, 3, false, true, true, 2}},
                                         Case{"Av1L3T3Key", {Codec::kAv1, 3, 3, true, true, true, 2}},
                                         Case{"H264L1T2Described", {Codec::kH264, 1, 2, true, true, true, 2}}),
                         [](const auto& info) { return std::string(info.param.name); });

}  // namespace
}  // namespace tertulia::test
