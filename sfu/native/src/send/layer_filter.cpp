#include "send/layer_filter.hpp"

#include <algorithm>

namespace tertulia {

void LayerFilter::Open(const IncomingPacket& first) {
  choices_.Open(first.sequence, {wanted_, 0});
  targets_.Open();
  picture_ = first.timestamp - 1;
  top_spatial_ = 0;
  needs_key_frame_ = false;
  told_ = 0;
  repeats_ = 0;
}

LayerFilter::Verdict LayerFilter::Decide(const IncomingPacket& packet) {
  const Picture& picture = packet.picture;
  if (picture.layering == Layering::kNone || picture.layering == Layering::kUndescribed) {
    return {true, packet.marker, false, 0};
  }
  if (packet.newest && packet.timestamp != picture_) {
    picture_ = packet.timestamp;
    if (picture.frame_start) {
      Steer(packet);
    }
  }
  const Choice* choice = choices_.Find(packet.sequence);
  if (choice == nullptr) {
    return {};
  }
  if (picture.layering == Layering::kDescribed) {
    return DecideDescribed(packet, *choice);
  }
  top_spatial_ = std::max(top_spatial_, picture.spatial);
  Verdict verdict;
  verdict.send = picture.spatial <= choice->limit.spatial && picture.temporal <= choice->limit.temporal;
  verdict.last = packet.marker || (picture.frame_end && picture.spatial == choice->limit.spatial);
  return verdict;
}

// A picture begins: what is sent may change here.
void LayerFilter::Steer(const IncomingPacket& packet) {
  const Picture& picture = packet.picture;
  Choice next = choices_.newest();
  if (picture.layering == Layering::kDescribed) {
    next.target = targets_.Begin(packet.dependencies, wanted_);
    needs_key_frame_ = targets_.NeedsKeyFrame(*packet.dependencies.structure, packet.dependencies.active, wanted_);
  } else {
    next.limit = NextLimit(picture, next.limit);
    needs_key_frame_ = std::min(wanted_.spatial, top_spatial_) > next.limit.spatial;
  }
  if (next.limit != choices_.newest().limit || next.target != choices_.newest().target) {
    choices_.Push(packet.sequence, next);
  }
}

// By payload descriptors. Less is possible at once; more only where the stream says that it can be decoded.
LayerTarget LayerFilter::NextLimit(const Picture& picture, LayerTarget now) const {
  if (picture.key_frame) {
    return wanted_;
  }
  LayerTarget next = {std::min(now.spatial, wanted_.spatial), std::min(now.temporal, wanted_.temporal)};
  if (wanted_.temporal <= next.temporal || !picture.sync) {
    return next;
  }
  if (picture.layering == Layering::kTemporal) {
    // RFC 7741, 4.2: with Y, the picture depends on the lowest temporal layer only.
    if (picture.temporal == next.temporal + 1) {
      next.temporal = picture.temporal;
    }
  } else if (picture.temporal <= next.temporal) {
    // RFC 9628, 4.2: with U, later pictures of higher layers depend on none of theirs from before this picture.
    next.temporal = wanted_.temporal;
  }
  return next;
}

LayerFilter::Verdict LayerFilter::DecideDescribed(const IncomingPacket& packet, const Choice& choice) {
  const Dependencies& dependencies = packet.dependencies;
  const dd::Structure& structure = *dependencies.structure;
  if (choice.target >= structure.target_count) {
    return {};
  }
  const dd::Target& target = structure.targets[choice.target];
  Verdict verdict;
  verdict.send = (dependencies.descriptor->frame.present >> choice.target & 1) != 0;
  // Entrances are frames in whole; what is left out may be any part of a frame.
  if (!verdict.send || (packet.newest && packet.picture.frame_start)) {
    targets_.OnPacket(dependencies, verdict.send);
  }
  verdict.last = packet.marker || (packet.picture.frame_end && packet.picture.spatial == target.spatial);
  verdict.active = dependencies.active & target.within;
  if (verdict.send && packet.newest) {
    if (verdict.active != told_) {
      told_ = verdict.active;
      repeats_ = kRepeats;
    }
    verdict.tells = verdict.active != structure.all() || repeats_ > 0;
    repeats_ = static_cast<std::uint8_t>(repeats_ - (repeats_ > 0 && packet.picture.frame_end ? 1 : 0));
  } else {
    verdict.tells = true;
  }
  return verdict;
}

}  // namespace tertulia
