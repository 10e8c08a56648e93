#include "wire/twcc.hpp"

#include <algorithm>
#include <array>

namespace tertulia::twcc {

namespace {
// Symbols (section 3.1.1 of the draft); 3 is reserved.
constexpr std::uint8_t kLost = 0;
constexpr std::uint8_t kSmallDelta = 1;  // one byte, 0 to 63.75 ms
constexpr std::uint8_t kLargeDelta = 2;  // two bytes, signed

constexpr std::size_t kFixedSize = 20;  // RTCP header, SSRCs, base, count, reference time, feedback count
constexpr std::uint16_t kMaxRun = 0x1FFF;
constexpr std::uint16_t kOneBitSymbols = 14;
constexpr std::uint16_t kTwoBitSymbols = 7;

constexpr std::uint16_t kVectorBit = 0x8000;
constexpr std::uint16_t kTwoBitBit = 0x4000;

std::size_t DeltaSize(std::uint8_t symbol) { return symbol; }  // which is what the draft chose the numbers for
}  // namespace

std::uint16_t Reader::SymbolCount(std::uint16_t chunk) {
  if ((chunk & kVectorBit) == 0) return chunk & kMaxRun;
  return (chunk & kTwoBitBit) != 0 ? kTwoBitSymbols : kOneBitSymbols;
}

std::uint8_t Reader::Symbol(std::uint16_t chunk, std::uint16_t index) {
  if ((chunk & kVectorBit) == 0) return chunk >> 13 & 3;
  if ((chunk & kTwoBitBit) != 0) return chunk >> (12 - 2 * index) & 3;
  return chunk >> (13 - index) & 1;
}

std::optional<Reader> Reader::Parse(const rtcp::Packet& packet) {
  if (packet.type != rtcp::Type::kTransportFeedback || packet.count != rtcp::kFormatTransportCc) return std::nullopt;
  ByteReader bytes(packet.body);
  Reader reader;
  reader.sender_ssrc_ = bytes.U32();
  reader.media_ssrc_ = bytes.U32();
  reader.base_sequence_ = bytes.U16();
  reader.status_count_ = bytes.U16();
  reader.reference_time_ = bytes.U24();
  reader.feedback_count_ = bytes.U8();
  if (!bytes.ok() || reader.status_count_ == 0 || reader.status_count_ > kMaxReadStatuses) return std::nullopt;
  reader.chunks_ = packet.body.subspan(bytes.position());
  std::size_t deltas = 0;
  for (std::size_t counted = 0; counted < reader.status_count_;) {
    const std::uint16_t chunk = bytes.U16();
    if (!bytes.ok()) return std::nullopt;
    const std::size_t symbols = std::min<std::size_t>(SymbolCount(chunk), reader.status_count_ - counted);
    for (std::size_t i = 0; i < symbols; ++i) {
      const std::uint8_t symbol = Symbol(chunk, static_cast<std::uint16_t>(i));
      if (symbol > kLargeDelta) return std::nullopt;
      deltas += DeltaSize(symbol);
    }
    counted += symbols;
  }
  reader.deltas_ = bytes.Take(deltas);
  if (!bytes.ok()) return std::nullopt;
  reader.time_us_ = static_cast<TimeUs>(reader.reference_time_) * kReferenceUs;
  return reader;
}

bool Reader::Next(Status& status) {
  if (position_ == status_count_) return false;
  std::uint16_t chunk = ReadU16(&chunks_[chunk_offset_]);
  while (symbol_ == SymbolCount(chunk)) {  // a run of length 0 is legal and says nothing
    chunk_offset_ += 2;
    symbol_ = 0;
    chunk = ReadU16(&chunks_[chunk_offset_]);
  }
  const std::uint8_t symbol = Symbol(chunk, symbol_++);
  status.sequence = static_cast<std::uint16_t>(base_sequence_ + position_++);
  status.received = symbol != kLost;
  if (symbol == kSmallDelta) {
    time_us_ += deltas_[delta_offset_] * kDeltaUs;
  } else if (symbol == kLargeDelta) {
    time_us_ += static_cast<std::int16_t>(ReadU16(&deltas_[delta_offset_])) * kDeltaUs;
  }
  delta_offset_ += DeltaSize(symbol);
  status.arrival_us = status.received ? time_us_ : kNotReceived;
  return true;
}

namespace {

// What is to be said, before it is packed: a symbol and a delta a packet.
struct Statuses {
  std::array<std::uint8_t, kMaxStatusCount> symbols{};
  std::array<std::int16_t, kMaxStatusCount> deltas{};
  std::size_t count = 0;
  std::int64_t reference = 0;
};

// Deltas are differences of whole steps of the clock, so that their rounding does not add up.
bool Collect(std::span<const TimeUs> arrivals, Statuses& statuses) {
  const auto first = std::find_if(arrivals.begin(), arrivals.end(), [](TimeUs t) { return t >= 0; });
  if (first == arrivals.end()) return false;
  statuses.reference = *first / kReferenceUs;
  std::int64_t last_step = statuses.reference * (kReferenceUs / kDeltaUs);
  for (const TimeUs arrival : arrivals.first(std::min(arrivals.size(), kMaxStatusCount))) {
    std::uint8_t symbol = kLost;
    std::int64_t delta = 0;
    if (arrival >= 0) {
      const std::int64_t step = arrival / kDeltaUs;
      delta = step - last_step;
      if (delta < INT16_MIN || delta > INT16_MAX) break;
      symbol = delta >= 0 && delta <= 255 ? kSmallDelta : kLargeDelta;
      last_step = step;
    }
    statuses.symbols[statuses.count] = symbol;
    statuses.deltas[statuses.count++] = static_cast<std::int16_t>(delta);
  }
  return true;
}

// The chunk that says the most of the symbols that are left; `covered` is how many that is.
std::uint16_t NextChunk(std::span<const std::uint8_t> symbols, std::size_t& covered) {
  const auto run_end = std::find_if(symbols.begin(), symbols.end(), [&](std::uint8_t s) { return s != symbols[0]; });
  const auto run = static_cast<std::size_t>(run_end - symbols.begin());
  const auto one_bit = symbols.first(std::min<std::size_t>(symbols.size(), kOneBitSymbols));
  const bool fits_one_bit =
      std::all_of(one_bit.begin(), one_bit.end(), [](std::uint8_t s) { return s != kLargeDelta; });
  covered = fits_one_bit ? one_bit.size() : std::min<std::size_t>(symbols.size(), kTwoBitSymbols);
  if (run >= covered) {
    covered = std::min<std::size_t>(run, kMaxRun);
    return static_cast<std::uint16_t>(symbols[0] << 13 | covered);
  }
  std::uint16_t chunk = fits_one_bit ? kVectorBit : kVectorBit | kTwoBitBit;
  for (std::size_t i = 0; i < covered; ++i) {
    chunk = static_cast<std::uint16_t>(chunk | symbols[i] << (fits_one_bit ? 13 - i : 12 - 2 * i));
  }
  return chunk;
}

}  // namespace

Built Build(MutableBytes out, std::uint32_t sender_ssrc, std::uint32_t media_ssrc, std::uint8_t feedback_count,
            std::uint16_t base_sequence, std::span<const TimeUs> arrivals) {
  Statuses statuses;
  if (!Collect(arrivals, statuses)) return {};

  std::array<std::uint16_t, kMaxStatusCount> chunks{};
  std::size_t chunk_count = 0;
  std::size_t covered = 0;
  std::size_t size = kFixedSize;
  const std::size_t room = out.size() / 4 * 4;
  while (covered < statuses.count) {
    std::size_t symbols = 0;
    const auto rest = std::span(statuses.symbols).subspan(covered, statuses.count - covered);
    std::uint16_t chunk = NextChunk(rest, symbols);
    std::size_t fitting = 0;
    std::size_t needed = size + 2;
    while (fitting < symbols && needed + DeltaSize(rest[fitting]) <= room) needed += DeltaSize(rest[fitting++]);
    if (fitting == 0) break;
    const bool full = fitting < symbols;
    if (full) chunk = NextChunk(rest.first(fitting), symbols);
    chunks[chunk_count++] = chunk;
    covered += fitting;
    size = needed;
    if (full) break;
  }
  if (covered == 0) return {};

  size = (size + 3) / 4 * 4;
  ByteWriter writer(out.first(size));
  writer.U8(0x80 | rtcp::kFormatTransportCc);
  writer.U8(static_cast<std::uint8_t>(rtcp::Type::kTransportFeedback));
  writer.U16(static_cast<std::uint16_t>(size / 4 - 1));
  writer.U32(sender_ssrc);
  writer.U32(media_ssrc);
  writer.U16(base_sequence);
  writer.U16(static_cast<std::uint16_t>(covered));
  writer.U24(static_cast<std::uint32_t>(statuses.reference) & 0xFFFFFF);
  writer.U8(feedback_count);
  for (std::size_t i = 0; i < chunk_count; ++i) writer.U16(chunks[i]);
  for (std::size_t i = 0; i < covered; ++i) {
    if (statuses.symbols[i] == kSmallDelta) writer.U8(static_cast<std::uint8_t>(statuses.deltas[i]));
    if (statuses.symbols[i] == kLargeDelta) writer.U16(static_cast<std::uint16_t>(statuses.deltas[i]));
  }
  writer.Zeros(writer.remaining());
  return {size, covered};
}

}  // namespace tertulia::twcc
