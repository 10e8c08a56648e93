#include "recv/demultiplexer.hpp"

#include <gtest/gtest.h>

namespace tertulia {
namespace {

SourceConfig Video(Handle handle, std::string mid, std::vector<std::string> rids) {
  SourceConfig config;
  config.source = handle;
  config.mid = std::move(mid);
  config.kind = Kind::kVideo;
  config.rids = std::move(rids);
  config.payloads = {{96, Codec::kVp8, 1, 90'000, 0}, {97, Codec::kRtx, 0, 90'000, 96}};
  return config;
}

SourceConfig Audio(Handle handle, std::string mid) {
  SourceConfig config;
  config.source = handle;
  config.mid = std::move(mid);
  config.payloads = {{111, Codec::kOpus, 2, 48'000, 0}};
  return config;
}

class DemultiplexerTest : public testing::Test {
 protected:
  DemultiplexerTest() {
    demultiplexer.Add(camera, Video(1, "cam", {"q", "h"}));
    demultiplexer.Add(screen, Video(2, "scr", {}));
    demultiplexer.Add(voice, Audio(3, "mic"));
  }
  Route* Bind(std::uint32_t ssrc, std::uint8_t payload_type, const StreamIds& ids) {
    return demultiplexer.Bind(ssrc, payload_type, ids, 0).route;
  }

  Source camera{Video(1, "cam", {"q", "h"})};
  Source screen{Video(2, "scr", {})};
  Source voice{Audio(3, "mic")};
  Demultiplexer demultiplexer;
};

TEST_F(DemultiplexerTest, MidAndRidNameALayer) {
  const Route* route = Bind(1, 96, {.mid = "cam", .rid = "h", .repaired_rid = {}});
  ASSERT_NE(route, nullptr);
  EXPECT_EQ(route->layer, camera.layers()[1].get());
  EXPECT_EQ(demultiplexer.Find(1), route);
  EXPECT_EQ(demultiplexer.Find(2), nullptr);
}

TEST_F(DemultiplexerTest, ARepairedRidNamesTheRepairStreamOfALayer) {
  const Route* route = Bind(1, 97, {.mid = "cam", .rid = {}, .repaired_rid = "q"});
  ASSERT_NE(route, nullptr);
  EXPECT_TRUE(route->repair);
  EXPECT_EQ(route->layer, camera.layers()[0].get());
  EXPECT_FALSE(camera.layers()[0]->bound());
}

TEST_F(DemultiplexerTest, WithoutMidAPayloadTypeOfOneSectionOnlyIsEnough) {
  ASSERT_NE(Bind(1, 111, {}), nullptr);
  EXPECT_EQ(demultiplexer.Find(1)->source, &voice);
  EXPECT_EQ(Bind(2, 96, {}), nullptr) << "two sections send this";
}

TEST_F(DemultiplexerTest, UnknownNamesMapNothing) {
  EXPECT_EQ(Bind(1, 96, {.mid = "nobody", .rid = {}, .repaired_rid = {}}), nullptr);
  EXPECT_EQ(Bind(1, 96, {.mid = "cam", .rid = "x", .repaired_rid = {}}), nullptr);
  EXPECT_EQ(Bind(1, 96, {.mid = "cam", .rid = {}, .repaired_rid = {}}), nullptr);
  EXPECT_EQ(Bind(1, 50, {.mid = "cam", .rid = "q", .repaired_rid = {}}), nullptr);
  EXPECT_EQ(demultiplexer.size(), 0U);
}

TEST_F(DemultiplexerTest, TheNewestClaimToALayerHoldsAndTheOldOneIsForgotten) {
  Bind(1, 96, {.mid = "cam", .rid = "q", .repaired_rid = {}});
  Bind(2, 96, {.mid = "cam", .rid = "q", .repaired_rid = {}});
  EXPECT_EQ(demultiplexer.Find(1), nullptr);
  EXPECT_EQ(camera.layers()[0]->ssrc(), 2U);
}

TEST_F(DemultiplexerTest, AnSsrcThatMovesToAnotherSectionLeavesTheFirst) {
  Bind(1, 96, {.mid = "cam", .rid = "q", .repaired_rid = {}});
  Bind(1, 96, {.mid = "scr", .rid = {}, .repaired_rid = {}});
  EXPECT_EQ(demultiplexer.Find(1)->source, &screen);
  EXPECT_FALSE(camera.layers()[0]->bound());
}

TEST_F(DemultiplexerTest, SsrcsOfTheOfferAreKnownFromTheStart) {
  SourceConfig config = Video(4, "whip", {});
  config.ssrcs = {500};
  config.rtx_ssrcs = {{500, 501}};
  Source source(config);
  demultiplexer.Add(source, config);
  EXPECT_EQ(demultiplexer.Find(500)->layer, source.layers()[0].get());
  EXPECT_TRUE(demultiplexer.Find(501)->repair);
  demultiplexer.Remove(source);
  EXPECT_EQ(demultiplexer.Find(500), nullptr);
}

TEST_F(DemultiplexerTest, TheTableIsBoundedAndTheQuietestMakesWay) {
  Bind(1, 111, {.mid = "mic", .rid = {}, .repaired_rid = {}})->last_us = 1'000;
  for (std::uint32_t i = 0; i < 1'000; ++i) {
    demultiplexer.Bind(10'000 + i, 97, {.mid = "cam", .rid = {}, .repaired_rid = "q"}, 1);
  }
  EXPECT_LE(demultiplexer.size(), Demultiplexer::kMaxStreams);
  EXPECT_NE(demultiplexer.Find(1), nullptr);
}

}  // namespace
}  // namespace tertulia
