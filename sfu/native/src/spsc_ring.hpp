// A bounded ring between exactly one producer thread and one consumer thread. It takes no locks, so that neither side
// ever waits for the other; a full ring is told to the producer, who decides what that means.
#pragma once

#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

namespace tertulia {

// Each side has a cache line of its own, which is what the padding is for.
template <typename T>
class SpscRing {  // NOLINT(clang-analyzer-optin.performance.Padding)
 public:
  // `capacity` is rounded up to a power of two.
  explicit SpscRing(std::size_t capacity)
      : mask_(std::bit_ceil(capacity < 2 ? std::size_t{2} : capacity) - 1), items_(std::make_unique<T[]>(mask_ + 1)) {}

  // Producer only. False: full, and `item` is untouched.
  [[nodiscard]] bool TryPush(T&& item) {
    const std::uint64_t tail = tail_.load(std::memory_order_relaxed);
    if (tail - cached_head_ > mask_) {
      cached_head_ = head_.load(std::memory_order_acquire);
      if (tail - cached_head_ > mask_) {
        return false;
      }
    }
    items_[tail & mask_] = std::move(item);
    tail_.store(tail + 1, std::memory_order_release);
    return true;
  }

  // Consumer only. False: empty.
  [[nodiscard]] bool TryPop(T& item) {
    const std::uint64_t head = head_.load(std::memory_order_relaxed);
    if (head == cached_tail_) {
      cached_tail_ = tail_.load(std::memory_order_acquire);
      if (head == cached_tail_) {
        return false;
      }
    }
    item = std::move(items_[head & mask_]);
    items_[head & mask_] = T{};  // what the item owned is freed now, not when the ring comes round
    head_.store(head + 1, std::memory_order_release);
    return true;
  }

  // How many items were ever pushed (producer's view) and popped (any thread; may lag).
  [[nodiscard]] std::uint64_t pushed() const { return tail_.load(std::memory_order_acquire); }
  [[nodiscard]] std::uint64_t popped() const { return head_.load(std::memory_order_acquire); }
  [[nodiscard]] std::size_t size() const { return static_cast<std::size_t>(pushed() - popped()); }
  [[nodiscard]] std::size_t capacity() const { return mask_ + 1; }

 private:
  std::size_t mask_;
  std::unique_ptr<T[]> items_;
  alignas(64) std::atomic<std::uint64_t> tail_{0};
  std::uint64_t cached_head_ = 0;  // producer's
  alignas(64) std::atomic<std::uint64_t> head_{0};
  std::uint64_t cached_tail_ = 0;  // consumer's
};

}  // namespace tertulia
