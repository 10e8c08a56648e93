// SRTP and SRTCP (RFC 3711, RFC 7714) over OpenSSL. One SrtpSender and one SrtpReceiver a session: each has its own
// key, and keeps one cipher context for RTP and one for RTCP, of which only the IV changes from packet to packet.
#pragma once

#include <cstdint>
#include <memory>

#include "crypto/keys.hpp"
#include "wire/bytes.hpp"

namespace tertulia {

enum class SrtpError : std::uint8_t {
  kNone,
  kMalformed,     // too short, or not RTP or RTCP
  kReplayed,      // seen before or older than the window
  kForged,        // the tag does not match
  kNotNewer,      // sending: the index was used already; only stored ciphertext may be sent again
  kTooManySsrcs,  // the session has used up its SSRCs
  kExhausted,     // the index space of the key is used up
  kNoRoom,        // the output is too small
};

struct SrtpResult {
  SrtpError error = SrtpError::kNone;
  std::size_t size = 0;  // of the packet that resulted
  [[nodiscard]] bool ok() const { return error == SrtpError::kNone; }
};

inline constexpr std::size_t kSrtpMaxOverhead = 16;       // SRTP: the tag
inline constexpr std::size_t kSrtcpMaxOverhead = 4 + 16;  // SRTCP: E and index, and the tag
inline constexpr std::size_t kSrtpReplayBits = 1024;
inline constexpr std::size_t kSrtcpReplayBits = 128;
inline constexpr std::size_t kSrtpMaxReceiveSsrcs = 64;  // what one client may make us remember
inline constexpr std::size_t kSrtpMaxSendSsrcs = 1024;   // slots, their RTX and nothing else

class SrtpSender {
 public:
  // `master` is key || salt. Null if the size is wrong.
  static std::unique_ptr<SrtpSender> Create(SrtpProfile profile, Bytes master);
  ~SrtpSender();

  // Encrypts from two places straight into `out` (which must not overlap them), at least header + payload +
  // kSrtpMaxOverhead bytes. `header` is a complete RTP header and is authenticated as it is. Each SSRC's sequence
  // numbers must go forward (by less than 2^15): nothing that is not newer than the newest is ever encrypted.
  SrtpResult Protect(Bytes header, Bytes payload, MutableBytes out);

  // `packet` is a plain compound; `out` holds at least kSrtcpMaxOverhead bytes more. The index counts up a sender SSRC.
  SrtpResult ProtectRtcp(Bytes packet, MutableBytes out);

 private:
  struct Impl;
  explicit SrtpSender(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

class SrtpReceiver {
 public:
  static std::unique_ptr<SrtpReceiver> Create(SrtpProfile profile, Bytes master);
  ~SrtpReceiver();

  // Decrypts in place; the plain packet is the first `size` bytes. On any error the bytes are unspecified and no state
  // has changed. An SSRC takes a place of kSrtpMaxReceiveSsrcs with its first authenticated packet.
  SrtpResult Unprotect(MutableBytes packet);
  SrtpResult UnprotectRtcp(MutableBytes packet);

 private:
  struct Impl;
  explicit SrtpReceiver(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace tertulia
