// One participant: a publisher with its tracks, or a viewer with its slots, over a transport of its own.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "recv/twcc_recorder.hpp"
#include "stream_meter.hpp"
#include "synthetic_source.hpp"
#include "transport.hpp"
#include "wire/rtcp.hpp"

namespace tertulia::load {

class Peer : private TransportHandler {
 public:
  Peer(std::uint32_t id, std::string ufrag, std::string pwd);

  SyntheticSource& AddSource(SourceOptions options);
  void AddSlot(Kind kind, std::uint32_t ssrc, Truth& truth);
  // From now on it says every 50 ms what arrived, by the numbers in the header extension of this id.
  void GiveFeedback(std::uint8_t extension_id);

  // Sends a packet of source `index` with the next Flush.
  void Send(std::size_t index, const Fragment& fragment, std::int64_t now_ns);
  void Flush() { transport_.Flush(); }
  // Timers of the transport, and reports once a second.
  void Advance(std::int64_t now_ns);

  [[nodiscard]] std::uint32_t id() const { return id_; }
  [[nodiscard]] Transport& transport() { return transport_; }
  [[nodiscard]] bool connected() const { return transport_.state() == Transport::State::kConnected; }
  [[nodiscard]] const std::vector<std::unique_ptr<SyntheticSource>>& sources() const { return sources_; }

  // Nothing may be sent afterwards.
  [[nodiscard]] std::vector<std::unique_ptr<SyntheticSource>> TakeSources() { return std::move(sources_); }

  struct SlotState {
    std::uint32_t ssrc = 0;
    StreamMeter meter;
    std::uint32_t last_sr = 0;  // middle 32 bits of its NTP time
    std::int64_t last_sr_ns = 0;
  };
  [[nodiscard]] std::vector<SlotState>& slots() { return slots_; }

 private:
  void OnRtp(MutableBytes packet, std::int64_t now_ns) override;
  void OnRtcp(MutableBytes compound, std::int64_t now_ns) override;
  void SendReports(std::int64_t now_ns);
  void AddSenderReports(rtcp::Writer& writer, std::int64_t now_ns) const;
  void AddReceiverReport(rtcp::Writer& writer, std::int64_t now_ns);
  void SendFeedback();

  std::uint32_t id_;
  Transport transport_;
  std::vector<std::unique_ptr<SyntheticSource>> sources_;
  std::vector<SlotState> slots_;
  std::uint16_t transport_sequence_ = 0;
  std::int64_t next_report_ns_ = 0;
  std::uint8_t feedback_id_ = 0;
  std::unique_ptr<TwccRecorder> feedback_;  // null: it gives none
};

}  // namespace tertulia::load
