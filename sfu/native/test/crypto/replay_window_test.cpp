#include "crypto/replay_window.hpp"

#include <gtest/gtest.h>

#include <deque>
#include <random>
#include <set>
#include <vector>

namespace tertulia {
namespace {

struct Step {
  std::uint64_t index;
  bool fresh;
};

struct ReplayCase {
  const char* what;
  std::vector<Step> steps;
};

class Replay : public ::testing::TestWithParam<ReplayCase> {};

TEST_P(Replay, IsTold) {
  ReplayWindow<64> window;
  for (const Step& step : GetParam().steps) {
    EXPECT_EQ(window.Check(step.index), step.fresh) << GetParam().what << ", index " << step.index;
    if (step.fresh) window.Update(step.index);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Table, Replay,
    ::testing::Values(ReplayCase{"in order", {{0, true}, {1, true}, {2, true}, {2, false}, {0, false}}},
                      ReplayCase{"out of order", {{10, true}, {8, true}, {9, true}, {8, false}}},
                      ReplayCase{"the oldest in the window", {{100, true}, {37, true}, {36, false}, {37, false}}},
                      ReplayCase{"a jump by the size of the window", {{5, true}, {69, true}, {5, false}, {6, true}}},
                      ReplayCase{"a jump far beyond", {{5, true}, {1'000'000, true}, {999'950, true}, {5, false}}},
                      ReplayCase{"the same place of the bitmap later",
                                 {{3, true}, {67, true}, {66, true}, {67, false}}},
                      ReplayCase{"the first index is old at once", {{65'535, true}, {65'500, true}, {65'400, false}}},
                      ReplayCase{"across 2^16", {{65'535, true}, {65'536, true}, {65'534, true}, {65'536, false}}}));

TEST(ReplayWindow, AgreesWithASetOnRandomIndices) {
  std::mt19937 random(7);
  ReplayWindow<128> window;
  std::set<std::uint64_t> seen;
  std::uint64_t highest = 0;
  for (int i = 0; i < 200'000; ++i) {
    const std::uint64_t step = random() % 1'000 == 0 ? random() % 500 : random() % 160;
    const std::uint64_t index = highest + step < 150 ? step : highest + step - 150;
    const bool fresh = !seen.contains(index) && (seen.empty() || index + 128 > highest);
    ASSERT_EQ(window.Check(index), fresh) << i;
    if (!fresh) continue;
    window.Update(index);
    seen.insert(index);
    highest = std::max(highest, index);
  }
}

TEST(ReplayWindow, AnUpdateBehindTheWindowChangesNothing) {
  ReplayWindow<64> window;
  window.Update(1'000);
  window.Update(900);
  EXPECT_TRUE(window.Check(964));
  EXPECT_FALSE(window.Check(936));
  EXPECT_EQ(window.highest(), 1'000U);
}

}  // namespace
}  // namespace tertulia
