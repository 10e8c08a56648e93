#include "router/layered_encoder.hpp"

#include <algorithm>
#include <array>

#include "wire/bytes.hpp"

namespace tertulia::test {
namespace {

constexpr std::uint32_t kDiscardable = 1, kSwitch = 2, kRequired = 3;
constexpr std::uint32_t kFirstFrame = 65'000;    // wraps soon
constexpr std::uint32_t kFirstPicture = 32'700;  // ... as well
constexpr std::uint8_t kFirstTemplate = 61;      // ... and these at once

}  // namespace

unsigned LayeredEncoder::TemporalOf(unsigned phase) const {
  constexpr std::array kThree = {0U, 2U, 1U, 2U};
  return options_.temporal == 1 ? 0 : options_.temporal == 2 ? phase % 2 : kThree[phase % 4];
}

std::vector<std::uint32_t> LayeredEncoder::ReferencesOf(unsigned spatial, unsigned temporal, bool key_frame) const {
  std::vector<std::uint32_t> references;
  if (!key_frame) {
    // The second picture of layer 2 follows on layer 1.
    const bool on_middle = temporal == 2 && phase_ % 4 == 3;
    references.push_back(on_middle ? middle_[spatial] : base_[spatial]);
  }
  if (spatial > 0 && (key_frame || !options_.key_only)) {
    references.push_back(static_cast<std::uint32_t>(frames_.size() - 1));
  }
  return references;
}

// As the template of the layer has it.
std::uint32_t LayeredEncoder::Usual(unsigned spatial, unsigned temporal, bool key_frame) const {
  std::uint32_t indications = 0;
  for (unsigned s = 0; s < options_.spatial; ++s) {
    for (unsigned t = 0; t < options_.temporal; ++t) {
      std::uint32_t value = 0;
      const bool part = key_frame || !options_.key_only ? spatial <= s : spatial == s;
      if (part && temporal <= t) {
        value = key_frame || spatial == s ? kSwitch : kRequired;
      }
      indications |= value << (2 * (s * options_.temporal + t));
    }
  }
  return indications;
}

std::uint32_t LayeredEncoder::Indications(const ModelFrame& frame) const {
  std::uint32_t indications = Usual(frame.spatial, frame.temporal, frame.key_picture);
  if (frame.temporal == 2 && phase_ % 4 == 3) {
    for (unsigned i = 0; i < options_.spatial * options_.temporal; ++i) {
      if ((indications >> (2 * i) & 3) == kSwitch) {
        indications = (indications & ~(3U << (2 * i))) | kDiscardable << (2 * i);
      }
    }
  }
  return indications;
}

void LayeredEncoder::WriteStructure(BitWriter& writer) const {
  const unsigned targets = options_.spatial * options_.temporal;
  writer.Bits(kFirstTemplate, 6);
  writer.Bits(targets - 1, 5);
  // For each spatial layer: its frames in key pictures, then one template a temporal layer.
  for (unsigned s = 0; s < options_.spatial; ++s) {
    writer.Bits(0, 2);
    for (unsigned t = 1; t < options_.temporal; ++t) {
      writer.Bits(1, 2);
    }
    writer.Bits(s + 1 < options_.spatial ? 2 : 3, 2);
  }
  for (unsigned s = 0; s < options_.spatial; ++s) {
    for (unsigned k = 0; k <= options_.temporal; ++k) {
      const std::uint32_t indications = Usual(s, k == 0 ? 0 : k - 1, k == 0);
      for (unsigned i = 0; i < targets; ++i) {
        writer.Bits(indications >> (2 * i) & 3, 2);
      }
    }
  }
  for (unsigned i = 0; i < options_.spatial * (options_.temporal + 1); ++i) {
    writer.Bits(0, 1);  // references are said frame by frame
  }
  // ns(targets + 1) and ns(chains), as the AV1 specification has them.
  const auto ns = [&](std::uint32_t value, std::uint32_t n) {
    const auto width = static_cast<unsigned>(std::bit_width(n));
    const std::uint32_t shorter = (1U << width) - n;
    if (value < shorter) {
      writer.Bits(value, width - 1);
    } else {
      writer.Bits((value + shorter) >> 1, width - 1);
      writer.Bits((value + shorter) & 1, 1);
    }
  };
  ns(options_.spatial, targets + 1);
  for (unsigned i = 0; i < targets; ++i) {
    ns(i / options_.temporal, options_.spatial);
  }
  for (unsigned i = 0; i < options_.spatial * (options_.temporal + 1); ++i) {
    for (unsigned chain = 0; chain < options_.spatial; ++chain) {
      writer.Bits(15, 4);  // said frame by frame
    }
  }
  writer.Bits(1, 1);
  for (unsigned s = 0; s < options_.spatial; ++s) {
    writer.Bits((160U << s) - 1, 16);
    writer.Bits((90U << s) - 1, 16);
  }
}

std::vector<std::uint8_t> LayeredEncoder::Descriptor(const ModelFrame& frame, bool first, bool last) const {
  if (!options_.described) {
    return {};
  }
  std::vector<std::uint8_t> bytes(255);
  BitWriter writer(bytes);
  const unsigned index = frame.spatial * (options_.temporal + 1) + (frame.key_picture ? 0 : frame.temporal + 1);
  writer.Bits(first ? 1 : 0, 1);
  writer.Bits(last ? 1 : 0, 1);
  writer.Bits((kFirstTemplate + index) % 64, 6);
  writer.Bits((kFirstFrame + frame.number) & 0xFFFF, 16);
  const bool structure = first && frame.key_picture && frame.spatial == 0;
  const bool custom = Indications(frame) != Usual(frame.spatial, frame.temporal, frame.key_picture);
  writer.Bits((structure ? 16U : 0U) | (custom ? 4U : 0U) | 2 | 1, 5);
  if (structure) {
    WriteStructure(writer);
  }
  if (custom) {
    for (unsigned i = 0; i < options_.spatial * options_.temporal; ++i) {
      writer.Bits(Indications(frame) >> (2 * i) & 3, 2);
    }
  }
  for (const std::uint32_t reference : frame.references) {
    writer.Bits(2, 2);
    writer.Bits(frame.number - reference - 1, 8);
  }
  writer.Bits(0, 2);
  for (unsigned chain = 0; chain < options_.spatial; ++chain) {
    writer.Bits(broken_[chain] ? 0 : frame.number - chain_[chain], 8);
  }
  bytes.resize(writer.size());
  return bytes;
}

std::vector<std::uint8_t> LayeredEncoder::Header(const ModelFrame& frame, bool first, bool last) const {
  const auto id = static_cast<std::uint16_t>(0x8000 | ((kFirstPicture + frame.picture) & 0x7FFF));
  const auto high = static_cast<std::uint8_t>(id >> 8);
  const auto low = static_cast<std::uint8_t>(id);
  const bool on_base = frame.key_picture || !(frame.temporal == 2 && phase_ % 4 == 3);
  switch (options_.codec) {
    case Codec::kVp8: {
      // X, S; I, L, T; Y where only the lowest layer is needed.
      const auto layer = static_cast<std::uint8_t>(frame.temporal << 6 | (frame.temporal > 0 && on_base ? 0x20 : 0));
      std::vector<std::uint8_t> bytes = {
          static_cast<std::uint8_t>(first ? 0x90 : 0x80), 0xE0, high, low, tl0_index_, layer};
      bytes.push_back(frame.key_picture && first ? 0 : 1);
      return bytes;
    }
    case Codec::kVp9: {
      const bool predicted = !frame.key_picture;
      auto flags = static_cast<std::uint8_t>(0x80 | 0x20 | (predicted ? 0x40 : 0) | (options_.flexible ? 0x10 : 0) |
                                             (first ? 0x08 : 0) | (last ? 0x04 : 0));
      const bool inter_layer = frame.spatial > 0 && (frame.key_picture || !options_.key_only);
      std::vector<std::uint8_t> bytes = {flags, high, low};
      // U: whoever gets this picture's layer may get higher ones from here on.
      const bool up = frame.temporal == 0 || on_base;
      bytes.push_back(static_cast<std::uint8_t>(frame.temporal << 5 | (up ? 0x10 : 0) | frame.spatial << 1 |
                                                (inter_layer ? 1 : 0)));
      if (!options_.flexible) {
        bytes.push_back(tl0_index_);
      } else if (predicted) {
        const std::uint32_t distance = frame.picture - frames_[frame.references[0]].picture;
        bytes.push_back(static_cast<std::uint8_t>(distance << 1));
      }
      return bytes;
    }
    case Codec::kH264:
      return {static_cast<std::uint8_t>(frame.key_picture && first ? 0x67 : 0x61)};
    default:
      // The aggregation header: one element, and N where a coded video sequence begins.
      return {static_cast<std::uint8_t>(0x10 | (first && frame.key_picture && frame.spatial == 0 ? 0x08 : 0))};
  }
}

void LayeredEncoder::Remember(const ModelFrame& frame) {
  if (frame.temporal == 0) {
    base_[frame.spatial] = frame.number;
    for (unsigned chain = 0; chain < options_.spatial; ++chain) {
      const bool part = frame.key_picture || !options_.key_only ? frame.spatial <= chain : frame.spatial == chain;
      chain_[chain] = part ? frame.number : chain_[chain];
      broken_[chain] = broken_[chain] && !part;
    }
  } else if (frame.temporal == 1) {
    middle_[frame.spatial] = frame.number;
  }
}

std::vector<ModelPacket> LayeredEncoder::Encode(std::uint32_t timestamp, bool key_frame) {
  phase_ = key_frame ? 0 : phase_ + 1;
  const unsigned temporal = TemporalOf(phase_);
  tl0_index_ = static_cast<std::uint8_t>(tl0_index_ + (temporal == 0 ? 1 : 0));
  std::vector<ModelPacket> packets;
  if (key_frame) {
    std::fill(std::begin(broken_), std::end(broken_), true);
  }
  for (unsigned spatial = 0; spatial < options_.spatial; ++spatial) {
    ModelFrame frame{static_cast<std::uint32_t>(frames_.size()), pictures_, spatial, temporal, key_frame,
                     ReferencesOf(spatial, temporal, key_frame)};
    frames_.push_back(frame);
    for (unsigned i = 0; i < options_.packets; ++i) {
      const bool first = i == 0;
      const bool last = i + 1 == options_.packets;
      ModelPacket packet;
      packet.frame = frame.number;
      packet.index = i;
      packet.timestamp = timestamp;
      packet.marker = last && spatial + 1 == options_.spatial;
      packet.key_frame = key_frame && first && spatial == 0;
      packet.descriptor = Descriptor(frame, first, last);
      packet.payload = Header(frame, first, last);
      packet.payload.resize(packet.payload.size() + 8);
      WriteU32(&packet.payload[packet.payload.size() - 8], i);
      WriteU32(&packet.payload[packet.payload.size() - 4], frame.number);
      packets.push_back(std::move(packet));
    }
    Remember(frame);
  }
  ++pictures_;
  return packets;
}

}  // namespace tertulia::test
