#include "io/send_batch.hpp"

#include <algorithm>
#include <cerrno>
#include <utility>

namespace tertulia {

SendBatch::SendBatch(SendMany send, bool segmentation, Bytes lasting)
    : send_(std::move(send)),
      segmentation_(segmentation),
      lasting_(lasting),
      staging_(kStagingBytes),
      sealed_(kSealedBytes),
      messages_(kMaxMessages),
      headers_(kMaxMessages) {
  packets_.reserve(kMaxDatagrams);
  destinations_.reserve(kMaxDatagrams);
  vectors_.reserve(kMaxDatagrams);
}

void SendBatch::MakeRoom(std::size_t size) {
  if (staged_ + size > staging_.size() || packets_.size() == kMaxDatagrams) {
    Flush();
  }
}

void SendBatch::AddRtp(Destination& destination, Bytes header, Bytes payload, SendPriority priority) {
  if (header.size() + payload.size() > kDatagramMax) {
    return;
  }
  MakeRoom(header.size() + payload.size());
  Packet packet;
  packet.size = static_cast<std::uint16_t>(header.size() + payload.size());
  packet.header = static_cast<std::uint16_t>(header.size());
  packet.seal = true;
  packet.priority = priority;
  const bool lasts = payload.data() >= lasting_.data() && payload.data() < lasting_.data() + lasting_.size();
  packet.shared = lasts ? payload.data() : nullptr;
  const std::size_t own = lasts ? std::min(payload.size(), kOwnBytes) : payload.size();
  std::uint8_t* out = &staging_[staged_];
  std::memcpy(out, header.data(), header.size());
  std::copy_n(payload.begin(), own, out + header.size());
  Queue(destination, packet, header.size() + own);
}

MutableBytes SendBatch::Reserve(Destination& destination, std::size_t size) {
  if (size > kDatagramMax) {
    return {};
  }
  MakeRoom(size);
  reserved_ = &destination;
  return MutableBytes(staging_).subspan(staged_, size);
}

void SendBatch::Commit(std::size_t size, SendPriority priority) {
  Packet packet;
  packet.size = static_cast<std::uint16_t>(size);
  packet.priority = priority;
  Queue(*reserved_, packet, size);
}

void SendBatch::Send(const IcePath& path, Bytes datagram) {
  MakeRoom(datagram.size());  // now, because a flush empties `once_`, which must not happen between Reserve and Commit
  const MutableBytes out = Reserve(once_.emplace_back(path), datagram.size());
  if (out.size() == datagram.size() && !datagram.empty()) {
    std::memcpy(out.data(), datagram.data(), datagram.size());
    Commit(datagram.size(), SendPriority::kHigh);
  }
}

void SendBatch::Queue(Destination& destination, const Packet& packet, std::size_t staged) {
  const auto index = static_cast<std::uint32_t>(packets_.size());
  packets_.push_back(packet);
  packets_.back().offset = static_cast<std::uint32_t>(staged_);
  staged_ += staged;
  if (destination.first_ == Destination::kNone) {
    destination.first_ = index;
    destinations_.push_back(&destination);
  } else {
    packets_[destination.last_].next = index;
  }
  destination.last_ = index;
}

void SendBatch::Flush() {
  if (packets_.empty()) {
    return;
  }
  for (std::size_t i = 0; i < destinations_.size(); ++i) {
    if (i % kPrefetchGroup == 0) {
      PrefetchGroup(i);
    }
    AddMessages(*destinations_[i]);
  }
  SendMessages();
  for (Destination* destination : destinations_) {
    destination->first_ = destination->last_ = Destination::kNone;
  }
  destinations_.clear();
  packets_.clear();
  once_.clear();
  staged_ = 0;
}

void SendBatch::PrefetchGroup(std::size_t first) {
  const std::size_t end = std::min(first + kPrefetchGroup, destinations_.size());
  for (int step = 0; step < Sealer::kPrefetchSteps; ++step) {
    for (std::size_t i = first; i < end; ++i) {
      if (const Sealer* sealer = destinations_[i]->sealer_) {
        sealer->Prefetch(step);
      }
    }
  }
}

void SendBatch::AddMessages(Destination& destination) {
  for (std::uint32_t index = destination.first_; index != Destination::kNone; index = packets_[index].next) {
    const Packet& packet = packets_[index];
    if (sealed_used_ + kDatagramMax > sealed_.size() || message_count_ == kMaxMessages) {
      SendMessages();
    }
    const Bytes datagram = packet.seal ? Seal(destination, packet) : Bytes(&staging_[packet.offset], packet.size);
    if (!datagram.empty()) {
      AddDatagram(destination, datagram, packet.priority);
    }
  }
  if (message_count_ > 0) {
    messages_[message_count_ - 1].open = false;
  }
}

Bytes SendBatch::Seal(const Destination& destination, const Packet& packet) {
  const Bytes header(&staging_[packet.offset], packet.header);
  const std::size_t size = packet.size - header.size();
  Bytes payload(header.data() + header.size(), size);
  if (packet.shared != nullptr) {
    const std::size_t own = std::min(size, kOwnBytes);
    if (std::memcmp(packet.shared, payload.data(), own) == 0) {
      payload = Bytes(packet.shared, size);
    } else {
      std::memcpy(plain_.data(), payload.data(), own);
      std::memcpy(&plain_[own], packet.shared + own, size - own);
      payload = Bytes(plain_).first(size);
    }
  }
  const MutableBytes out = MutableBytes(sealed_).subspan(sealed_used_, kDatagramMax);
  const std::size_t sealed = destination.sealer_ == nullptr ? 0 : destination.sealer_->Seal(header, payload, out);
  sealed_used_ += sealed;
  return out.first(sealed);
}

// The kernel makes segments of one size of which only the last may be shorter, so a larger datagram begins a new
// message (encoders cut frames into nearly equal packets, the larger ones last).
void SendBatch::AddDatagram(Destination& destination, Bytes datagram, SendPriority priority) {
  Message* message = message_count_ > 0 ? &messages_[message_count_ - 1] : nullptr;
  const bool fits = message != nullptr && message->open && message->priority == priority &&
                    datagram.size() <= message->segment && message->count < kMaxSegments &&
                    message->bytes + datagram.size() <= kMaxMessageBytes;
  if (!fits) {
    message = &messages_[message_count_++];
    message->destination = &destination;
    message->vector = static_cast<std::uint32_t>(vectors_.size());
    message->count = 0;
    message->bytes = 0;
    message->segment = static_cast<std::uint16_t>(datagram.size());
    message->priority = priority;
  }
  // The kernel only reads what it sends, but iovec serves both directions.
  vectors_.push_back({const_cast<std::uint8_t*>(datagram.data()), datagram.size()});
  ++message->count;
  message->bytes += static_cast<std::uint32_t>(datagram.size());
  message->open = segmentation_ && destination.segmentation_ && datagram.size() == message->segment;
}

void SendBatch::SendMessages() {
  WriteHeaders();
  std::size_t done = 0;
  if (!backlog_.empty()) {
    DrainBacklog();  // what waits goes first
  }
  while (done < message_count_ && backlog_.empty()) {
    ++stats_.calls;
    const int taken = send_(&headers_[done], static_cast<unsigned>(message_count_ - done));
    if (taken > 0) {
      for (int i = 0; i < taken; ++i) {
        Count(messages_[done++]);
      }
    } else if (!SendOne(messages_[done])) {
      break;
    } else {
      ++done;
    }
  }
  for (; done < message_count_; ++done) {
    Defer(messages_[done]);
  }
  message_count_ = 0;
  vectors_.clear();
  sealed_used_ = 0;
}

void SendBatch::WriteHeaders() {
  for (std::size_t i = 0; i < message_count_; ++i) {
    Message& message = messages_[i];
    Endpoint& endpoint = message.destination->endpoint_;
    msghdr& header = headers_[i].msg_hdr;
    header.msg_name = &endpoint.remote;
    header.msg_namelen = endpoint.remote_size;
    header.msg_iov = &vectors_[message.vector];
    header.msg_iovlen = message.count;
    header.msg_control = message.control.data();
    header.msg_controllen =
        WriteControl(endpoint, message.count > 1 ? message.segment : std::uint16_t{0}, message.control.data());
  }
}

// The message was refused with errno. False: the socket is full, nothing of it was sent. True: it is dealt with.
bool SendBatch::SendOne(const Message& message) {
  if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) {
    return false;
  }
  if ((errno != EIO && errno != EINVAL) || message.count == 1) {
    stats_.refused += message.count;
    return true;
  }
  // EIO: the device cannot checksum segments, so nothing on this socket is segmented any more. EINVAL: a segment is
  // larger than this route allows; only this destination is to blame, and it must not cost the others anything.
  (errno == EIO ? segmentation_ : message.destination->segmentation_) = false;
  Defer(message);
  DrainBacklog();
  return true;
}

void SendBatch::Defer(const Message& message) {
  for (std::uint32_t i = 0; i < message.count; ++i) {
    const iovec& vector = vectors_[message.vector + i];
    const Bytes datagram(static_cast<const std::uint8_t*>(vector.iov_base), vector.iov_len);
    const bool kept = backlog_.Push(message.destination->endpoint_, datagram, message.priority);
    ++(kept ? stats_.deferred : stats_.dropped);
  }
}

void SendBatch::DrainBacklog() {
  constexpr std::size_t kAtOnce = 32;
  std::array<mmsghdr, kAtOnce> headers{};
  std::array<iovec, kAtOnce> vectors{};
  while (!backlog_.empty()) {
    std::size_t count = 0;
    for (SendBacklog::Waiting* waiting = nullptr; count < kAtOnce && (waiting = backlog_.Peek(count)) != nullptr;
         ++count) {
      vectors[count] = {waiting->bytes.data(), waiting->size};
      msghdr& header = headers[count].msg_hdr;
      header.msg_name = &waiting->endpoint.remote;
      header.msg_namelen = waiting->endpoint.remote_size;
      header.msg_iov = &vectors[count];
      header.msg_iovlen = 1;
      header.msg_control = waiting->endpoint.control.data();
      header.msg_controllen = waiting->endpoint.control_size;
    }
    ++stats_.calls;
    const int taken = send_(headers.data(), static_cast<unsigned>(count));
    if (taken > 0) {
      for (std::size_t i = 0; i < static_cast<std::size_t>(taken); ++i) {
        stats_.bytes += vectors[i].iov_len;
      }
      stats_.datagrams += static_cast<std::uint64_t>(taken);
      stats_.messages += static_cast<std::uint64_t>(taken);
      backlog_.Pop(static_cast<std::size_t>(taken));
    } else if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) {
      return;
    } else {
      ++stats_.refused;
      backlog_.Pop(1);
    }
  }
}

void SendBatch::Count(const Message& message) {
  ++stats_.messages;
  stats_.datagrams += message.count;
  stats_.bytes += message.bytes;
}

}  // namespace tertulia
