// SRTP and SRTCP: random bytes never pass as authentic and never disturb a genuine stream; what we protect comes back
// as it was, once; and any changed byte is noticed.
#include <algorithm>
#include <array>
#include <vector>

#include "crypto/srtp.hpp"
#include "input.hpp"
#include "wire/rtp.hpp"

using namespace tertulia;  // NOLINT(google-build-using-namespace): a program of one function

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static constexpr std::array kProfiles{SrtpProfile::kAes128CmHmacSha1, SrtpProfile::kAeadAes128Gcm,
                                        SrtpProfile::kAeadAes256Gcm};
  fuzz::Input input(data, size);
  const SrtpProfile profile = kProfiles[input.Byte() % kProfiles.size()];
  const std::vector<std::uint8_t> master(SizesOf(profile).key + SizesOf(profile).salt, 0x5A);
  const auto sender = SrtpSender::Create(profile, master);
  const auto receiver = SrtpReceiver::Create(profile, master);
  const auto flip = input.Word();
  const Bytes packet = input.rest();

  std::vector<std::uint8_t> forged(packet.begin(), packet.end());
  FUZZ_CHECK(!receiver->Unprotect(forged).ok());
  forged.assign(packet.begin(), packet.end());
  FUZZ_CHECK(!receiver->UnprotectRtcp(forged).ok());

  std::vector<std::uint8_t> out(packet.size() + kSrtcpMaxOverhead);
  const auto passes_once = [&](const SrtpResult& sealed, auto unprotect) {
    if (!sealed.ok()) return;
    std::vector<std::uint8_t> changed(out.begin(), out.begin() + static_cast<std::ptrdiff_t>(sealed.size));
    changed[flip % changed.size()] ^= static_cast<std::uint8_t>(1 << flip % 8);
    FUZZ_CHECK(!unprotect(changed).ok());
    std::vector<std::uint8_t> copy(out.begin(), out.begin() + static_cast<std::ptrdiff_t>(sealed.size));
    const SrtpResult opened = unprotect(copy);
    FUZZ_CHECK(opened.ok() && opened.size == packet.size());
    FUZZ_CHECK(std::equal(packet.begin(), packet.end(), copy.begin()));
    copy.assign(out.begin(), out.begin() + static_cast<std::ptrdiff_t>(sealed.size));
    FUZZ_CHECK(unprotect(copy).error == SrtpError::kReplayed);
  };
  if (const auto view = RtpView::ParseHeader(packet)) {
    const SrtpResult sealed = sender->Protect(view->header(), view->payload(), out);
    FUZZ_CHECK(sealed.ok());
    passes_once(sealed, [&](MutableBytes bytes) { return receiver->Unprotect(bytes); });
    FUZZ_CHECK(sender->Protect(view->header(), view->payload(), out).error == SrtpError::kNotNewer);
  }
  passes_once(sender->ProtectRtcp(packet, out), [&](MutableBytes bytes) { return receiver->UnprotectRtcp(bytes); });
  return 0;
}
