// One incoming track with its simulcast layers: which of them are alive, and which is the best. What is shown where is
// the router's business.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "recv/layer.hpp"
#include "tertulia/types.hpp"
#include "time.hpp"

namespace tertulia {

class Source {
 public:
  static constexpr std::size_t kMaxLayers = 8;
  static constexpr std::size_t kMaxPayloads = 64;
  // A simulcast layer that sends nothing for so long while another does has been switched off by its encoder.
  static constexpr TimeUs kLayerSilentUs = 240'000;
  // A layer that came back is trusted again after sending without a break for so long.
  static constexpr TimeUs kLayerProvenUs = 500'000;
  // A source is silent after so long: a still screen repeats itself only once a second, Opus DTX every 400 ms.
  static constexpr TimeUs kSilentUs = 2'000'000;

  explicit Source(const SourceConfig& config);

  [[nodiscard]] Handle handle() const { return handle_; }
  [[nodiscard]] std::uint32_t csrc() const { return csrc_; }
  [[nodiscard]] const std::string& mid() const { return mid_; }
  [[nodiscard]] Kind kind() const { return kind_; }
  [[nodiscard]] const std::vector<std::unique_ptr<Layer>>& layers() const { return layers_; }
  [[nodiscard]] Layer* FindLayer(std::string_view rid);
  [[nodiscard]] const PayloadType* FindPayload(std::uint8_t pt) const;
  [[nodiscard]] const std::vector<PayloadType>& payloads() const { return payloads_; }

  // A packet of `layer` arrived. True if the best layer is another one now.
  bool OnPacket(Layer& layer, const IncomingPacket& packet);
  // Looks for layers that fell silent. True if the best layer is another one now.
  bool CheckSilence(TimeUs now);
  // When CheckSilence may find something; kNever if nothing is sent.
  [[nodiscard]] TimeUs next_check_us() const { return next_check_us_; }
  // The layer worth forwarding: the best alive. Null until something arrived.
  [[nodiscard]] Layer* best() { return best_; }

  [[nodiscard]] bool active() const { return active_; }
  void set_active(bool active) { active_ = active; }
  [[nodiscard]] TimeUs last_packet_us() const { return last_packet_us_; }

 private:
  // ... and while others began so many pictures: at low frame rates time alone would see silence between two pictures.
  static constexpr unsigned kMissedPictures = 3;
  static constexpr TimeUs kChoiceUs = 500'000;

  struct Life {
    bool started = false;
    bool alive = false;
    bool proven = false;
    unsigned missed = 0;  // pictures that others began since this one's last packet
    TimeUs since_us = 0;
    TimeUs last_us = 0;
  };

  bool ChooseBest();
  [[nodiscard]] static bool Better(const Layer& a, const Layer& b);

  Handle handle_;
  std::uint32_t csrc_;
  std::string mid_;
  Kind kind_;
  std::vector<PayloadType> payloads_;
  std::array<std::uint8_t, 128> payload_index_{};  // payload type -> index + 1
  std::vector<std::unique_ptr<Layer>> layers_;
  std::array<Life, kMaxLayers> lives_{};
  Layer* best_ = nullptr;
  TimeUs next_check_us_ = kNever;
  TimeUs chosen_us_ = 0;
  bool active_ = false;
  TimeUs last_packet_us_ = 0;
};

}  // namespace tertulia
