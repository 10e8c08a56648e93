// RTCP with transport-wide feedback: every packet of a compound lies within it, what parses can be written again and
// parses to the same, and feedback built from any arrivals says exactly those arrivals.
#include <algorithm>
#include <array>
#include <vector>

#include "input.hpp"
#include "wire/rtcp.hpp"
#include "wire/twcc.hpp"

using namespace tertulia;  // NOLINT(google-build-using-namespace): a program of one function

namespace {
void CheckFeedback(const rtcp::Packet& packet) {
  auto reader = twcc::Reader::Parse(packet);
  if (!reader) return;
  std::vector<TimeUs> arrivals;
  for (twcc::Status status; reader->Next(status);) {
    FUZZ_CHECK(status.sequence == static_cast<std::uint16_t>(reader->base_sequence() + arrivals.size()));
    FUZZ_CHECK(status.received == (status.arrival_us != twcc::kNotReceived) || status.arrival_us < 0);
    arrivals.push_back(status.received && status.arrival_us >= 0 ? status.arrival_us : twcc::kNotReceived);
  }
  FUZZ_CHECK(arrivals.size() == reader->status_count());
  std::array<std::uint8_t, 1'200> out{};
  std::size_t said = 0;
  while (said < std::min<std::size_t>(arrivals.size(), 1'024)) {  // what follows would be more of the same
    const auto rest = std::span(arrivals).subspan(said);
    const auto base = static_cast<std::uint16_t>(reader->base_sequence() + said);
    const twcc::Built built = twcc::Build(out, 1, 2, 3, base, rest);
    if (built.statuses == 0) {
      FUZZ_CHECK(std::all_of(rest.begin(), rest.end(), [](TimeUs t) { return t < 0; }));
      break;
    }
    rtcp::CompoundReader compound(Bytes(out).first(built.bytes));
    rtcp::Packet written;
    FUZZ_CHECK(compound.Next(written));
    auto again = twcc::Reader::Parse(written);
    FUZZ_CHECK(again && again->status_count() == built.statuses && again->base_sequence() == base);
    // Arrivals lie on the grid of 250 µs already and within 24 bits of 64 ms, so they come back unchanged but for the
    // wrap.
    for (std::size_t i = 0; i < built.statuses; ++i) {
      twcc::Status status;
      FUZZ_CHECK(again->Next(status));
      FUZZ_CHECK(status.received == (rest[i] >= 0));
      if (status.received) FUZZ_CHECK((rest[i] - status.arrival_us) % (twcc::kReferenceUs << 24) == 0);
    }
    said += built.statuses;
  }
}

void CheckOthers(const rtcp::Packet& packet) {
  static std::vector<std::uint8_t> out(70'000 * 4);  // more than any packet
  rtcp::Writer writer(out);
  std::size_t sum = 0;
  if (const auto sr = rtcp::ParseSenderReport(packet)) {
    std::vector<rtcp::ReportBlock> blocks;
    for (std::size_t i = 0; i < sr->reports.size(); ++i) blocks.push_back(sr->reports[i]);
    FUZZ_CHECK(writer.AddSenderReport(sr->info, blocks));
    FUZZ_CHECK(std::equal(writer.written().begin() + 4, writer.written().end(), packet.body.begin()));
  }
  if (const auto rr = rtcp::ParseReceiverReport(packet)) {
    for (std::size_t i = 0; i < rr->reports.size(); ++i) sum += rr->reports[i].ssrc;
  }
  rtcp::SdesChunk chunk;
  if (packet.type == rtcp::Type::kSourceDescription) {
    for (rtcp::SdesReader reader(packet); reader.Next(chunk);) FUZZ_CHECK(writer.AddSdesCname(chunk.ssrc, chunk.cname));
  }
  if (const auto bye = rtcp::ParseBye(packet)) {
    for (std::size_t i = 0; i < bye->count; ++i) sum += bye->ssrc(i);
  }
  if (const auto fir = rtcp::ParseFir(packet)) {
    for (std::size_t i = 0; i < fir->size(); ++i) sum += (*fir)[i].sequence;
  }
  if (const auto remb = rtcp::ParseRemb(packet)) {
    for (std::size_t i = 0; i < remb->count; ++i) sum += remb->ssrc(i);
    std::vector<std::uint32_t> ssrcs(remb->count);
    FUZZ_CHECK(writer.AddRemb(remb->sender_ssrc, remb->bitrate_bps, ssrcs));
  }
  if (const auto nack = rtcp::ParseNack(packet)) {
    std::vector<std::uint16_t> sequences;
    nack->ForEach([&](std::uint16_t sequence) { sequences.push_back(sequence); });
    FUZZ_CHECK(sequences.size() >= nack->size() && sequences.size() <= 17 * nack->size());
    rtcp::Writer copy(out);
    if (copy.AddNack(1, 2, sequences)) {
      rtcp::CompoundReader compound(copy.written());
      rtcp::Packet written;
      FUZZ_CHECK(compound.Next(written));
      std::vector<std::uint16_t> again;
      rtcp::ParseNack(written)->ForEach([&](std::uint16_t sequence) { again.push_back(sequence); });
      for (auto* list : {&sequences, &again}) {
        std::sort(list->begin(), list->end());
        list->erase(std::unique(list->begin(), list->end()), list->end());
      }
      FUZZ_CHECK(sequences == again);
    }
  }
  FUZZ_CHECK(!rtcp::ParsePli(packet) || rtcp::ParseFeedback(packet));
  fuzz::Use(sum);
}
}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::vector<std::uint8_t> compound(data, data + size);
  rtcp::CompoundReader reader(compound);
  std::size_t bytes = 0;
  for (rtcp::Packet packet; reader.Next(packet);) {
    bytes += 4 + packet.body.size();
    FUZZ_CHECK(packet.body.empty() || packet.body.data() + packet.body.size() <= compound.data() + size);
    CheckFeedback(packet);
    CheckOthers(packet);
  }
  FUZZ_CHECK(bytes <= size);
  return 0;
}
