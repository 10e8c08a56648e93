// The loss of which a publisher of sound is told. Encoders add forward error correction for the loss they see reported,
// which is that of the way to us, while the worst loss may be on the way to a listener. So the worse of both is
// reported: at once when it rises, and given up slowly, since the reports of single listeners are rough.
#pragma once

#include <algorithm>
#include <cstdint>

namespace tertulia {

class ReportedLoss {
 public:
  // Beyond, more redundancy costs the other listeners more than it gives the one. Of 256.
  static constexpr std::uint8_t kMax = 64;

  // Once a report; fractions of 256. What the network lost on the way to us is reported as it is.
  std::uint8_t Update(std::uint8_t own, std::uint8_t worst_listener) {
    const std::uint8_t listener = std::min(worst_listener, kMax);
    listener_ = listener >= listener_ ? listener : static_cast<std::uint8_t>((listener_ * 3 + listener) / 4);
    return std::max(own, listener_);
  }

 private:
  std::uint8_t listener_ = 0;
};

}  // namespace tertulia
