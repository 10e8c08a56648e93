// Which packet indices were seen already (RFC 3711, 3.3.2): a sliding bitmap behind the highest authenticated index.
// Check first, Update only after the packet has been authenticated: a forged packet must not move the window.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace tertulia {

template <std::size_t kBits>
class ReplayWindow {
  static_assert(kBits >= 64 && kBits % 64 == 0, "RFC 3711 asks for 64 packets at least");

 public:
  // Neither seen before nor older than the window.
  [[nodiscard]] bool Check(std::uint64_t index) const {
    if (!started_ || index > highest_) return true;
    if (highest_ - index >= kBits) return false;
    return (words_[Word(index)] >> (index % 64) & 1) == 0;
  }

  void Update(std::uint64_t index) {
    if (!started_) {
      started_ = true;
      highest_ = index;
    } else if (index > highest_) {
      Forget(index);
      highest_ = index;
    } else if (highest_ - index >= kBits) {
      return;
    }
    words_[Word(index)] |= std::uint64_t{1} << (index % 64);
  }

  [[nodiscard]] bool started() const { return started_; }
  [[nodiscard]] std::uint64_t highest() const { return highest_; }

 private:
  static constexpr std::size_t kWords = kBits / 64;

  static std::size_t Word(std::uint64_t index) { return index / 64 % kWords; }

  // Clears the bits of (highest_, index]: they belonged to indices that now fall out of the window.
  void Forget(std::uint64_t index) {
    if (index - highest_ >= kBits) {
      words_.fill(0);
      return;
    }
    for (std::uint64_t i = highest_ + 1; i <= index; ++i) words_[Word(i)] &= ~(std::uint64_t{1} << (i % 64));
  }

  std::array<std::uint64_t, kWords> words_{};
  std::uint64_t highest_ = 0;
  bool started_ = false;
};

}  // namespace tertulia
