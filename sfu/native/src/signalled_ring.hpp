// A bounded ring between two threads whose reader sleeps on an eventfd. The eventfd is written only when the reader has
// found the ring empty, so a busy ring costs no system calls; it stays readable while items remain, so a reader may
// take a bounded number and come back.
#pragma once

#include <sys/eventfd.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <system_error>
#include <utility>

#include "spsc_ring.hpp"

namespace tertulia {

template <typename T>
class SignalledRing {
 public:
  explicit SignalledRing(std::size_t capacity) : ring_(capacity), fd_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
    if (fd_ < 0) {
      throw std::system_error(errno, std::generic_category(), "eventfd");
    }
  }
  ~SignalledRing() { ::close(fd_); }
  SignalledRing(const SignalledRing&) = delete;
  SignalledRing& operator=(const SignalledRing&) = delete;

  // Writer. False: full, and `item` is untouched.
  [[nodiscard]] bool Push(T&& item) {
    if (!ring_.TryPush(std::move(item))) {
      return false;
    }
    // Pairs with the exchange in Rest: either the reader sees this item, or we see that it rests.
    if (resting_.exchange(false, std::memory_order_seq_cst)) {
      Signal();
    }
    return true;
  }

  // Reader. Passes up to `limit` items to `take`.
  template <typename Take>
  void Pop(std::size_t limit, Take take) {
    T item;
    for (std::size_t i = 0; i < limit; ++i) {
      if (!ring_.TryPop(item) && !Rest(item)) {
        return;
      }
      take(std::move(item));
    }
  }

  [[nodiscard]] const SpscRing<T>& ring() const { return ring_; }
  [[nodiscard]] int fd() const { return fd_; }

 private:
  // The ring looked empty: take back the signal, say so, and look once more.
  bool Rest(T& item) {
    std::uint64_t count = 0;
    while (::read(fd_, &count, sizeof(count)) < 0 && errno == EINTR) {
    }
    resting_.exchange(true, std::memory_order_seq_cst);
    if (!ring_.TryPop(item)) {
      return false;
    }
    if (resting_.exchange(false, std::memory_order_seq_cst)) {
      Signal();  // the writer pushed before it could see that we rest: the signal is ours to give
    }
    return true;
  }

  void Signal() {
    const std::uint64_t one = 1;
    while (::write(fd_, &one, sizeof(one)) < 0 && errno == EINTR) {
    }
  }

  SpscRing<T> ring_;
  int fd_;
  // Set by the reader when it has found the ring empty; whoever clears it writes the eventfd.
  std::atomic<bool> resting_{true};
};

}  // namespace tertulia
