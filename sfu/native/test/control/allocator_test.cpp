// Who gets how much: the rules by example, and what must hold for every input.
#include "control/allocator.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

namespace tertulia {
namespace {

// Three pictures with three frame rates each, as a browser's simulcast.
std::vector<LayerOption> Camera() {
  std::vector<LayerOption> options;
  const std::array<std::uint32_t, 3> pixels = {320 * 180, 640 * 360, 1'280 * 720};
  const std::array<std::uint64_t, 3> full = {150'000, 500'000, 1'800'000};
  for (std::uint8_t spatial = 0; spatial < 3; ++spatial) {
    for (std::uint8_t temporal = 0; temporal < 3; ++temporal) {
      options.push_back({{spatial, temporal},
                         full[spatial] *
                             (temporal == 0   ? 40U
                              : temporal == 1 ? 60U
                                              : 100U) /
                             100,
                         pixels[spatial]});
    }
  }
  return options;
}

struct Viewer {
  std::vector<std::vector<LayerOption>> options;
  std::vector<SlotDemand> demands;
  std::vector<SlotGrant> grants;

  SlotDemand& Add(std::vector<LayerOption> of, std::uint8_t priority = 10, std::uint32_t max_pixels = 0) {
    options.push_back(std::move(of));
    SlotDemand demand;
    demand.priority = priority;
    demand.max_pixels = max_pixels;
    demands.push_back(demand);
    return demands.back();
  }
  Allocation Run(std::uint64_t available) {
    for (std::size_t i = 0; i < demands.size(); ++i) {
      demands[i].options = options[i];
    }
    grants.assign(demands.size(), {});
    return Allocate(demands, available, grants);
  }
  // What was granted is what the slots have now.
  void Keep() {
    for (std::size_t i = 0; i < demands.size(); ++i) {
      demands[i].has = grants[i].shown;
      demands[i].current = grants[i].shown ? grants[i].target : demands[i].current;
    }
  }
};

TEST(Allocator, WithEnoughEverybodyHasTheBest) {
  Viewer viewer;
  viewer.Add(Camera());
  viewer.Add(Camera());
  const Allocation all = viewer.Run(UINT64_MAX);
  EXPECT_EQ(all.granted_bps, 3'600'000U);
  EXPECT_EQ(all.wanted_bps, 3'600'000U);
  EXPECT_EQ(all.next_bps, 0U);
}

TEST(Allocator, TemporalLayersAreGivenUpBeforeASpatialOne) {
  Viewer viewer;
  viewer.Add(Camera());
  viewer.Run(1'799'999);
  EXPECT_EQ(viewer.grants[0].target, (LayerTarget{2, 1}));
  viewer.Run(1'079'999);
  EXPECT_EQ(viewer.grants[0].target, (LayerTarget{2, 0}));
  viewer.Run(719'999);
  EXPECT_EQ(viewer.grants[0].target, (LayerTarget{1, 2}));
  viewer.Run(310'000);
  EXPECT_EQ(viewer.grants[0].target, (LayerTarget{1, 1}));
}

TEST(Allocator, WhatFitsNothingIsPaused) {
  Viewer viewer;
  viewer.Add(Camera());
  viewer.Run(59'999);
  EXPECT_FALSE(viewer.grants[0].shown);
  viewer.Run(60'000);
  EXPECT_TRUE(viewer.grants[0].shown);
}

TEST(Allocator, AScreenComesFirst) {
  Viewer viewer;
  viewer.Add(Camera());
  viewer.Add(Camera());
  viewer.Add({{{0, 0}, 900'000, 1'920 * 1'080}}, kFirstClass);
  viewer.Run(1'000'000);
  EXPECT_TRUE(viewer.grants[2].shown);
  EXPECT_EQ(viewer.grants[0].target, (LayerTarget{0, 1}));
  EXPECT_FALSE(viewer.grants[1].shown);
}

TEST(Allocator, AllHaveTheLeastBeforeAnyHasMore) {
  Viewer viewer;
  for (int i = 0; i < 5; ++i) {
    viewer.Add(Camera(), static_cast<std::uint8_t>(i == 3 ? 20 : 10));
  }
  viewer.Run(5 * 60'000);
  for (const SlotGrant& grant : viewer.grants) {
    EXPECT_EQ(grant.target, (LayerTarget{0, 0}));
    EXPECT_TRUE(grant.shown);
  }
  viewer.Run(4 * 60'000 + 500'000);
  EXPECT_EQ(viewer.grants[3].target, (LayerTarget{1, 2}));
}

TEST(Allocator, ASmallPlaceGetsTheSmallestPictureThatFillsIt) {
  Viewer viewer;
  viewer.Add(Camera(), 10, 300 * 170);
  viewer.Add(Camera(), 10, 640 * 400);
  viewer.Add(Camera(), 10, 3'840 * 2'160);
  viewer.Run(UINT64_MAX);
  EXPECT_EQ(viewer.grants[0].target, (LayerTarget{0, 2}));
  EXPECT_EQ(viewer.grants[1].target, (LayerTarget{1, 2}));
  EXPECT_EQ(viewer.grants[2].target, (LayerTarget{2, 2}));
}

TEST(Allocator, ABetterLayerNeedsRoomToSpareAndOneThatIsShownDoesNot) {
  Viewer viewer;
  SlotDemand& slot = viewer.Add(Camera());
  slot.has = true;
  slot.current = {1, 1};
  viewer.Run(510'000);
  EXPECT_EQ(viewer.grants[0].target, (LayerTarget{1, 1}));
  viewer.Run(560'000);
  EXPECT_EQ(viewer.grants[0].target, (LayerTarget{1, 2}));
  viewer.Keep();
  viewer.Run(500'000);
  EXPECT_EQ(viewer.grants[0].target, (LayerTarget{1, 2}));
}

TEST(Allocator, NothingBetterWhileItIsBarred) {
  Viewer viewer;
  SlotDemand& slot = viewer.Add(Camera());
  slot.has = slot.barred = true;
  slot.current = {0, 2};
  const Allocation sum = viewer.Run(5'000'000);
  EXPECT_EQ(viewer.grants[0].target, (LayerTarget{0, 2}));
  EXPECT_GT(sum.next_bps, 0U);
}

TEST(Allocator, NobodyLosesForTheGainOfAnEqual) {
  Viewer viewer;
  SlotDemand& first = viewer.Add(Camera());
  first.has = true;
  first.current = {0, 0};
  SlotDemand& second = viewer.Add(Camera());
  second.has = true;
  second.current = {1, 2};
  viewer.Run(600'000);
  EXPECT_EQ(viewer.grants[1].target, (LayerTarget{1, 2}));
}

// What must hold whatever is there and wanted.
TEST(Allocator, HoldsItsRulesForAnyInput) {
  std::mt19937_64 random(2'026);
  const auto below = [&](std::uint64_t n) { return random() % n; };
  for (int run = 0; run < 20'000; ++run) {
    Viewer viewer;
    const std::size_t slots = below(8);
    for (std::size_t i = 0; i < slots; ++i) {
      std::vector<LayerOption> options;
      std::uint64_t rate = 0;
      const std::uint64_t spatial = below(4);
      const std::uint64_t temporal = 1 + below(3);
      for (std::uint8_t s = 0; s < spatial; ++s) {
        for (std::uint8_t t = 0; t < temporal; ++t) {
          rate = t == 0 && below(3) == 0 ? below(rate + 1) : rate + below(600'000);
          options.push_back({{s, t}, rate, static_cast<std::uint32_t>(57'600U << (2 * s))});
        }
      }
      SlotDemand& demand = viewer.Add(options, static_cast<std::uint8_t>(below(3) * 100),
                                      static_cast<std::uint32_t>(below(2) * below(2'000'000)));
      demand.has = below(2) == 0;
      demand.barred = below(4) == 0;
      demand.current = {static_cast<std::uint8_t>(below(4)), static_cast<std::uint8_t>(below(3))};
    }
    const std::uint64_t available = below(4'000'000);
    const Allocation sum = viewer.Run(available);
    std::uint64_t granted = 0;
    for (std::size_t i = 0; i < slots; ++i) {
      const SlotGrant& grant = viewer.grants[i];
      granted += grant.bitrate_bps;
      if (!grant.shown) {
        ASSERT_EQ(grant.bitrate_bps, 0U);
        continue;
      }
      const auto useful = UsefulOptions(viewer.options[i], viewer.demands[i].max_pixels);
      ASSERT_TRUE(std::ranges::any_of(useful, [&](const LayerOption& option) {
        return option.target == grant.target && option.bitrate_bps == grant.bitrate_bps;
      }));
      if (viewer.demands[i].barred) {
        ASSERT_TRUE(viewer.demands[i].has);
        ASSERT_LE(grant.target, viewer.demands[i].current);
      }
    }
    // Never over the estimate.
    ASSERT_LE(granted, available);
    ASSERT_EQ(granted, sum.granted_bps);
    ASSERT_LE(sum.granted_bps, std::max(sum.wanted_bps, sum.granted_bps));
    // The first class has what it would have alone.
    Viewer alone;
    std::vector<std::size_t> first;
    for (std::size_t i = 0; i < slots; ++i) {
      if (viewer.demands[i].priority >= kFirstClass) {
        alone.options.push_back(viewer.options[i]);
        alone.demands.push_back(viewer.demands[i]);
        first.push_back(i);
      }
    }
    alone.Run(available);
    for (std::size_t i = 0; i < first.size(); ++i) {
      ASSERT_EQ(alone.grants[i].target, viewer.grants[first[i]].target);
      ASSERT_EQ(alone.grants[i].shown, viewer.grants[first[i]].shown);
    }
    // The same again changes nothing: no flapping.
    viewer.Keep();
    const std::vector<SlotGrant> before = viewer.grants;
    for (int repeat = 0; repeat < 3; ++repeat) {
      viewer.Run(available);
      viewer.Keep();
    }
    const std::vector<SlotGrant> settled = viewer.grants;
    viewer.Run(available);
    for (std::size_t i = 0; i < slots; ++i) {
      ASSERT_EQ(settled[i].target, viewer.grants[i].target);
      ASSERT_EQ(settled[i].shown, viewer.grants[i].shown);
    }
  }
}

}  // namespace
}  // namespace tertulia
