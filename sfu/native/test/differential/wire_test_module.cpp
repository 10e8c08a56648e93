// Our parsers and SRTP as the Python module sfu._wire_test, for the differential tests against other implementations.
// It is built for tests only.
#include <nanobind/nanobind.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <memory>

#include "crypto/srtp.hpp"
#include "wire/rtcp.hpp"
#include "wire/rtp.hpp"
#include "wire/stun.hpp"
#include "wire/twcc.hpp"

namespace nb = nanobind;

namespace tertulia {
namespace {

Bytes View(const nb::bytes& bytes) { return {static_cast<const std::uint8_t*>(bytes.data()), bytes.size()}; }

nb::bytes ToPython(Bytes bytes) { return nb::bytes(bytes.data(), bytes.size()); }

std::vector<std::uint8_t> Copy(const nb::bytes& bytes, std::size_t more = 0) {
  const Bytes view = View(bytes);
  std::vector<std::uint8_t> copy(view.begin(), view.end());
  copy.resize(copy.size() + more);
  return copy;
}

nb::bytes Checked(const std::vector<std::uint8_t>& out, const SrtpResult& result) {
  static constexpr std::array kNames{"none",      "malformed",      "replayed",  "forged",
                                     "not-newer", "too-many-ssrcs", "exhausted", "no-room"};
  if (!result.ok()) throw nb::value_error(kNames[static_cast<std::size_t>(result.error)]);
  return ToPython(Bytes(out).first(result.size));
}

// Both directions under one key, as libsrtp's sessions have it.
class Srtp {
 public:
  Srtp(std::uint16_t profile, const nb::bytes& master) {
    const auto known = SrtpProfileFromNumber(profile);
    if (known) {
      sender_ = SrtpSender::Create(*known, View(master));
      receiver_ = SrtpReceiver::Create(*known, View(master));
    }
    if (!sender_ || !receiver_) throw nb::value_error("unknown profile or key of the wrong size");
  }

  nb::bytes Protect(const nb::bytes& packet) {
    const auto view = RtpView::ParseHeader(View(packet));
    if (!view) throw nb::value_error("malformed");
    std::vector<std::uint8_t> out(packet.size() + kSrtpMaxOverhead);
    return Checked(out, sender_->Protect(view->header(), view->payload(), out));
  }
  nb::bytes ProtectRtcp(const nb::bytes& packet) {
    std::vector<std::uint8_t> out(packet.size() + kSrtcpMaxOverhead);
    return Checked(out, sender_->ProtectRtcp(View(packet), out));
  }
  nb::bytes Unprotect(const nb::bytes& packet) {
    std::vector<std::uint8_t> bytes = Copy(packet);
    return Checked(bytes, receiver_->Unprotect(bytes));
  }
  nb::bytes UnprotectRtcp(const nb::bytes& packet) {
    std::vector<std::uint8_t> bytes = Copy(packet);
    return Checked(bytes, receiver_->UnprotectRtcp(bytes));
  }

 private:
  std::unique_ptr<SrtpSender> sender_;
  std::unique_ptr<SrtpReceiver> receiver_;
};

using Elements = std::vector<std::pair<std::uint8_t, nb::bytes>>;

std::optional<nb::dict> ParseRtp(const nb::bytes& packet) {
  const auto view = RtpView::Parse(View(packet));
  if (!view) return std::nullopt;
  nb::list csrcs;
  for (std::size_t i = 0; i < view->csrc_count(); ++i) csrcs.append(view->csrc(i));
  nb::list elements;
  std::size_t offset = 0;
  for (ExtensionElement element; view->extensions().Next(offset, element);) {
    elements.append(nb::make_tuple(element.id, ToPython(element.value)));
  }
  nb::dict fields;
  fields["marker"] = view->marker();
  fields["payload_type"] = view->payload_type();
  fields["sequence"] = view->sequence();
  fields["timestamp"] = view->timestamp();
  fields["ssrc"] = view->ssrc();
  fields["csrc"] = csrcs;
  fields["extensions"] = elements;
  fields["payload"] = ToPython(view->payload());
  fields["padding"] = view->padding_size();
  return fields;
}

nb::bytes BuildRtp(bool marker, std::uint8_t payload_type, std::uint16_t sequence, std::uint32_t timestamp,
                   std::uint32_t ssrc, const std::vector<std::uint32_t>& csrcs, const Elements& elements,
                   const nb::bytes& payload) {
  RtpHeader header;
  header.marker = marker;
  header.payload_type = payload_type;
  header.sequence = sequence;
  header.timestamp = timestamp;
  header.ssrc = ssrc;
  header.two_byte_allowed = true;
  for (const std::uint32_t csrc : csrcs) {
    if (!header.AddCsrc(csrc)) throw nb::value_error("too many CSRCs");
  }
  for (const auto& [id, value] : elements) {
    if (!header.AddExtension(id, View(value))) throw nb::value_error("extension refused");
  }
  std::vector<std::uint8_t> out(header.Size());
  if (header.Write(out) != out.size()) throw nb::value_error("not written");
  const Bytes rest = View(payload);
  out.insert(out.end(), rest.begin(), rest.end());
  return ToPython(out);
}

nb::tuple ReportTuple(const rtcp::ReportBlock& block) {
  return nb::make_tuple(block.ssrc, block.fraction_lost, block.cumulative_lost, block.highest_sequence, block.jitter,
                        block.last_sr, block.delay_since_last_sr);
}

nb::list Reports(const rtcp::ReportBlocks& blocks) {
  nb::list list;
  for (std::size_t i = 0; i < blocks.size(); ++i) list.append(ReportTuple(blocks[i]));
  return list;
}

// One tuple a packet, its kind first; nothing if the compound is malformed.
std::optional<nb::list> ParseRtcp(const nb::bytes& compound) {
  nb::list packets;
  rtcp::CompoundReader reader(View(compound));
  for (rtcp::Packet packet; reader.Next(packet);) {
    if (const auto sr = rtcp::ParseSenderReport(packet)) {
      const rtcp::SenderInfo& info = sr->info;
      packets.append(nb::make_tuple("sr", info.ssrc, info.ntp, info.rtp_timestamp, info.packets, info.octets,
                                    Reports(sr->reports)));
    } else if (const auto rr = rtcp::ParseReceiverReport(packet)) {
      packets.append(nb::make_tuple("rr", rr->ssrc, Reports(rr->reports)));
    } else if (const auto pli = rtcp::ParsePli(packet)) {
      packets.append(nb::make_tuple("pli", pli->sender_ssrc, pli->media_ssrc));
    } else if (const auto nack = rtcp::ParseNack(packet)) {
      nb::list lost;
      nack->ForEach([&](std::uint16_t sequence) { lost.append(sequence); });
      packets.append(nb::make_tuple("nack", nack->sender_ssrc, nack->media_ssrc, lost));
    } else if (const auto remb = rtcp::ParseRemb(packet)) {
      nb::list ssrcs;
      for (std::size_t i = 0; i < remb->count; ++i) ssrcs.append(remb->ssrc(i));
      packets.append(nb::make_tuple("remb", remb->sender_ssrc, remb->bitrate_bps, ssrcs));
    } else if (const auto bye = rtcp::ParseBye(packet)) {
      nb::list ssrcs;
      for (std::size_t i = 0; i < bye->count; ++i) ssrcs.append(bye->ssrc(i));
      packets.append(nb::make_tuple("bye", ssrcs));
    } else if (packet.type == rtcp::Type::kSourceDescription) {
      rtcp::SdesChunk chunk;
      for (rtcp::SdesReader chunks(packet); chunks.Next(chunk);) {
        packets.append(
            nb::make_tuple("cname", chunk.ssrc,
                           ToPython({reinterpret_cast<const std::uint8_t*>(chunk.cname.data()), chunk.cname.size()})));
      }
    } else {
      packets.append(nb::make_tuple("other"));
    }
  }
  return reader.malformed() ? std::nullopt : std::optional(packets);
}

// SR, SDES, PLI, NACK, REMB and BYE of one sender in one compound.
nb::bytes BuildRtcp(std::uint32_t ssrc, std::uint64_t ntp, std::uint32_t rtp_timestamp, std::uint32_t packets,
                    std::uint32_t octets, const nb::list& reports, const std::string& cname,
                    const std::vector<std::uint16_t>& lost, std::uint64_t bitrate_bps, std::uint32_t media_ssrc) {
  std::vector<rtcp::ReportBlock> blocks;
  for (const nb::handle report : reports) {
    const auto at = [&](std::size_t i) { return nb::cast<std::int64_t>(nb::object(report[i])); };
    blocks.push_back({static_cast<std::uint32_t>(at(0)), static_cast<std::uint8_t>(at(1)),
                      static_cast<std::int32_t>(at(2)), static_cast<std::uint32_t>(at(3)),
                      static_cast<std::uint32_t>(at(4)), static_cast<std::uint32_t>(at(5)),
                      static_cast<std::uint32_t>(at(6))});
  }
  std::vector<std::uint8_t> out(8'000);
  rtcp::Writer writer(out);
  const std::array media{media_ssrc};
  const bool fits = writer.AddSenderReport({ssrc, ntp, rtp_timestamp, packets, octets}, blocks) &&
                    writer.AddSdesCname(ssrc, cname) && writer.AddPli(ssrc, media_ssrc) &&
                    writer.AddNack(ssrc, media_ssrc, lost) && writer.AddRemb(ssrc, bitrate_bps, media) &&
                    writer.AddBye(ssrc);
  if (!fits) throw nb::value_error("does not fit");
  return ToPython(writer.written());
}

// (bytes, statuses covered)
std::pair<nb::bytes, std::size_t> BuildTwcc(std::uint8_t feedback_count, std::uint16_t base,
                                            const std::vector<TimeUs>& arrivals, std::size_t room) {
  std::vector<std::uint8_t> out(room);
  const twcc::Built built = twcc::Build(out, 1, 2, feedback_count, base, arrivals);
  return {ToPython(Bytes(out).first(built.bytes)), built.statuses};
}

// [(sequence, arrival in µs or -1)]
std::optional<std::vector<std::pair<std::uint16_t, TimeUs>>> ParseTwcc(const nb::bytes& bytes) {
  rtcp::CompoundReader compound(View(bytes));
  rtcp::Packet packet;
  if (!compound.Next(packet)) return std::nullopt;
  auto reader = twcc::Reader::Parse(packet);
  if (!reader) return std::nullopt;
  std::vector<std::pair<std::uint16_t, TimeUs>> statuses;
  for (twcc::Status status; reader->Next(status);) statuses.emplace_back(status.sequence, status.arrival_us);
  return statuses;
}

std::optional<nb::dict> ParseStun(const nb::bytes& datagram, const std::string& password) {
  const auto message = stun::Parse(View(datagram));
  if (!message) return std::nullopt;
  nb::dict fields;
  fields["type"] = message->type;
  fields["transaction"] = ToPython(message->transaction);
  fields["username"] = std::string(message->username);
  fields["priority"] = message->priority;
  fields["use_candidate"] = message->use_candidate;
  fields["controlling"] = message->controlling;
  fields["controlled"] = message->controlled;
  fields["error_code"] = message->error_code;
  fields["fingerprint"] = stun::VerifyFingerprint(*message);
  fields["integrity"] = stun::VerifyIntegrity(*message, password);
  fields["mapped"] = nb::none();
  if (message->mapped) {
    fields["mapped"] =
        nb::make_tuple(ToPython(Bytes(message->mapped->ip).first(message->mapped->v6 ? 16 : 4)), message->mapped->port);
  }
  return fields;
}

nb::bytes BuildStun(std::uint16_t type, const nb::bytes& transaction, const std::string& username,
                    std::uint32_t priority, std::uint64_t tie_breaker, bool use_candidate, const nb::bytes& ip,
                    std::uint16_t port, const std::string& password) {
  stun::TransactionId id{};
  std::copy_n(View(transaction).begin(), id.size(), id.begin());
  std::vector<std::uint8_t> out(1'024);
  stun::Writer writer(out, static_cast<stun::Type>(type), id);
  if (!username.empty()) writer.AddUsername(username);
  writer.AddPriority(priority);
  writer.AddControlling(tie_breaker);
  if (use_candidate) writer.AddUseCandidate();
  Address address;
  address.v6 = ip.size() == 16;
  address.port = port;
  std::copy_n(View(ip).begin(), ip.size(), address.ip.begin());
  writer.AddXorMappedAddress(address);
  if (type == static_cast<std::uint16_t>(stun::Type::kBindingError))
    writer.AddErrorCode(stun::ErrorCode::kRoleConflict);
  return ToPython(Bytes(out).first(writer.Finish(password)));
}

}  // namespace

NB_MODULE(_wire_test, m) {  // NOLINT(readability-identifier-naming): nanobind's macro makes names
  nb::class_<Srtp>(m, "Srtp")
      .def(nb::init<std::uint16_t, const nb::bytes&>())
      .def("protect", &Srtp::Protect)
      .def("protect_rtcp", &Srtp::ProtectRtcp)
      .def("unprotect", &Srtp::Unprotect)
      .def("unprotect_rtcp", &Srtp::UnprotectRtcp);
  m.def("parse_rtp", &ParseRtp);
  m.def("build_rtp", &BuildRtp);
  m.def("parse_rtcp", &ParseRtcp);
  m.def("build_rtcp", &BuildRtcp);
  m.def("parse_twcc", &ParseTwcc);
  m.def("build_twcc", &BuildTwcc);
  m.def("parse_stun", &ParseStun);
  m.def("build_stun", &BuildStun);
}

}  // namespace tertulia
