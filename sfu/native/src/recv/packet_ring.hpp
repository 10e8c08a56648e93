// The recent packets of one layer, so that what a viewer missed can be sent again: one copy for all viewers, as it was
// received and before any of them had it rewritten. Bounded in bytes and in time; memory comes by the slab, and a layer
// that nobody watches, or that is silent, has none.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "recv/packet.hpp"
#include "recv/slab_pool.hpp"
#include "time.hpp"

namespace tertulia {

class PacketRing {
 public:
  // What is older is of no use: a receiver has given it up.
  static constexpr TimeUs kKeepUs = 2 * kSecond;

  // Room in front of a payload that Load copies: an RTX header, a longer payload descriptor.
  static constexpr std::size_t kHeadroom = 16;
  static constexpr std::size_t kMaxPayload = 1'500;
  using Scratch = std::array<std::uint8_t, kHeadroom + kMaxPayload>;

  // Keeps up to `max_slabs`, and up to `max_packets` (a power of two).
  PacketRing(SlabPool& pool, std::size_t max_slabs, std::size_t max_packets)
      : pool_(pool), max_slabs_(max_slabs), max_packets_(max_packets) {}

  // Copies the packet as Layer::Receive left it. When there is no memory for it, it is not kept.
  void Store(const IncomingPacket& packet);

  // Fills `packet` as it was stored, but for the time of its arrival, its payload copied to `scratch` behind kHeadroom
  // bytes; its extension values lie in the ring until the next Store. False: it is not here (any more).
  // `sequence`: the lower half of the unwrapped number.
  bool Load(std::uint32_t sequence, IncomingPacket& packet, Scratch& scratch) const;

  // Gives all memory back.
  void Clear();

  [[nodiscard]] std::size_t bytes() const { return slabs_.size() * kSlabBytes; }

 private:
  struct Place {
    std::uint32_t sequence = 0;  // the lower half
    std::uint16_t slab = 0;      // a running number
    std::uint16_t offset = 0;
  };
  struct Held {
    SlabPool::Pointer slab;
    TimeUs newest_us = 0;
  };
  struct Record;

  bool MakeRoom(std::size_t size, TimeUs now);
  [[nodiscard]] const std::uint8_t* Find(std::uint32_t sequence) const;

  SlabPool& pool_;
  std::size_t max_slabs_;
  std::size_t max_packets_;
  std::vector<Place> places_;  // by sequence number
  std::vector<Held> slabs_;    // oldest first
  std::uint16_t newest_slab_ = 0;
  std::size_t used_ = kSlabBytes;  // of the newest
};

}  // namespace tertulia
