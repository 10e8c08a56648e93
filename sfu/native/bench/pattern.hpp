// Recognisable packet contents: a stamp that names the sender and the packet, then bytes that follow from both, so
// that a receiver can rebuild what was sent and compare all of it.
#pragma once

#include <cstdint>
#include <optional>

#include "wire/bytes.hpp"

namespace tertulia::load {

// What the stamp of a packet says.
struct Stamp {
  std::uint32_t sender = 0;
  std::uint64_t counter = 0;
};

inline constexpr std::size_t kStampSize = 12;

// Fills `body` with the stamp and the bytes that belong to it. `body` holds at least kStampSize bytes.
void WriteBody(const Stamp& stamp, MutableBytes body);

// The stamp of `body`, if every byte is as WriteBody wrote it.
[[nodiscard]] std::optional<Stamp> CheckBody(Bytes body);

}  // namespace tertulia::load
