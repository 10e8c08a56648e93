// SRTP and SRTCP (RFC 3711, RFC 7714) over OpenSSL. One SrtpSender and one SrtpReceiver a session: each has its own
// key, and keeps one cipher context for RTP and one for RTCP, of which only the IV changes from packet to packet.
#pragma once

#include <cstdint>
#include <memory>
#include <unordered_map>
#include <vector>

#include "crypto/keys.hpp"
#include "crypto/packet_cipher.hpp"
#include "crypto/replay_window.hpp"
#include "crypto/skipped_indices.hpp"
#include "wire/bytes.hpp"

namespace tertulia {

enum class SrtpError : std::uint8_t {
  kNone,
  kMalformed,     // too short, or not RTP or RTCP
  kReplayed,      // seen before or older than the window
  kForged,        // the tag does not match
  kNotNewer,      // sending: the index was used, or is too old to tell; only stored ciphertext may be sent again
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

  // Encrypts from two places straight into `out` (which must not overlap them), at least header + payload +
  // kSrtpMaxOverhead bytes. `header` is a complete RTP header and is authenticated as it is. Each SSRC's sequence
  // numbers must go forward (by less than 2^15), or be one of those that were passed over lately, once: no index is
  // ever used again, since different bytes under one give away the key stream, and with GCM the authentication key.
  SrtpResult Protect(Bytes header, Bytes payload, MutableBytes out);

  // `packet` is a plain compound; `out` holds at least kSrtcpMaxOverhead bytes more and must not overlap it.
  SrtpResult ProtectRtcp(Bytes packet, MutableBytes out);

  // Begins to bring what Protect needs from memory to the cache: a fan-out to hundreds of viewers finds each one's keys
  // gone cold. Each step follows pointers that the one before has asked for; with a few senders at one step before any
  // goes to the next, their waits overlap.
  static constexpr int kPrefetchSteps = 3;
  void Prefetch(int step) const;

 private:
  SrtpSender(SrtpProfile profile, const SrtpSessionKeys& keys);

  std::unique_ptr<PacketCipher> rtp_;
  std::unique_ptr<PacketCipher> rtcp_;
  std::size_t tag_size_;
  struct Newest {
    std::uint32_t ssrc = 0;
    std::uint64_t index = 0;
  };
  std::vector<Newest> newest_;  // the index sent last; a session has few SSRCs, and in a row they share a cache line
  SkippedIndices skipped_;
  // One count for all sender SSRCs: each of them sees it go up, and none can see a number twice.
  std::uint32_t rtcp_index_ = 0;
};

class SrtpReceiver {
 public:
  static std::unique_ptr<SrtpReceiver> Create(SrtpProfile profile, Bytes master);

  // Decrypts in place; the plain packet is the first `size` bytes. On any error the bytes are unspecified and no state
  // has changed. An SSRC takes one of kSrtpMaxReceiveSsrcs places with its first authenticated packet.
  SrtpResult Unprotect(MutableBytes packet);
  // The same for SRTCP; packets that are authenticated but not encrypted are refused.
  SrtpResult UnprotectRtcp(MutableBytes packet);

 private:
  using RtpWindow = ReplayWindow<kSrtpReplayBits>;
  using RtcpWindow = ReplayWindow<kSrtcpReplayBits>;

  SrtpReceiver(SrtpProfile profile, const SrtpSessionKeys& keys);

  std::unique_ptr<PacketCipher> rtp_;
  std::unique_ptr<PacketCipher> rtcp_;
  std::size_t tag_size_;
  std::unordered_map<std::uint32_t, RtpWindow> rtp_windows_;
  std::unordered_map<std::uint32_t, RtcpWindow> rtcp_windows_;
};

// The 48-bit index of a packet, from its 16 bits and the highest index so far (RFC 3711, 3.3.1 and appendix A).
[[nodiscard]] std::uint64_t EstimateSrtpIndex(std::uint64_t highest, std::uint16_t sequence);

}  // namespace tertulia
