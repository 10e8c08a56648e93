// Who speaks, judged from the levels that audio packets carry (RFC 6464), smoothed and with hysteresis so that a pause
// between words ends nothing and two equally loud people do not take turns by the packet.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "time.hpp"
#include "wire/ext.hpp"

namespace tertulia {

// One audio source, as the speakers see it.
class Voice {
 public:
  explicit Voice(Handle source) : source_(source) {}

  // A packet came. Without a level its size tells silence from sound; with one its claim is bounded: nobody is louder
  // than loud speech, and a packet too small to hold sound is silent whatever it says.
  void OnPacket(const std::optional<AudioLevel>& level, std::size_t payload_size, TimeUs now);
  // Time passes; decides whether this is speech.
  void Evaluate(TimeUs now);

  [[nodiscard]] Handle source() const { return source_; }
  [[nodiscard]] bool speaking() const { return speaking_; }
  [[nodiscard]] int loudness() const { return static_cast<int>(smoothed_); }  // 0 silent to 127
  [[nodiscard]] TimeUs last_us() const { return last_us_; }

 private:
  void Approach(double loudness, TimeUs elapsed);

  Handle source_;
  double smoothed_ = 0;
  bool speaking_ = false;
  TimeUs last_us_ = 0;
  TimeUs quiet_since_us_ = kNever;
};

class Speakers {
 public:
  static constexpr TimeUs kIntervalUs = 100 * kMillisecond;
  static constexpr std::size_t kMaxListed = 32;
  using List = std::vector<std::pair<Handle, std::uint8_t>>;  // source, level in -dBov

  Speakers();

  Voice* Add(Handle source);
  void Remove(Handle source);

  // A packet of `voice` may mean that there is something to evaluate.
  void Wake(TimeUs now) {
    if (due_us_ == kNever) {
      due_us_ = now + kIntervalUs;
    }
  }
  [[nodiscard]] TimeUs due_us() const { return due_us_; }
  // Evaluates all voices; true if list() changed enough to be told.
  bool Evaluate(TimeUs now);
  [[nodiscard]] const List& list() const { return told_; }

 private:
  void Order();
  [[nodiscard]] bool WorthTelling(TimeUs now) const;

  std::vector<std::unique_ptr<Voice>> voices_;
  std::vector<const Voice*> order_;  // speaking now, in the order last found
  List told_;
  TimeUs told_us_ = 0;
  TimeUs due_us_ = kNever;
  bool removed_ = false;
};

}  // namespace tertulia
