// What a model publisher puts into its packets so that a model viewer can tell what arrived: the last bytes name the
// frame and the packet's place in it, what is before them can be computed from that.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "wire/bytes.hpp"

namespace tertulia::test {

struct ContentTag {
  std::uint32_t frame = 0;
  std::uint16_t index = 0, count = 1;  // this packet of so many
  friend bool operator==(const ContentTag&, const ContentTag&) = default;
};

inline constexpr std::size_t kContentTagSize = 8;

inline std::uint8_t ContentByte(const ContentTag& tag, std::size_t distance_from_end) {
  return static_cast<std::uint8_t>(tag.frame * 31 + tag.index * 7 + distance_from_end);
}

// Appends `filler` bytes and the tag.
inline void AppendContent(std::vector<std::uint8_t>& payload, const ContentTag& tag, std::size_t filler) {
  for (std::size_t i = 0; i < filler; ++i) {
    payload.push_back(ContentByte(tag, filler - i));
  }
  payload.resize(payload.size() + kContentTagSize);
  std::uint8_t* end = payload.data() + payload.size();
  WriteU32(end - 8, tag.frame);
  WriteU16(end - 4, tag.index);
  WriteU16(end - 2, tag.count);
}

// Nothing if what is before the tag, but for the first `head` bytes (a payload descriptor), is not what was sent.
inline std::optional<ContentTag> ReadContent(Bytes payload, std::size_t head) {
  if (payload.size() < head + kContentTagSize) {
    return std::nullopt;
  }
  const std::uint8_t* end = payload.data() + payload.size();
  const ContentTag tag{ReadU32(end - 8), ReadU16(end - 4), ReadU16(end - 2)};
  const std::size_t filler = payload.size() - head - kContentTagSize;
  for (std::size_t i = 0; i < filler; ++i) {
    if (payload[head + i] != ContentByte(tag, filler - i)) {
      return std::nullopt;
    }
  }
  return tag;
}

}  // namespace tertulia::test
