// What is heard when the network loses sound.
#include <gtest/gtest.h>

#include "emulator/call.hpp"

namespace tertulia::test {
namespace {

constexpr TimeUs kPlayout = 150 * kMillisecond;  // what a jitter buffer grows to on such a network

// Share of a minute's sound that was not there when it was to be played.
double Unheard(const CallOptions& options) {
  Call call(options);
  call.network.Run(61 * kSecond);
  EXPECT_EQ(call.audio().corrupt, 0U);
  EXPECT_EQ(call.network.refused() + call.network.replayed(), 0U);
  const std::size_t unheard =
      call.audio().Unheard(call.publisher.audio_frames(), kBegin, kBegin + 59 * kSecond, kPlayout);
  return static_cast<double>(unheard) / (59 * 50);
}

CallOptions SoundOnly(std::uint64_t seed, std::size_t redundancy, bool viewer_knows_red) {
  CallOptions options = LossyCall(seed, 0.05, kRoundTrip);
  options.publisher.encodings.clear();
  options.publisher.redundancy = redundancy;
  options.publisher.nack = false;
  options.viewer.red = viewer_knows_red;
  return options;
}

TEST(Sound, OneInTenIsLostWithoutRedundancy) { EXPECT_NEAR(Unheard(SoundOnly(1, 0, false)), 0.0975, 0.02); }

TEST(Sound, RedundancyIsPassedOnToViewersThatKnowIt) {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    EXPECT_LT(Unheard(SoundOnly(seed, 1, true)), 0.02) << seed;
    EXPECT_LT(Unheard(SoundOnly(seed, 2, true)), 0.005) << seed;
  }
}

TEST(Sound, ViewersThatDoNotKnowItGetTheLossesOfTheFirstLegMadeUpFor) {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    const double unheard = Unheard(SoundOnly(seed, 1, false));
    EXPECT_LT(unheard, 0.075) << seed;  // the second leg's own
    EXPECT_GT(unheard, 0.03) << seed;
  }
}

TEST(Sound, IsAskedForAgainWhereThePublisherAnswers) {
  CallOptions options = SoundOnly(1, 0, false);
  options.publisher.nack = true;
  EXPECT_LT(Unheard(options), 0.075);
}

TEST(Sound, PublishersHearOfTheWorstLossOfTheirListeners) {
  CallOptions options = SoundOnly(1, 0, false);
  options.publisher_up.loss = 0;
  options.viewer_down.loss = 0.1;
  Call call(options);
  call.network.Run(20 * kSecond);
  EXPECT_NEAR(call.publisher.reported_audio_loss(), 26, 16);
  call.network.down(Call::kViewer).Configure({});
  call.network.Run(30 * kSecond);
  EXPECT_EQ(call.publisher.reported_audio_loss(), 0);
}

}  // namespace
}  // namespace tertulia::test
