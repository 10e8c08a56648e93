#include "wire/red.hpp"

namespace tertulia {
namespace {

constexpr std::uint8_t kFollowed = 0x80;  // F: another block header follows
constexpr std::size_t kBlockHeader = 4;

}  // namespace

std::optional<RedPayload> ParseRed(MutableBytes payload) {
  RedPayload red;
  std::array<std::size_t, RedPayload::kMaxRedundant> sizes{};
  std::size_t at = 0;
  while (true) {
    if (at == payload.size()) return std::nullopt;
    const std::uint8_t first = payload[at];
    if ((first & kFollowed) == 0) {
      red.primary.payload_type = first;
      ++at;
      break;
    }
    if (red.count == RedPayload::kMaxRedundant || payload.size() - at < kBlockHeader) return std::nullopt;
    RedBlock& block = red.blocks[red.count];
    block.payload_type = first & 0x7F;
    // 14 bits of timestamp offset, 10 bits of length.
    const std::uint32_t rest = std::uint32_t{payload[at + 1]} << 16 | ReadU16(&payload[at + 2]);
    block.timestamp_offset = static_cast<std::uint16_t>(rest >> 10);
    sizes[red.count] = rest & 0x3FF;
    ++red.count;
    at += kBlockHeader;
  }
  for (std::size_t i = 0; i < red.count; ++i) {
    if (payload.size() - at < sizes[i]) return std::nullopt;
    red.blocks[i].payload = payload.subspan(at, sizes[i]);
    at += sizes[i];
  }
  red.primary.payload = payload.subspan(at);
  if (red.primary.payload.empty()) return std::nullopt;
  return red;
}

void SetRedPayloadTypes(MutableBytes payload, std::uint8_t payload_type) {
  std::size_t at = 0;
  while (at < payload.size() && (payload[at] & kFollowed) != 0) {
    payload[at] = static_cast<std::uint8_t>(kFollowed | (payload_type & 0x7F));
    at += kBlockHeader;
  }
  if (at < payload.size()) payload[at] = payload_type & 0x7F;
}

}  // namespace tertulia
