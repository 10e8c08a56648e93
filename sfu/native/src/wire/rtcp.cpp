#include "wire/rtcp.hpp"

#include <algorithm>

namespace tertulia::rtcp {

namespace {
constexpr std::size_t kHeader = 4;
constexpr std::size_t kReportBlock = 24;
constexpr std::size_t kMaxReports = 31;
constexpr std::uint32_t kRembName = 0x52454D42;  // "REMB"
constexpr std::uint8_t kSdesEnd = 0;
constexpr std::uint8_t kSdesCname = 1;

// The first four bytes of a packet of `size` bytes, a multiple of four.
void WriteHeader(ByteWriter& writer, Type type, std::size_t count, std::size_t size) {
  writer.U8(static_cast<std::uint8_t>(0x80 | (count & 0x1F)));
  writer.U8(static_cast<std::uint8_t>(type));
  writer.U16(static_cast<std::uint16_t>(size / 4 - 1));
}

void WriteReport(ByteWriter& writer, const ReportBlock& block) {
  writer.U32(block.ssrc);
  writer.U8(block.fraction_lost);
  writer.U24(static_cast<std::uint32_t>(std::clamp(block.cumulative_lost, -0x800000, 0x7FFFFF)) & 0xFFFFFF);
  writer.U32(block.highest_sequence);
  writer.U32(block.jitter);
  writer.U32(block.last_sr);
  writer.U32(block.delay_since_last_sr);
}
}  // namespace

bool CompoundReader::Next(Packet& packet) {
  if (rest_.empty() || malformed_) return false;
  malformed_ = true;
  if (rest_.size() < kHeader || rest_[0] >> 6 != 2) return false;
  const std::size_t size = kHeader * (std::size_t{ReadU16(&rest_[2])} + 1);
  if (rest_.size() < size) return false;
  std::size_t body = size - kHeader;
  if ((rest_[0] & 0x20) != 0) {
    // RFC 3550, 6.4.1 wants a multiple of four, in the last packet only; libwebrtc pads transport feedback by one to
    // three.
    if (body == 0) return false;
    const std::size_t padding = rest_[size - 1];
    if (padding == 0 || padding > body) return false;
    body -= padding;
  }
  packet.type = static_cast<Type>(rest_[1]);
  packet.count = rest_[0] & 0x1F;
  packet.body = rest_.subspan(kHeader, body);
  rest_ = rest_.subspan(size);
  malformed_ = false;
  return true;
}

ReportBlock ReportBlocks::operator[](std::size_t index) const {
  ByteReader reader(blocks_.subspan(index * kReportBlock, kReportBlock));
  ReportBlock block;
  block.ssrc = reader.U32();
  block.fraction_lost = reader.U8();
  const std::uint32_t lost = reader.U24();
  block.cumulative_lost = static_cast<std::int32_t>(lost) - ((lost & 0x800000) != 0 ? 0x1000000 : 0);
  block.highest_sequence = reader.U32();
  block.jitter = reader.U32();
  block.last_sr = reader.U32();
  block.delay_since_last_sr = reader.U32();
  return block;
}

std::optional<SenderReport> ParseSenderReport(const Packet& packet) {
  if (packet.type != Type::kSenderReport) return std::nullopt;
  ByteReader reader(packet.body);
  SenderReport report;
  report.info.ssrc = reader.U32();
  report.info.ntp = reader.U64();
  report.info.rtp_timestamp = reader.U32();
  report.info.packets = reader.U32();
  report.info.octets = reader.U32();
  report.reports = ReportBlocks(reader.Take(packet.count * kReportBlock));
  return reader.ok() ? std::optional(report) : std::nullopt;
}

std::optional<ReceiverReport> ParseReceiverReport(const Packet& packet) {
  if (packet.type != Type::kReceiverReport) return std::nullopt;
  ByteReader reader(packet.body);
  ReceiverReport report;
  report.ssrc = reader.U32();
  report.reports = ReportBlocks(reader.Take(packet.count * kReportBlock));
  return reader.ok() ? std::optional(report) : std::nullopt;
}

bool SdesReader::Next(SdesChunk& chunk) {
  if (left_ == 0 || malformed_) return false;
  --left_;
  malformed_ = true;
  ByteReader reader(rest_);
  chunk.ssrc = reader.U32();
  chunk.cname = {};
  for (std::uint8_t item = reader.U8(); item != kSdesEnd; item = reader.U8()) {
    const Bytes value = reader.Take(reader.U8());
    if (item == kSdesCname && chunk.cname.empty()) {
      chunk.cname = {reinterpret_cast<const char*>(value.data()), value.size()};
    }
  }
  // RFC 3550, 6.5: the list ends with one zero byte at least, and more up to the next 32-bit boundary.
  reader.Take((4 - reader.position() % 4) % 4);
  if (!reader.ok()) return false;
  rest_ = rest_.subspan(reader.position());
  malformed_ = false;
  return true;
}

std::optional<Bye> ParseBye(const Packet& packet) {
  if (packet.type != Type::kBye || packet.body.size() < std::size_t{4} * packet.count) return std::nullopt;
  return Bye{packet.count, packet.body.first(std::size_t{4} * packet.count)};
}

std::optional<Feedback> ParseFeedback(const Packet& packet) {
  if (packet.type != Type::kTransportFeedback && packet.type != Type::kPayloadFeedback) return std::nullopt;
  if (packet.body.size() < 8) return std::nullopt;
  return Feedback{ReadU32(packet.body.data()), ReadU32(&packet.body[4]), packet.body.subspan(8)};
}

std::optional<Feedback> ParsePli(const Packet& packet) {
  if (packet.type != Type::kPayloadFeedback || packet.count != kFormatPli) return std::nullopt;
  return ParseFeedback(packet);
}

std::optional<Fir> ParseFir(const Packet& packet) {
  if (packet.type != Type::kPayloadFeedback || packet.count != kFormatFir) return std::nullopt;
  const std::optional<Feedback> feedback = ParseFeedback(packet);
  if (!feedback || feedback->fci.empty() || feedback->fci.size() % 8 != 0) return std::nullopt;
  return Fir{feedback->sender_ssrc, feedback->fci};
}

std::optional<Nack> ParseNack(const Packet& packet) {
  if (packet.type != Type::kTransportFeedback || packet.count != kFormatNack) return std::nullopt;
  const std::optional<Feedback> feedback = ParseFeedback(packet);
  if (!feedback || feedback->fci.empty()) return std::nullopt;
  return Nack{feedback->sender_ssrc, feedback->media_ssrc, feedback->fci};
}

std::optional<Remb> ParseRemb(const Packet& packet) {
  if (packet.type != Type::kPayloadFeedback || packet.count != kFormatApplication) return std::nullopt;
  const std::optional<Feedback> feedback = ParseFeedback(packet);
  if (!feedback) return std::nullopt;
  ByteReader reader(feedback->fci);
  const bool named = reader.U32() == kRembName;
  Remb remb;
  remb.sender_ssrc = feedback->sender_ssrc;
  remb.count = reader.U8();
  const std::uint32_t exponent_and_mantissa = reader.U24();
  const std::uint32_t exponent = exponent_and_mantissa >> 18;
  const std::uint64_t mantissa = exponent_and_mantissa & 0x3FFFF;
  remb.ssrcs = reader.Take(4 * remb.count);
  if (!reader.ok() || !named) return std::nullopt;
  // 18 bits shifted by up to 63: what does not fit says "no limit".
  remb.bitrate_bps = exponent > 46 && mantissa != 0 ? UINT64_MAX : mantissa << exponent;
  return remb;
}

bool Writer::AddSenderReport(const SenderInfo& info, std::span<const ReportBlock> reports) {
  const std::size_t size = kHeader + 24 + reports.size() * kReportBlock;
  if (reports.size() > kMaxReports || rest().size() < size) return false;
  ByteWriter writer(rest());
  WriteHeader(writer, Type::kSenderReport, reports.size(), size);
  writer.U32(info.ssrc);
  writer.U64(info.ntp);
  writer.U32(info.rtp_timestamp);
  writer.U32(info.packets);
  writer.U32(info.octets);
  for (const ReportBlock& block : reports) WriteReport(writer, block);
  size_ += writer.size();
  return true;
}

bool Writer::AddReceiverReport(std::uint32_t ssrc, std::span<const ReportBlock> reports) {
  const std::size_t size = kHeader + 4 + reports.size() * kReportBlock;
  if (reports.size() > kMaxReports || rest().size() < size) return false;
  ByteWriter writer(rest());
  WriteHeader(writer, Type::kReceiverReport, reports.size(), size);
  writer.U32(ssrc);
  for (const ReportBlock& block : reports) WriteReport(writer, block);
  size_ += writer.size();
  return true;
}

bool Writer::AddSdesCname(std::uint32_t ssrc, std::string_view cname) {
  const std::size_t size = kHeader + (4 + 2 + cname.size() + 1 + 3) / 4 * 4;
  if (cname.size() > 255 || rest().size() < size) return false;
  ByteWriter writer(rest().first(size));
  WriteHeader(writer, Type::kSourceDescription, 1, size);
  writer.U32(ssrc);
  writer.U8(kSdesCname);
  writer.U8(static_cast<std::uint8_t>(cname.size()));
  writer.Put({reinterpret_cast<const std::uint8_t*>(cname.data()), cname.size()});
  writer.Zeros(writer.remaining());
  size_ += writer.size();
  return true;
}

bool Writer::AddBye(std::uint32_t ssrc) {
  ByteWriter writer(rest());
  WriteHeader(writer, Type::kBye, 1, 8);
  writer.U32(ssrc);
  if (writer.ok()) size_ += writer.size();
  return writer.ok();
}

bool Writer::AddPli(std::uint32_t sender_ssrc, std::uint32_t media_ssrc) {
  ByteWriter writer(rest());
  WriteHeader(writer, Type::kPayloadFeedback, kFormatPli, 12);
  writer.U32(sender_ssrc);
  writer.U32(media_ssrc);
  if (writer.ok()) size_ += writer.size();
  return writer.ok();
}

bool Writer::AddFir(std::uint32_t sender_ssrc, std::uint32_t media_ssrc, std::uint8_t sequence) {
  ByteWriter writer(rest());
  WriteHeader(writer, Type::kPayloadFeedback, kFormatFir, 20);
  writer.U32(sender_ssrc);
  writer.U32(0);  // RFC 5104, 4.3.1.2: the media source of the head "is not used and SHALL be set to 0"
  writer.U32(media_ssrc);
  writer.U32(std::uint32_t{sequence} << 24);
  if (writer.ok()) size_ += writer.size();
  return writer.ok();
}

bool Writer::AddNack(std::uint32_t sender_ssrc, std::uint32_t media_ssrc, std::span<const std::uint16_t> sequences) {
  if (sequences.empty()) return false;
  ByteWriter writer(rest());
  WriteHeader(writer, Type::kTransportFeedback, kFormatNack, 12);
  writer.U32(sender_ssrc);
  writer.U32(media_ssrc);
  for (std::size_t i = 0; i < sequences.size();) {
    const std::uint16_t first = sequences[i];
    std::uint16_t mask = 0;
    for (++i; i < sequences.size(); ++i) {
      const auto distance = static_cast<std::uint16_t>(sequences[i] - first);
      if (distance == 0) continue;
      if (distance > 16) break;
      mask = static_cast<std::uint16_t>(mask | 1U << (distance - 1));
    }
    writer.U16(first);
    writer.U16(mask);
  }
  if (!writer.ok() || writer.size() / 4 - 1 > 0xFFFF) return false;
  WriteU16(&rest()[2], static_cast<std::uint16_t>(writer.size() / 4 - 1));
  size_ += writer.size();
  return true;
}

bool Writer::AddRemb(std::uint32_t sender_ssrc, std::uint64_t bitrate_bps, std::span<const std::uint32_t> media_ssrcs) {
  const std::size_t size = kHeader + 16 + 4 * media_ssrcs.size();
  if (media_ssrcs.size() > 255 || rest().size() < size) return false;
  std::uint32_t exponent = 0;
  while (bitrate_bps >> exponent > 0x3FFFF) ++exponent;
  ByteWriter writer(rest());
  WriteHeader(writer, Type::kPayloadFeedback, kFormatApplication, size);
  writer.U32(sender_ssrc);
  writer.U32(0);
  writer.U32(kRembName);
  writer.U8(static_cast<std::uint8_t>(media_ssrcs.size()));
  writer.U24(exponent << 18 | static_cast<std::uint32_t>(bitrate_bps >> exponent));
  for (const std::uint32_t ssrc : media_ssrcs) writer.U32(ssrc);
  size_ += writer.size();
  return true;
}

}  // namespace tertulia::rtcp
