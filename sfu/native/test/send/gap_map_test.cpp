#include "send/gap_map.hpp"

#include <gtest/gtest.h>

#include <map>

#include "emulator/random.hpp"

namespace tertulia {
namespace {

TEST(GapMap, ClosesTheHolesOfWhatIsLeftOutAndKeepsThoseOfWhatIsMissing) {
  GapMap<64> map;
  map.Open(100, 7);
  EXPECT_EQ(map.Map(100), 7);
  map.Skip(101);
  map.Skip(102);
  EXPECT_EQ(map.Map(103), 8);
  EXPECT_EQ(map.Map(106), 11) << "104 and 105 are missing, their places are kept";
  EXPECT_EQ(map.Map(104), 9);
  map.Skip(105);
  EXPECT_EQ(map.Map(107), 12) << "what is late cannot be closed up any more";
  EXPECT_EQ(map.Map(101), std::nullopt);
  EXPECT_EQ(map.Map(99), std::nullopt);
  EXPECT_EQ(map.next(), 13);
}

TEST(GapMap, ForgetsWhatIsOlderThanItRemembers) {
  GapMap<64> map;
  map.Open(0, 0);
  EXPECT_EQ(map.Map(0), 0);
  map.Skip(1);
  EXPECT_EQ(map.Map(70), 69);
  EXPECT_EQ(map.Map(6), std::nullopt);
  EXPECT_EQ(map.Map(7), 6);
  EXPECT_EQ(map.Map(100'000), 99'999) << "a jump";
}

TEST(GapMap, AgreesWithAListOfEveryNumberOverRandomOmissionsLossesAndDelays) {
  test::Random random(5);
  for (int round = 0; round < 50; ++round) {
    GapMap<128> map;
    std::int64_t newest = -1;
    std::int64_t next = 1'000;
    std::map<std::int64_t, std::int64_t> kept;  // every number that has a place
    map.Open(0, next);
    for (int i = 0; i < 2'000; ++i) {
      if (random.Chance(0.2) && newest > 0) {
        const std::int64_t late = newest - random.Below(std::min<std::int64_t>(newest, 127));
        const auto place = kept.find(late);
        ASSERT_EQ(map.Map(late), place == kept.end() ? std::nullopt : std::optional(place->second));
        continue;
      }
      const std::int64_t number = newest + 1 + random.Below(4);
      const bool leave_out = random.Chance(0.5);
      for (std::int64_t missing = newest + 1; missing < number; ++missing) {
        kept[missing] = next++;
      }
      newest = number;
      if (leave_out) {
        map.Skip(number);
      } else {
        kept[number] = next++;
        ASSERT_EQ(map.Map(number), kept[number]);
      }
    }
    ASSERT_EQ(map.next(), next);
  }
}

}  // namespace
}  // namespace tertulia
