#include "wire/dd.hpp"

#include <algorithm>

#include "wire/bits.hpp"

namespace tertulia::dd {
namespace {

constexpr std::size_t kMandatoryBits = 24;
constexpr std::size_t kFlagBits = 5;
// Decode target indications (appendix A.8.3).
constexpr std::uint32_t kNotPresent = 0;
constexpr std::uint32_t kSwitch = 2;

void ReadIndications(BitReader& reader, std::size_t targets, Template& frame) {
  frame.present = frame.switches = 0;
  for (std::size_t i = 0; i < targets; ++i) {
    const std::uint32_t indication = reader.Bits(2);
    frame.present |= indication != kNotPresent ? Targets{1} << i : 0;
    frame.switches |= indication == kSwitch ? Targets{1} << i : 0;
  }
}

bool AddReference(Template& frame, std::uint32_t distance) {
  if (frame.reference_count == kMaxReferences) {
    return false;
  }
  frame.references[frame.reference_count++] = static_cast<std::uint16_t>(distance);
  return true;
}

// Turns chains that begin into targets that do.
Targets Protected(const Structure& structure, std::uint32_t chains) {
  Targets targets = 0;
  for (std::size_t i = 0; i < structure.target_count; ++i) {
    targets |= structure.chain_count > 0 && (chains >> structure.targets[i].chain & 1) != 0 ? Targets{1} << i : 0;
  }
  return targets;
}

bool ReadLayers(BitReader& reader, Structure& structure) {
  std::uint8_t spatial = 0;
  std::uint8_t temporal = 0;
  while (reader.ok()) {
    if (structure.template_count == kMaxTemplates || spatial >= kMaxSpatial || temporal >= kMaxTemporal) {
      return false;
    }
    Template& next = structure.templates[structure.template_count++];
    next.spatial = spatial;
    next.temporal = temporal;
    structure.spatial_count = static_cast<std::uint8_t>(spatial + 1);
    switch (reader.Bits(2)) {
      case 0:  // the same layer
        break;
      case 1:
        ++temporal;
        break;
      case 2:
        ++spatial;
        temporal = 0;
        break;
      default:
        return true;
    }
  }
  return false;
}

void ReadChains(BitReader& reader, Structure& structure) {
  structure.chain_count = static_cast<std::uint8_t>(reader.NonSymmetric(structure.target_count + 1U));
  if (structure.chain_count == 0) {
    return;
  }
  for (std::size_t i = 0; i < structure.target_count; ++i) {
    structure.targets[i].chain = static_cast<std::uint8_t>(reader.NonSymmetric(structure.chain_count));
  }
  for (std::size_t i = 0; i < structure.template_count; ++i) {
    std::uint32_t begun = 0;
    for (std::size_t chain = 0; chain < structure.chain_count; ++chain) {
      begun |= reader.Bits(4) == 0 ? std::uint32_t{1} << chain : 0;
    }
    structure.templates[i].begins = Protected(structure, begun);
  }
}

// A target's layers are the highest of the frames that belong to it (appendix A.8.2, decode_target_layers).
void DescribeTargets(Structure& structure) {
  for (std::size_t i = 0; i < structure.target_count; ++i) {
    Target& target = structure.targets[i];
    target.within = structure.all();
    for (std::size_t j = 0; j < structure.template_count; ++j) {
      const Template& frame = structure.templates[j];
      if ((frame.present >> i & 1) != 0) {
        target.spatial = std::max(target.spatial, frame.spatial);
        target.temporal = std::max(target.temporal, frame.temporal);
      } else {
        target.within &= ~frame.present;
      }
    }
  }
}

bool ReadStructure(BitReader& reader, Structure& structure) {
  structure = Structure();
  structure.first_template = static_cast<std::uint8_t>(reader.Bits(6));
  structure.target_count = static_cast<std::uint8_t>(reader.Bits(5) + 1);
  if (!ReadLayers(reader, structure)) {
    return false;
  }
  for (std::size_t i = 0; i < structure.template_count; ++i) {
    ReadIndications(reader, structure.target_count, structure.templates[i]);
  }
  for (std::size_t i = 0; i < structure.template_count; ++i) {
    while (reader.Flag()) {
      if (!AddReference(structure.templates[i], reader.Bits(4) + 1)) {
        return false;
      }
    }
  }
  ReadChains(reader, structure);
  DescribeTargets(structure);
  if (reader.Flag()) {
    for (std::size_t i = 0; i < structure.spatial_count; ++i) {
      const std::uint32_t width = reader.Bits(16) + 1;
      // 65,536 x 65,536 is one more than fits.
      structure.pixels[i] =
          static_cast<std::uint32_t>(std::min<std::uint64_t>(std::uint64_t{width} * (reader.Bits(16) + 1), UINT32_MAX));
    }
  }
  return reader.ok();
}

bool ReadFrame(BitReader& reader, const Structure& structure, bool indications, bool references, bool chains,
               Descriptor& descriptor) {
  const unsigned index = (descriptor.template_id + kMaxTemplates - structure.first_template) % kMaxTemplates;
  if (index >= structure.template_count) {
    return false;
  }
  descriptor.frame = structure.templates[index];
  if (indications) {
    ReadIndications(reader, structure.target_count, descriptor.frame);
  }
  if (references) {
    descriptor.frame.reference_count = 0;
    while (const std::uint32_t size = reader.Bits(2)) {
      if (!AddReference(descriptor.frame, reader.Bits(4 * size) + 1)) {
        return false;
      }
    }
  }
  if (chains) {
    std::uint32_t begun = 0;
    for (std::size_t chain = 0; chain < structure.chain_count; ++chain) {
      begun |= reader.Bits(8) == 0 ? std::uint32_t{1} << chain : 0;
    }
    descriptor.frame.begins = Protected(structure, begun);
  }
  return reader.ok();
}

}  // namespace

std::optional<Descriptor> ParseMandatory(Bytes value) {
  if (value.size() < kMandatoryBits / 8 || value.size() > kMaxSize) {
    return std::nullopt;
  }
  Descriptor descriptor;
  descriptor.first_packet = (value[0] & 0x80) != 0;
  descriptor.last_packet = (value[0] & 0x40) != 0;
  descriptor.template_id = value[0] & 0x3F;
  descriptor.frame_number = ReadU16(&value[1]);
  descriptor.layout.structure_end = descriptor.layout.rest = descriptor.layout.end = kMandatoryBits;
  return descriptor;
}

std::optional<Descriptor> Parse(Bytes value, const Structure* known, Structure& fresh) {
  std::optional<Descriptor> descriptor = ParseMandatory(value);
  if (!descriptor) {
    return std::nullopt;
  }
  BitReader reader(value);
  reader.Bits(kMandatoryBits);
  bool active = false;
  bool indications = false;
  bool references = false;
  bool chains = false;
  if (value.size() > kMandatoryBits / 8) {
    descriptor->has_structure = reader.Flag();
    active = reader.Flag();
    indications = reader.Flag();
    references = reader.Flag();
    chains = reader.Flag();
    if (descriptor->has_structure) {
      if (!ReadStructure(reader, fresh)) {
        return std::nullopt;
      }
      known = &fresh;
      descriptor->active = fresh.all();
    }
    descriptor->layout.structure_end = static_cast<std::uint16_t>(reader.position());
  }
  if (known == nullptr) {
    return std::nullopt;
  }
  if (active) {
    descriptor->active = reader.Bits(known->target_count);
  }
  descriptor->layout.rest = static_cast<std::uint16_t>(reader.position());
  if (!ReadFrame(reader, *known, indications, references, chains, *descriptor)) {
    return std::nullopt;
  }
  descriptor->layout.end = static_cast<std::uint16_t>(reader.position());
  descriptor->layout.target_count = known->target_count;
  return descriptor;
}

std::size_t Rewrite(Bytes value, const Layout& layout, std::uint16_t frame_number, std::optional<Targets> active,
                    MutableBytes out) {
  if (value.size() < kMandatoryBits / 8 || value.size() > out.size()) {
    return 0;
  }
  if (!active) {
    std::copy(value.begin(), value.end(), out.begin());
    WriteU16(&out[1], frame_number);
    return value.size();
  }
  const bool extended = value.size() > kMandatoryBits / 8;
  constexpr std::uint32_t kActivePresent = 0x08;
  BitWriter writer(out);
  writer.Bits(value[0], 8);
  writer.Bits(frame_number, 16);
  writer.Bits((extended ? value[3] >> 3U : 0U) | kActivePresent, kFlagBits);
  if (extended) {
    writer.Copy(value, kMandatoryBits + kFlagBits, layout.structure_end);
  }
  writer.Bits(*active, layout.target_count);
  writer.Copy(value, layout.rest, layout.end);
  return writer.ok() && writer.size() <= kMaxSize ? writer.size() : 0;
}

}  // namespace tertulia::dd
