#include <gtest/gtest.h>

#include "support/hex.hpp"
#include "wire/keyframe.hpp"
#include "wire/vp8.hpp"
#include "wire/vp9.hpp"

namespace tertulia {
namespace {

using test::FromHex;
using test::ToHex;

struct KeyFrameCase {
  const char* what;
  Codec codec;
  const char* payload;
  bool key_frame;
};

class KeyFrames : public ::testing::TestWithParam<KeyFrameCase> {};

TEST_P(KeyFrames, AreTold) {
  EXPECT_EQ(IsKeyFrame(GetParam().codec, FromHex(GetParam().payload)), GetParam().key_frame) << GetParam().what;
}

INSTANTIATE_TEST_SUITE_P(Vp8, KeyFrames,
                         ::testing::Values(KeyFrameCase{"short descriptor", Codec::kVp8, "10 00", true},
                                           KeyFrameCase{"inter frame", Codec::kVp8, "10 01", false},
                                           KeyFrameCase{"second packet of a key frame", Codec::kVp8, "00 00", false},
                                           KeyFrameCase{"second partition", Codec::kVp8, "11 00", false},
                                           KeyFrameCase{"15-bit picture id and all fields", Codec::kVp8,
                                                        "90 f0 8001 02 43 00", true},
                                           KeyFrameCase{"7-bit picture id", Codec::kVp8, "90 80 01 00", true},
                                           KeyFrameCase{"descriptor without payload", Codec::kVp8, "90 80 01", false},
                                           KeyFrameCase{"descriptor cut", Codec::kVp8, "90 80 80", false},
                                           KeyFrameCase{"empty", Codec::kVp8, "", false}));

INSTANTIATE_TEST_SUITE_P(
    H264, KeyFrames,
    ::testing::Values(KeyFrameCase{"IDR slice", Codec::kH264, "65 88", true},
                      KeyFrameCase{"sequence parameters", Codec::kH264, "67 42", true},
                      KeyFrameCase{"picture parameters alone", Codec::kH264, "68 ce", false},
                      KeyFrameCase{"other slice", Codec::kH264, "61 9a", false},
                      KeyFrameCase{"STAP-A with SPS and PPS", Codec::kH264, "78 0002 6742 0002 68ce", true},
                      KeyFrameCase{"STAP-A with the IDR last", Codec::kH264, "78 0001 68 0002 6588", true},
                      KeyFrameCase{"STAP-A without", Codec::kH264, "78 0001 68 0001 61", false},
                      KeyFrameCase{"STAP-A cut", Codec::kH264, "78 0009 67", false},
                      KeyFrameCase{"STAP-A with an empty unit", Codec::kH264, "78 0000 0001 67", false},
                      KeyFrameCase{"first fragment of an IDR slice", Codec::kH264, "7c 85 88", true},
                      KeyFrameCase{"later fragment of it", Codec::kH264, "7c 05 88", false},
                      KeyFrameCase{"first fragment of another slice", Codec::kH264, "7c 81 88", false},
                      KeyFrameCase{"fragment cut", Codec::kH264, "7c", false},
                      KeyFrameCase{"empty", Codec::kH264, "", false}));

INSTANTIATE_TEST_SUITE_P(
    Vp9, KeyFrames,
    ::testing::Values(KeyFrameCase{"start, not predicted", Codec::kVp9, "88 8001 00", true},
                      KeyFrameCase{"inter predicted", Codec::kVp9, "c8 8001 00", false},
                      KeyFrameCase{"not the start", Codec::kVp9, "80 8001 00", false},
                      KeyFrameCase{"a higher spatial layer", Codec::kVp9, "a8 01 02 00 00", false},
                      KeyFrameCase{"the lowest spatial layer", Codec::kVp9, "a8 01 00 00 00", true},
                      KeyFrameCase{"cut", Codec::kVp9, "88 80", false}, KeyFrameCase{"empty", Codec::kVp9, "", false}));

INSTANTIATE_TEST_SUITE_P(Av1, KeyFrames,
                         ::testing::Values(KeyFrameCase{"new sequence", Codec::kAv1, "18 0a", true},
                                           KeyFrameCase{"none", Codec::kAv1, "10 0a", false},
                                           KeyFrameCase{"continued", Codec::kAv1, "98 0a", false},
                                           KeyFrameCase{"empty", Codec::kAv1, "", false}));

INSTANTIATE_TEST_SUITE_P(Others, KeyFrames,
                         ::testing::Values(KeyFrameCase{"audio has none", Codec::kOpus, "10 00", false},
                                           KeyFrameCase{"unknown", Codec::kUnknown, "10 00", false}));

TEST(Vp8, EveryFieldOfTheDescriptorIsRead) {
  const auto descriptor = ParseVp8(FromHex("b0 f0 8123 45 e7 10 0000 9d012a 8002 e041"));
  ASSERT_TRUE(descriptor);
  EXPECT_EQ(descriptor->size, 6U);
  EXPECT_TRUE(descriptor->frame_start);
  EXPECT_TRUE(descriptor->non_reference);
  EXPECT_TRUE(descriptor->key_frame);
  EXPECT_EQ(descriptor->picture_id, 0x0123);
  EXPECT_TRUE(descriptor->long_picture_id);
  EXPECT_EQ(descriptor->tl0_index, 0x45);
  EXPECT_EQ(descriptor->temporal_layer, 3);
  EXPECT_TRUE(descriptor->layer_sync);
  EXPECT_EQ(descriptor->key_index, 7);
  EXPECT_EQ(descriptor->width, 640);
  EXPECT_EQ(descriptor->height, 480) << "the two bits of scaling are left out";
}

TEST(Vp8, PictureIdAndIndexAreRewrittenInTheirWidth) {
  auto wide = FromHex("90 c0 8001 05 00");
  const auto wide_descriptor = ParseVp8(wide);
  SetVp8PictureId(wide, *wide_descriptor, 0x7FFF);
  SetVp8Tl0Index(wide, *wide_descriptor, 9);
  EXPECT_EQ(ToHex(wide), "90c0ffff0900");
  auto narrow = FromHex("90 80 01 00");
  SetVp8PictureId(narrow, *ParseVp8(narrow), 0x1FF);
  EXPECT_EQ(ToHex(narrow), "90807f00");
  auto none = FromHex("10 00");
  SetVp8PictureId(none, *ParseVp8(none), 5);
  SetVp8Tl0Index(none, *ParseVp8(none), 5);
  EXPECT_EQ(ToHex(none), "1000");
}

TEST(Vp9, LayersAreRead) {
  const auto descriptor = ParseVp9(FromHex("ac 8123 5b 07 00"));
  ASSERT_TRUE(descriptor);
  EXPECT_EQ(descriptor->picture_id, 0x0123);
  EXPECT_TRUE(descriptor->frame_start);
  EXPECT_TRUE(descriptor->frame_end);
  EXPECT_EQ(descriptor->temporal_layer, 2);
  EXPECT_TRUE(descriptor->switching_up);
  EXPECT_EQ(descriptor->spatial_layer, 5);
  EXPECT_TRUE(descriptor->inter_layer);
}

}  // namespace
}  // namespace tertulia
