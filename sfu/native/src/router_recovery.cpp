// How losses are made up for: publishers are asked again for what is missing, viewers are sent again what they miss.
#include <algorithm>
#include <array>

#include "router_impl.hpp"
#include "wire/rtx.hpp"

namespace tertulia {

Recovery& Router::Impl::RecoveryOf(RoutedSource& source, const Layer& layer) {
  std::unique_ptr<Recovery>& recovery = source.recovery[layer.index()];
  if (recovery == nullptr) {
    recovery = std::make_unique<Recovery>(*pool, source.source.kind());
  }
  return *recovery;
}

// A packet that was sent again becomes the packet that it repairs.
void Router::Impl::ReceiveRepair(RoutedSource& source, Layer& layer, IncomingPacket& packet, std::size_t size) {
  const PayloadType* rtx = source.source.FindPayload(packet.payload_type);
  const auto repaired = ParseRtx(packet.payload);
  if (rtx == nullptr || rtx->codec != Codec::kRtx || !repaired) {
    return;
  }
  packet.payload = repaired->payload;
  packet.payload_type = rtx->associated_pt;
  packet.ssrc = layer.ssrc();
  packet.repaired = true;
  ReceiveMedia(source, layer, packet, repaired->original_sequence, size);
}

void Router::Impl::TrackLosses(RoutedSource& source, Layer& layer, const IncomingPacket& packet, bool restarted) {
  Recovery& recovery = RecoveryOf(source, layer);
  if (restarted) {
    recovery.Restart();
  }
  if (source.nack) {
    const NackRequester::Arrival arrival = recovery.nacks.OnPacket(packet.sequence, packet.arrival_us);
    if (arrival.response_us) {
      source.session.response.Sample(*arrival.response_us);
    }
    if (packet.picture.key_frame && packet.newest) {
      recovery.nacks.Forget(packet.sequence);
    }
    if (recovery.nacks.due_us() != kNever) {
      Schedule(source.session, recovery.nacks.due_us());
    }
  }
  source.repaired += packet.repaired ? 1 : 0;
  // Nobody can miss what nobody is shown.
  if (!source.paused && !source.slots.empty()) {
    recovery.ring.Store(packet);
  }
}

void Router::Impl::SendNacks(RouterSession& session, TimeUs now) {
  constexpr std::size_t kMaxAtOnce = 128;
  for (const auto& source : session.sources) {
    for (const auto& layer : source->source.layers()) {
      Recovery* recovery = source->recovery[layer->index()].get();
      if (recovery == nullptr || recovery->nacks.due_us() > now) {
        continue;
      }
      std::array<std::uint16_t, kMaxAtOnce> wanted{};
      while (const std::size_t count = recovery->nacks.Poll(now, session.response.retry_us(), wanted)) {
        source->nacked += count;
        std::array<std::uint8_t, kMaxRtcp>
            buffer;  // NOLINT(cppcoreguidelines-pro-type-member-init): written before use
        rtcp::Writer writer(buffer);
        writer.AddReceiverReport(session.local_ssrc);
        writer.AddNack(session.local_ssrc, layer->ssrc(), std::span(wanted).first(count));
        output.SendRtcp(session.handle, writer.written());
      }
      // What is lost for good stops a decoder, until a picture begins that needs nothing before it.
      if (const std::uint64_t given_up = recovery->nacks.TakeGivenUp(); given_up != 0) {
        source->unrecovered += given_up;
        if (!source->showing[layer->index()].empty()) {
          RequestKeyFrame(*source, *layer, now);
        }
      }
    }
  }
}

}  // namespace tertulia
