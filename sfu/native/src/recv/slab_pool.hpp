// Where recent packets are kept: pieces of memory of one size, made when they are first needed, used again for ever
// after, and never more of them than the worker may have. So no packet allocates, and a room full of publishers cannot
// eat the machine.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace tertulia {

inline constexpr std::size_t kSlabBytes = 16 * 1024;
using Slab = std::array<std::uint8_t, kSlabBytes>;

class SlabPool {
 public:
  static constexpr std::size_t kDefaultMaxBytes = 128UL * 1024 * 1024;

  // Gives a slab back to its pool, which must outlive it.
  class Return {
   public:
    explicit Return(SlabPool* pool = nullptr) : pool_(pool) {}
    void operator()(Slab* slab) const { pool_->free_.emplace_back(slab); }

   private:
    SlabPool* pool_;
  };
  using Pointer = std::unique_ptr<Slab, Return>;

  explicit SlabPool(std::size_t max_bytes = kDefaultMaxBytes) : max_slabs_(max_bytes / kSlabBytes) {}

  // Null when all that there may be are in use.
  Pointer Take() {
    if (!free_.empty()) {
      Slab* slab = free_.back().release();
      free_.pop_back();
      return Pointer(slab, Return(this));
    }
    if (made_ == max_slabs_) {
      return Pointer(nullptr, Return(this));
    }
    ++made_;
    free_.reserve(made_);  // giving back allocates nothing
    return Pointer(std::make_unique_for_overwrite<Slab>().release(), Return(this));
  }

  [[nodiscard]] std::size_t bytes_in_use() const { return (made_ - free_.size()) * kSlabBytes; }

 private:
  std::size_t max_slabs_;
  std::size_t made_ = 0;
  std::vector<std::unique_ptr<Slab>> free_;
};

}  // namespace tertulia
