#include "io/send_batch.hpp"

#include <cerrno>
#include <utility>

namespace tertulia {

SendBatch::SendBatch(SendMany send, bool segmentation)
    : send_(std::move(send)),
      segmentation_(segmentation),
      arena_(kArenaBytes),
      messages_(kMaxMessages),
      headers_(kMaxMessages) {
  packets_.reserve(kMaxDatagrams);
  destinations_.reserve(kMaxDatagrams);
  vectors_.reserve(kMaxDatagrams);
}

MutableBytes SendBatch::Reserve(Destination& destination, std::size_t size) {
  if (size > kDatagramMax) {
    return {};
  }
  if (used_ + size > arena_.size() || packets_.size() == kMaxDatagrams) {
    Flush();
  }
  reserved_ = &destination;
  return MutableBytes(arena_).subspan(used_, size);
}

void SendBatch::Commit(std::size_t size, SendPriority priority) {
  Destination& destination = *reserved_;
  const auto index = static_cast<std::uint32_t>(packets_.size());
  packets_.push_back(
      {static_cast<std::uint32_t>(used_), Destination::kNone, static_cast<std::uint16_t>(size), priority});
  used_ += size;
  if (destination.first_ == Destination::kNone) {
    destination.first_ = index;
    destinations_.push_back(&destination);
  } else {
    packets_[destination.last_].next = index;
  }
  destination.last_ = index;
}

void SendBatch::Send(const IcePath& path, Bytes datagram) {
  // Full: flushed now, because that is what empties `once_`, which must not happen between Reserve and Commit.
  if (used_ + datagram.size() > arena_.size() || packets_.size() == kMaxDatagrams) {
    Flush();
  }
  const MutableBytes out = Reserve(once_.emplace_back(path), datagram.size());
  if (out.size() == datagram.size() && !datagram.empty()) {
    std::memcpy(out.data(), datagram.data(), datagram.size());
    Commit(datagram.size(), SendPriority::kHigh);
  }
}

void SendBatch::Flush() {
  if (packets_.empty()) {
    return;
  }
  for (Destination* destination : destinations_) {
    AddMessages(*destination);
  }
  SendMessages();
  for (Destination* destination : destinations_) {
    destination->first_ = destination->last_ = Destination::kNone;
  }
  destinations_.clear();
  packets_.clear();
  vectors_.clear();
  once_.clear();
  used_ = 0;
}

// Cuts a destination's datagrams into messages. The kernel makes segments of one size of which only the last may be
// shorter, so a larger one begins a new message (encoders cut frames into nearly equal packets, the larger ones last).
void SendBatch::AddMessages(Destination& destination) {
  std::uint32_t index = destination.first_;
  while (index != Destination::kNone) {
    if (message_count_ == kMaxMessages) {
      SendMessages();
    }
    Message& message = messages_[message_count_];
    message.destination = &destination;
    message.vector = static_cast<std::uint32_t>(vectors_.size());
    message.count = 0;
    message.priority = packets_[index].priority;

    const std::size_t segment = packets_[index].size;
    std::size_t total = 0;
    std::size_t last = segment;
    do {
      const Packet& packet = packets_[index];
      vectors_.push_back({&arena_[packet.offset], packet.size});
      ++message.count;
      total += packet.size;
      last = packet.size;
      index = packet.next;
    } while (index != Destination::kNone && segmentation_ && destination.segmentation_ && last == segment &&
             packets_[index].size <= segment && packets_[index].priority == message.priority &&
             message.count < kMaxSegments && total + packets_[index].size <= kMaxMessageBytes);

    msghdr& header = headers_[message_count_].msg_hdr;
    header.msg_name = &destination.endpoint_.remote;
    header.msg_namelen = destination.endpoint_.remote_size;
    header.msg_iov = &vectors_[message.vector];
    header.msg_iovlen = message.count;
    header.msg_control = message.control.data();
    header.msg_controllen = WriteControl(
        destination.endpoint_, message.count > 1 ? static_cast<std::uint16_t>(segment) : 0, message.control.data());
    ++message_count_;
  }
}

void SendBatch::SendMessages() {
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
    Defer(done);
  }
  message_count_ = 0;
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
  const Endpoint& endpoint = message.destination->endpoint_;
  for (std::uint32_t i = 0; i < message.count; ++i) {
    Defer(endpoint, vectors_[message.vector + i], message.priority);
  }
  DrainBacklog();
  return true;
}

void SendBatch::Defer(std::size_t message) {
  const Message& m = messages_[message];
  for (std::uint32_t i = 0; i < m.count; ++i) {
    Defer(m.destination->endpoint_, vectors_[m.vector + i], m.priority);
  }
}

void SendBatch::Defer(const Endpoint& endpoint, const iovec& datagram, SendPriority priority) {
  const Bytes bytes(static_cast<const std::uint8_t*>(datagram.iov_base), datagram.iov_len);
  ++(backlog_.Push(endpoint, bytes, priority) ? stats_.deferred : stats_.dropped);
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
  for (std::uint32_t i = 0; i < message.count; ++i) {
    stats_.bytes += vectors_[message.vector + i].iov_len;
  }
}

}  // namespace tertulia
