// What is told: feedback, key-frame requests and receiver reports to publishers, sender reports to viewers.
#include <algorithm>
#include <array>

#include "router_impl.hpp"

namespace tertulia {
namespace {

constexpr std::string_view kCname = "tertulia";
constexpr TimeUs kSoonUs = 100 * kMillisecond;  // reports due so soon go along with those that are due

}  // namespace

void Router::Impl::StartReports(RouterSession& session, TimeUs now) {
  if (session.reports_due_us == kNever) {
    // A publisher that lives on REMB waits for the first to ramp up.
    session.reports_due_us = now + (session.feedback == nullptr && session.config.remb ? kSoonUs : kReportUs / 2);
    Schedule(session, session.reports_due_us);
  }
}

void Router::Impl::SendFeedback(RouterSession& session) {
  std::array<std::uint8_t, kMaxRtcp> buffer;  // NOLINT(cppcoreguidelines-pro-type-member-init): written before use
  while (true) {
    rtcp::Writer writer(buffer);
    writer.AddReceiverReport(session.local_ssrc);
    const std::size_t size = session.feedback->Write(writer.rest(), session.local_ssrc);
    if (size == 0) {
      return;
    }
    writer.Advance(size);
    output.SendRtcp(session.handle, writer.written());
  }
}

void Router::Impl::SendKeyFrameRequests(RouterSession& session, TimeUs now) {
  for (const auto& source : session.sources) {
    if (source->source.best() == nullptr || source->paused) {
      continue;  // nothing to ask yet: a stream begins with a key frame
    }
    const auto index = source->gate.Poll(now);
    if (!index) {
      continue;
    }
    // A request to one layer brings key frames on all; one without SSRC is asked through the best.
    const Layer* layer = source->source.layers()[*index].get();
    layer = layer->bound() ? layer : source->source.best();
    std::array<std::uint8_t, 64> buffer;  // NOLINT(cppcoreguidelines-pro-type-member-init): written before use
    rtcp::Writer writer(buffer);
    writer.AddReceiverReport(session.local_ssrc);
    writer.AddPli(session.local_ssrc, layer->ssrc());
    output.SendRtcp(session.handle, writer.written());
  }
}

void Router::Impl::SendReports(RouterSession& session, TimeUs now) {
  if (session.reports_due_us > now) {
    return;
  }
  const bool remb = session.feedback == nullptr && session.config.remb;
  std::array<rtcp::ReportBlock, 31> blocks;  // as many as one report holds
  std::array<std::uint32_t, 31> ssrcs{};
  std::size_t count = 0;
  std::uint8_t worst = 0;
  for (const auto& source : session.sources) {
    for (const auto& layer : source->source.layers()) {
      // Only of streams that are mapped: an SSRC that is reported is acknowledged, and stops saying its MID and RID.
      if (layer->bound() && layer->reception().ReceivedSinceReport() && count < blocks.size()) {
        ssrcs[count] = layer->ssrc();
        blocks[count] = layer->reception().Report(layer->ssrc(), now);
        worst = std::max(worst, blocks[count].fraction_lost);
        if (source->source.kind() == Kind::kAudio) {
          blocks[count].fraction_lost = LossToReport(*source, blocks[count].fraction_lost);
        }
        ++count;
      }
    }
  }
  if (count == 0) {
    session.reports_due_us = kNever;
    return;
  }
  session.reports_due_us = now + (remb ? RembRamp::kIntervalUs : kReportUs);
  std::array<std::uint8_t, kMaxRtcp> buffer;  // NOLINT(cppcoreguidelines-pro-type-member-init): written before use
  rtcp::Writer writer(buffer);
  writer.AddReceiverReport(session.local_ssrc, std::span(blocks).first(count));
  writer.AddSdesCname(session.local_ssrc, kCname);
  if (remb) {
    writer.AddRemb(session.local_ssrc, session.ramp.Update(worst), std::span(ssrcs).first(count));
  }
  output.SendRtcp(session.handle, writer.written());
}

void Router::Impl::SendSlotReports(RouterSession& session, TimeUs now) {
  const bool due = std::any_of(session.slots.begin(), session.slots.end(),
                               [&](const auto& slot) { return slot->slot.reports().due_us() <= now; });
  if (!due) {
    return;
  }
  std::array<std::uint8_t, kMaxRtcp> buffer;  // NOLINT(cppcoreguidelines-pro-type-member-init): written before use
  rtcp::Writer writer(buffer);
  for (const auto& entry : session.slots) {
    Slot& slot = entry->slot;
    const TimeUs slack = slot.reports().paired() ? 0 : kSoonUs;
    if (slot.reports().due_us() == kNever || slot.reports().due_us() > now + slack) {
      continue;
    }
    slot.reports().OnReport(now);
    const rtcp::SenderInfo info = slot.Report(now, wall_clock_offset_us);
    if (!writer.AddSenderReport(info) || !writer.AddSdesCname(slot.ssrc(), slot.cname())) {
      // Full: what was written goes out, and the report begins the next packet. A report that was written without its
      // name is only said twice.
      output.SendRtcp(session.handle, writer.written());
      writer = rtcp::Writer(buffer);
      writer.AddSenderReport(info);
      writer.AddSdesCname(slot.ssrc(), slot.cname());
    }
  }
  output.SendRtcp(session.handle, writer.written());
}

}  // namespace tertulia
