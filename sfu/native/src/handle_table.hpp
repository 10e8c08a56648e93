// Handles name things that live on the worker from outside of it: (generation << 32 | index). The caller's side makes
// them, so that a command needs no answer; the worker looks them up and finds nothing for a stale one.
#pragma once

#include <cstdint>
#include <deque>
#include <vector>

#include "tertulia/types.hpp"

namespace tertulia {

constexpr std::uint32_t HandleIndex(Handle handle) { return static_cast<std::uint32_t>(handle); }
constexpr std::uint32_t HandleGeneration(Handle handle) { return static_cast<std::uint32_t>(handle >> 32); }

// Caller's side. An index is used again only after Release, which follows the worker's acknowledgement, and then with
// the next generation.
class HandleAllocator {
 public:
  // Several allocators whose first generations lie far apart never make the same handle.
  explicit HandleAllocator(std::uint32_t first_generation = 1) : first_generation_(first_generation) {}

  Handle Make() {
    std::uint32_t index = 0;
    if (free_.empty()) {
      index = static_cast<std::uint32_t>(generations_.size());
      generations_.push_back(first_generation_);
      alive_.push_back(true);
    } else {
      index = free_.front();  // oldest first: generations of one index stay far apart in time
      free_.pop_front();
      alive_[index] = true;
    }
    ++count_;
    return static_cast<Handle>(generations_[index]) << 32 | index;
  }

  // False: not a living handle (never made, or released before).
  bool Release(Handle handle) {
    if (!alive(handle)) {
      return false;
    }
    const std::uint32_t index = HandleIndex(handle);
    alive_[index] = false;
    if (++generations_[index] == 0) {
      generations_[index] = first_generation_;  // 0 is "none"
    }
    free_.push_back(index);
    --count_;
    return true;
  }

  [[nodiscard]] bool alive(Handle handle) const {
    const std::uint32_t index = HandleIndex(handle);
    return index < generations_.size() && alive_[index] && generations_[index] == HandleGeneration(handle);
  }
  [[nodiscard]] std::size_t count() const { return count_; }

 private:
  std::uint32_t first_generation_;
  std::vector<std::uint32_t> generations_;
  std::vector<bool> alive_;
  std::deque<std::uint32_t> free_;
  std::size_t count_ = 0;
};

// Worker's side: index -> value, found only with the right generation. `T` is a small copyable value.
template <typename T>
class HandleTable {
 public:
  // False: the handle is 0 or its index is taken, which is a fault of the caller's side.
  bool Insert(Handle handle, T value) {
    const std::uint32_t index = HandleIndex(handle);
    if (handle == 0 || index > kMaxIndex) {
      return false;
    }
    if (index >= entries_.size()) {
      entries_.resize(index + 1);
    }
    if (entries_[index].handle != 0) {
      return false;
    }
    entries_[index] = {handle, std::move(value)};
    return true;
  }

  [[nodiscard]] T* Find(Handle handle) {
    const std::uint32_t index = HandleIndex(handle);
    if (handle == 0 || index >= entries_.size() || entries_[index].handle != handle) {
      return nullptr;
    }
    return &entries_[index].value;
  }

  bool Erase(Handle handle) {
    if (Find(handle) == nullptr) {
      return false;
    }
    entries_[HandleIndex(handle)] = Entry{};
    return true;
  }

 private:
  static constexpr std::uint32_t kMaxIndex = 1U << 24;
  struct Entry {
    Handle handle = 0;
    T value{};
  };
  std::vector<Entry> entries_;
};

}  // namespace tertulia
