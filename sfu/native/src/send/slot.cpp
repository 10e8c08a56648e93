#include "send/slot.hpp"

#include "recv/clock_map.hpp"

namespace tertulia {

Slot::Slot(const SlotConfig& config, const ExtensionIds& extensions)
    : handle_(config.slot),
      kind_(config.kind),
      ssrc_(config.ssrc),
      cname_(config.cname.substr(0, 255)),
      formats_(config.payloads),
      header_(extensions, config.mid, config.ssrc, config.stamp),
      stream_(config.kind, config.ssrc) {
  payload_map_.fill(kNoPayload);
}

void Slot::Occupy(std::uint32_t csrc, std::span<const PayloadType> payloads) {
  stream_.Close();
  csrc_ = csrc;
  payload_map_.fill(kNoPayload);
  for (const PayloadType& payload : payloads) {
    // RTX is not forwarded, and a line runs at one rate for life: telephone events at 8 kHz do not fit on it.
    if (payload.codec == Codec::kRtx || payload.clock_rate != stream_.timeline().clock_rate()) {
      continue;
    }
    for (const auto& [format, payload_type] : formats_) {
      if (format == payload.format) {
        payload_map_[payload.pt & 0x7F] = payload_type & 0x7F;
        break;
      }
    }
  }
}

void Slot::Open(const IncomingPacket& first) {
  stream_.Open(first);
  filter_.Open(first);
  opening_ = true;
}

std::optional<Numbers> Slot::Place(const IncomingPacket& packet) {
  if (!stream_.open()) {
    return std::nullopt;
  }
  const bool wanted = !packet.payload.empty() && Decodes(packet.payload_type);
  const LayerFilter::Verdict verdict = wanted ? filter_.Decide(packet) : LayerFilter::Verdict();
  if (!verdict.send) {
    stream_.Skip(packet);
    return std::nullopt;
  }
  std::optional<Numbers> numbers = stream_.Map(packet);
  if (numbers) {
    // RFC 3551, 4.1: the first packet after a silence has the marker; a new voice is one.
    numbers->marker = verdict.last || (opening_ && kind_ == Kind::kAudio);
    numbers->tells_active = verdict.tells;
    numbers->active = verdict.active;
    opening_ = false;
  }
  return numbers;
}

Bytes Slot::Write(IncomingPacket& packet, const Numbers& numbers, HeaderWriter::Buffer& buffer) const {
  PictureMunger::Apply(numbers, packet.picture, packet.payload);
  return Bytes(buffer.data(), header_.Write(buffer, payload_map_[packet.payload_type & 0x7F], csrc_, numbers, packet));
}

Bytes Slot::Forward(IncomingPacket& packet, HeaderWriter::Buffer& buffer, Numbers& numbers) {
  const auto placed = Place(packet);
  if (!placed) {
    ++dropped_;
    return {};
  }
  ++packets_;
  bytes_ += packet.payload.size();
  numbers = *placed;
  return Write(packet, numbers, buffer);
}

Bytes Slot::Blank(std::uint8_t payload_type, HeaderWriter::Buffer& buffer) const {
  Numbers numbers;
  numbers.timestamp = stream_.next_timestamp();
  return Bytes(buffer.data(), header_.Write(buffer, payload_type, csrc_, numbers, IncomingPacket()));
}

rtcp::SenderInfo Slot::Report(TimeUs now, std::int64_t wall_clock_offset_us) const {
  rtcp::SenderInfo info;
  info.ssrc = ssrc_;
  info.ntp = WallNtp(now + wall_clock_offset_us);
  info.rtp_timestamp = stream_.timeline().At(now);
  info.packets = static_cast<std::uint32_t>(packets_);
  info.octets = static_cast<std::uint32_t>(bytes_);
  return info;
}

}  // namespace tertulia
