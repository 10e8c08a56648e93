// One incoming track with its simulcast layers: which of them are alive, and which is the best. What is shown where is
// the router's business.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "control/layer_option.hpp"
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

  // A packet of `layer` arrived. True if layers came or went, or the best is another one now.
  bool OnPacket(Layer& layer, const IncomingPacket& packet);
  // Looks for layers that fell silent. True if some did.
  bool CheckSilence(TimeUs now);
  // When CheckSilence may find something; kNever if nothing is sent.
  [[nodiscard]] TimeUs next_check_us() const { return next_check_us_; }
  // The layer worth forwarding: the best alive. Null until something arrived.
  [[nodiscard]] Layer* best() { return best_; }

  // The encoding to show where no more than `spatial` is wanted (see LayerTarget): the best alive up to it, or the
  // smallest there is. UINT8_MAX is the best. Null until something arrived.
  [[nodiscard]] Layer* Choose(std::uint8_t spatial);
  // An encoding's place among those that have been seen, the smallest first.
  [[nodiscard]] unsigned RankOf(const Layer& layer) const;
  // What of its one stream a slot should get: layers within it.
  [[nodiscard]] LayerTarget Within(LayerTarget wanted) const {
    return layers_.size() == 1 ? wanted : LayerTarget{UINT8_MAX, wanted.temporal};
  }

  // What there is to choose from now, the smallest first. The version changes when targets or sizes do, or rates by
  // much.
  [[nodiscard]] std::span<const LayerOption> options() const { return std::span(options_).first(option_count_); }
  [[nodiscard]] std::uint32_t options_version() const { return options_version_; }

  // Layers (a bit each) that nobody wants, so that their publisher was told to let them rest: they can be had again.
  void set_resting(std::uint32_t layers);
  // All of it rests: silence says nothing.
  [[nodiscard]] bool rests() const { return resting_ + 1 == 1U << layers_.size(); }

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
    bool returning = false;  // it was told to rest, and is wanted again
    unsigned missed = 0;     // pictures that others began since this one's last packet
    TimeUs since_us = 0;
    TimeUs last_us = 0;
  };

  bool Look(Layer& layer, const IncomingPacket& packet);
  bool ChooseBest();
  void MakeOptions();
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
  std::array<LayerOption, LayerRates::kMaxOptions> options_{};
  std::size_t option_count_ = 0;
  std::uint32_t options_version_ = 0;
  std::uint32_t resting_ = 0;
  bool active_ = false;
  TimeUs last_packet_us_ = 0;
};

}  // namespace tertulia
