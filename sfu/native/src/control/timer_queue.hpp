// Who is due next: a heap of (time, index). An index is due at the earliest time that was set for it since it was
// taken; entries that were overtaken by an earlier one are passed over when they surface.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <vector>

#include "time.hpp"

namespace tertulia {

class TimerQueue {
 public:
  // Makes room for indices below `count`.
  void Resize(std::size_t count) {
    due_.resize(std::max(count, due_.size()), kNever);
    heap_.reserve(4 * due_.size());
  }

  void Set(std::uint32_t index, TimeUs due_us) {
    if (due_us >= due_[index]) {
      return;
    }
    due_[index] = due_us;
    heap_.push_back({due_us, index});
    std::push_heap(heap_.begin(), heap_.end(), Later);
  }

  void Cancel(std::uint32_t index) { due_[index] = kNever; }

  // The next index that is due; its time is forgotten.
  std::optional<std::uint32_t> Take(TimeUs now) {
    while (!heap_.empty() && heap_.front().due_us <= now) {
      const Entry entry = heap_.front();
      Pop();
      if (due_[entry.index] == entry.due_us) {
        due_[entry.index] = kNever;
        return entry.index;
      }
    }
    return std::nullopt;
  }

  // The next due time; kNever if nothing is set.
  [[nodiscard]] TimeUs Next() {
    while (!heap_.empty() && due_[heap_.front().index] != heap_.front().due_us) {
      Pop();
    }
    return heap_.empty() ? kNever : heap_.front().due_us;
  }

 private:
  struct Entry {
    TimeUs due_us = 0;
    std::uint32_t index = 0;
  };
  static bool Later(const Entry& a, const Entry& b) { return a.due_us > b.due_us; }
  void Pop() {
    std::pop_heap(heap_.begin(), heap_.end(), Later);
    heap_.pop_back();
  }

  std::vector<TimeUs> due_;
  std::vector<Entry> heap_;
};

}  // namespace tertulia
