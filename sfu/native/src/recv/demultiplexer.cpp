#include "recv/demultiplexer.hpp"

#include <algorithm>

namespace tertulia {

void Demultiplexer::Add(Source& source, const SourceConfig& config) {
  if (ssrcs_.capacity() == 0) {
    ssrcs_.reserve(kMaxStreams);
    routes_.reserve(kMaxStreams);
  }
  sources_.push_back(&source);
  const auto& layers = source.layers();
  for (std::size_t i = 0; i < std::min(config.ssrcs.size(), layers.size()); ++i) {
    layers[i]->Bind(config.ssrcs[i]);
    Insert(config.ssrcs[i], {&source, layers[i].get(), false, 0});
    for (const auto& [media, repair] : config.rtx_ssrcs) {
      if (media == config.ssrcs[i]) {
        Insert(repair, {&source, layers[i].get(), true, 0});
      }
    }
  }
}

void Demultiplexer::Remove(const Source& source) {
  std::erase(sources_, &source);
  for (std::size_t i = routes_.size(); i-- > 0;) {
    if (routes_[i].source == &source) {
      Erase(i);
    }
  }
}

Route* Demultiplexer::Find(std::uint32_t ssrc) {
  for (std::size_t i = 0; i < ssrcs_.size(); ++i) {
    if (ssrcs_[i] == ssrc) {
      return &routes_[i];
    }
  }
  return nullptr;
}

Demultiplexer::Binding Demultiplexer::Bind(std::uint32_t ssrc, std::uint8_t payload_type, const StreamIds& ids,
                                           TimeUs now) {
  Route* known = Find(ssrc);
  if (ids.mid.empty() && known != nullptr) {
    return {known, false};
  }
  Source* source = ids.mid.empty() ? FindSourceByPayload(payload_type) : FindSource(ids.mid);
  const PayloadType* payload = source == nullptr ? nullptr : source->FindPayload(payload_type);
  if (payload == nullptr) {
    return {};
  }
  const bool repair = payload->codec == Codec::kRtx || !ids.repaired_rid.empty();
  Layer* layer = nullptr;
  if (source->layers().size() == 1) {
    layer = source->layers().front().get();
  } else {
    const std::string_view rid = repair ? ids.repaired_rid : ids.rid;
    layer = rid.empty() ? nullptr : source->FindLayer(rid);
    if (layer == nullptr && known != nullptr && known->source == source) {
      return {known, false};  // the MID confirms what is known; the RID is not said any more
    }
  }
  if (layer == nullptr && !repair) {
    return {};
  }
  if (known != nullptr && known->source == source && known->layer == layer && known->repair == repair) {
    return {known, false};
  }
  Binding binding;
  if (!repair) {
    // One SSRC a layer: the newest claim holds.
    for (std::size_t i = routes_.size(); i-- > 0;) {
      if (routes_[i].layer == layer && !routes_[i].repair && ssrcs_[i] != ssrc) {
        Erase(i);
      }
    }
    known = Find(ssrc);
    if (known != nullptr && known->layer != nullptr && !known->repair) {
      known->layer->Unbind();  // it was another layer's
    }
    binding.replaced = layer->Bind(ssrc);
  }
  binding.route = Insert(ssrc, {source, layer, repair, now});
  return binding;
}

Route* Demultiplexer::Insert(std::uint32_t ssrc, const Route& route) {
  if (Route* known = Find(ssrc)) {
    *known = route;
    return known;
  }
  if (ssrcs_.size() >= kMaxStreams) {
    const auto oldest = std::min_element(routes_.begin(), routes_.end(),
                                         [](const Route& a, const Route& b) { return a.last_us < b.last_us; });
    if (oldest->layer != nullptr && !oldest->repair) {
      oldest->layer->Unbind();
    }
    Erase(static_cast<std::size_t>(oldest - routes_.begin()));
  }
  ssrcs_.push_back(ssrc);
  routes_.push_back(route);
  return &routes_.back();
}

void Demultiplexer::Erase(std::size_t index) {
  ssrcs_[index] = ssrcs_.back();
  routes_[index] = routes_.back();
  ssrcs_.pop_back();
  routes_.pop_back();
}

Source* Demultiplexer::FindSource(std::string_view mid) {
  for (Source* source : sources_) {
    if (source->mid() == mid) {
      return source;
    }
  }
  return nullptr;
}

Source* Demultiplexer::FindSourceByPayload(std::uint8_t payload_type) {
  Source* found = nullptr;
  for (Source* source : sources_) {
    if (source->FindPayload(payload_type) != nullptr) {
      if (found != nullptr) {
        return nullptr;  // not unique
      }
      found = source;
    }
  }
  return found;
}

}  // namespace tertulia
