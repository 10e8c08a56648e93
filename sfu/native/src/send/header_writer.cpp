#include "send/header_writer.hpp"

#include <algorithm>
#include <cstring>

#include "wire/ext.hpp"

namespace tertulia {
namespace {

constexpr std::size_t kOneByteMaxId = 14;
constexpr std::size_t kMaxMid = 16;

Ext StampExt(SendStamp stamp) { return stamp == SendStamp::kTransportCc ? Ext::kTransportCc : Ext::kAbsSendTime; }

}  // namespace

HeaderWriter::HeaderWriter(const ExtensionIds& ids, std::string_view mid, std::uint32_t ssrc, SendStamp stamp) {
  const bool has_mid = ids.of(Ext::kMid) != 0 && !mid.empty() && mid.size() <= kMaxMid;
  bool wide = has_mid && ids.of(Ext::kMid) > kOneByteMaxId;
  for (std::size_t i = 0; i < kForwarded.size(); ++i) {
    ids_[i] = ids.of(kForwarded[i]);
    wide = wide || ids_[i] > kOneByteMaxId;
  }
  wide = wide || (stamp != SendStamp::kNone && ids.of(StampExt(stamp)) > kOneByteMaxId);
  two_byte_ = wide && ids.two_byte;
  if (!two_byte_) {
    // RFC 8285, 4.2: ids above 14 cannot be said in the one-byte form.
    for (std::uint8_t& id : ids_) {
      id = id > kOneByteMaxId ? std::uint8_t{0} : id;
    }
  }
  prefix_[0] = 2 << 6 | 1;  // version 2, one CSRC
  WriteU32(&prefix_[8], ssrc);
  WriteU16(&prefix_[kExtensionStart], two_byte_ ? ExtensionBlock::kTwoByteProfile : ExtensionBlock::kOneByteProfile);
  prefix_size_ = kExtensionStart + 4;
  if (has_mid && (two_byte_ || ids.of(Ext::kMid) <= kOneByteMaxId)) {
    prefix_size_ += PutElement(&prefix_[prefix_size_], ids.of(Ext::kMid),
                               {reinterpret_cast<const std::uint8_t*>(mid.data()), mid.size()});
  }
  ReserveStamp(ids, stamp);
}

void HeaderWriter::ReserveStamp(const ExtensionIds& ids, SendStamp stamp) {
  const std::uint8_t id = stamp == SendStamp::kNone ? std::uint8_t{0} : ids.of(StampExt(stamp));
  if (id == 0 || (!two_byte_ && id > kOneByteMaxId)) {
    return;
  }
  constexpr std::array<std::uint8_t, 3> kEmpty{};
  const std::size_t size = stamp == SendStamp::kTransportCc ? 2 : 3;
  prefix_size_ += PutElement(&prefix_[prefix_size_], id, Bytes(kEmpty).first(size));
  stamp_ = {stamp, static_cast<std::uint8_t>(prefix_size_ - size)};
}

std::size_t HeaderWriter::PutElement(std::uint8_t* out, std::uint8_t id, Bytes value) const {
  std::size_t size = 0;
  if (two_byte_) {
    out[size++] = id;
    out[size++] = static_cast<std::uint8_t>(value.size());
  } else {
    out[size++] = static_cast<std::uint8_t>(id << 4 | (value.size() - 1));
  }
  std::memcpy(out + size, value.data(), value.size());
  return size + value.size();
}

std::size_t HeaderWriter::Write(Buffer& out, const Fields& fields, const IncomingPacket& packet) const {
  std::memcpy(out.data(), prefix_.data(), prefix_size_);
  out[1] = static_cast<std::uint8_t>(fields.payload_type | (fields.marker ? 0x80 : 0));
  WriteU16(&out[2], fields.sequence);
  WriteU32(&out[4], fields.timestamp);
  WriteU32(&out[12], fields.csrc);
  std::size_t size = prefix_size_;
  for (std::size_t i = 0; i < kForwarded.size(); ++i) {
    const Bytes value = packet.extension(kForwarded[i]);
    if (ids_[i] != 0 && !value.empty() && value.size() <= kMaxForwardedValue) {
      size += PutElement(&out[size], ids_[i], value);
    }
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
