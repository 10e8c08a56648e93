#include "crypto/srtp.hpp"

#include <algorithm>

#include "wire/rtp.hpp"

namespace tertulia {

namespace {
constexpr std::uint64_t kMaxRtpIndex = (std::uint64_t{1} << 48) - 1;
constexpr std::uint32_t kMaxRtcpIndex = 0x7FFFFFFF;
constexpr std::uint32_t kEncryptedBit = 0x80000000;
constexpr std::size_t kRtcpHead = 8;   // first header and sender SSRC, in the clear
constexpr std::size_t kRtcpIndex = 4;  // E bit and index

SrtpResult Fail(SrtpError error) { return {error, 0}; }

// RFC 3711, 4.2: the tag of an SRTP packet covers the rollover counter too, which is not sent. GCM has it in the IV.
std::array<std::uint8_t, 4> RolloverTrailer(std::uint64_t index) {
  std::array<std::uint8_t, 4> trailer{};
  WriteU32(trailer.data(), static_cast<std::uint32_t>(index >> 16));
  return trailer;
}

bool LooksLikeRtcp(Bytes packet) { return packet.size() >= kRtcpHead && packet[0] >> 6 == 2; }

// The window of an SSRC, or `fresh` for one that has none yet; null if there is no place for another.
template <typename Window>
Window* Lookup(std::unordered_map<std::uint32_t, Window>& windows, std::uint32_t ssrc, Window& fresh) {
  const auto found = windows.find(ssrc);
  if (found != windows.end()) return &found->second;
  return windows.size() < kSrtpMaxReceiveSsrcs ? &fresh : nullptr;
}

// After authentication: moves the window, and gives a new SSRC its place.
template <typename Window>
void Accept(std::unordered_map<std::uint32_t, Window>& windows, std::uint32_t ssrc, Window& window, Window& fresh,
            std::uint64_t index) {
  window.Update(index);
  if (&window == &fresh) windows.emplace(ssrc, fresh);
}
}  // namespace

std::uint64_t EstimateSrtpIndex(std::uint64_t highest, std::uint16_t sequence) {
  // The candidate nearest to the highest index; none lies below zero.
  const auto distance = static_cast<std::int16_t>(sequence - static_cast<std::uint16_t>(highest));
  if (distance < 0 && highest < static_cast<std::uint64_t>(-static_cast<std::int64_t>(distance))) return sequence;
  return highest + static_cast<std::uint64_t>(static_cast<std::int64_t>(distance));
}

SrtpSender::SrtpSender(SrtpProfile profile, const SrtpSessionKeys& keys)
    : rtp_(PacketCipher::Create(profile, keys.rtp, CipherUse::kEncrypt)),
      rtcp_(PacketCipher::Create(profile, keys.rtcp, CipherUse::kEncrypt)),
      tag_size_(SizesOf(profile).tag) {}

std::unique_ptr<SrtpSender> SrtpSender::Create(SrtpProfile profile, Bytes master) {
  const std::optional<SrtpSessionKeys> keys = DeriveSrtpKeys(profile, master);
  if (!keys) return nullptr;
  std::unique_ptr<SrtpSender> sender(new SrtpSender(profile, *keys));
  return sender->rtp_ && sender->rtcp_ ? std::move(sender) : nullptr;
}

void SrtpSender::Prefetch(int step) const {
  if (step == 0) {
    __builtin_prefetch(this, 1);
  } else if (step == 1) {
    __builtin_prefetch(newest_.data(), 1);
    __builtin_prefetch(rtp_.get());
  } else {
    rtp_->Prefetch();
  }
}

SrtpResult SrtpSender::Protect(Bytes header, Bytes payload, MutableBytes out) {
  if (header.size() < kRtpFixedHeader) return Fail(SrtpError::kMalformed);
  const std::size_t tag_offset = header.size() + payload.size();
  if (out.size() < tag_offset + tag_size_) return Fail(SrtpError::kNoRoom);
  const std::uint16_t sequence = ReadU16(&header[2]);
  const std::uint32_t ssrc = ReadU32(&header[8]);

  const auto known =
      std::find_if(newest_.begin(), newest_.end(), [&](const Newest& sent) { return sent.ssrc == ssrc; });
  std::uint64_t index = sequence;
  if (known != newest_.end()) {
    index = EstimateSrtpIndex(known->index, sequence);
    if (!SequenceNewer(sequence, static_cast<std::uint16_t>(known->index))) {
      if (!skipped_.Take(ssrc, index)) return Fail(SrtpError::kNotNewer);
    } else {
      if (index > kMaxRtpIndex) return Fail(SrtpError::kExhausted);
      if (index != known->index + 1) skipped_.Add(ssrc, known->index, index);
      known->index = index;
    }
  } else {
    if (newest_.size() >= kSrtpMaxSendSsrcs) return Fail(SrtpError::kTooManySsrcs);
    newest_.push_back({ssrc, index});
  }

  std::memcpy(out.data(), header.data(), header.size());
  const std::array<std::uint8_t, 4> rollover = RolloverTrailer(index);
  const Bytes trailer = rtp_->aead() ? Bytes() : Bytes(rollover);
  if (!rtp_->Seal({ssrc, index}, header, payload, trailer, &out[header.size()], out.data() + tag_offset)) {
    return Fail(SrtpError::kMalformed);
  }
  return {SrtpError::kNone, tag_offset + tag_size_};
}

SrtpResult SrtpSender::ProtectRtcp(Bytes packet, MutableBytes out) {
  if (!LooksLikeRtcp(packet)) return Fail(SrtpError::kMalformed);
  const std::size_t size = packet.size() + tag_size_ + kRtcpIndex;
  if (out.size() < size) return Fail(SrtpError::kNoRoom);
  if (rtcp_index_ >= kMaxRtcpIndex) return Fail(SrtpError::kExhausted);
  ++rtcp_index_;
  const std::size_t index_offset = rtcp_->aead() ? packet.size() + tag_size_ : packet.size();
  const std::size_t tag_offset = rtcp_->aead() ? packet.size() : packet.size() + kRtcpIndex;
  std::memcpy(out.data(), packet.data(), kRtcpHead);
  WriteU32(&out[index_offset], kEncryptedBit | rtcp_index_);
  const PacketIndex id{ReadU32(&packet[4]), rtcp_index_};
  if (!rtcp_->Seal(id, packet.first(kRtcpHead), packet.subspan(kRtcpHead), out.subspan(index_offset, kRtcpIndex),
                   out.data() + kRtcpHead, &out[tag_offset])) {
    return Fail(SrtpError::kMalformed);
  }
  return {SrtpError::kNone, size};
}

SrtpReceiver::SrtpReceiver(SrtpProfile profile, const SrtpSessionKeys& keys)
    : rtp_(PacketCipher::Create(profile, keys.rtp, CipherUse::kDecrypt)),
      rtcp_(PacketCipher::Create(profile, keys.rtcp, CipherUse::kDecrypt)),
      tag_size_(SizesOf(profile).tag) {}

std::unique_ptr<SrtpReceiver> SrtpReceiver::Create(SrtpProfile profile, Bytes master) {
  const std::optional<SrtpSessionKeys> keys = DeriveSrtpKeys(profile, master);
  if (!keys) return nullptr;
  std::unique_ptr<SrtpReceiver> receiver(new SrtpReceiver(profile, *keys));
  return receiver->rtp_ && receiver->rtcp_ ? std::move(receiver) : nullptr;
}

SrtpResult SrtpReceiver::Unprotect(MutableBytes packet) {
  if (packet.size() < kRtpFixedHeader + tag_size_) return Fail(SrtpError::kMalformed);
  const std::size_t plain_size = packet.size() - tag_size_;
  const std::optional<RtpView> view = RtpView::ParseHeader(packet.first(plain_size));
  if (!view) return Fail(SrtpError::kMalformed);

  const std::uint32_t ssrc = view->ssrc();
  RtpWindow fresh;
  RtpWindow* window = Lookup(rtp_windows_, ssrc, fresh);
  if (window == nullptr) return Fail(SrtpError::kTooManySsrcs);
  const std::uint64_t index =
      window->started() ? EstimateSrtpIndex(window->highest(), view->sequence()) : view->sequence();
  if (index > kMaxRtpIndex) return Fail(SrtpError::kExhausted);
  if (!window->Check(index)) return Fail(SrtpError::kReplayed);

  const std::size_t head = view->header().size();
  const std::array<std::uint8_t, 4> rollover = RolloverTrailer(index);
  const Bytes trailer = rtp_->aead() ? Bytes() : Bytes(rollover);
  if (!rtp_->Open({ssrc, index}, packet.first(head), packet.subspan(head, plain_size - head), trailer,
                  packet.subspan(plain_size))) {
    return Fail(SrtpError::kForged);
  }
  Accept(rtp_windows_, ssrc, *window, fresh, index);
  return {SrtpError::kNone, plain_size};
}

SrtpResult SrtpReceiver::UnprotectRtcp(MutableBytes packet) {
  if (packet.size() < kRtcpHead + tag_size_ + kRtcpIndex || !LooksLikeRtcp(packet)) return Fail(SrtpError::kMalformed);
  const std::size_t plain_size = packet.size() - tag_size_ - kRtcpIndex;
  const std::size_t index_offset = rtcp_->aead() ? plain_size + tag_size_ : plain_size;
  const std::size_t tag_offset = rtcp_->aead() ? plain_size : plain_size + kRtcpIndex;
  const std::uint32_t word = ReadU32(&packet[index_offset]);
  if ((word & kEncryptedBit) == 0) return Fail(SrtpError::kForged);

  const PacketIndex id{ReadU32(&packet[4]), word & ~kEncryptedBit};
  RtcpWindow fresh;
  RtcpWindow* window = Lookup(rtcp_windows_, id.ssrc, fresh);
  if (window == nullptr) return Fail(SrtpError::kTooManySsrcs);
  if (!window->Check(id.index)) return Fail(SrtpError::kReplayed);
  if (!rtcp_->Open(id, packet.first(kRtcpHead), packet.subspan(kRtcpHead, plain_size - kRtcpHead),
                   packet.subspan(index_offset, kRtcpIndex), packet.subspan(tag_offset, tag_size_))) {
    return Fail(SrtpError::kForged);
  }
  Accept(rtcp_windows_, id.ssrc, *window, fresh, id.index);
  return {SrtpError::kNone, plain_size};
}

}  // namespace tertulia
