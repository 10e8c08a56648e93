// RTCP (RFC 3550 section 6, RFC 4585, RFC 5104, REMB): step through a compound packet, parse what the core understands,
// write what it sends. Transport-wide feedback has its own file (twcc.hpp).
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "wire/bytes.hpp"

namespace tertulia::rtcp {

enum class Type : std::uint8_t {
  kSenderReport = 200,
  kReceiverReport = 201,
  kSourceDescription = 202,
  kBye = 203,
  kApplication = 204,
  kTransportFeedback = 205,  // RTPFB
  kPayloadFeedback = 206,    // PSFB
  kExtendedReport = 207,
};

// FMT values (the count field of RTPFB and PSFB).
inline constexpr std::uint8_t kFormatNack = 1;          // RTPFB, RFC 4585 6.2.1
inline constexpr std::uint8_t kFormatTransportCc = 15;  // RTPFB, draft-holmer-rmcat-transport-wide-cc-extensions-01
inline constexpr std::uint8_t kFormatPli = 1;           // PSFB, RFC 4585 6.3.1
inline constexpr std::uint8_t kFormatFir = 4;           // PSFB, RFC 5104 4.3.1
inline constexpr std::uint8_t kFormatApplication = 15;  // PSFB, REMB lives here

// One packet of a compound. `body` is what follows the four-byte header, without padding.
struct Packet {
  Type type{};
  std::uint8_t count = 0;  // report count, source count or FMT
  Bytes body;
};

// for (CompoundReader reader(bytes); reader.Next(packet);) ...; malformed() afterwards says whether it ended early.
class CompoundReader {
 public:
  explicit CompoundReader(Bytes compound) : rest_(compound) {}
  bool Next(Packet& packet);
  [[nodiscard]] bool malformed() const { return malformed_; }

 private:
  Bytes rest_;
  bool malformed_ = false;
};

struct ReportBlock {
  std::uint32_t ssrc = 0;
  std::uint8_t fraction_lost = 0;
  std::int32_t cumulative_lost = 0;  // 24 bits, signed
  std::uint32_t highest_sequence = 0;
  std::uint32_t jitter = 0;
  std::uint32_t last_sr = 0;              // middle 32 bits of the NTP time of the last SR, 0 if none
  std::uint32_t delay_since_last_sr = 0;  // 1/65536 s
};

// The report blocks of a parsed SR or RR.
class ReportBlocks {
 public:
  ReportBlocks() = default;
  explicit ReportBlocks(Bytes blocks) : blocks_(blocks) {}
  [[nodiscard]] std::size_t size() const { return blocks_.size() / 24; }
  [[nodiscard]] ReportBlock operator[](std::size_t index) const;

 private:
  Bytes blocks_;
};

struct SenderInfo {
  std::uint32_t ssrc = 0;
  std::uint64_t ntp = 0;  // 32.32 fixed point seconds
  std::uint32_t rtp_timestamp = 0;
  std::uint32_t packets = 0;
  std::uint32_t octets = 0;
};

struct SenderReport {
  SenderInfo info;
  ReportBlocks reports;
};

struct ReceiverReport {
  std::uint32_t ssrc = 0;
  ReportBlocks reports;
};

// The common head of RTPFB and PSFB messages (RFC 4585, 6.1).
struct Feedback {
  std::uint32_t sender_ssrc = 0;
  std::uint32_t media_ssrc = 0;
  Bytes fci;
};

struct SdesChunk {
  std::uint32_t ssrc = 0;
  std::string_view cname;  // empty if the chunk has none
};

// Steps through the chunks of an SDES packet.
class SdesReader {
 public:
  explicit SdesReader(const Packet& packet) : rest_(packet.body), left_(packet.count) {}
  bool Next(SdesChunk& chunk);
  [[nodiscard]] bool malformed() const { return malformed_; }

 private:
  Bytes rest_;
  std::uint8_t left_;
  bool malformed_ = false;
};

struct Bye {
  std::size_t count = 0;
  Bytes ssrcs;
  [[nodiscard]] std::uint32_t ssrc(std::size_t index) const { return ReadU32(&ssrcs[4 * index]); }
};

struct FirEntry {
  std::uint32_t ssrc = 0;
  std::uint8_t sequence = 0;
};

struct Fir {
  std::uint32_t sender_ssrc = 0;
  Bytes fci;
  [[nodiscard]] std::size_t size() const { return fci.size() / 8; }
  [[nodiscard]] FirEntry operator[](std::size_t index) const { return {ReadU32(&fci[8 * index]), fci[8 * index + 4]}; }
};

// Generic NACK: each item names a sequence number and a mask of the 16 that follow it.
struct NackItem {
  std::uint16_t first = 0;
  std::uint16_t mask = 0;
};

struct Nack {
  std::uint32_t sender_ssrc = 0;
  std::uint32_t media_ssrc = 0;
  Bytes fci;
  [[nodiscard]] std::size_t size() const { return fci.size() / 4; }
  [[nodiscard]] NackItem operator[](std::size_t index) const {
    return {ReadU16(&fci[4 * index]), ReadU16(&fci[4 * index + 2])};
  }

  // Calls `f(sequence)` for every sequence number asked for.
  template <typename F>
  void ForEach(F&& f) const {
    for (std::size_t i = 0; i < size(); ++i) {
      const NackItem item = (*this)[i];
      f(item.first);
      for (unsigned bit = 0; bit < 16; ++bit) {
        if ((item.mask >> bit & 1) != 0) f(static_cast<std::uint16_t>(item.first + 1 + bit));
      }
    }
  }
};

struct Remb {
  std::uint32_t sender_ssrc = 0;
  std::uint64_t bitrate_bps = 0;
  std::size_t count = 0;
  Bytes ssrcs;
  [[nodiscard]] std::uint32_t ssrc(std::size_t index) const { return ReadU32(&ssrcs[4 * index]); }
};

// Each gives nothing if the packet is of another type or its body is too short for what it announces.
[[nodiscard]] std::optional<SenderReport> ParseSenderReport(const Packet& packet);
[[nodiscard]] std::optional<ReceiverReport> ParseReceiverReport(const Packet& packet);
[[nodiscard]] std::optional<Bye> ParseBye(const Packet& packet);
[[nodiscard]] std::optional<Feedback> ParseFeedback(const Packet& packet);
[[nodiscard]] std::optional<Feedback> ParsePli(const Packet& packet);
[[nodiscard]] std::optional<Fir> ParseFir(const Packet& packet);
[[nodiscard]] std::optional<Nack> ParseNack(const Packet& packet);
[[nodiscard]] std::optional<Remb> ParseRemb(const Packet& packet);

// Writes a compound packet into a span. Every call adds one packet and returns false, leaving the compound as it was,
// when it does not fit. RFC 3550, 6.1: begin with a report, follow it with SDES CNAME.
class Writer {
 public:
  explicit Writer(MutableBytes out) : out_(out) {}

  bool AddSenderReport(const SenderInfo& info, std::span<const ReportBlock> reports = {});  // at most 31 reports
  bool AddReceiverReport(std::uint32_t ssrc, std::span<const ReportBlock> reports = {});    // at most 31 reports
  bool AddSdesCname(std::uint32_t ssrc, std::string_view cname);                            // 255 bytes at most
  bool AddBye(std::uint32_t ssrc);
  bool AddPli(std::uint32_t sender_ssrc, std::uint32_t media_ssrc);
  bool AddFir(std::uint32_t sender_ssrc, std::uint32_t media_ssrc, std::uint8_t sequence);
  // Sequence numbers in ascending (wrapping) order; neighbours are folded into masks.
  bool AddNack(std::uint32_t sender_ssrc, std::uint32_t media_ssrc, std::span<const std::uint16_t> sequences);
  bool AddRemb(std::uint32_t sender_ssrc, std::uint64_t bitrate_bps, std::span<const std::uint32_t> media_ssrcs);

  // For packets written by others (twcc.hpp): room left, and "so many bytes were written there".
  [[nodiscard]] MutableBytes rest() const { return out_.subspan(size_); }
  void Advance(std::size_t size) { size_ += size; }

  [[nodiscard]] Bytes written() const { return out_.first(size_); }
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] bool empty() const { return size_ == 0; }

 private:
  MutableBytes out_;
  std::size_t size_ = 0;
};

}  // namespace tertulia::rtcp
