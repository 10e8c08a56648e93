#include <gtest/gtest.h>
#include <poll.h>

#include <memory>
#include <thread>

#include "handle_table.hpp"
#include "signalled_ring.hpp"
#include "spsc_ring.hpp"
#include "token_bucket.hpp"

namespace tertulia {
namespace {

bool Readable(int fd) {
  pollfd poll_fd{fd, POLLIN, 0};
  return poll(&poll_fd, 1, 0) == 1;
}

TEST(SpscRing, IsFullAtItsCapacityAndLeavesTheRefusedItemAlone) {
  SpscRing<std::unique_ptr<int>> ring(4);
  for (int i = 0; i < 4; ++i) {
    EXPECT_TRUE(ring.TryPush(std::make_unique<int>(i)));
  }
  auto refused = std::make_unique<int>(4);
  EXPECT_FALSE(ring.TryPush(std::move(refused)));
  ASSERT_NE(refused, nullptr);  // NOLINT(bugprone-use-after-move): it was not taken

  std::unique_ptr<int> out;
  ASSERT_TRUE(ring.TryPop(out));
  EXPECT_EQ(*out, 0);
  EXPECT_TRUE(ring.TryPush(std::move(refused)));
  for (int i = 1; i <= 4; ++i) {
    ASSERT_TRUE(ring.TryPop(out));
    EXPECT_EQ(*out, i);
  }
  EXPECT_FALSE(ring.TryPop(out));
}

TEST(SpscRing, FreesWhatAnItemOwnsWhenItIsPopped) {
  SpscRing<std::shared_ptr<int>> ring(2);
  auto item = std::make_shared<int>(1);
  const std::weak_ptr<int> watch = item;
  ASSERT_TRUE(ring.TryPush(std::move(item)));
  std::shared_ptr<int> out;
  ASSERT_TRUE(ring.TryPop(out));
  out.reset();
  EXPECT_TRUE(watch.expired());
}

TEST(SpscRing, CarriesEverythingInOrderBetweenTwoThreads) {
  constexpr std::uint64_t kItems = 200'000;
  SpscRing<std::uint64_t> ring(64);
  std::thread writer([&] {
    for (std::uint64_t i = 0; i < kItems;) {
      std::uint64_t item = i;
      if (ring.TryPush(std::move(item))) {
        ++i;
      } else {
        std::this_thread::yield();
      }
    }
  });
  for (std::uint64_t expected = 0; expected < kItems;) {
    std::uint64_t item = 0;
    if (ring.TryPop(item)) {
      ASSERT_EQ(item, expected);
      ++expected;
    } else {
      std::this_thread::yield();
    }
  }
  writer.join();
}

TEST(SignalledRing, IsReadableWhileItHoldsItemsAndNotWhenItIsEmpty) {
  SignalledRing<int> ring(8);
  int sum = 0;
  const auto add = [&](int item) { sum += item; };
  EXPECT_FALSE(Readable(ring.fd()));
  for (int i = 1; i <= 3; ++i) {
    ASSERT_TRUE(ring.Push(std::move(i)));
  }
  EXPECT_TRUE(Readable(ring.fd()));
  ring.Pop(2, add);
  EXPECT_EQ(sum, 3);
  EXPECT_TRUE(Readable(ring.fd())) << "one item waits";
  ring.Pop(2, add);
  EXPECT_EQ(sum, 6);
  EXPECT_FALSE(Readable(ring.fd()));
}

TEST(SignalledRing, WakesASleepingReaderForEveryItem) {
  constexpr int kItems = 20'000;
  SignalledRing<int> ring(16);
  std::thread writer([&] {
    for (int i = 0; i < kItems;) {
      int item = i;
      if (ring.Push(std::move(item))) {
        ++i;
      } else {
        std::this_thread::yield();
      }
    }
  });
  int received = 0;
  while (received < kItems) {
    pollfd poll_fd{ring.fd(), POLLIN, 0};
    ASSERT_EQ(poll(&poll_fd, 1, 20'000), 1) << "asleep with " << received << " items read";
    ring.Pop(5, [&](int item) { EXPECT_EQ(item, received++); });
  }
  writer.join();
}

TEST(HandleAllocator, GivesAnIndexAgainOnlyAfterItsReleaseAndWithTheNextGeneration) {
  HandleAllocator allocator;
  const Handle first = allocator.Make();
  const Handle second = allocator.Make();
  EXPECT_NE(first, 0U);
  EXPECT_NE(HandleIndex(first), HandleIndex(second));
  EXPECT_TRUE(allocator.Release(first));
  EXPECT_FALSE(allocator.Release(first)) << "released twice";
  const Handle third = allocator.Make();
  EXPECT_EQ(HandleIndex(third), HandleIndex(first));
  EXPECT_EQ(HandleGeneration(third), HandleGeneration(first) + 1);
  EXPECT_FALSE(allocator.alive(first));
  EXPECT_FALSE(allocator.Release(first)) << "stale";
  EXPECT_TRUE(allocator.alive(third));
  EXPECT_EQ(allocator.count(), 2U);
}

TEST(HandleTable, FindsNothingByAStaleHandle) {
  HandleAllocator allocator;
  HandleTable<int> table;
  const Handle first = allocator.Make();
  ASSERT_TRUE(table.Insert(first, 1));
  EXPECT_FALSE(table.Insert(first, 2)) << "taken";
  ASSERT_TRUE(table.Erase(first));
  allocator.Release(first);
  const Handle second = allocator.Make();
  ASSERT_TRUE(table.Insert(second, 2));
  EXPECT_EQ(table.Find(first), nullptr);
  EXPECT_FALSE(table.Erase(first));
  ASSERT_NE(table.Find(second), nullptr);
  EXPECT_EQ(*table.Find(second), 2);
  EXPECT_EQ(table.Find(0), nullptr);
  EXPECT_FALSE(table.Insert(0, 3));
  EXPECT_FALSE(table.Insert(Handle{0xFFFFFFFF}, 3)) << "an index that no caller could have made";
}

TEST(TokenBucket, AllowsABurstThenTheRate) {
  TokenBucket bucket(10, 3, 0);
  EXPECT_TRUE(bucket.Take(0) && bucket.Take(0) && bucket.Take(0));
  EXPECT_FALSE(bucket.Take(99'999));
  EXPECT_TRUE(bucket.Take(100'000));
  EXPECT_FALSE(bucket.Take(100'000));
  EXPECT_TRUE(bucket.Take(60'000'000) && bucket.Take(60'000'000) && bucket.Take(60'000'000));
  EXPECT_FALSE(bucket.Take(60'000'000)) << "idle time gives no more than the burst";
}

}  // namespace
}  // namespace tertulia
