// What holds from one sequence number of the source on, until the next change: a ring of the last changes, so that a
// late packet is treated as its neighbours were.
#pragma once

#include <array>
#include <cstdint>

namespace tertulia {

template <typename Value, std::size_t Size>
class IntervalMap {
 public:
  // Forgets everything; nothing before `first` is found any more.
  void Open(std::int64_t first, const Value& value) {
    count_ = 1;
    newest_ = 0;
    entries_[0] = {first, value};
  }
  void Close() { count_ = 0; }
  [[nodiscard]] bool open() const { return count_ != 0; }

  // From `first`, which is after all others (or the newest again), on. The oldest interval makes way.
  void Push(std::int64_t first, const Value& value) {
    if (first != entries_[newest_].first) {
      newest_ = (newest_ + 1) % Size;
      count_ = count_ < Size ? count_ + 1 : Size;
    }
    entries_[newest_] = {first, value};
  }

  [[nodiscard]] const Value& newest() const { return entries_[newest_].value; }

  // Null for what came before the first interval that is remembered.
  [[nodiscard]] const Value* Find(std::int64_t sequence) const {
    std::size_t at = newest_;
    for (std::size_t i = 0; i < count_; ++i) {
      if (sequence >= entries_[at].first) {
        return &entries_[at].value;
      }
      at = (at + Size - 1) % Size;
    }
    return nullptr;
  }

 private:
  struct Entry {
    std::int64_t first = 0;
    Value value{};
  };

  std::array<Entry, Size> entries_{};
  std::size_t newest_ = 0;
  std::size_t count_ = 0;
};

}  // namespace tertulia
