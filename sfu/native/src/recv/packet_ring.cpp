#include "recv/packet_ring.hpp"

#include <algorithm>
#include <cstring>
#include <type_traits>

namespace tertulia {
namespace {

// Extensions that a packet is sent again with. A capture time is left out: what is late measures nothing.
constexpr std::array kKept = {Ext::kAudioLevel, Ext::kOrientation, Ext::kPlayoutDelay, Ext::kDependencyDescriptor};
constexpr std::size_t kMaxExtension = 255;  // a dependency descriptor

constexpr std::size_t Aligned(std::size_t size) { return (size + 7) / 8 * 8; }

}  // namespace

// What lies in a slab, followed by the extension values and the payload.
struct PacketRing::Record {
  std::int64_t sequence = 0;
  TimeUs capture_us = 0;
  std::uint32_t ssrc = 0;
  std::uint32_t timestamp = 0;
  std::uint16_t payload_size = 0;
  std::uint8_t payload_type = 0;
  bool marker = false;
  std::array<std::uint8_t, kKept.size()> extension_sizes{};
  Picture picture;
};

void PacketRing::Store(const IncomingPacket& packet) {
  static_assert(std::is_trivially_copyable_v<Record>);
  Record record;
  record.sequence = packet.sequence;
  record.capture_us = packet.capture_us;
  record.ssrc = packet.ssrc;
  record.timestamp = packet.timestamp;
  record.payload_size = static_cast<std::uint16_t>(packet.payload.size());
  record.payload_type = packet.payload_type;
  record.marker = packet.marker;
  record.picture = packet.picture;
  std::size_t size = sizeof(Record) + packet.payload.size();
  for (std::size_t i = 0; i < kKept.size(); ++i) {
    const Bytes value = packet.extension(kKept[i]);
    if (value.size() > kMaxExtension) {
      return;
    }
    record.extension_sizes[i] = static_cast<std::uint8_t>(value.size());
    size += value.size();
  }
  if (packet.payload.empty() || packet.payload.size() > kMaxPayload || !MakeRoom(size, packet.arrival_us)) {
    return;
  }
  const auto sequence = static_cast<std::uint32_t>(packet.sequence);
  places_[sequence & (max_packets_ - 1)] = {sequence, newest_slab_, static_cast<std::uint16_t>(used_)};
  std::uint8_t* out = slabs_.back().slab->data() + used_;
  std::memcpy(out, &record, sizeof(Record));
  out += sizeof(Record);
  for (const Ext ext : kKept) {
    const Bytes value = packet.extension(ext);
    out = std::copy(value.begin(), value.end(), out);
  }
  std::memcpy(out, packet.payload.data(), packet.payload.size());
  used_ = Aligned(used_ + size);
}

bool PacketRing::MakeRoom(std::size_t size, TimeUs now) {
  if (!slabs_.empty() && used_ + size <= kSlabBytes) {
    slabs_.back().newest_us = now;
    return true;
  }
  if (places_.empty()) {
    places_.resize(max_packets_);
    slabs_.reserve(max_slabs_);
  }
  // The oldest is used again when its packets are of no use any more, or when there may be no other.
  const bool stale = slabs_.size() > 1 && now - slabs_.front().newest_us > kKeepUs;
  SlabPool::Pointer slab;
  if (!stale && slabs_.size() < max_slabs_) {
    slab = pool_.Take();
  }
  if (slab == nullptr) {
    if (slabs_.empty()) {
      return false;
    }
    slab = std::move(slabs_.front().slab);
    slabs_.erase(slabs_.begin());
  }
  slabs_.push_back({std::move(slab), now});
  ++newest_slab_;
  used_ = 0;
  return true;
}

const std::uint8_t* PacketRing::Find(std::uint32_t sequence) const {
  if (places_.empty()) {
    return nullptr;
  }
  const Place& place = places_[sequence & (max_packets_ - 1)];
  const auto age = static_cast<std::uint16_t>(newest_slab_ - place.slab);
  if (place.sequence != sequence || age >= slabs_.size()) {
    return nullptr;
  }
  return slabs_[slabs_.size() - 1 - age].slab->data() + place.offset;
}

bool PacketRing::Load(std::uint32_t sequence, IncomingPacket& packet, Scratch& scratch) const {
  const std::uint8_t* at = Find(sequence);
  if (at == nullptr) {
    return false;
  }
  Record record;
  std::memcpy(&record, at, sizeof(Record));
  at += sizeof(Record);
  if (static_cast<std::uint32_t>(record.sequence) != sequence) {
    return false;  // a place that was never written
  }
  packet = IncomingPacket();
  packet.sequence = record.sequence;
  packet.capture_us = record.capture_us;
  packet.ssrc = record.ssrc;
  packet.timestamp = record.timestamp;
  packet.payload_type = record.payload_type;
  packet.marker = record.marker;
  packet.picture = record.picture;
  for (std::size_t i = 0; i < kKept.size(); ++i) {
    packet.extensions[static_cast<std::size_t>(kKept[i])] = Bytes(at, record.extension_sizes[i]);
    at += record.extension_sizes[i];
  }
  std::memcpy(&scratch[kHeadroom], at, record.payload_size);
  packet.payload = MutableBytes(scratch).subspan(kHeadroom, record.payload_size);
  return true;
}

void PacketRing::Clear() {
  slabs_.clear();
  slabs_.shrink_to_fit();
  places_.clear();
  places_.shrink_to_fit();
  used_ = kSlabBytes;
}

}  // namespace tertulia
