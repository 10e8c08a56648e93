#include "wire/stun.hpp"

#include <algorithm>

#include "wire/digest.hpp"

namespace tertulia::stun {

namespace {
constexpr std::size_t kAttributeHeader = 4;
constexpr std::size_t kIntegritySize = kAttributeHeader + HmacSha1::kSize;
constexpr std::size_t kFingerprintSize = kAttributeHeader + 4;
constexpr std::uint32_t kFingerprintXor = 0x5354554E;  // "STUN"
constexpr std::size_t kMaxUsername = 513;              // RFC 8489, 14.3
constexpr std::uint8_t kFamilyV4 = 1;
constexpr std::uint8_t kFamilyV6 = 2;

std::string_view Text(Bytes value) { return {reinterpret_cast<const char*>(value.data()), value.size()}; }
Bytes AsBytes(std::string_view text) { return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()}; }

// The 16 bytes that XOR-MAPPED-ADDRESS is masked with: the cookie and the transaction id (RFC 8489, 14.2).
std::array<std::uint8_t, 16> AddressMask(const TransactionId& transaction) {
  std::array<std::uint8_t, 16> mask{};
  WriteU32(mask.data(), kMagicCookie);
  std::copy(transaction.begin(), transaction.end(), mask.begin() + 4);
  return mask;
}

std::optional<Address> ParseAddress(Bytes value, const std::array<std::uint8_t, 16>& mask) {
  ByteReader reader(value);
  reader.U8();
  const std::uint8_t family = reader.U8();
  Address address;
  address.v6 = family == kFamilyV6;
  address.port = static_cast<std::uint16_t>(reader.U16() ^ ReadU16(mask.data()));
  const Bytes ip = reader.Take(address.v6 ? 16 : 4);
  if (!reader.ok() || reader.remaining() != 0 || (family != kFamilyV4 && family != kFamilyV6)) return std::nullopt;
  for (std::size_t i = 0; i < ip.size(); ++i) address.ip[i] = ip[i] ^ mask[i];
  return address;
}

// One attribute into the message; false if its size or form is wrong.
bool ReadAttribute(Message& message, std::uint16_t type, Bytes value) {
  const auto sized = [&](std::size_t size) { return value.size() == size; };
  switch (static_cast<Attribute>(type)) {
    case Attribute::kUsername:
      message.username = Text(value);
      return !value.empty() && value.size() <= kMaxUsername;
    case Attribute::kPriority:
      if (sized(4)) message.priority = ReadU32(value.data());
      return sized(4);
    case Attribute::kUseCandidate:
      message.use_candidate = true;
      return sized(0);
    case Attribute::kIceControlled:
      if (sized(8)) message.controlled = ReadU64(value.data());
      return sized(8);
    case Attribute::kIceControlling:
      if (sized(8)) message.controlling = ReadU64(value.data());
      return sized(8);
    case Attribute::kXorMappedAddress:
      message.mapped = ParseAddress(value, AddressMask(message.transaction));
      return message.mapped.has_value();
    case Attribute::kMappedAddress: {
      const std::optional<Address> plain = ParseAddress(value, {});
      if (!message.mapped) message.mapped = plain;
      return plain.has_value();
    }
    case Attribute::kErrorCode:
      if (value.size() < 4) return false;
      message.error_code = static_cast<std::uint16_t>((value[2] & 7) * 100 + value[3]);
      return value[3] < 100 && message.error_code >= 300;
    case Attribute::kUnknownAttributes:
      return value.size() % 2 == 0;
    default:
      // RFC 8489, 14: 0x0000 to 0x7FFF must be understood, the others may be ignored.
      if (type < 0x8000 && message.unknown_count < kMaxUnknown) message.unknown[message.unknown_count++] = type;
      return true;
  }
}

const char* Reason(ErrorCode code) {
  switch (code) {
    case ErrorCode::kBadRequest:
      return "Bad Request";
    case ErrorCode::kUnauthenticated:
      return "Unauthenticated";
    case ErrorCode::kUnknownAttribute:
      return "Unknown Attribute";
    case ErrorCode::kRoleConflict:
      return "Role Conflict";
  }
  return "";
}
}  // namespace

std::optional<Message> Parse(Bytes datagram) {
  if (datagram.size() < kHeaderSize || (datagram[0] & 0xC0) != 0) return std::nullopt;
  const std::size_t length = ReadU16(&datagram[2]);
  if (length % 4 != 0 || datagram.size() != kHeaderSize + length) return std::nullopt;
  if (ReadU32(&datagram[4]) != kMagicCookie) return std::nullopt;
  Message message;
  message.bytes = datagram;
  message.type = ReadU16(datagram.data());
  std::copy_n(datagram.begin() + 8, message.transaction.size(), message.transaction.begin());
  for (std::size_t offset = kHeaderSize; offset < datagram.size();) {
    ByteReader reader(datagram.subspan(offset));
    const std::uint16_t type = reader.U16();
    const Bytes value = reader.Take(reader.U16());
    reader.Take((4 - value.size() % 4) % 4);  // the value is padded, the length does not count it
    if (!reader.ok() || message.fingerprint_offset != 0) return std::nullopt;
    switch (static_cast<Attribute>(type)) {
      case Attribute::kFingerprint:
        if (value.size() != 4) return std::nullopt;
        message.fingerprint_offset = offset;
        break;
      case Attribute::kMessageIntegrity:
        if (value.size() != HmacSha1::kSize) return std::nullopt;
        if (message.integrity_offset == 0) message.integrity_offset = offset;
        break;
      default:
        if (message.integrity_offset == 0 && !ReadAttribute(message, type, value)) return std::nullopt;
    }
    offset += reader.position();
  }
  return message;
}

bool VerifyFingerprint(const Message& message) {
  if (message.fingerprint_offset == 0) return false;
  const std::uint32_t stated = ReadU32(&message.bytes[message.fingerprint_offset + kAttributeHeader]);
  return (Crc32(message.bytes.first(message.fingerprint_offset)) ^ kFingerprintXor) == stated;
}

bool VerifyIntegrity(const Message& message, std::string_view key) {
  if (message.integrity_offset == 0) return false;
  // The hash covers what comes before the attribute, with a length field as if the attribute were the last one.
  std::array<std::uint8_t, kHeaderSize> head{};
  std::copy_n(message.bytes.begin(), kHeaderSize, head.begin());
  WriteU16(&head[2], static_cast<std::uint16_t>(message.integrity_offset + kIntegritySize - kHeaderSize));
  const Bytes covered = message.bytes.subspan(kHeaderSize, message.integrity_offset - kHeaderSize);
  const HmacSha1::Tag tag = HmacSha1(AsBytes(key)).Compute({head, covered});
  return ConstantTimeEqual(tag, message.bytes.subspan(message.integrity_offset + kAttributeHeader, tag.size()));
}

std::string_view LocalUfrag(std::string_view username) {
  const std::size_t colon = username.find(':');
  return colon == std::string_view::npos ? std::string_view() : username.substr(0, colon);
}

std::string_view RemoteUfrag(std::string_view username) {
  const std::size_t colon = username.find(':');
  return colon == std::string_view::npos ? std::string_view() : username.substr(colon + 1);
}

Writer::Writer(MutableBytes out, Type type, const TransactionId& transaction)
    : out_(out), writer_(out), transaction_(transaction) {
  writer_.U16(static_cast<std::uint16_t>(type));
  writer_.U16(0);
  writer_.U32(kMagicCookie);
  writer_.Put(transaction);
}

void Writer::AddHeader(Attribute attribute, std::size_t size) {
  writer_.U16(static_cast<std::uint16_t>(attribute));
  writer_.U16(static_cast<std::uint16_t>(size));
}

void Writer::Pad() { writer_.Zeros((4 - writer_.size() % 4) % 4); }

void Writer::AddUsername(std::string_view username) {
  AddHeader(Attribute::kUsername, username.size());
  writer_.Put(AsBytes(username));
  Pad();
}

void Writer::AddPriority(std::uint32_t priority) {
  AddHeader(Attribute::kPriority, 4);
  writer_.U32(priority);
}

void Writer::AddUseCandidate() { AddHeader(Attribute::kUseCandidate, 0); }

void Writer::AddControlling(std::uint64_t tie_breaker) {
  AddHeader(Attribute::kIceControlling, 8);
  writer_.U64(tie_breaker);
}

void Writer::AddControlled(std::uint64_t tie_breaker) {
  AddHeader(Attribute::kIceControlled, 8);
  writer_.U64(tie_breaker);
}

void Writer::AddXorMappedAddress(const Address& address) {
  const std::array<std::uint8_t, 16> mask = AddressMask(transaction_);
  const std::size_t ip_size = address.v6 ? 16 : 4;
  AddHeader(Attribute::kXorMappedAddress, 4 + ip_size);
  writer_.U8(0);
  writer_.U8(address.v6 ? kFamilyV6 : kFamilyV4);
  writer_.U16(static_cast<std::uint16_t>(address.port ^ ReadU16(mask.data())));
  for (std::size_t i = 0; i < ip_size; ++i) writer_.U8(address.ip[i] ^ mask[i]);
}

void Writer::AddErrorCode(ErrorCode code) {
  const std::string_view reason = Reason(code);
  const auto number = static_cast<std::uint16_t>(code);
  AddHeader(Attribute::kErrorCode, 4 + reason.size());
  writer_.U16(0);
  writer_.U8(static_cast<std::uint8_t>(number / 100));
  writer_.U8(static_cast<std::uint8_t>(number % 100));
  writer_.Put(AsBytes(reason));
  Pad();
}

void Writer::AddUnknownAttributes(std::span<const std::uint16_t> attributes) {
  AddHeader(Attribute::kUnknownAttributes, 2 * attributes.size());
  for (const std::uint16_t attribute : attributes) writer_.U16(attribute);
  Pad();
}

void Writer::AddAttribute(std::uint16_t type, Bytes value) {
  writer_.U16(type);
  writer_.U16(static_cast<std::uint16_t>(value.size()));
  writer_.Put(value);
  Pad();
}

std::size_t Writer::Finish(std::string_view key) {
  const std::size_t needed = (key.empty() ? 0 : kIntegritySize) + kFingerprintSize;
  if (!writer_.ok() || writer_.remaining() < needed) return 0;
  const auto set_length = [&](std::size_t end) { WriteU16(&out_[2], static_cast<std::uint16_t>(end - kHeaderSize)); };
  if (!key.empty()) {
    set_length(writer_.size() + kIntegritySize);
    const HmacSha1::Tag tag = HmacSha1(AsBytes(key)).Compute({writer_.written()});
    AddHeader(Attribute::kMessageIntegrity, tag.size());
    writer_.Put(tag);
  }
  set_length(writer_.size() + kFingerprintSize);
  const std::uint32_t crc = Crc32(writer_.written());
  AddHeader(Attribute::kFingerprint, 4);
  writer_.U32(crc ^ kFingerprintXor);
  return writer_.size();
}

}  // namespace tertulia::stun
