// The nouns that every part of the core shares: handles, time, codecs, header extensions, and the configuration
// structures that commands carry. Plain values; no behaviour.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace tertulia {

// (generation << 32 | index). 0 is "none". A stale handle makes a command a no-op.
using Handle = std::uint64_t;

// Monotonic time of the worker in microseconds. Passed in; never read by protocol code.
using TimeUs = std::int64_t;

enum class Kind : std::uint8_t { kAudio, kVideo };

enum class Codec : std::uint8_t { kUnknown, kOpus, kRed, kVp8, kVp9, kH264, kAv1, kRtx, kOther };

// Header extensions that the core reads, rewrites or forwards (one-byte and two-byte forms, RFC 8285).
enum class Ext : std::uint8_t {
  kMid,
  kRid,
  kRepairedRid,
  kAudioLevel,
  kTransportCc,
  kAbsSendTime,
  kOrientation,
  kAbsCaptureTime,
  kPlayoutDelay,
  kDependencyDescriptor,
  kCount
};

// Extension ids of one session; 0 means "not negotiated".
struct ExtensionIds {
  std::array<std::uint8_t, static_cast<std::size_t>(Ext::kCount)> id{};
  bool two_byte = false;  // extmap-allow-mixed was negotiated

  [[nodiscard]] std::uint8_t of(Ext ext) const { return id[static_cast<std::size_t>(ext)]; }
};

// One payload type of a session. `format` is a number that Python gives to a codec with its fmtp class (for example
// "H264 42e01f packetization-mode=1"): a packet may go to a slot only if the slot knows the same format.
struct PayloadType {
  std::uint8_t pt = 0;
  Codec codec = Codec::kUnknown;
  std::uint16_t format = 0;
  std::uint32_t clock_rate = 0;
  std::uint8_t associated_pt = 0;  // for RTX: the payload type it repairs
};

// One sending section of a publisher. SSRCs are given only where the offer names them (WHIP senders, for example);
// browsers with simulcast are recognised by MID and RID (RFC 8852), later by SSRC.
struct SourceConfig {
  Handle source = 0;
  std::uint32_t csrc = 0;  // the source's id in its room; travels as CSRC in every forwarded packet
  std::string mid;
  Kind kind = Kind::kAudio;
  std::vector<std::string> rids;  // best last unknown: order of the offer; empty without simulcast
  std::vector<std::uint32_t> ssrcs;
  std::vector<std::pair<std::uint32_t, std::uint32_t>> rtx_ssrcs;  // (media, rtx)
  std::vector<PayloadType> payloads;
  bool nack = false;  // it sends again what generic NACKs ask for
};

// What each packet of a slot carries for its viewer's congestion feedback, stamped when it is sent: the transport-wide
// number that transport-wide feedback names, or the time that receivers without it derive REMB from.
enum class SendStamp : std::uint8_t { kNone, kTransportCc, kAbsSendTime };

// One outgoing stream of a viewer, for the life of its session.
struct SlotConfig {
  Handle slot = 0;
  Handle session = 0;
  std::string mid;
  Kind kind = Kind::kAudio;
  std::uint32_t ssrc = 0;
  std::uint32_t rtx_ssrc = 0;  // on which packets are sent again; 0: they are not
  std::string cname;
  std::vector<std::pair<std::uint16_t, std::uint8_t>> payloads;     // (format, the viewer's payload type)
  std::vector<std::pair<std::uint8_t, std::uint8_t>> rtx_payloads;  // (payload type, the one that repairs it)
  SendStamp stamp = SendStamp::kNone;
};

// What a viewer wants of a slot: decided outside, weighed against what its network carries inside.
struct SlotView {
  bool visible = true;           // false: nothing is sent (video only)
  std::uint32_t max_pixels = 0;  // width x height of the place where it is shown; 0: not known, so the best
  std::uint8_t priority = 0;     // higher is served first
  friend bool operator==(const SlotView&, const SlotView&) = default;
};

// RTP side of a session, the same for receiving and sending (BUNDLE).
struct MediaConfig {
  ExtensionIds extensions;
  bool transport_cc = false;  // the client wants transport-wide feedback for what it sends
  bool remb = false;          // ... or at least REMB
};

}  // namespace tertulia
