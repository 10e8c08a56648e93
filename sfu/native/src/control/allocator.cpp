#include "control/allocator.hpp"

#include <algorithm>
#include <array>

namespace tertulia {
namespace {

// Room that a better layer must leave: rates vary by so much without anything having changed.
constexpr std::uint64_t kSparePercent = 5;
// A picture that is smaller than its place by no more than this is as good: browsers round sizes.
constexpr std::uint64_t kFillsPercent = 85;

class Allocator {
 public:
  Allocator(std::span<const SlotDemand> demands, std::uint64_t available_bps, std::span<SlotGrant> grants)
      : demands_(demands),
        grants_(grants),
        left_(std::min(available_bps, kPlenty)),
        count_(std::min(demands.size(), kMaxDemands)) {
    for (std::size_t i = 0; i < count_; ++i) {
      order_[i] = static_cast<std::uint16_t>(i);
      useful_[i] = UsefulOptions(demands[i].options, demands[i].max_pixels);
    }
    std::stable_sort(order_.begin(), order_.begin() + static_cast<std::ptrdiff_t>(count_),
                     [&](std::uint16_t a, std::uint16_t b) {
                       const SlotDemand& x = demands_[a];
                       const SlotDemand& y = demands_[b];
                       return x.priority != y.priority ? x.priority > y.priority : Size(x) > Size(y);
                     });
  }

  Allocation Run() {
    std::size_t begin = 0;
    while (begin < count_ && demands_[order_[begin]].priority >= kFirstClass) {
      begin = ServeClass(begin, true);
    }
    for (std::size_t i = begin; i < count_; ++i) {
      Raise(order_[i]);
    }
    while (begin < count_) {
      begin = ServeClass(begin, false);
    }
    return Sum();
  }

 private:
  static constexpr std::uint64_t kPlenty = UINT64_MAX / 4;  // far from where sums wrap

  static std::uint64_t Size(const SlotDemand& demand) {
    return demand.max_pixels == 0 ? UINT64_MAX : demand.max_pixels;
  }

  // Serves the slots of the class that begins at `begin`; returns where the next begins.
  std::size_t ServeClass(std::size_t begin, bool least) {
    std::size_t end = begin;
    while (end < count_ && demands_[order_[end]].priority == demands_[order_[begin]].priority) {
      ++end;
    }
    for (std::size_t i = begin; least && i < end; ++i) {
      Raise(order_[i]);
    }
    // First what they have, so that nobody loses it for another's gain; then more.
    for (std::size_t i = begin; i < end; ++i) {
      Restore(order_[i]);
    }
    for (bool raised = true; raised;) {
      raised = false;
      for (std::size_t i = begin; i < end; ++i) {
        raised = (level_[order_[i]] != 0 && Raise(order_[i])) || raised;
      }
    }
    return end;
  }

  // One step up for a slot, if there is one that fits: the next layer, or a better one that is no dearer than room
  // allows.
  bool Raise(std::size_t slot) {
    for (std::size_t level = level_[slot] + 1; level <= useful_[slot].size(); ++level) {
      if (Fits(slot, level)) {
        Take(slot, level);
        return true;
      }
    }
    return false;
  }

  void Restore(std::size_t slot) {
    if (!demands_[slot].has) {
      return;
    }
    for (std::size_t level = useful_[slot].size(); level > level_[slot]; --level) {
      if (useful_[slot][level - 1].target <= demands_[slot].current && Fits(slot, level)) {
        Take(slot, level);
        return;
      }
    }
  }

  [[nodiscard]] std::uint64_t Cost(std::size_t slot, std::size_t level) const {
    return level == 0 ? 0 : useful_[slot][level - 1].bitrate_bps;
  }

  [[nodiscard]] bool Fits(std::size_t slot, std::size_t level) const {
    const SlotDemand& demand = demands_[slot];
    const bool better = demand.has ? useful_[slot][level - 1].target > demand.current : demand.barred;
    if (better && demand.barred) {
      return false;
    }
    const std::uint64_t cost = Cost(slot, level);
    const std::uint64_t spare = better ? cost * kSparePercent / 100 : 0;
    return cost + spare <= left_ + Cost(slot, level_[slot]);
  }

  void Take(std::size_t slot, std::size_t level) {
    left_ = left_ + Cost(slot, level_[slot]) - Cost(slot, level);
    level_[slot] = level;
  }

  Allocation Sum() {
    Allocation sum;
    std::uint64_t step = 0;  // the smallest
    for (std::size_t i = 0; i < grants_.size(); ++i) {
      grants_[i] = {};
      if (i >= count_ || useful_[i].empty()) {
        continue;
      }
      const std::size_t level = level_[i];
      sum.wanted_bps += useful_[i].back().bitrate_bps;
      if (level != 0) {
        grants_[i] = {true, useful_[i][level - 1].target, Cost(i, level)};
        sum.granted_bps += grants_[i].bitrate_bps;
      }
      if (level < useful_[i].size()) {
        const std::uint64_t next = Cost(i, level + 1) * (100 + kSparePercent) / 100;
        const std::uint64_t more = next > Cost(i, level) ? next - Cost(i, level) : 1;
        step = step == 0 ? more : std::min(step, more);
      }
    }
    sum.next_bps = step == 0 ? 0 : sum.granted_bps + step;
    return sum;
  }

  std::span<const SlotDemand> demands_;
  std::span<SlotGrant> grants_;
  std::uint64_t left_;
  std::size_t count_;
  std::array<std::uint16_t, kMaxDemands> order_{};
  std::array<std::size_t, kMaxDemands> level_{};  // 0: nothing, else 1 + index of the option
  std::array<std::span<const LayerOption>, kMaxDemands> useful_{};
};

}  // namespace

std::span<const LayerOption> UsefulOptions(std::span<const LayerOption> options, std::uint32_t max_pixels) {
  if (max_pixels == 0) {
    return options;
  }
  for (std::size_t i = 0; i < options.size(); ++i) {
    const bool last_of_size = i + 1 == options.size() || options[i + 1].target.spatial != options[i].target.spatial;
    if (last_of_size && std::uint64_t{options[i].pixels} * 100 >= std::uint64_t{max_pixels} * kFillsPercent) {
      return options.first(i + 1);
    }
  }
  return options;
}

Allocation Allocate(std::span<const SlotDemand> demands, std::uint64_t available_bps, std::span<SlotGrant> grants) {
  return Allocator(demands, available_bps, grants).Run();
}

}  // namespace tertulia
