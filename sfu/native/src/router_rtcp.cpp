// What others report: publishers their clocks, viewers their losses and their wish for key frames.
#include "router_impl.hpp"

namespace tertulia {

void Router::Impl::ReceiveRtcp(RouterSession& session, Bytes bytes, TimeUs now) {
  rtcp::CompoundReader reader(bytes);
  rtcp::Packet packet;
  while (reader.Next(packet)) {
    if (const auto sender = rtcp::ParseSenderReport(packet)) {
      OnSenderReport(session, sender->info, now);
      OnReportBlocks(session, sender->reports, now);
    } else if (const auto receiver = rtcp::ParseReceiverReport(packet)) {
      OnReportBlocks(session, receiver->reports, now);
    } else if (const auto pli = rtcp::ParsePli(packet)) {
      OnKeyFrameWanted(session, pli->media_ssrc, now);
    } else if (const auto nack = rtcp::ParseNack(packet)) {
      OnNack(session, *nack, now);
    } else if (packet.type == rtcp::Type::kTransportFeedback && packet.count == rtcp::kFormatTransportCc) {
      OnTransportFeedback(session, packet, now);
    } else if (const auto remb = rtcp::ParseRemb(packet)) {
      OnRemb(session, *remb, now);
    } else if (const auto fir = rtcp::ParseFir(packet)) {
      for (std::size_t i = 0; i < fir->size(); ++i) {
        OnKeyFrameWanted(session, (*fir)[i].ssrc, now);
      }
    }
  }
}

void Router::Impl::ReceiveRelayedRtcp(RouterSession& session, Bytes bytes, TimeUs now) {
  rtcp::CompoundReader reader(bytes);
  rtcp::Packet packet;
  while (reader.Next(packet)) {
    const auto pli = rtcp::ParsePli(packet);
    const Route* route = pli ? session.demultiplexer.Find(pli->media_ssrc) : nullptr;
    RoutedSource* source = route != nullptr && route->layer != nullptr ? FindSource(route->source->handle()) : nullptr;
    if (source != nullptr) {
      RequestKeyFrame(*source, *route->layer, now);
    }
  }
}

void Router::Impl::OnSenderReport(RouterSession& session, const rtcp::SenderInfo& info, TimeUs now) {
  const Route* route = session.demultiplexer.Find(info.ssrc);
  if (route != nullptr && !route->repair && route->layer != nullptr) {
    route->layer->OnSenderReport(session.clock, info, now);
  }
}

void Router::Impl::OnReportBlocks(RouterSession& session, const rtcp::ReportBlocks& blocks, TimeUs now) {
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    const rtcp::ReportBlock block = blocks[i];
    for (const auto& slot : session.slots) {
      if (slot->slot.ssrc() != block.ssrc) {
        continue;
      }
      slot->fraction_lost = block.fraction_lost;
      if (session.remb != nullptr) {
        session.remb->OnLoss(block.fraction_lost);
      }
      if (block.last_sr != 0) {
        // RFC 3550, 6.4.1: in units of 1/65536 s, modulo 2^16 s.
        const auto middle = static_cast<std::uint32_t>(WallNtp(now + wall_clock_offset_us) >> 16);
        const std::uint32_t elapsed = middle - block.last_sr - block.delay_since_last_sr;
        // A forged or a misread report gives nonsense; a minute is no round trip.
        if (elapsed < 60U * 65'536U) {
          slot->round_trip_us = static_cast<std::int64_t>(elapsed) * kSecond / 65'536;
        }
      }
    }
  }
}

void Router::Impl::OnKeyFrameWanted(RouterSession& session, std::uint32_t ssrc, TimeUs now) {
  for (const auto& slot : session.slots) {
    if (slot->slot.ssrc() == ssrc && slot->showing != nullptr) {
      RequestKeyFrame(*slot->source, *slot->showing, now);
    }
  }
}

}  // namespace tertulia
