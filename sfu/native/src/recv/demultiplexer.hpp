// Which stream does a packet belong to? Sections of a BUNDLE share one transport, so RFC 9143 (9.2) asks the MID first,
// then the SSRC table that earlier packets filled, then a payload type that only one section uses. Layers are told
// apart by RID, their repair streams by repaired RID (RFC 8852). The table is a session's own: what one session claims
// is nothing to another. It is bounded; the stream that was quiet for longest makes way.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "recv/source.hpp"
#include "tertulia/types.hpp"

namespace tertulia {

// Where an SSRC leads. A repair stream (RTX) has its layer too, if that is known.
struct Route {
  Source* source = nullptr;
  Layer* layer = nullptr;
  bool repair = false;
  TimeUs last_us = 0;
};

// What a packet says about its stream; empty where it says nothing.
struct StreamIds {
  std::string_view mid;
  std::string_view rid;
  std::string_view repaired_rid;
};

class Demultiplexer {
 public:
  static constexpr std::size_t kMaxStreams = 64;

  void Add(Source& source, const SourceConfig& config);
  void Remove(const Source& source);

  // The route of a known SSRC; null if it is not mapped yet. Valid until the next call that changes the table.
  [[nodiscard]] Route* Find(std::uint32_t ssrc);

  struct Binding {
    Route* route = nullptr;  // null: the packet belongs to nothing we know
    bool replaced = false;   // the layer had another SSRC before
  };
  // Maps an SSRC by what its packet says. For packets whose SSRC is not known, or that name a section.
  Binding Bind(std::uint32_t ssrc, std::uint8_t payload_type, const StreamIds& ids, TimeUs now);

  [[nodiscard]] std::size_t size() const { return ssrcs_.size(); }

 private:
  Route* Insert(std::uint32_t ssrc, const Route& route);
  void Erase(std::size_t index);
  [[nodiscard]] Source* FindSource(std::string_view mid);
  [[nodiscard]] Source* FindSourceByPayload(std::uint8_t payload_type);

  std::vector<Source*> sources_;
  std::vector<std::uint32_t> ssrcs_;  // parallel to routes_, apart from them so that a search reads few cache lines
  std::vector<Route> routes_;
};

}  // namespace tertulia
