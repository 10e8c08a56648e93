// STUN: what parses lies within the message; a verified message stays verified, and changing it breaks it; and what we
// write from the parts of any message parses to the same parts.
#include <algorithm>
#include <vector>

#include "input.hpp"
#include "wire/stun.hpp"

using tertulia::Bytes;
namespace stun = tertulia::stun;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto message = stun::Parse({data, size});
  if (!message) return 0;
  FUZZ_CHECK(message->integrity_offset < size && message->fingerprint_offset < size);
  FUZZ_CHECK(message->unknown_count <= stun::kMaxUnknown);
  FUZZ_CHECK(!stun::VerifyIntegrity(*message, "a password that nobody has"));
  if (stun::VerifyFingerprint(*message)) {
    std::vector<std::uint8_t> changed(data, data + size);
    changed[message->fingerprint_offset / 2] ^= 1;
    const auto other = stun::Parse(changed);
    FUZZ_CHECK(!other || !stun::VerifyFingerprint(*other));
  }

  std::vector<std::uint8_t> out(size + 256);
  stun::Writer writer(out, stun::Type::kBindingRequest, message->transaction);
  if (!message->username.empty()) writer.AddUsername(message->username);
  if (message->priority) writer.AddPriority(*message->priority);
  if (message->controlling) writer.AddControlling(*message->controlling);
  if (message->controlled) writer.AddControlled(*message->controlled);
  if (message->use_candidate) writer.AddUseCandidate();
  if (message->mapped) writer.AddXorMappedAddress(*message->mapped);
  if (message->error_code != 0) writer.AddErrorCode(stun::ErrorCode::kRoleConflict);
  writer.AddUnknownAttributes(std::span(message->unknown).first(message->unknown_count));
  const auto copy = stun::Parse(Bytes(out).first(writer.Finish("password")));
  FUZZ_CHECK(copy && stun::VerifyFingerprint(*copy) && stun::VerifyIntegrity(*copy, "password"));
  FUZZ_CHECK(copy->transaction == message->transaction && copy->username == message->username);
  FUZZ_CHECK(copy->priority == message->priority && copy->controlling == message->controlling);
  FUZZ_CHECK(copy->controlled == message->controlled && copy->use_candidate == message->use_candidate);
  FUZZ_CHECK(copy->mapped == message->mapped && (copy->error_code != 0) == (message->error_code != 0));
  return 0;
}
