#include "recv/source.hpp"

#include <algorithm>

namespace tertulia {
namespace {

// What a layer is taken to need before it has been measured: what browsers spend on VP8.
constexpr std::uint64_t kBitsPerPixel = 2;
constexpr std::uint64_t kUnknownBps = 300'000;

}  // namespace

Source::Source(const SourceConfig& config)
    : handle_(config.source), csrc_(config.csrc), mid_(config.mid), kind_(config.kind) {
  const std::size_t payloads = std::min(config.payloads.size(), kMaxPayloads);
  for (std::size_t i = 0; i < payloads; ++i) {
    PayloadType payload = config.payloads[i];
    if (payload.pt >= payload_index_.size()) {
      continue;
    }
    if (payload.clock_rate == 0) {
      payload.clock_rate = kind_ == Kind::kAudio ? 48'000 : 90'000;
    }
    payloads_.push_back(payload);
    payload_index_[payload.pt] = static_cast<std::uint8_t>(payloads_.size());
  }
  // Layers are told apart by RID; without RIDs, by the order of the SSRCs that the offer names.
  const std::size_t count = !config.rids.empty() ? config.rids.size() : std::max<std::size_t>(1, config.ssrcs.size());
  for (std::size_t i = 0; i < std::min(count, kMaxLayers); ++i) {
    layers_.push_back(
        std::make_unique<Layer>(static_cast<unsigned>(i), config.rids.empty() ? std::string() : config.rids[i]));
  }
}

Layer* Source::FindLayer(std::string_view rid) {
  for (const auto& layer : layers_) {
    if (layer->rid() == rid) {
      return layer.get();
    }
  }
  return nullptr;
}

const PayloadType* Source::FindPayload(std::uint8_t pt) const {
  const std::uint8_t index = payload_index_[pt & 0x7F];
  return index == 0 ? nullptr : &payloads_[index - 1U];
}

bool Source::OnPacket(Layer& layer, const IncomingPacket& packet) {
  const bool changed = Look(layer, packet);
  if (changed || layer.rates_changed()) {
    MakeOptions();
  }
  return changed;
}

bool Source::Look(Layer& layer, const IncomingPacket& packet) {
  last_packet_us_ = packet.arrival_us;
  if (layers_.size() == 1) {
    const bool first = best_ == nullptr;
    best_ = &layer;
    return first;
  }
  Life& life = lives_[layer.index()];
  life.last_us = packet.arrival_us;
  life.missed = 0;
  if (packet.newest && packet.new_timestamp) {
    for (const auto& other : layers_) {
      if (other.get() != &layer) {
        ++lives_[other->index()].missed;
      }
    }
  }
  if (next_check_us_ == kNever) {
    next_check_us_ = packet.arrival_us + kLayerSilentUs;
  }
  bool choose = packet.picture.pixels != 0;
  bool changed = false;
  if (!life.alive) {
    // The first packets of a layer need no proof: encoders start their layers one after the other, each with a key
    // frame.
    life.proven = !life.started || life.returning;
    life.returning = false;
    life.alive = life.started = true;
    life.since_us = packet.arrival_us;
    changed = true;
  } else if (!life.proven && packet.arrival_us - life.since_us >= kLayerProvenUs) {
    life.proven = true;
    changed = true;
  }
  // Bit rates become known, and change, with time.
  choose = choose || changed || packet.arrival_us - chosen_us_ >= kChoiceUs;
  if (!choose) {
    return false;
  }
  chosen_us_ = packet.arrival_us;
  return ChooseBest() || changed;
}

bool Source::CheckSilence(TimeUs now) {
  if (now < next_check_us_) {
    return false;
  }
  next_check_us_ = kNever;
  bool changed = false;
  for (const auto& layer : layers_) {
    Life& life = lives_[layer->index()];
    if (!life.alive) {
      continue;
    }
    if (now - life.last_us < kLayerSilentUs) {
      next_check_us_ = std::min(next_check_us_, life.last_us + kLayerSilentUs);
    } else if (life.missed >= kMissedPictures) {
      life.alive = life.proven = false;
      changed = true;
    } else if (now - last_packet_us_ < kSilentUs) {
      // All silent together is a pause of the camera, not of a layer; look again soon.
      next_check_us_ = std::min(next_check_us_, now + kLayerSilentUs / 8);
    }
  }
  if (changed) {
    ChooseBest();
    MakeOptions();
  }
  return changed;
}

void Source::set_resting(std::uint32_t layers) {
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    // One that is wanted again is trusted at once: it was silent because it was told to.
    if ((resting_ >> i & 1) != 0 && (layers >> i & 1) == 0 && !lives_[i].alive) {
      lives_[i].returning = true;
    }
  }
  resting_ = layers & ((1U << layers_.size()) - 1);
  MakeOptions();
}

bool Source::ChooseBest() {
  // What is shown stays unless something is clearly better; nothing unproven replaces it while it lives.
  Layer* best = best_ != nullptr && lives_[best_->index()].alive ? best_ : nullptr;
  for (const bool proven : {true, false}) {
    for (const auto& layer : layers_) {
      const Life& life = lives_[layer->index()];
      if (life.alive && life.proven == proven && (best == nullptr || (proven && Better(*layer, *best)))) {
        best = layer.get();
      }
    }
  }
  if (best == nullptr || best == best_) {
    return false;
  }
  best_ = best;
  return true;
}

Layer* Source::Choose(std::uint8_t spatial) {
  if (layers_.size() == 1 || spatial == UINT8_MAX || best_ == nullptr) {
    return best_;
  }
  Layer* chosen = nullptr;
  Layer* smallest = nullptr;
  for (const bool proven : {true, false}) {
    for (const auto& layer : layers_) {
      const Life& life = lives_[layer->index()];
      if (!life.alive || life.proven != proven) {
        continue;
      }
      const unsigned rank = RankOf(*layer);
      if (rank <= spatial && (chosen == nullptr || (proven && rank > RankOf(*chosen)))) {
        chosen = layer.get();
      }
      if (smallest == nullptr || rank < RankOf(*smallest)) {
        smallest = layer.get();
      }
    }
  }
  return chosen != nullptr ? chosen : smallest != nullptr ? smallest : best_;
}

unsigned Source::RankOf(const Layer& layer) const {
  unsigned rank = 0;
  for (const auto& other : layers_) {
    if (other.get() == &layer || !lives_[other->index()].started) {
      continue;
    }
    const bool above = Better(layer, *other);
    rank += above || (!Better(*other, layer) && other->index() < layer.index()) ? 1 : 0;
  }
  return rank;
}

void Source::MakeOptions() {
  std::array<LayerOption, LayerRates::kMaxOptions> made{};
  std::size_t count = 0;
  for (const auto& layer : layers_) {
    const bool rests = lives_[layer->index()].started && (resting_ >> layer->index() & 1) != 0;
    if (layers_.size() > 1 && !lives_[layer->index()].alive && !rests) {
      continue;
    }
    LayerOption unmeasured;
    std::span<const LayerOption> options = layer->rates().options();
    if (options.empty()) {
      unmeasured = {kBestLayer, layer->pixels() == 0 ? kUnknownBps : layer->pixels() * kBitsPerPixel, layer->pixels()};
      options = {&unmeasured, 1};
    }
    for (LayerOption option : options) {
      if (count == made.size()) {
        break;
      }
      if (layers_.size() > 1) {
        option.target.spatial = static_cast<std::uint8_t>(RankOf(*layer));
        option.pixels = layer->pixels();
      }
      made[count++] = option;
    }
  }
  std::sort(made.begin(), made.begin() + static_cast<std::ptrdiff_t>(count),
            [](const auto& a, const auto& b) { return a.target < b.target; });
  bool differs = count != option_count_;
  for (std::size_t i = 0; i < count && !differs; ++i) {
    const std::uint64_t before = options_[i].bitrate_bps;
    differs = made[i].target != options_[i].target || made[i].pixels != options_[i].pixels ||
              made[i].bitrate_bps > before + before / 8 || made[i].bitrate_bps < before - before / 16;
  }
  // What stays is kept as it is, so that many small steps do not go unnoticed.
  if (differs) {
    options_ = made;
    option_count_ = count;
    ++options_version_;
  }
}

bool Source::Better(const Layer& a, const Layer& b) {
  if (a.pixels() != 0 && b.pixels() != 0) {
    return a.pixels() > b.pixels();
  }
  // By bit rate, and clearly: half as much again.
  return a.bitrate_bps() > b.bitrate_bps() + b.bitrate_bps() / 2;
}

}  // namespace tertulia
