// What a viewer's network carries, and who gets how much of it.
#include <algorithm>
#include <array>

#include "router_impl.hpp"

namespace tertulia {
namespace {

constexpr TimeUs kAllocateUs = 60 * kMillisecond;     // no more often
constexpr TimeUs kReallocateUs = 300 * kMillisecond;  // the layers' rates change by themselves
// What is granted may exceed the estimate by a little for a moment: both are measured, and vary.
constexpr std::uint64_t kPatiencePercent = 20;
constexpr TimeUs kPatienceUs = 2 * kSecond;
constexpr TimeUs kShortPatienceUs = 700 * kMillisecond;  // while a queue grows
// Of the estimate, for what is sent again.
constexpr std::uint64_t kResendPercent = 30;
constexpr std::uint64_t kResendCongestedPercent = 10;
constexpr std::uint64_t kResendLeastBps = 40'000;
constexpr double kResendBurstSeconds = 0.5;
// A layer that proved too much soon after it was given is not tried again for so long, and longer each time.
constexpr TimeUs kTooSoonUs = 10 * kSecond;
constexpr TimeUs kRetryUs = 4 * kSecond;
constexpr TimeUs kLongestRetryUs = 60 * kSecond;

}  // namespace

// The last step of every packet on its way to a viewer, be it media, repair or probe: it is stamped, then it leaves.
void Router::Impl::Transmit(RouterSession& viewer, MutableBytes header, HeaderWriter::Stamp stamp, Bytes payload) {
  const std::size_t size = header.size() + payload.size();
  if (stamp.kind == SendStamp::kTransportCc) {
    WriteU16(&header[stamp.offset], viewer.congestion->OnSent(size, now_us));
  } else if (stamp.kind == SendStamp::kAbsSendTime) {
    std::ranges::copy(AbsSendTimeValue(now_us), &header[stamp.offset]);
  }
  if (viewer.remb != nullptr) {
    viewer.remb->OnSent(size, now_us);
  }
  output.SendRtp(viewer.handle, header, payload);
}

void Router::Impl::OnTransportFeedback(RouterSession& viewer, const rtcp::Packet& packet, TimeUs now) {
  if (viewer.congestion == nullptr) {
    return;
  }
  if (auto reader = twcc::Reader::Parse(packet)) {
    viewer.congestion->OnFeedback(*reader, now);
    AllocateSoon(viewer, now);
  }
}

void Router::Impl::OnRemb(RouterSession& viewer, const rtcp::Remb& remb, TimeUs now) {
  if (viewer.congestion != nullptr || viewer.slots.empty()) {
    return;
  }
  if (viewer.remb == nullptr) {
    viewer.remb = std::make_unique<RembEstimate>();
  }
  viewer.remb->OnRemb(remb.bitrate_bps, now);
  AllocateSoon(viewer, now);
}

// Nothing for a viewer that says nothing of its network: it gets the best there is.
std::optional<std::uint64_t> Router::Impl::EstimateOf(const RouterSession& viewer) {
  if (viewer.congestion != nullptr) {
    return viewer.congestion->known() ? std::optional(viewer.congestion->estimator().estimate_bps()) : std::nullopt;
  }
  return viewer.remb != nullptr ? std::optional(viewer.remb->estimate_bps()) : std::nullopt;
}

void Router::Impl::AllocateSoon(RouterSession& viewer, TimeUs now) {
  if (!viewer.ready) {
    return;
  }
  const TimeUs due = std::max(now, viewer.allocated_us + kAllocateUs);
  if (due < viewer.allocation_due_us) {
    viewer.allocation_due_us = due;
    Schedule(viewer, due);
  }
}

// Before anything of a new source is shown: nobody's network shall carry the best layer until it was asked.
void Router::Impl::AllocateNow(RouterSession& viewer, TimeUs now) {
  if (!viewer.ready) {
    return;
  }
  Allocate(viewer, now);
  if (viewer.allocation_due_us != kNever) {
    Schedule(viewer, viewer.allocation_due_us);
  }
}

void Router::Impl::ServiceViewer(RouterSession& viewer, TimeUs now) {
  if (viewer.congestion != nullptr) {
    viewer.congestion->Advance(now);
  }
  if (viewer.allocation_due_us <= now) {
    Allocate(viewer, now);
  }
  if (viewer.congestion != nullptr) {
    SendProbes(viewer, now);
  }
}

void Router::Impl::SendProbes(RouterSession& viewer, TimeUs now) {
  Prober& prober = viewer.congestion->prober();
  std::size_t due = prober.DueBytes(now);
  if (due == 0) {
    return;
  }
  const auto slot = std::ranges::find_if(viewer.slots, [](const auto& one) {
    return one->rtx != nullptr && one->slot.stamp().kind == SendStamp::kTransportCc;
  });
  if (slot == viewer.slots.end()) {
    prober.Abandon(now);
    return;
  }
  while (due > 0) {
    due -= std::min(due, SendPadding(**slot));
  }
}

// A packet of nothing but padding, on the stream of repairs: on the media's it would disturb what is numbered there.
std::size_t Router::Impl::SendPadding(RoutedSlot& slot) {
  static constexpr auto kPadding = [] {
    std::array<std::uint8_t, 252> bytes{};
    bytes.back() = bytes.size();  // RFC 3550, 5.1: the last byte says how many there are
    return bytes;
  }();
  HeaderWriter::Buffer buffer;  // NOLINT(cppcoreguidelines-pro-type-member-init): written as far as it is used
  const Bytes header = slot.slot.Blank(slot.rtx->any_payload_type(), buffer);
  buffer[0] |= 1 << 5;
  WriteU16(&buffer[2], slot.rtx->TakeSequence());
  WriteU32(&buffer[8], slot.rtx->ssrc());
  Transmit(slot.session, MutableBytes(buffer).first(header.size()), slot.slot.stamp(), kPadding);
  return header.size() + kPadding.size();
}

TimeUs Router::Impl::ViewerDue(const RouterSession& viewer) {
  const TimeUs congestion = viewer.congestion == nullptr ? kNever : viewer.congestion->due_us();
  return std::min(viewer.allocation_due_us, congestion);
}

// What the viewer's sound needs, which nothing may take from it.
std::uint64_t Router::Impl::SoundOf(const RouterSession& viewer) const {
  std::uint64_t bps = 0;
  for (const auto& slot : viewer.slots) {
    if (slot->source != nullptr && slot->slot.kind() == Kind::kAudio && slot->source->source.active() &&
        now_us - slot->source->source.last_packet_us() < kSecond) {
      const Layer* layer = slot->source->source.best();
      bps += layer == nullptr ? 0 : layer->bitrate_bps();
    }
  }
  return bps;
}

// What is available to what is granted already: for a moment a little more than the estimate says.
std::uint64_t Router::Impl::Patience(RouterSession& viewer, std::uint64_t granted_bps, std::uint64_t available_bps,
                                     TimeUs now) {
  if (granted_bps <= available_bps) {
    viewer.over_since_us = kNever;
    return available_bps;
  }
  viewer.over_since_us = std::min(viewer.over_since_us, now);
  const bool little = granted_bps <= available_bps + available_bps * kPatiencePercent / 100;
  const bool congested = viewer.congestion != nullptr && viewer.congestion->estimator().congested();
  const TimeUs patience = congested ? kShortPatienceUs : kPatienceUs;
  return little && now - viewer.over_since_us < patience ? granted_bps : available_bps;
}

// What is sent again must not fill a way that is full already, which would lose the more.
void Router::Impl::LimitResends(RouterSession& viewer, std::uint64_t estimate_bps) {
  const bool congested = viewer.congestion != nullptr && viewer.congestion->estimator().congested();
  const std::uint64_t share = estimate_bps * (congested ? kResendCongestedPercent : kResendPercent) / 100;
  const double bytes_per_second = static_cast<double>(std::max(share, kResendLeastBps)) / 8;
  viewer.resend_budget.SetRate(bytes_per_second, bytes_per_second * kResendBurstSeconds);
}

void Router::Impl::Allocate(RouterSession& viewer, TimeUs now) {
  auto& [slots, demands, grants] = scratch;
  slots.resize(viewer.slots.size());
  demands.resize(viewer.slots.size());
  grants.resize(viewer.slots.size());
  std::size_t count = 0;
  std::uint64_t granted = 0;
  const auto estimate = EstimateOf(viewer);
  for (const auto& slot : viewer.slots) {
    if (!slot->shows_video() || !slot->view.visible || slot->source->paused) {
      continue;
    }
    const std::span<const LayerOption> options = slot->source->source.options();
    if (options.empty()) {
      continue;
    }
    slots[count] = slot.get();
    SlotDemand& demand = demands[count++];
    demand.options = options;
    demand.max_pixels = slot->view.max_pixels;
    demand.priority = slot->view.priority;
    demand.has = slot->allocated && !slot->paused;
    demand.barred = now < slot->retry_us && estimate.value_or(UINT64_MAX) < slot->retry_bps;
    demand.current = slot->target;
    const auto given = std::find_if(options.rbegin(), options.rend(),
                                    [&](const LayerOption& option) { return option.target <= slot->target; });
    if (demand.has && given != options.rend()) {
      demand.current = given->target;  // by its name of today: layers may have become known in more detail
      granted += given->bitrate_bps;
    }
  }
  viewer.allocated_us = now;
  viewer.allocation_due_us = kNever;
  viewer.allocation = {};
  if (count == 0) {
    if (viewer.congestion != nullptr) {
      viewer.congestion->Want(0, now);
    }
    return;
  }
  viewer.allocation_due_us = now + kReallocateUs;
  const std::uint64_t sound = SoundOf(viewer);
  std::uint64_t available = UINT64_MAX / 4;
  if (estimate) {
    LimitResends(viewer, *estimate);
    available = Patience(viewer, granted, *estimate > sound ? *estimate - sound : 0, now);
  }
  const bool overrun = granted > available + available / 2;
  viewer.allocation = ::tertulia::Allocate(std::span(demands).first(count), available, std::span(grants).first(count));
  for (std::size_t i = 0; i < count; ++i) {
    Apply(*slots[i], demands[i], grants[i], overrun, now);
  }
  if (viewer.congestion != nullptr) {
    const bool more = viewer.allocation.next_bps != 0;
    viewer.congestion->Want(more ? viewer.allocation.wanted_bps + sound : 0, now);
  }
}

void Router::Impl::Apply(RoutedSlot& slot, const SlotDemand& demand, const SlotGrant& grant, bool overrun, TimeUs now) {
  const bool better = slot.allocated && grant.shown && (slot.paused || grant.target > demand.current);
  const bool worse = demand.has && (!grant.shown || grant.target < demand.current);
  if (better) {
    slot.raised_us = now;
  } else if (worse) {
    const bool soon = slot.raised_us != kNever && now - slot.raised_us < kTooSoonUs;
    slot.retry_wait_us = soon ? std::clamp(2 * slot.retry_wait_us, 2 * kRetryUs, kLongestRetryUs) : kRetryUs;
    slot.retry_us = now + slot.retry_wait_us;
    // What was taken away before anything was known of the network must not wait when probes have found out.
    const auto estimate = EstimateOf(slot.session);
    slot.retry_bps = estimate && *estimate < UINT64_MAX / 2 ? *estimate + *estimate / 2 : UINT64_MAX;
  }
  slot.allocated = true;
  if (grant.shown) {
    WantLayer(slot, grant.target, now);
    if (overrun && slot.showing != nullptr && slot.showing != Target(slot)) {
      // Better no picture for a moment than one that loses every other packet until the key frame comes.
      StopShowing(slot);
    }
  }
  PauseSlot(slot, !grant.shown, now);
  OnDemand(slot, now);
}

}  // namespace tertulia
