// What tells layers apart: dependency descriptors, one after the other as a stream has them, and VP9's payload
// descriptor. Whatever is read stays within its limits, and a descriptor that was rewritten says the same but for its
// frame number and its active targets.
#include <array>
#include <memory>
#include <optional>
#include <vector>

#include "input.hpp"
#include "wire/dd.hpp"
#include "wire/vp9.hpp"

using namespace tertulia;  // NOLINT(google-build-using-namespace): a program of one function

namespace {

void CheckFrame(const dd::Template& frame, const dd::Structure& structure) {
  FUZZ_CHECK(frame.spatial < structure.spatial_count && structure.spatial_count <= dd::kMaxSpatial);
  FUZZ_CHECK(frame.temporal < dd::kMaxTemporal);
  FUZZ_CHECK((frame.present & ~structure.all()) == 0);
  FUZZ_CHECK((frame.switches & ~frame.present) == 0);
  FUZZ_CHECK(frame.reference_count <= dd::kMaxReferences);
}

void CheckStructure(const dd::Structure& structure) {
  FUZZ_CHECK(structure.template_count >= 1 && structure.template_count <= dd::kMaxTemplates);
  FUZZ_CHECK(structure.target_count >= 1 && structure.target_count <= dd::kMaxTargets);
  FUZZ_CHECK(structure.chain_count <= structure.target_count);
  for (std::size_t i = 0; i < structure.target_count; ++i) {
    FUZZ_CHECK(structure.targets[i].spatial < structure.spatial_count);
    FUZZ_CHECK(structure.chain_count == 0 || structure.targets[i].chain < structure.chain_count);
    FUZZ_CHECK((structure.targets[i].within >> i & 1) != 0);
  }
}

void CheckRewritten(Bytes value, const dd::Descriptor& descriptor, const dd::Structure& structure,
                    std::optional<dd::Targets> active) {
  std::array<std::uint8_t, dd::kMaxSize> out;  // NOLINT(cppcoreguidelines-pro-type-member-init): written as far as used
  const std::size_t size = dd::Rewrite(value, descriptor.layout, 0x1234, active, out);
  if (size == 0) {
    return;
  }
  const auto scratch = std::make_unique<dd::Structure>();
  const auto again = dd::Parse(Bytes(out.data(), size), &structure, *scratch);
  FUZZ_CHECK(again && again->frame_number == 0x1234);
  FUZZ_CHECK(again->active == (active ? active : descriptor.active));
  FUZZ_CHECK(again->has_structure == descriptor.has_structure && again->template_id == descriptor.template_id);
  FUZZ_CHECK(again->frame.present == descriptor.frame.present && again->frame.begins == descriptor.frame.begins);
  FUZZ_CHECK(again->frame.references == descriptor.frame.references);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input(data, size);
  const auto known = std::make_unique<dd::Structure>();
  const auto fresh = std::make_unique<dd::Structure>();
  bool is_known = false;
  while (!input.empty()) {
    const auto taken = input.Take(input.Byte());
    const std::vector<std::uint8_t> value(taken.begin(), taken.end());  // so that an overrun is seen
    if (const auto vp9 = ParseVp9(value)) {
      FUZZ_CHECK(vp9->size <= value.size() && vp9->reference_count <= Vp9Descriptor::kMaxReferences);
      FUZZ_CHECK(vp9->spatial_layer < Vp9Descriptor::kMaxSpatial && vp9->temporal_layer < 8);
      FUZZ_CHECK(!vp9->picture_id || vp9->picture_id_offset + (vp9->long_picture_id ? 1U : 0U) < vp9->size);
      FUZZ_CHECK(!vp9->tl0_index || vp9->tl0_index_offset < vp9->size);
    }
    const auto descriptor = dd::Parse(value, is_known ? known.get() : nullptr, *fresh);
    FUZZ_CHECK(!descriptor || dd::ParseMandatory(value));
    if (!descriptor) {
      continue;
    }
    if (descriptor->has_structure) {
      *known = *fresh;
      is_known = true;
      CheckStructure(*known);
    }
    CheckFrame(descriptor->frame, *known);
    CheckRewritten(value, *descriptor, *known, std::nullopt);
    CheckRewritten(value, *descriptor, *known, input.Long() & known->all());
  }
  return 0;
}
