#include <gtest/gtest.h>

#include <vector>

#include "events.hpp"

namespace tertulia {
namespace {

std::vector<Event> Drain(EventQueue& queue) {
  std::vector<Event> events;
  queue.Pop(100'000, [&](Event event) { events.push_back(std::move(event)); });
  return events;
}

template <typename T>
std::vector<T> Only(const std::vector<Event>& events) {
  std::vector<T> result;
  for (const Event& event : events) {
    if (const T* e = std::get_if<T>(&event)) {
      result.push_back(*e);
    }
  }
  return result;
}

TEST(EventQueue, KeepsStatesInOrder) {
  EventQueue queue(16);
  queue.PushState(event::Path{1, IceState::kConnected});
  queue.PushState(event::Active{2, true});
  queue.PushState(event::Closed{1});
  const auto events = Drain(queue);
  ASSERT_EQ(events.size(), 3U);
  EXPECT_EQ(std::get<event::Path>(events[0]).session, 1U);
  EXPECT_TRUE(std::get<event::Active>(events[1]).active);
  EXPECT_EQ(std::get<event::Closed>(events[2]).handle, 1U);
}

TEST(EventQueue, LosesNoStateWhenTheReaderLagsAndKeepsTheLatestOfEach) {
  EventQueue queue(8);
  for (std::uint32_t round = 1; round <= 100; ++round) {
    for (Handle slot = 1; slot <= 20; ++slot) {
      queue.PushState(event::Switched{slot, slot, round});
    }
  }
  for (Handle handle = 1; handle <= 20; ++handle) {
    queue.PushState(event::Closed{handle});
  }
  EXPECT_TRUE(queue.unsettled());
  std::vector<Event> events;
  std::size_t before = 0;
  do {
    before = events.size();
    for (Event& event : Drain(queue)) {
      events.push_back(std::move(event));
    }
    queue.Settle();
  } while (events.size() > before);
  EXPECT_FALSE(queue.unsettled());

  std::vector<std::uint32_t> last(21);
  for (const auto& switched : Only<event::Switched>(events)) {
    last[switched.slot] = switched.first_rtp_timestamp;
  }
  for (Handle slot = 1; slot <= 20; ++slot) {
    EXPECT_EQ(last[slot], 100U) << slot;
  }
  EXPECT_EQ(Only<event::Closed>(events).size(), 20U);
  EXPECT_LE(events.size(), 8U + 20U + 20U) << "bounded by the number of things";
}

TEST(EventQueue, BoundsTheDatagramsOfEachSession) {
  EventQueue queue(1024);
  DtlsQuota greedy;
  DtlsQuota modest;
  const std::vector<std::uint8_t> datagram(100, 22);
  int taken = 0;
  for (int i = 0; i < 1000; ++i) {
    taken += queue.PushDtls(greedy, 1, datagram) ? 1 : 0;
  }
  EXPECT_EQ(taken, static_cast<int>(DtlsQuota::kMax));
  EXPECT_TRUE(queue.PushDtls(modest, 2, datagram)) << "another session has its own quota";
  EXPECT_EQ(Drain(queue).size(), DtlsQuota::kMax + 1);
  EXPECT_TRUE(queue.PushDtls(greedy, 1, datagram)) << "what was read counts no more";
}

TEST(EventQueue, KeepsRoomForStatesWhenDatagramsFloodIt) {
  EventQueue queue(64);
  std::vector<DtlsQuota> quotas(100);
  const std::vector<std::uint8_t> datagram(100, 22);
  int taken = 0;
  for (std::size_t i = 0; i < quotas.size(); ++i) {
    taken += queue.PushDtls(quotas[i], i + 1, datagram) ? 1 : 0;
  }
  EXPECT_EQ(taken, 48);
  queue.PushState(event::Path{1, IceState::kFailed});
  EXPECT_FALSE(queue.unsettled());
}

}  // namespace
}  // namespace tertulia
