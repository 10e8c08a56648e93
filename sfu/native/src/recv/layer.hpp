// One encoding of a source: an RTP stream with its own SSRC, sequence numbers, timestamps and picture numbers. A layer
// is alive while it sends; the source compares its layers by resolution, or by bit rate where that is not known.
#pragma once

#include <cstdint>
#include <string>

#include "recv/clock_map.hpp"
#include "recv/layer_rates.hpp"
#include "recv/packet.hpp"
#include "recv/picture.hpp"
#include "recv/reception.hpp"
#include "tertulia/types.hpp"

namespace tertulia {

class Layer {
 public:
  Layer(unsigned index, std::string rid) : index_(index), rid_(std::move(rid)) {}

  // The stream with this SSRC is this layer from now on. True if it was another before: everything begins anew.
  bool Bind(std::uint32_t ssrc);
  void Unbind() { bound_ = false; }

  // Counts the packet and fills what only the layer knows: its unwrapped sequence number, its place among the others,
  // when it was captured, its picture. Rejected packets go no further.
  Reception::Verdict Receive(IncomingPacket& packet, const PayloadType& payload, PublisherClock& clock,
                             std::uint16_t wire_sequence, std::size_t wire_size);
  void OnSenderReport(PublisherClock& clock, const rtcp::SenderInfo& info, TimeUs now);

  [[nodiscard]] unsigned index() const { return index_; }
  [[nodiscard]] const std::string& rid() const { return rid_; }
  [[nodiscard]] bool bound() const { return bound_; }
  [[nodiscard]] std::uint32_t ssrc() const { return ssrc_; }
  [[nodiscard]] std::uint32_t pixels() const { return pixels_; }
  [[nodiscard]] std::uint64_t bitrate_bps() const { return rates_.bitrate_bps(); }
  [[nodiscard]] const LayerRates& rates() const { return rates_; }
  // The last packet made the rates anew.
  [[nodiscard]] bool rates_changed() const { return rates_changed_; }
  [[nodiscard]] std::uint64_t key_frames() const { return key_frames_; }
  [[nodiscard]] TimeUs last_packet_us() const { return last_packet_us_; }
  [[nodiscard]] Reception& reception() { return reception_; }
  [[nodiscard]] const Reception& reception() const { return reception_; }

 private:
  unsigned index_;
  std::string rid_;
  bool bound_ = false;
  std::uint32_t ssrc_ = 0;
  Reception reception_;
  StreamClock clock_;
  PictureReader pictures_;
  TimeUs capture_us_ = 0;  // of the newest timestamp
  TimeUs last_packet_us_ = 0;
  std::uint32_t pixels_ = 0;
  std::uint64_t key_frames_ = 0;
  std::uint32_t key_frame_timestamp_ = 0;
  LayerRates rates_;
  bool rates_changed_ = false;
};

}  // namespace tertulia
