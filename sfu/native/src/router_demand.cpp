// Which layers of a source somebody wants. What nobody wants need not be sent: its publisher is told after some
// seconds, and told at once when it is wanted again.
#include <algorithm>

#include "router_impl.hpp"

namespace tertulia {
namespace {

constexpr TimeUs kRestAfterUs = 5 * kSecond;
constexpr TimeUs kLookUs = 200 * kMillisecond;  // no more often, however many viewers change their minds

// The rank of the best layer that a slot wants, -1: nothing.
int Wanted(const RoutedSlot& slot) {
  if (!slot.view.visible) {
    return -1;
  }
  if (!slot.allocated) {
    // Nobody has weighed it yet: what its place can use.
    const auto useful = UsefulOptions(slot.source->source.options(), slot.view.max_pixels);
    return useful.empty() ? UINT8_MAX : useful.back().target.spatial;
  }
  // Who can have nothing now wants the least as soon as possible.
  return slot.paused ? 0 : slot.target.spatial;
}

}  // namespace

// A slot came, went, or wants something else.
void Router::Impl::OnDemand(const RoutedSlot& slot, TimeUs now) {
  RoutedSource* source = slot.source;
  if (source == nullptr || source->source.kind() != Kind::kVideo) {
    return;
  }
  const TimeUs due = Wanted(slot) > source->wanted_rank ? now : now + kLookUs;
  if (due < source->demand_due_us) {
    source->demand_due_us = due;
    Schedule(source->session, due);
  }
}

void Router::Impl::UpdateDemand(RoutedSource& source, TimeUs now) {
  source.demand_due_us = kNever;
  int wanted = -1;
  for (const RoutedSlot* slot : source.slots) {
    wanted = std::max(wanted, Wanted(*slot));
  }
  if (wanted >= source.wanted_rank) {
    source.fewer_since_us = kNever;
  } else {
    source.fewer_since_us = std::min(source.fewer_since_us, now);
    if (now - source.fewer_since_us < kRestAfterUs) {
      source.demand_due_us = source.fewer_since_us + kRestAfterUs;
      return;
    }
    source.fewer_since_us = kNever;
  }
  source.wanted_rank = wanted;
  std::uint32_t layers = 0;
  for (const auto& layer : source.source.layers()) {
    if (static_cast<int>(source.source.RankOf(*layer)) <= wanted) {
      layers |= 1U << layer->index();
    }
  }
  const std::uint32_t all = (1U << source.source.layers().size()) - 1;
  if (layers == (source.wanted_layers & all)) {
    return;
  }
  source.wanted_layers = layers;
  source.source.set_resting(all & ~layers);
  output.OnLayersWanted(source.source.handle(), layers);
}

}  // namespace tertulia
