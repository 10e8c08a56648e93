#include "send/header_writer.hpp"

#include <algorithm>
#include <cstring>
#include <optional>

#include "wire/dd.hpp"
#include "wire/ext.hpp"

namespace tertulia {
namespace {

constexpr std::size_t kOneByteMaxId = 14;
constexpr std::size_t kOneByteMaxValue = 16;

Ext StampExt(SendStamp stamp) { return stamp == SendStamp::kTransportCc ? Ext::kTransportCc : Ext::kAbsSendTime; }

}  // namespace

HeaderWriter::HeaderWriter(const ExtensionIds& ids, std::string_view mid, std::uint32_t ssrc, SendStamp stamp)
    // A key frame's descriptor does not fit into the one-byte form, and without it the others mean nothing.
    : descriptor_id_(ids.two_byte ? ids.of(Ext::kDependencyDescriptor) : std::uint8_t{0}), stamp_{stamp, 0} {
  bool wide = ids.of(Ext::kMid) > kOneByteMaxId;
  for (std::size_t i = 0; i < kForwarded.size(); ++i) {
    ids_[i] = ids.of(kForwarded[i]);
    wide = wide || ids_[i] > kOneByteMaxId;
  }
  wide = wide || (stamp != SendStamp::kNone && ids.of(StampExt(stamp)) > kOneByteMaxId);
  always_wide_ = wide && ids.two_byte;
  if (!always_wide_) {
    // RFC 8285, 4.2: ids above 14 cannot be said in the one-byte form.
    for (std::uint8_t& id : ids_) {
      id = id > kOneByteMaxId ? std::uint8_t{0} : id;
    }
  }
  if (stamp != SendStamp::kNone) {
    const std::uint8_t id = ids.of(StampExt(stamp));
    if (id == 0 || (!always_wide_ && id > kOneByteMaxId)) {
      stamp_ = {};
    }
  }
  MakePrefix(narrow_, false, ids, mid, ssrc);
  MakePrefix(wide_, true, ids, mid, ssrc);
}

void HeaderWriter::MakePrefix(Prefix& prefix, bool two_byte, const ExtensionIds& ids, std::string_view mid,
                              std::uint32_t ssrc) {
  std::uint8_t* out = prefix.bytes.data();
  out[0] = 2 << 6 | 1;  // version 2, one CSRC
  WriteU32(&out[8], ssrc);
  WriteU16(&out[kExtensionStart], two_byte ? ExtensionBlock::kTwoByteProfile : ExtensionBlock::kOneByteProfile);
  std::size_t size = kExtensionStart + 4;
  if (stamp_.kind != SendStamp::kNone) {
    if (!two_byte && descriptor_id_ != 0 && !always_wide_) {
      out[size++] = 0;  // padding, so that the stamp has one place in both forms
    }
    constexpr std::array<std::uint8_t, 3> kEmpty{};
    const std::size_t value = stamp_.kind == SendStamp::kTransportCc ? 2 : 3;
    size += PutElement(&out[size], two_byte, ids.of(StampExt(stamp_.kind)), Bytes(kEmpty).first(value));
    if (two_byte == always_wide_) {
      stamp_.offset = static_cast<std::uint8_t>(size - value);
    }
  }
  const std::uint8_t mid_id = ids.of(Ext::kMid);
  if (mid_id != 0 && !mid.empty() && mid.size() <= kMaxMid && (two_byte || mid_id <= kOneByteMaxId)) {
    size += PutElement(&out[size], two_byte, mid_id, StreamIdValue(mid));
  }
  prefix.size = static_cast<std::uint8_t>(size);
}

std::size_t HeaderWriter::PutElement(std::uint8_t* out, bool two_byte, std::uint8_t id, Bytes value) {
  std::size_t size = 0;
  if (two_byte) {
    out[size++] = id;
    out[size++] = static_cast<std::uint8_t>(value.size());
  } else {
    out[size++] = static_cast<std::uint8_t>(id << 4 | (value.size() - 1));
  }
  std::memcpy(out + size, value.data(), value.size());
  return size + value.size();
}

std::size_t HeaderWriter::WriteDescriptor(MutableBytes out, const Numbers& numbers,
                                          const IncomingPacket& packet) const {
  const Bytes value = packet.extension(Ext::kDependencyDescriptor);
  if (descriptor_id_ == 0 || value.empty()) {
    return 0;
  }
  const dd::Layout& layout = packet.picture.descriptor;
  const bool tells = numbers.tells_active && layout.target_count > 0;
  return dd::Rewrite(value, layout, numbers.frame_number, tells ? std::optional(numbers.active) : std::nullopt, out);
}

std::size_t HeaderWriter::Write(Buffer& out, std::uint8_t payload_type, std::uint32_t csrc, const Numbers& numbers,
                                const IncomingPacket& packet) const {
  std::array<std::uint8_t, dd::kMaxSize> descriptor;  // NOLINT(cppcoreguidelines-pro-type-member-init)
  const std::size_t descriptor_size = WriteDescriptor(descriptor, numbers, packet);
  const bool wide =
      always_wide_ || (descriptor_size > 0 && (descriptor_size > kOneByteMaxValue || descriptor_id_ > kOneByteMaxId));
  const Prefix& prefix = wide ? wide_ : narrow_;
  std::memcpy(out.data(), prefix.bytes.data(), prefix.bytes.size());
  out[1] = static_cast<std::uint8_t>(payload_type | (numbers.marker ? 0x80 : 0));
  WriteU16(&out[2], numbers.sequence);
  WriteU32(&out[4], numbers.timestamp);
  WriteU32(&out[12], csrc);
  std::size_t size = prefix.size;
  for (std::size_t i = 0; i < kForwarded.size(); ++i) {
    const Bytes value = packet.extension(kForwarded[i]);
    if (ids_[i] != 0 && !value.empty() && value.size() <= kMaxForwardedValue) {
      size += PutElement(&out[size], wide, ids_[i], value);
    }
  }
  if (descriptor_size > 0) {
    size += PutElement(&out[size], wide, descriptor_id_, Bytes(descriptor.data(), descriptor_size));
  }
  if (size == kExtensionStart + 4) {
    return kExtensionStart;  // no extensions at all: the X bit stays clear
  }
  out[0] |= 1 << 4;
  while (size % 4 != 0) {
    out[size++] = 0;
  }
  WriteU16(&out[kExtensionStart + 2], static_cast<std::uint16_t>((size - kExtensionStart - 4) / 4));
  return size;
}

}  // namespace tertulia
