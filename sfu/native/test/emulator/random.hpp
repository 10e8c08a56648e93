// Random numbers that are the same on every machine: what a standard distribution makes of a generator is left to each
// library.
#pragma once

#include <cstdint>

namespace tertulia::test {

// SplitMix64.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}

  std::uint64_t Next() {
    state_ += 0x9E3779B97F4A7C15;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
    return z ^ (z >> 31);
  }
  // In [0, 1).
  double Uniform() { return static_cast<double>(Next() >> 11) * 0x1.0p-53; }
  bool Chance(double probability) { return probability > 0 && Uniform() < probability; }
  // In [0, bound); 0 for 0.
  std::int64_t Below(std::int64_t bound) {
    return bound <= 0 ? 0 : static_cast<std::int64_t>(Uniform() * static_cast<double>(bound));
  }

 private:
  std::uint64_t state_;
};

}  // namespace tertulia::test
