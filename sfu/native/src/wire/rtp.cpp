#include "wire/rtp.hpp"

namespace tertulia {

namespace {
constexpr std::uint8_t kVersion2 = 0x80;
constexpr std::uint8_t kPaddingBit = 0x20;
constexpr std::uint8_t kExtensionBit = 0x10;
constexpr std::size_t kExtensionHeader = 4;

bool FitsOneByteForm(std::uint8_t id, Bytes value) { return id <= 14 && !value.empty() && value.size() <= 16; }
}  // namespace

std::optional<RtpView> RtpView::ParseHeader(Bytes packet) {
  if (packet.size() < kRtpFixedHeader || (packet[0] & 0xC0) != kVersion2) return std::nullopt;
  RtpView view;
  view.packet_ = packet;
  view.header_size_ = kRtpFixedHeader + 4 * view.csrc_count();
  if (packet.size() < view.header_size_) return std::nullopt;
  if ((packet[0] & kExtensionBit) != 0) {
    if (packet.size() - view.header_size_ < kExtensionHeader) return std::nullopt;
    const std::uint8_t* extension = packet.data() + view.header_size_;
    const std::size_t size = std::size_t{4} * ReadU16(extension + 2);
    view.header_size_ += kExtensionHeader;
    if (packet.size() - view.header_size_ < size) return std::nullopt;
    view.extensions_ = ExtensionBlock(ReadU16(extension), packet.subspan(view.header_size_, size));
    view.header_size_ += size;
  }
  view.payload_size_ = packet.size() - view.header_size_;
  return view;
}

std::optional<RtpView> RtpView::Parse(Bytes packet) {
  std::optional<RtpView> view = ParseHeader(packet);
  if (view && (packet[0] & kPaddingBit) != 0) {
    // RFC 3550, 5.1: the last octet counts the padding, itself included; so it is at least 1.
    if (view->payload_size_ == 0) return std::nullopt;
    const std::size_t padding = packet.back();
    if (padding == 0 || padding > view->payload_size_) return std::nullopt;
    view->payload_size_ -= padding;
  }
  return view;
}

bool RtpHeader::AddCsrc(std::uint32_t csrc) {
  if (csrc_count_ == kRtpMaxCsrc) return false;
  csrc_[csrc_count_++] = csrc;
  return true;
}

bool RtpHeader::AddExtension(std::uint8_t id, Bytes value) {
  if (extension_count_ == kRtpMaxExtensions || id == 0 || value.size() > 255) return false;
  if (!FitsOneByteForm(id, value)) {
    if (!two_byte_allowed) return false;
    two_byte_ = true;
  }
  extensions_[extension_count_++] = {id, value};
  return true;
}

std::size_t RtpHeader::ExtensionDataSize() const {
  std::size_t size = 0;
  for (std::size_t i = 0; i < extension_count_; ++i) size += (two_byte_ ? 2 : 1) + extensions_[i].value.size();
  return (size + 3) / 4 * 4;
}

std::size_t RtpHeader::Size() const {
  const std::size_t fixed = kRtpFixedHeader + std::size_t{4} * csrc_count_;
  return extension_count_ == 0 ? fixed : fixed + kExtensionHeader + ExtensionDataSize();
}

std::size_t RtpHeader::Write(MutableBytes out) const {
  const std::size_t size = Size();
  if (out.size() < size) return 0;
  ByteWriter writer(out.first(size));
  writer.U8(static_cast<std::uint8_t>(kVersion2 | (padding ? kPaddingBit : 0) |
                                      (extension_count_ > 0 ? kExtensionBit : 0) | csrc_count_));
  writer.U8(static_cast<std::uint8_t>((marker ? 0x80 : 0) | (payload_type & 0x7F)));
  writer.U16(sequence);
  writer.U32(timestamp);
  writer.U32(ssrc);
  for (std::size_t i = 0; i < csrc_count_; ++i) writer.U32(csrc_[i]);
  if (extension_count_ > 0) {
    writer.U16(two_byte_ ? ExtensionBlock::kTwoByteProfile : ExtensionBlock::kOneByteProfile);
    writer.U16(static_cast<std::uint16_t>(ExtensionDataSize() / 4));
    for (std::size_t i = 0; i < extension_count_; ++i) {
      const ExtensionElement& element = extensions_[i];
      if (two_byte_) {
        writer.U8(element.id);
        writer.U8(static_cast<std::uint8_t>(element.value.size()));
      } else {
        writer.U8(static_cast<std::uint8_t>(element.id << 4 | (element.value.size() - 1)));
      }
      writer.Put(element.value);
    }
    writer.Zeros(writer.remaining());
  }
  return size;
}

}  // namespace tertulia
