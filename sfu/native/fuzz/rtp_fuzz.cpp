// RTP and header extensions: the parts of a packet add up to it, every element lies within its block, and a header
// built from any packet's parts parses to the same parts. Payload headers of the codecs ride along.
#include <algorithm>
#include <vector>

#include "input.hpp"
#include "wire/keyframe.hpp"
#include "wire/red.hpp"
#include "wire/rtp.hpp"
#include "wire/rtx.hpp"
#include "wire/vp8.hpp"

using namespace tertulia;  // NOLINT(google-build-using-namespace): a program of one function

namespace {
bool Within(Bytes part, Bytes whole) {
  return part.empty() || (part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size());
}

bool Same(Bytes a, Bytes b) { return std::equal(a.begin(), a.end(), b.begin(), b.end()); }

void CheckPayload(Bytes payload) {
  for (const Codec codec : {Codec::kVp8, Codec::kVp9, Codec::kH264, Codec::kAv1, Codec::kOpus}) {
    FUZZ_CHECK(!IsKeyFrame(codec, payload) || (codec != Codec::kOpus && !payload.empty()));
  }
  const auto descriptor = ParseVp8(payload);
  if (!descriptor) return;
  FUZZ_CHECK(descriptor->size <= payload.size());
  std::vector<std::uint8_t> copy(payload.begin(), payload.end());
  SetVp8PictureId(copy, *descriptor, 0x55);
  SetVp8Tl0Index(copy, *descriptor, 0xAA);
  const auto again = ParseVp8(copy);
  FUZZ_CHECK(again && again->size == descriptor->size && again->key_frame == descriptor->key_frame);
  FUZZ_CHECK(!again->picture_id || *again->picture_id == 0x55);
  FUZZ_CHECK(!again->tl0_index || *again->tl0_index == 0xAA);
}

// Redundant sound: its blocks lie one after the other and end with the payload; their payload types can be changed and
// changed back.
void CheckRed(Bytes payload) {
  std::vector<std::uint8_t> copy(payload.begin(), payload.end());
  if (const auto rtx = ParseRtx(copy)) {
    FUZZ_CHECK(rtx->payload.size() + kRtxHeader == copy.size() && !rtx->payload.empty());
  }
  const auto red = ParseRed(copy);
  if (!red) return;
  const std::uint8_t* at = copy.data() + 4 * red->count + 1;
  for (const RedBlock& block : red->redundant()) {
    FUZZ_CHECK(block.payload.empty() || block.payload.data() == at);
    FUZZ_CHECK(block.timestamp_offset < 1 << 14);
    at += block.payload.size();
  }
  FUZZ_CHECK(red->primary.payload.data() == at && !red->primary.payload.empty());
  FUZZ_CHECK(at + red->primary.payload.size() == copy.data() + copy.size());
  SetRedPayloadTypes(copy, 0x55);
  const auto again = ParseRed(copy);
  FUZZ_CHECK(again && again->count == red->count && again->primary.payload_type == 0x55);
  FUZZ_CHECK(Same(Bytes(copy).subspan(4 * red->count + 1), payload.subspan(4 * red->count + 1)));
}

void CheckRebuilt(const RtpView& view) {
  RtpHeader header;
  header.marker = view.marker();
  header.payload_type = view.payload_type();
  header.sequence = view.sequence();
  header.timestamp = view.timestamp();
  header.ssrc = view.ssrc();
  header.two_byte_allowed = true;
  for (std::size_t i = 0; i < view.csrc_count(); ++i) FUZZ_CHECK(header.AddCsrc(view.csrc(i)));
  std::vector<ExtensionElement> elements;
  std::size_t offset = 0;
  for (ExtensionElement element; view.extensions().Next(offset, element);) {
    if (header.AddExtension(element.id, element.value)) elements.push_back(element);
  }
  std::vector<std::uint8_t> out(header.Size());
  FUZZ_CHECK(header.Write(out) == out.size());
  const auto again = RtpView::Parse(out);
  FUZZ_CHECK(again && again->payload().empty() && again->header().size() == out.size());
  FUZZ_CHECK(again->marker() == view.marker() && again->payload_type() == view.payload_type());
  FUZZ_CHECK(again->sequence() == view.sequence() && again->timestamp() == view.timestamp());
  FUZZ_CHECK(again->ssrc() == view.ssrc() && again->csrc_count() == view.csrc_count());
  offset = 0;
  for (const ExtensionElement& wanted : elements) {
    ExtensionElement element;
    FUZZ_CHECK(again->extensions().Next(offset, element));
    FUZZ_CHECK(element.id == wanted.id && Same(element.value, wanted.value));
  }
}
}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::vector<std::uint8_t> packet(data, data + size);  // exactly as large as it is, so that an overrun is seen
  const auto view = RtpView::Parse(packet);
  FUZZ_CHECK(!view || RtpView::ParseHeader(packet));
  if (!view) return 0;
  FUZZ_CHECK(view->header().size() + view->payload().size() + view->padding_size() == size);
  const ExtensionBlock& block = view->extensions();
  std::size_t offset = 0;
  std::size_t sum = 0;
  for (ExtensionElement element; block.Next(offset, element);) {
    FUZZ_CHECK(Within(element.value, block.data()));
    for (const std::uint8_t byte : element.value) sum += byte;
    FUZZ_CHECK(view->Extension(element.id) || element.id == 0);
    FUZZ_CHECK(!ParseStreamId(element.value) || ParseStreamId(element.value)->size() == element.value.size());
  }
  fuzz::Use(sum);
  CheckPayload(view->payload());
  CheckRed(view->payload());
  CheckRebuilt(*view);
  return 0;
}
