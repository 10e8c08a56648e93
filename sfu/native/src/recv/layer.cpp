#include "recv/layer.hpp"

namespace tertulia {
bool Layer::Bind(std::uint32_t ssrc) {
  if (bound_ && ssrc_ == ssrc) {
    return false;
  }
  const bool replaced = reception_.started() && ssrc_ != ssrc;
  bound_ = true;
  ssrc_ = ssrc;
  if (replaced) {
    reception_ = Reception();
    clock_.Reset();
    pictures_.Reset();
  }
  return replaced;
}

Reception::Verdict Layer::Receive(IncomingPacket& packet, const PayloadType& payload, PublisherClock& clock,
                                  std::uint16_t wire_sequence, std::size_t wire_size) {
  const Reception::Result result =
      reception_.Receive(wire_sequence, packet.timestamp, packet.arrival_us, payload.clock_rate, packet.repaired);
  if (result.verdict == Reception::Verdict::kRejected) {
    return result.verdict;
  }
  if (result.verdict == Reception::Verdict::kRestarted) {
    clock_.Reset();
    pictures_.Reset();
  }
  packet.sequence = result.sequence;
  packet.newest = result.newest;
  packet.in_order = result.in_order;
  packet.new_timestamp = result.new_timestamp;
  last_packet_us_ = packet.arrival_us;
  if (packet.new_timestamp) {
    capture_us_ = clock_.Map(clock, packet.timestamp, payload.clock_rate, packet.arrival_us);
  }
  packet.capture_us = capture_us_;
  packet.picture = Picture();
  if (!packet.payload.empty() && payload.clock_rate == 90'000) {
    pictures_.Read(payload.codec, packet);
    if (packet.picture.key_frame && (key_frames_ == 0 || key_frame_timestamp_ != packet.timestamp)) {
      key_frame_timestamp_ = packet.timestamp;
      ++key_frames_;
    }
    if (packet.picture.pixels != 0) {
      pixels_ = packet.picture.pixels;
    }
  }
  rates_changed_ = rates_.Add(packet, wire_size);
  return result.verdict;
}

void Layer::OnSenderReport(PublisherClock& clock, const rtcp::SenderInfo& info, TimeUs now) {
  reception_.OnSenderReport(info.ntp, now);
  clock_.OnSenderReport(clock, info.ntp, info.rtp_timestamp, now);
}

}  // namespace tertulia
