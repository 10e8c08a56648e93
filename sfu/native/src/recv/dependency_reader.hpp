// Reads the dependency descriptors of one stream: keeps the structure that key frames bring, by which the frames after
// them are read.
#pragma once

#include <memory>

#include "recv/packet.hpp"
#include "wire/dd.hpp"

namespace tertulia {

class DependencyReader {
 public:
  // Fills `packet.dependencies` and what `packet.picture` holds about layers, if the packet has a descriptor.
  void Read(IncomingPacket& packet);
  void Reset() { state_.reset(); }

 private:
  // Some kilobytes, made for the first packet with a descriptor.
  struct State {
    dd::Structure structure;  // in force
    dd::Structure fresh;      // of the packet that is being read
    bool known = false;
    dd::Targets active = 0;
  };

  std::unique_ptr<State> state_;
};

}  // namespace tertulia
