#include "send/target_choice.hpp"

#include <algorithm>
#include <bit>
#include <optional>

namespace tertulia {
namespace {

// The best of `targets` within the limits: resolution before frame rate.
std::optional<std::uint8_t> Best(const dd::Structure& structure, dd::Targets targets, LayerTarget limit) {
  std::optional<std::uint8_t> best;
  for (; targets != 0; targets &= targets - 1) {
    const auto index = static_cast<std::uint8_t>(std::countr_zero(targets));
    const dd::Target& target = structure.targets[index];
    if (target.spatial > limit.spatial || target.temporal > limit.temporal) {
      continue;
    }
    if (!best || LayerTarget{target.spatial, target.temporal} >
                     LayerTarget{structure.targets[*best].spatial, structure.targets[*best].temporal}) {
      best = index;
    }
  }
  return best;
}

}  // namespace

// The switch indications of a frame that the viewer can decode: a key frame, one at which the target's chain begins, or
// one of those that the viewer has been getting.
dd::Targets TargetChoice::Entrances(const dd::Descriptor& descriptor) const {
  const dd::Template& frame = descriptor.frame;
  const bool decodable = descriptor.has_structure || ((intact_ & frame.present) >> current_ & 1) != 0;
  return frame.switches & (decodable ? ~dd::Targets{0} : frame.begins);
}

std::uint8_t TargetChoice::Begin(const Dependencies& frame, LayerTarget wanted) {
  const dd::Structure& structure = *frame.structure;
  const bool anew = frame.descriptor->has_structure;
  if (anew) {
    intact_ = 0;  // the numbers mean something else now
  }
  if (current_ >= structure.target_count) {
    current_ = 0;
  }
  const dd::Targets reachable = (intact_ | Entrances(*frame.descriptor)) & structure.all();
  const dd::Targets live = reachable & frame.active;
  const bool goes_on = !anew && ((intact_ & frame.active) >> current_ & 1) != 0;
  const LayerTarget now = {structure.targets[current_].spatial, structure.targets[current_].temporal};
  std::optional<std::uint8_t> best = Best(structure, live, wanted);
  if (goes_on && (!best || structure.targets[*best].spatial < std::min(now.spatial, wanted.spatial))) {
    // The resolution that is wanted waits for a key frame. The frame rate need not: as low as can be on the way down.
    const std::uint8_t temporal = now.spatial > wanted.spatial ? std::uint8_t{0} : wanted.temporal;
    best = Best(structure, live, {now.spatial, temporal});
    if (best && structure.targets[*best].spatial != now.spatial) {
      best.reset();
    }
  }
  if (!best && anew) {
    best = Best(structure, reachable, kBestLayer);
  }
  if (best) {
    current_ = *best;
    intact_ |= dd::Targets{1} << current_;
  }
  return current_;
}

void TargetChoice::OnPacket(const Dependencies& frame, bool sent) {
  if (sent) {
    intact_ |= Entrances(*frame.descriptor);
  } else {
    // What is shown is whole by definition; a late packet from before it began says nothing about it.
    intact_ &= ~frame.descriptor->frame.present | dd::Targets{1} << current_;
  }
}

bool TargetChoice::NeedsKeyFrame(const dd::Structure& structure, dd::Targets active, LayerTarget wanted) const {
  const auto best = Best(structure, active & structure.all(), wanted);
  if (!best || current_ >= structure.target_count) {
    return false;
  }
  const std::uint8_t spatial = structure.targets[*best].spatial;
  if (spatial == structure.targets[current_].spatial) {
    return false;
  }
  const auto intact = Best(structure, intact_ & structure.all(), {spatial, UINT8_MAX});
  return !intact || structure.targets[*intact].spatial != spatial;
}

}  // namespace tertulia
