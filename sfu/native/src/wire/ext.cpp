#include "wire/ext.hpp"

#include <algorithm>

namespace tertulia {

bool ExtensionBlock::Next(std::size_t& offset, ExtensionElement& element) const {
  const bool short_form = one_byte();
  if (!short_form && !two_byte()) return false;
  while (offset < data_.size()) {
    const std::uint8_t first = data_[offset];
    if (short_form) {
      const auto id = static_cast<std::uint8_t>(first >> 4);
      if (first == 0) {  // padding between or after elements
        ++offset;
        continue;
      }
      // RFC 8285, 4.2: with ID 15 "processing of the entire extension block MUST terminate"; ID 0 with a length that is
      // not 0 is treated alike, since it cannot be told what was meant.
      if (id == 15 || id == 0) return false;
      const std::size_t size = std::size_t{first & 0x0FU} + 1;
#ifdef TERTULIA_PLANTED_BUG
      // Without the check below an element may overrun its block, which fuzzing must notice (docs/fuzzing.md).
#else
      if (data_.size() - offset - 1 < size) return false;
#endif
      element = {id, Bytes(data_.data() + offset + 1, size)};
      offset += 1 + size;
      return true;
    }
    if (first == 0) {  // RFC 8285, 4.3: a padding byte has no length
      ++offset;
      continue;
    }
    if (data_.size() - offset < 2) return false;
    const std::size_t size = data_[offset + 1];
    if (data_.size() - offset - 2 < size) return false;
    element = {first, data_.subspan(offset + 2, size)};
    offset += 2 + size;
    return true;
  }
  return false;
}

std::optional<Bytes> ExtensionBlock::Find(std::uint8_t id) const {
  if (id == 0) return std::nullopt;
  std::size_t offset = 0;
  for (ExtensionElement element; Next(offset, element);) {
    if (element.id == id) return element.value;
  }
  return std::nullopt;
}

std::optional<AudioLevel> ParseAudioLevel(Bytes value) {
  if (value.empty()) return std::nullopt;
  return AudioLevel{(value[0] & 0x80) != 0, static_cast<std::uint8_t>(value[0] & 0x7F)};
}

std::optional<std::uint16_t> ParseTransportCc(Bytes value) {
  if (value.size() < 2) return std::nullopt;
  return ReadU16(value.data());
}

std::array<std::uint8_t, 2> TransportCcValue(std::uint16_t sequence) {
  std::array<std::uint8_t, 2> value{};
  WriteU16(value.data(), sequence);
  return value;
}

std::optional<std::uint32_t> ParseAbsSendTime(Bytes value) {
  if (value.size() != 3) return std::nullopt;
  return ReadU24(value.data());
}

std::array<std::uint8_t, 3> AbsSendTimeValue(TimeUs now) {
  // Only the last 64 s count, which also keeps the shift from overflowing.
  const auto within = static_cast<std::uint64_t>(now) % 64'000'000;
  std::array<std::uint8_t, 3> value{};
  WriteU24(value.data(), static_cast<std::uint32_t>((within << 18) / 1'000'000) & 0xFFFFFF);
  return value;
}

std::optional<std::string_view> ParseStreamId(Bytes value) {
  if (value.empty() || value.size() > 64) return std::nullopt;
  // The characters of a token (RFC 8866, 9), which mid and rid values are made of.
  const auto token = [](std::uint8_t c) {
    return c > 0x20 && c < 0x7F &&
           std::string_view("\"(),/:;<=>?@[\\]").find(static_cast<char>(c)) == std::string_view::npos;
  };
  if (!std::all_of(value.begin(), value.end(), token)) return std::nullopt;
  return std::string_view(reinterpret_cast<const char*>(value.data()), value.size());
}

}  // namespace tertulia
