#include "recv/dependency_reader.hpp"

#include <gtest/gtest.h>

#include "router/layered_encoder.hpp"
#include "wire/dd.hpp"

namespace tertulia::test {
namespace {

std::vector<ModelPacket> KeyPicture(unsigned spatial, unsigned temporal, bool key_only) {
  LayeredEncoder encoder({Codec::kAv1, spatial, temporal, key_only, true, true, 1});
  return encoder.Encode(0, true);
}

TEST(DependencyDescriptor, TheStructureSaysWhichTargetsThereAreAndWhatEachHolds) {
  const auto packets = KeyPicture(3, 3, true);
  const auto structure = std::make_unique<dd::Structure>();
  const auto descriptor = dd::Parse(packets[0].descriptor, nullptr, *structure);
  ASSERT_TRUE(descriptor.has_value());
  EXPECT_GT(packets[0].descriptor.size(), 16U) << "does not fit into the one-byte form";
  EXPECT_TRUE(descriptor->has_structure);
  EXPECT_EQ(structure->target_count, 9);
  EXPECT_EQ(structure->template_count, 12);
  EXPECT_EQ(structure->chain_count, 3);
  EXPECT_EQ(structure->pixels[2], 640U * 360U);
  EXPECT_EQ(structure->targets[5].spatial, 1);
  EXPECT_EQ(structure->targets[5].temporal, 2);
  EXPECT_EQ(structure->targets[5].chain, 1);
  EXPECT_EQ(structure->targets[5].within, 0b000'111'000U)
      << "without its key frames' help, the smaller size is not in it";
  EXPECT_EQ(descriptor->frame.switches, 0x1FFU);
  EXPECT_EQ(descriptor->frame.begins, 0x1FFU);
}

TEST(DependencyDescriptor, OthersAreReadByTheStructureInForceAndByNone) {
  const auto packets = KeyPicture(2, 1, false);
  const auto structure = std::make_unique<dd::Structure>();
  const auto scratch = std::make_unique<dd::Structure>();
  ASSERT_TRUE(dd::Parse(packets[0].descriptor, nullptr, *structure));
  EXPECT_FALSE(dd::Parse(packets[1].descriptor, nullptr, *scratch).has_value());
  const auto second = dd::Parse(packets[1].descriptor, structure.get(), *scratch);
  ASSERT_TRUE(second.has_value());
  EXPECT_EQ(second->frame.spatial, 1);
  EXPECT_EQ(second->frame.reference_count, 1);
  EXPECT_EQ(second->frame.references[0], 1);
  EXPECT_EQ(second->frame_number,
            static_cast<std::uint16_t>(dd::ParseMandatory(packets[0].descriptor)->frame_number + 1));
}

TEST(DependencyDescriptor, RewrittenItSaysTheSameButForItsNumberAndTheActiveTargets) {
  for (const bool key_only : {true, false}) {
    const auto packets = KeyPicture(3, 2, key_only);
    const auto structure = std::make_unique<dd::Structure>();
    const auto again = std::make_unique<dd::Structure>();
    for (const ModelPacket& packet : packets) {
      const auto before = dd::Parse(packet.descriptor, structure.get(), *again);
      ASSERT_TRUE(before.has_value());
      *structure = before->has_structure ? *again : *structure;
      std::array<std::uint8_t, dd::kMaxSize> out{};
      const std::size_t size = dd::Rewrite(packet.descriptor, before->layout, 0xBEEF, 0b1011, out);
      ASSERT_GT(size, 0U);
      const auto after = dd::Parse(Bytes(out.data(), size), structure.get(), *again);
      ASSERT_TRUE(after.has_value());
      EXPECT_EQ(after->frame_number, 0xBEEF);
      EXPECT_EQ(after->active, 0b1011U);
      EXPECT_EQ(after->has_structure, before->has_structure);
      EXPECT_EQ(after->frame.present, before->frame.present);
      EXPECT_EQ(after->frame.references, before->frame.references);
      EXPECT_EQ(after->frame.begins, before->frame.begins);
      const std::size_t twice = dd::Rewrite(Bytes(out.data(), size), after->layout, 0xBEEF, 0b1011, out);
      EXPECT_EQ(twice, size) << "no longer each time";
    }
  }
}

TEST(DependencyDescriptor, CutAnywhereItIsRefused) {
  const auto packets = KeyPicture(3, 3, true);
  const auto scratch = std::make_unique<dd::Structure>();
  for (std::size_t size = 0; size < packets[0].descriptor.size(); ++size) {
    EXPECT_FALSE(dd::Parse(Bytes(packets[0].descriptor).first(size), nullptr, *scratch).has_value()) << size;
  }
}

TEST(DependencyReader, ALateKeyFrameDoesNotBringAnOldStructureBack) {
  LayeredEncoder before({Codec::kAv1, 1, 3, true, true, true, 1});
  LayeredEncoder after({Codec::kAv1, 2, 3, true, true, true, 1});
  DependencyReader reader;
  const auto read = [&](const ModelPacket& source, bool newest) {
    IncomingPacket packet;
    packet.extensions[static_cast<std::size_t>(Ext::kDependencyDescriptor)] = source.descriptor;
    packet.newest = newest;
    reader.Read(packet);
    return packet.picture.layering;
  };
  const auto old_key = before.Encode(0, true);
  const auto new_key = after.Encode(1, true);
  EXPECT_EQ(read(new_key[1], true), Layering::kUndescribed);
  EXPECT_EQ(read(new_key[0], true), Layering::kDescribed);
  EXPECT_EQ(read(old_key[0], false), Layering::kDescribed);
  EXPECT_EQ(read(new_key[1], true), Layering::kDescribed);
}

}  // namespace
}  // namespace tertulia::test
