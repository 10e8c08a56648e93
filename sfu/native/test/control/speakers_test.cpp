#include "control/speakers.hpp"

#include <gtest/gtest.h>

namespace tertulia {
namespace {

constexpr TimeUs kPacketUs = 20 * kMillisecond;

class SpeakersTest : public testing::Test {
 protected:
  // So much sound: -dBov, or nothing where the extension is missing.
  struct Sound {
    Voice* voice;
    std::optional<std::uint8_t> level;
    std::size_t size = 80;
  };
  // Returns how often a change was told.
  int Run(const std::vector<Sound>& sounds, TimeUs us) {
    int told = 0;
    for (const TimeUs end = now + us; now < end; now += kPacketUs) {
      for (const Sound& sound : sounds) {
        sound.voice->OnPacket(sound.level ? std::optional(AudioLevel{true, *sound.level}) : std::nullopt, sound.size,
                              now);
        speakers.Wake(now);
      }
      if (speakers.due_us() <= now) {
        told += speakers.Evaluate(now) ? 1 : 0;
      }
    }
    return told;
  }
  std::vector<Handle> Listed() {
    std::vector<Handle> handles;
    for (const auto& [handle, level] : speakers.list()) {
      handles.push_back(handle);
    }
    return handles;
  }

  Speakers speakers;
  Voice* a = speakers.Add(1);
  Voice* b = speakers.Add(2);
  TimeUs now = kSecond;
};

TEST_F(SpeakersTest, SpeechIsHeardWithinAFifthOfASecond) {
  Run({{a, 35}}, 200 * kMillisecond);
  EXPECT_EQ(Listed(), std::vector<Handle>{1});
}

TEST_F(SpeakersTest, APauseBetweenWordsEndsNothingSilenceDoes) {
  Run({{a, 30}}, kSecond);
  Run({{a, 100}}, 400 * kMillisecond);
  EXPECT_EQ(Listed(), std::vector<Handle>{1});
  Run({{a, 100}}, 2 * kSecond);
  EXPECT_TRUE(Listed().empty());
}

TEST_F(SpeakersTest, TwoEquallyLoudPeopleDoNotTakeTurns) {
  Run({{a, 30}, {b, 30}}, kSecond);
  int told = 0;
  for (int i = 0; i < 50; ++i) {
    told += Run({{a, static_cast<std::uint8_t>(30 + i % 3)}, {b, static_cast<std::uint8_t>(32 - i % 3)}},
                100 * kMillisecond);
  }
  EXPECT_EQ(told, 0);
}

TEST_F(SpeakersTest, TheClearlyLouderOneComesFirst) {
  Run({{a, 45}, {b, 20}}, kSecond);
  EXPECT_EQ(Listed(), (std::vector<Handle>{2, 1}));
}

TEST_F(SpeakersTest, WithoutALevelTheSizeOfThePacketTells) {
  Run({{a, std::nullopt, 90}, {b, std::nullopt, 6}}, kSecond);
  EXPECT_EQ(Listed(), std::vector<Handle>{1});
}

TEST_F(SpeakersTest, AForgedLevelIsBounded) {
  Run({{a, 0, 2}}, kSecond);
  EXPECT_TRUE(Listed().empty()) << "two bytes hold no sound";
  Run({{a, 0, 200}}, kSecond);
  EXPECT_GE(speakers.list().at(0).second, 12);
}

TEST_F(SpeakersTest, OneWhoLeavesIsNoLongerListed) {
  Run({{a, 30}, {b, 30}}, kSecond);
  speakers.Remove(1);
  EXPECT_EQ(speakers.due_us(), 0);
  EXPECT_TRUE(speakers.Evaluate(now));
  EXPECT_EQ(Listed(), std::vector<Handle>{2});
}

TEST_F(SpeakersTest, WhenNobodySendsNothingIsEvaluated) {
  Run({{a, 30}}, kSecond);
  while (speakers.due_us() != kNever) {
    now = speakers.due_us();
    ASSERT_LT(now, 10 * kSecond);
    speakers.Evaluate(now);
  }
  EXPECT_TRUE(Listed().empty());
}

}  // namespace
}  // namespace tertulia
