#include "io/send_batch.hpp"

#include <gtest/gtest.h>
#include <netinet/udp.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <deque>
#include <numeric>
#include <string>
#include <vector>

namespace tertulia {
namespace {

IcePath PathTo(std::uint16_t port) { return {Address::V4(127, 0, 0, 1, 7882), Address::V4(192, 0, 2, 1, port)}; }

// Stands for sendmmsg: keeps what it was given, as datagrams, and fails when told to.
struct FakeSocket {
  struct Message {
    std::uint16_t port = 0;
    std::size_t segment = 0;  // 0: not segmented
    std::vector<std::string> datagrams;
  };
  std::vector<Message> messages;
  std::size_t room = SIZE_MAX;     // messages until the buffer is full
  int segment_error = 0;           // for messages that are segmented
  std::uint16_t refused_port = 0;  // no route to it

  int Send(mmsghdr* headers, unsigned count) {
    for (unsigned i = 0; i < count; ++i) {
      const int error = Take(headers[i].msg_hdr);
      if (error != 0) {
        errno = error;
        return i > 0 ? static_cast<int>(i) : -1;
      }
    }
    return static_cast<int>(count);
  }

  int Take(const msghdr& header) {
    if (room == 0) {
      return EAGAIN;
    }
    Message message;
    SocketAddress name{};
    std::memcpy(&name, header.msg_name, header.msg_namelen);
    message.port = ntohs(name.v4.sin_port);
    for (cmsghdr* c = CMSG_FIRSTHDR(&header); c != nullptr; c = CMSG_NXTHDR(const_cast<msghdr*>(&header), c)) {
      if (c->cmsg_level == IPPROTO_UDP && c->cmsg_type == UDP_SEGMENT) {
        std::uint16_t size = 0;
        std::memcpy(&size, CMSG_DATA(c), sizeof(size));
        message.segment = size;
      }
    }
    if (message.segment != 0 && segment_error != 0) {
      return segment_error;
    }
    if (message.port == refused_port) {
      return ENETUNREACH;
    }
    std::string bytes;
    for (std::size_t i = 0; i < header.msg_iovlen; ++i) {
      bytes.append(static_cast<const char*>(header.msg_iov[i].iov_base), header.msg_iov[i].iov_len);
    }
    // As the kernel does it.
    const std::size_t segment = message.segment == 0 ? bytes.size() : message.segment;
    for (std::size_t at = 0; at < bytes.size(); at += segment) {
      message.datagrams.push_back(bytes.substr(at, segment));
    }
    messages.push_back(std::move(message));
    --room;
    return 0;
  }

  std::vector<std::string> To(std::uint16_t port) const {
    std::vector<std::string> result;
    for (const Message& message : messages) {
      if (message.port == port) {
        result.insert(result.end(), message.datagrams.begin(), message.datagrams.end());
      }
    }
    return result;
  }
};

// "Encrypts" so that one can see what and by whom.
class FakeSealer final : public Sealer {
 public:
  explicit FakeSealer(char name) : name_(name) {}
  std::size_t Seal(Bytes header, Bytes payload, MutableBytes out) override {
    const std::string text =
        std::string(header.begin(), header.end()) + "|" + std::string(payload.begin(), payload.end()) + "|" + name_;
    EXPECT_LE(text.size(), out.size());
    std::copy(text.begin(), text.end(), out.begin());
    return refuse_ ? 0 : text.size();
  }
  bool refuse_ = false;

 private:
  char name_;
};

class SendBatchTest : public testing::Test {
 protected:
  void Put(Destination& destination, const std::string& text, SendPriority priority = SendPriority::kNormal) {
    const MutableBytes out = batch_.Reserve(destination, text.size());
    ASSERT_EQ(out.size(), text.size());
    std::memcpy(out.data(), text.data(), text.size());
    batch_.Commit(text.size(), priority);
  }
  static std::string Packet(char fill, std::size_t size) { return std::string(size, fill); }

  void PutRtp(Destination& destination, const std::string& header, Bytes payload) {
    batch_.AddRtp(destination, BytesOf(header), payload, SendPriority::kNormal);
  }
  static Bytes BytesOf(const std::string& text) {
    return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
  }

  FakeSocket socket_;
  std::array<std::uint8_t, 4096> received_{};
  SendBatch batch_{[this](mmsghdr* headers, unsigned count) { return socket_.Send(headers, count); }, true, received_};
  Destination a_{PathTo(1)};
  Destination b_{PathTo(2)};
};

TEST_F(SendBatchTest, PutsEqualDatagramsOfADestinationIntoOneMessageWhateverCameBetween) {
  for (const char fill : {'a', 'b', 'c'}) {
    Put(a_, Packet(fill, 100));
    Put(b_, Packet(fill, 50));
  }
  batch_.Flush();
  ASSERT_EQ(socket_.messages.size(), 2U);
  EXPECT_EQ(socket_.messages[0].segment, 100U);
  EXPECT_EQ(socket_.To(1), (std::vector{Packet('a', 100), Packet('b', 100), Packet('c', 100)}));
  EXPECT_EQ(socket_.To(2), (std::vector{Packet('a', 50), Packet('b', 50), Packet('c', 50)}));
  EXPECT_EQ(batch_.stats().calls, 1U);
  EXPECT_EQ(batch_.stats().datagrams, 6U);
  EXPECT_EQ(batch_.stats().bytes, 450U);
}

TEST_F(SendBatchTest, EndsAMessageAfterAShorterDatagramAndBeforeALargerOne) {
  for (const std::size_t size : {100, 100, 40, 40, 101, 101, 100, 120}) {
    Put(a_, Packet('x', size));
  }
  batch_.Flush();
  std::vector<std::vector<std::size_t>> sizes;
  for (const auto& message : socket_.messages) {
    sizes.emplace_back();
    for (const auto& datagram : message.datagrams) {
      sizes.back().push_back(datagram.size());
    }
  }
  EXPECT_EQ(sizes, (std::vector<std::vector<std::size_t>>{{100, 100, 40}, {40}, {101, 101, 100}, {120}}));
  EXPECT_EQ(socket_.messages[1].segment, 0U) << "one datagram needs no segments";
}

TEST_F(SendBatchTest, KeepsToTheKernelsLimitsOfAMessage) {
  for (int i = 0; i < 200; ++i) {
    Put(a_, Packet('x', 1200));
    Put(b_, Packet('x', 10));
  }
  batch_.Flush();
  for (const auto& message : socket_.messages) {
    EXPECT_LE(message.datagrams.size(), SendBatch::kMaxSegments);
    EXPECT_LE(message.datagrams.size() * message.datagrams[0].size(), SendBatch::kMaxMessageBytes);
  }
  EXPECT_EQ(socket_.To(1).size(), 200U);
  EXPECT_EQ(socket_.To(2).size(), 200U);
}

TEST_F(SendBatchTest, FlushesByItselfWhenItIsFull) {
  const std::size_t count = SendBatch::kStagingBytes / 1200 + 10;
  for (std::size_t i = 0; i < count; ++i) {
    Put(a_, Packet('x', 1200));
  }
  EXPECT_FALSE(socket_.messages.empty());
  batch_.Flush();
  EXPECT_EQ(socket_.To(1).size(), count);
}

TEST_F(SendBatchTest, RefusesADatagramThatIsTooLarge) { EXPECT_TRUE(batch_.Reserve(a_, 1501).empty()); }

TEST_F(SendBatchTest, SendsSinglyAndInOrderAfterTheDeviceRefusedSegments) {
  socket_.segment_error = EIO;
  std::vector<std::string> sent;
  for (char fill = 'a'; fill < 'k'; ++fill) {
    Put(a_, Packet(fill, 100));
    Put(b_, Packet(fill, 100));
    sent.push_back(Packet(fill, 100));
  }
  batch_.Flush();
  EXPECT_FALSE(batch_.segmentation());
  EXPECT_EQ(socket_.To(1), sent);
  EXPECT_EQ(socket_.To(2), sent);
  socket_.messages.clear();
  Put(a_, Packet('x', 100));
  Put(a_, Packet('y', 100));
  batch_.Flush();
  EXPECT_EQ(socket_.messages.size(), 2U);
}

TEST_F(SendBatchTest, StopsSegmentsOnlyForTheRouteThatRefusesThem) {
  socket_.segment_error = EINVAL;
  Put(a_, Packet('x', 100));
  Put(a_, Packet('y', 100));
  batch_.Flush();
  EXPECT_EQ(socket_.To(1).size(), 2U);
  EXPECT_TRUE(batch_.segmentation());
  socket_.segment_error = 0;
  socket_.messages.clear();
  for (Destination* destination : {&a_, &b_}) {
    Put(*destination, Packet('x', 100));
    Put(*destination, Packet('y', 100));
  }
  batch_.Flush();
  ASSERT_EQ(socket_.messages.size(), 3U);
  EXPECT_EQ(socket_.messages[2].datagrams.size(), 2U);
}

TEST_F(SendBatchTest, ADestinationThatCannotBeReachedCostsTheOthersNothing) {
  socket_.refused_port = 1;
  Put(a_, "lost");
  Put(b_, "kept");
  batch_.Flush();
  EXPECT_EQ(socket_.To(2), std::vector<std::string>{"kept"});
  EXPECT_EQ(batch_.stats().refused, 1U);
  EXPECT_FALSE(batch_.waiting());
}

TEST_F(SendBatchTest, WhatAFullSocketDidNotTakeLeavesLaterAudioFirstAndInOrder) {
  socket_.room = 1;
  Put(a_, "first");
  Put(b_, "video 1");
  Put(b_, "video two");
  Put(b_, "audio 1", SendPriority::kHigh);
  batch_.Flush();
  EXPECT_TRUE(batch_.waiting());
  Put(b_, "video three");
  Put(b_, "audio 2", SendPriority::kHigh);
  batch_.Flush();
  EXPECT_EQ(socket_.messages.size(), 1U);
  EXPECT_EQ(batch_.backlog(), 5U);

  socket_.room = SIZE_MAX;
  batch_.OnWritable();
  EXPECT_FALSE(batch_.waiting());
  EXPECT_EQ(socket_.To(2), (std::vector<std::string>{"audio 1", "audio 2", "video 1", "video two", "video three"}));
  EXPECT_EQ(batch_.stats().dropped, 0U);
}

TEST_F(SendBatchTest, ABacklogIsBoundedAndVideoNeverTakesThePlaceOfAudio) {
  socket_.room = 0;
  for (std::size_t i = 0; i < 3 * SendBacklog::kNormalSlots; ++i) {
    Put(a_, "video");
  }
  Put(a_, "audio", SendPriority::kHigh);
  batch_.Flush();
  EXPECT_EQ(batch_.backlog(), SendBacklog::kNormalSlots + 1);
  EXPECT_EQ(batch_.stats().dropped, 2 * SendBacklog::kNormalSlots);
  socket_.room = 1;
  batch_.OnWritable();
  EXPECT_EQ(socket_.To(1), std::vector<std::string>{"audio"});
}

TEST_F(SendBatchTest, SealsMediaWhenItLeavesForEachDestinationByItself) {
  FakeSealer first('1');
  FakeSealer second('2');
  Destination one(PathTo(1), &first);
  Destination two(PathTo(2), &second);
  const std::string text = "a payload that is longer than what may differ";
  std::copy(text.begin(), text.end(), received_.begin() + 100);
  const MutableBytes payload = MutableBytes(received_).subspan(100, text.size());
  for (Destination* destination : {&one, &two}) {
    PutRtp(*destination, "h1", payload);
    PutRtp(*destination, "h2", payload.first(5));
    PutRtp(*destination, "h3", {});
  }
  batch_.Flush();
  EXPECT_EQ(socket_.To(1), (std::vector<std::string>{"h1|" + text + "|1", "h2|a pay|1", "h3||1"}));
  EXPECT_EQ(socket_.To(2), (std::vector<std::string>{"h1|" + text + "|2", "h2|a pay|2", "h3||2"}));
}

TEST_F(SendBatchTest, EveryViewerGetsItsOwnBeginningOfASharedPayload) {
  FakeSealer sealer('s');
  Destination destination(PathTo(1), &sealer);
  const MutableBytes payload = MutableBytes(received_).first(40);
  std::fill(payload.begin(), payload.end(), 'x');
  std::vector<std::string> expected;
  for (char own = 'a'; own < 'f'; ++own) {
    payload[0] = static_cast<std::uint8_t>(own);  // rewritten in place, viewer by viewer
    PutRtp(destination, "h", payload);
    expected.push_back("h|" + std::string(1, own) + std::string(39, 'x') + "|s");
  }
  batch_.Flush();
  EXPECT_EQ(socket_.To(1), expected);
}

TEST_F(SendBatchTest, CopiesAPayloadThatLiesElsewhere) {
  FakeSealer sealer('s');
  Destination destination(PathTo(1), &sealer);
  std::string payload(100, 'x');
  PutRtp(destination, "h", BytesOf(payload));
  payload.assign(100, 'y');
  batch_.Flush();
  EXPECT_EQ(socket_.To(1), std::vector<std::string>{"h|" + std::string(100, 'x') + "|s"});
}

TEST_F(SendBatchTest, SendsNothingThatWasNotSealed) {
  FakeSealer sealer('s');
  sealer.refuse_ = true;
  Destination sealed(PathTo(1), &sealer);
  Destination unkeyed(PathTo(2));
  PutRtp(sealed, "h", {});
  PutRtp(unkeyed, "h", {});
  batch_.Flush();
  EXPECT_TRUE(socket_.messages.empty());
}

TEST_F(SendBatchTest, MediaOfManyPacketsForManyLeavesGroupedAndWhole) {
  std::deque<FakeSealer> sealers;
  std::deque<Destination> viewers;
  for (std::uint16_t i = 0; i < 300; ++i) {
    sealers.emplace_back('s');
    viewers.emplace_back(PathTo(static_cast<std::uint16_t>(1000 + i)), &sealers.back());
  }
  const Bytes payload = Bytes(received_).first(1100);
  for (char packet = 'a'; packet < 'k'; ++packet) {
    for (Destination& viewer : viewers) {
      PutRtp(viewer, std::string(12, packet), payload);
    }
  }
  batch_.Flush();
  EXPECT_LT(socket_.messages.size(), 320U) << "one message a viewer, and a few that were cut when the arena was full";
  for (std::uint16_t i = 0; i < 300; ++i) {
    const auto datagrams = socket_.To(static_cast<std::uint16_t>(1000 + i));
    ASSERT_EQ(datagrams.size(), 10U);
    for (std::size_t n = 0; n < 10; ++n) {
      EXPECT_EQ(datagrams[n][0], static_cast<char>('a' + n));
    }
  }
}

TEST_F(SendBatchTest, AnswersToPathsThatAreUsedOnceGoWithTheRest) {
  const std::string text = "answer";
  const auto* data = reinterpret_cast<const std::uint8_t*>(text.data());
  for (int i = 0; i < 5000; ++i) {
    batch_.Send(PathTo(static_cast<std::uint16_t>(1000 + i)), Bytes(data, text.size()));
  }
  batch_.Flush();
  EXPECT_EQ(socket_.messages.size(), 5000U);
  EXPECT_EQ(socket_.To(1000), std::vector<std::string>{"answer"});
  EXPECT_EQ(socket_.To(5999), std::vector<std::string>{"answer"});
}

}  // namespace
}  // namespace tertulia
