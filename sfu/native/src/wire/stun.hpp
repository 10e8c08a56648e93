// STUN (RFC 8489) as ICE uses it (RFC 8445): a parsed view that knows where its integrity and fingerprint lie, and a
// writer.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "wire/address.hpp"
#include "wire/bytes.hpp"

namespace tertulia::stun {

inline constexpr std::uint32_t kMagicCookie = 0x2112A442;
inline constexpr std::size_t kHeaderSize = 20;
inline constexpr std::size_t kMaxUnknown = 8;

enum class Type : std::uint16_t {
  kBindingRequest = 0x0001,
  kBindingIndication = 0x0011,
  kBindingSuccess = 0x0101,
  kBindingError = 0x0111,
};

enum class Attribute : std::uint16_t {
  kMappedAddress = 0x0001,
  kUsername = 0x0006,
  kMessageIntegrity = 0x0008,
  kErrorCode = 0x0009,
  kUnknownAttributes = 0x000A,
  kXorMappedAddress = 0x0020,
  kPriority = 0x0024,
  kUseCandidate = 0x0025,
  kSoftware = 0x8022,
  kFingerprint = 0x8028,
  kIceControlled = 0x8029,
  kIceControlling = 0x802A,
};

enum class ErrorCode : std::uint16_t {
  kBadRequest = 400,
  kUnauthenticated = 401,
  kUnknownAttribute = 420,
  kRoleConflict = 487,
};

using TransactionId = std::array<std::uint8_t, 12>;

// A well-formed message. Nothing is authenticated yet: call the Verify functions before believing it.
struct Message {
  Bytes bytes;
  std::uint16_t type = 0;  // compare with Type; other methods exist
  TransactionId transaction{};
  std::string_view username;  // empty if absent
  std::optional<std::uint32_t> priority;
  bool use_candidate = false;
  std::optional<std::uint64_t> controlling;  // the tie-breakers
  std::optional<std::uint64_t> controlled;
  std::optional<Address> mapped;                     // XOR-MAPPED-ADDRESS, or MAPPED-ADDRESS
  std::uint16_t error_code = 0;                      // 0 if absent
  std::size_t integrity_offset = 0;                  // of the attribute's header; 0 if absent
  std::size_t fingerprint_offset = 0;                // 0 if absent
  std::array<std::uint16_t, kMaxUnknown> unknown{};  // comprehension-required attributes that are not known
  std::size_t unknown_count = 0;

  [[nodiscard]] bool Is(Type t) const { return type == static_cast<std::uint16_t>(t); }
};

// Checks the header, that the length is that of the datagram, that every attribute lies within it, and that the known
// ones have their size. Attributes after MESSAGE-INTEGRITY other than FINGERPRINT are ignored (RFC 8489, 14.5).
[[nodiscard]] std::optional<Message> Parse(Bytes datagram);

// RFC 8489, 14.7. False if the attribute is absent.
[[nodiscard]] bool VerifyFingerprint(const Message& message);
// RFC 8489, 14.5, short-term: `key` is the password. False if the attribute is absent.
[[nodiscard]] bool VerifyIntegrity(const Message& message, std::string_view key);

// The part of USERNAME before the colon: the receiver's own fragment (RFC 8445, 7.2.2). Empty if there is none.
[[nodiscard]] std::string_view LocalUfrag(std::string_view username);
[[nodiscard]] std::string_view RemoteUfrag(std::string_view username);

// Writes one message. Add what is wanted, then Finish. What does not fit makes Finish return 0.
class Writer {
 public:
  Writer(MutableBytes out, Type type, const TransactionId& transaction);

  void AddUsername(std::string_view username);
  void AddPriority(std::uint32_t priority);
  void AddUseCandidate();
  void AddControlling(std::uint64_t tie_breaker);
  void AddControlled(std::uint64_t tie_breaker);
  void AddXorMappedAddress(const Address& address);
  void AddErrorCode(ErrorCode code);  // with the standard reason phrase
  void AddUnknownAttributes(std::span<const std::uint16_t> attributes);
  // An attribute of any type, for what has no function of its own.
  void AddAttribute(std::uint16_t type, Bytes value);

  // Adds MESSAGE-INTEGRITY under `key` (left out if empty) and FINGERPRINT; returns the size of the message.
  [[nodiscard]] std::size_t Finish(std::string_view key);

 private:
  void AddHeader(Attribute attribute, std::size_t size);
  void Pad();

  MutableBytes out_;
  ByteWriter writer_;
  TransactionId transaction_;
};

}  // namespace tertulia::stun
