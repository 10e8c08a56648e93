#include "recv/clock_map.hpp"

#include <gtest/gtest.h>

#include "time.hpp"

namespace tertulia {
namespace {

constexpr std::int64_t kFiveSecondsOff = 5 * kSecond;

// What a sender report of this publisher says at `at` of the worker's time.
std::uint64_t Ntp(TimeUs at, std::int64_t offset = kFiveSecondsOff) {
  return WallNtp(1'700'000'000 * kSecond + at + offset);
}

TEST(ClockMap, BeforeAReportTheArrivalIsWhatThereIs) {
  PublisherClock publisher;
  StreamClock stream;
  EXPECT_EQ(stream.Map(publisher, 1'000, 48'000, 5 * kSecond), 5 * kSecond);
  EXPECT_EQ(stream.Map(publisher, 1'000 + 960, 48'000, 5 * kSecond + 35'000), 5 * kSecond + 20'000);
}

TEST(ClockMap, SoundAndPictureShareTheOffsetOfTheQuickerOne) {
  PublisherClock publisher;
  StreamClock sound, picture;
  const TimeUs start = 100 * kSecond;
  sound.OnSenderReport(publisher, Ntp(start), 7'000, start + 5'000);
  picture.OnSenderReport(publisher, Ntp(start), 9'000, start + 8'000);
  // Captured together a second later; the picture takes 80 ms, the sound 15.
  const TimeUs heard = sound.Map(publisher, 7'000 + 48'000, 48'000, start + kSecond + 15'000);
  const TimeUs seen = picture.Map(publisher, 9'000 + 90'000, 90'000, start + kSecond + 80'000);
  EXPECT_EQ(heard, start + kSecond + 5'000);
  EXPECT_EQ(seen, heard);
}

TEST(ClockMap, AClockThatDriftsIsFollowed) {
  PublisherClock publisher;
  StreamClock stream;
  TimeUs mapped = 0, now = 0;
  // 200 parts in a million slow: what it calls a second takes a little longer.
  for (int second = 0; second < 300; ++second) {
    now = second * (kSecond + 200);
    stream.OnSenderReport(publisher, Ntp(second * kSecond), static_cast<std::uint32_t>(second * 48'000), now);
    mapped = stream.Map(publisher, static_cast<std::uint32_t>(second * 48'000), 48'000, now);
  }
  EXPECT_NEAR(static_cast<double>(mapped), static_cast<double>(now), 5'000);
}

TEST(ClockMap, APauseThatTimestampsDoNotShowFallsBackToTheArrival) {
  PublisherClock publisher;
  StreamClock stream;
  stream.OnSenderReport(publisher, Ntp(0), 0, 0);
  EXPECT_EQ(stream.Map(publisher, 960, 48'000, 20'000), 20'000);
  EXPECT_EQ(stream.Map(publisher, 1'920, 48'000, 10 * kSecond), 10 * kSecond);
  EXPECT_EQ(stream.Map(publisher, 2'880, 48'000, 10 * kSecond + 20'000), 10 * kSecond + 20'000);
  // The next report puts it right for good.
  stream.OnSenderReport(publisher, Ntp(11 * kSecond), 50'000, 11 * kSecond);
  EXPECT_EQ(stream.Map(publisher, 50'960, 48'000, 11 * kSecond + 30'000), 11 * kSecond + 20'000);
}

TEST(ClockMap, AForgedReportMovesNothingBeyondASecond) {
  PublisherClock publisher;
  StreamClock stream;
  for (const std::uint64_t ntp : {std::uint64_t{0}, ~std::uint64_t{0}, std::uint64_t{1} << 63}) {
    stream.OnSenderReport(publisher, ntp, 0xFFFF'FFFF, 50 * kSecond);
    const TimeUs mapped = stream.Map(publisher, 12'345, 90'000, 50 * kSecond);
    EXPECT_LE(mapped, 50 * kSecond);
    EXPECT_GE(mapped, 49 * kSecond);
  }
}

TEST(ClockMap, NtpGoesThereAndBack) {
  for (const std::int64_t us : {std::int64_t{0}, std::int64_t{999'999}, std::int64_t{1'234'567'890'123'456}}) {
    EXPECT_NEAR(static_cast<double>(NtpToUs(UsToNtp(us)) - us), 0, 1);
  }
}

}  // namespace
}  // namespace tertulia
