// RED (RFC 2198): a packet of sound that carries those before it once more.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>

#include "wire/bytes.hpp"

namespace tertulia {

struct RedBlock {
  std::uint8_t payload_type = 0;
  std::uint16_t timestamp_offset = 0;  // before the packet's; 14 bits
  MutableBytes payload;
};

struct RedPayload {
  // So many that all headers lie within the bytes that may differ from viewer to viewer (SendBatch::kOwnBytes).
  // Browsers send one or two.
  static constexpr std::size_t kMaxRedundant = 3;

  RedBlock primary;
  std::size_t count = 0;
  std::array<RedBlock, kMaxRedundant> blocks;  // oldest first; each the primary of an earlier packet

  [[nodiscard]] std::span<const RedBlock> redundant() const { return std::span(blocks).first(count); }
};

// Nothing if a block overruns the payload, if there are too many, or if there is no primary data.
[[nodiscard]] std::optional<RedPayload> ParseRed(MutableBytes payload);

// Sets the payload type of every block; the payload was parsed before.
void SetRedPayloadTypes(MutableBytes payload, std::uint8_t payload_type);

}  // namespace tertulia
