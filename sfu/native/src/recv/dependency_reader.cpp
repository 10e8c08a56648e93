#include "recv/dependency_reader.hpp"

namespace tertulia {

void DependencyReader::Read(IncomingPacket& packet) {
  const Bytes value = packet.extension(Ext::kDependencyDescriptor);
  if (value.empty()) {
    return;
  }
  if (state_ == nullptr) {
    state_ = std::make_unique<State>();
  }
  Dependencies& dependencies = packet.dependencies;
  Picture& picture = packet.picture;
  dependencies.descriptor = dd::Parse(value, state_->known ? &state_->structure : nullptr, state_->fresh);
  if (!dependencies.descriptor) {
    dependencies.descriptor = dd::ParseMandatory(value);
    if (!dependencies.descriptor) {
      packet.extensions[static_cast<std::size_t>(Ext::kDependencyDescriptor)] = {};
      return;
    }
    picture.layering = Layering::kUndescribed;
    return;
  }
  const dd::Descriptor& descriptor = *dependencies.descriptor;
  dependencies.structure = &state_->structure;
  if (descriptor.has_structure && packet.newest) {
    state_->structure = state_->fresh;
    state_->known = true;
  } else if (descriptor.has_structure) {
    dependencies.structure = &state_->fresh;  // a late one: newer frames have theirs
  }
  if (descriptor.active && packet.newest) {
    state_->active = *descriptor.active;
  }
  dependencies.active = descriptor.active.value_or(state_->active);
  picture.layering = Layering::kDescribed;
  picture.descriptor = descriptor.layout;
  picture.frame_start = descriptor.first_packet;
  picture.frame_end = descriptor.last_packet;
  picture.spatial = descriptor.frame.spatial;
  picture.temporal = descriptor.frame.temporal;
  if (descriptor.has_structure) {
    picture.pixels = dependencies.structure->pixels[dependencies.structure->spatial_count - 1U];
  }
}

}  // namespace tertulia
