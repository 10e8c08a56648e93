// The worker with its thread and real sockets; meant for ThreadSanitizer as much as for what it asserts.
#include "worker.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <unistd.h>

#include <chrono>
#include <functional>
#include <optional>
#include <set>
#include <thread>

#include "handle_table.hpp"
#include "wire/demux.hpp"
#include "wire/stun.hpp"

namespace tertulia {
namespace {

constexpr auto kLimit = std::chrono::seconds(30);

// A client's UDP socket on loopback.
class Client {
 public:
  explicit Client(std::uint16_t port) : fd_(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    SocketAddress name{};
    const socklen_t size = ToSocketAddress(Address::V4(127, 0, 0, 1, port), name);
    EXPECT_EQ(connect(fd_, &name.any, size), 0);
  }
  ~Client() { close(fd_); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  void Send(Bytes bytes) const {
    EXPECT_EQ(send(fd_, bytes.data(), bytes.size(), 0), static_cast<ssize_t>(bytes.size()));
  }

  // The next datagram of this kind.
  std::optional<std::vector<std::uint8_t>> Receive(DatagramKind kind) const {
    std::array<std::uint8_t, 2048> buffer{};
    pollfd poll_fd{fd_, POLLIN, 0};
    while (poll(&poll_fd, 1, 30'000) == 1) {
      const ssize_t size = recv(fd_, buffer.data(), buffer.size(), 0);
      if (size > 0 && Classify(Bytes(buffer).first(static_cast<std::size_t>(size))) == kind) {
        return std::vector<std::uint8_t>(buffer.begin(), buffer.begin() + size);
      }
    }
    return std::nullopt;
  }

  void Check(const IceCredentials& local, const IceCredentials& remote) const {
    std::array<std::uint8_t, 256> buffer{};
    stun::Writer writer(buffer, stun::Type::kBindingRequest, {1, 2, 3});
    writer.AddUsername(local.ufrag + ":" + remote.ufrag);
    writer.AddPriority(1);
    writer.AddControlling(1);
    writer.AddUseCandidate();
    Send(Bytes(buffer).first(writer.Finish(local.pwd)));
  }

 private:
  int fd_;
};

class WorkerTest : public testing::Test {
 protected:
  WorkerTest() {
    WorkerOptions options;
    options.bind = {"127.0.0.1"};
    options.socket_buffer = 1 << 20;
    worker_ = std::make_unique<Worker>(options);
    worker_->Start();
  }

  void Submit(Command command) {
    while (!worker_->Submit(std::move(command))) {
      std::this_thread::yield();
    }
  }

  // Reads events until one satisfies the condition; false after the limit.
  bool Until(const std::function<bool(const Event&)>& condition) {
    const auto end = std::chrono::steady_clock::now() + kLimit;
    bool found = false;
    while (!found && std::chrono::steady_clock::now() < end) {
      pollfd poll_fd{worker_->queue().fd(), POLLIN, 0};
      poll(&poll_fd, 1, 100);
      worker_->queue().Pop(64, [&](const Event& event) { found = condition(event) || found; });
    }
    return found;
  }

  Handle CreateSession(Handle room, std::size_t number) {
    const Handle session = handles_.Make();
    Submit(command::CreateSession{session, room, Local(number), Remote(number)});
    return session;
  }

  static IceCredentials Local(std::size_t n) { return {"local" + std::to_string(n), "local password 0123456789"}; }
  static IceCredentials Remote(std::size_t n) { return {"remote" + std::to_string(n), "remote password 0123456789"}; }

  std::unique_ptr<Worker> worker_;
  HandleAllocator handles_;
};

TEST_F(WorkerTest, CarriesMediaFromAPublisherToAViewerWhileTheCallerDoesOtherThings) {
  const Handle room = handles_.Make();
  Submit(command::CreateRoom{room});
  const std::vector<std::uint8_t> key(28, 7);
  std::vector<std::unique_ptr<Client>> clients;
  std::vector<Handle> sessions;
  for (std::size_t i = 0; i < 2; ++i) {
    sessions.push_back(CreateSession(room, i));
    clients.push_back(std::make_unique<Client>(worker_->port()));
    clients.back()->Check(Local(i), Remote(i));
    ASSERT_TRUE(clients.back()->Receive(DatagramKind::kStun));
    Submit(command::SetSrtpKeys{sessions.back(), 7, key, key});
  }
  SourceConfig source;
  source.source = handles_.Make();
  source.csrc = 99;
  source.mid = "0";
  source.ssrcs = {5};
  source.payloads = {{111, Codec::kOpus, 1, 48000, 0}};
  Submit(command::AddSource{sessions[0], source});
  SlotConfig slot;
  slot.slot = handles_.Make();
  slot.session = sessions[1];
  slot.ssrc = 77;
  slot.payloads = {{1, 96}};
  Submit(command::AddSlot{slot});
  Submit(command::SetSlots{{}, {{slot.slot, source.source}}});
  Submit(command::RequestStats{});
  ASSERT_TRUE(Until([](const Event& e) { return std::holds_alternative<std::shared_ptr<const event::Stats>>(e); }));

  auto sender = SrtpSender::Create(SrtpProfile::kAeadAes128Gcm, key);
  auto receiver = SrtpReceiver::Create(SrtpProfile::kAeadAes128Gcm, key);
  for (std::uint16_t i = 1; i <= 200; ++i) {
    std::array<std::uint8_t, 12> header{0x80, 111};
    WriteU16(&header[2], i);
    WriteU32(&header[4], i * 960U);
    WriteU32(&header[8], 5);
    std::array<std::uint8_t, 200> sealed{};
    const std::array<std::uint8_t, 100> payload{};
    clients[0]->Send(Bytes(sealed).first(sender->Protect(header, payload, sealed).size));
    auto packet = clients[1]->Receive(DatagramKind::kRtp);
    ASSERT_TRUE(packet);
    ASSERT_TRUE(receiver->Unprotect(*packet).ok());
    EXPECT_EQ(ReadU32(&(*packet)[8]), 77U);
    Submit(command::PauseSource{source.source, false});
    Submit(command::SetSlots{{}, {{slot.slot, source.source}}});
  }
}

TEST_F(WorkerTest, SurvivesSessionsThatComeAndGoWhileTheirPacketsArrive) {
  constexpr std::size_t kRounds = 300;
  const std::vector<std::uint8_t> key(28, 7);
  std::atomic<bool> done{false};
  std::thread traffic([&] {
    const Client client(worker_->port());
    std::array<std::uint8_t, 64> record{22, 0xFE, 0xFD};
    for (std::size_t i = 0; !done; ++i) {
      client.Check(Local(i % kRounds), Remote(i % kRounds));
      client.Send(record);
      record[13] = static_cast<std::uint8_t>(i);
      std::this_thread::yield();
    }
  });
  std::size_t closed = 0;
  const auto count = [&](const Event& event) {
    if (const auto* c = std::get_if<event::Closed>(&event)) {
      EXPECT_TRUE(handles_.Release(c->handle));
      ++closed;
    }
    return false;
  };
  for (std::size_t round = 0; round < kRounds; ++round) {
    const Handle room = handles_.Make();
    Submit(command::CreateRoom{room});
    for (int i = 0; i < 3; ++i) {
      const Handle session = CreateSession(room, round);
      Submit(command::SetSrtpKeys{session, 7, key, key});
      Submit(command::SendDtls{session, std::vector<std::uint8_t>(100, 22)});
    }
    Submit(command::CloseRoom{room});
    worker_->queue().Pop(64, count);
  }
  EXPECT_TRUE(Until([&](const Event& event) {
    count(event);
    return closed == kRounds * 4;
  }));
  done = true;
  traffic.join();
  EXPECT_EQ(handles_.count(), 0U);
}

TEST_F(WorkerTest, RelaysAPublisherToAMirrorOnAnotherWorkerAndTheWishForAKeyFrameBack) {
  WorkerOptions options;
  options.bind = {"127.0.0.1"};
  options.socket_buffer = 1 << 20;
  Worker far(options);
  far.Start();
  const auto there = [&](Command command) { ASSERT_TRUE(far.Submit(std::move(command))); };
  auto onward = std::make_shared<RelayRing>(RelayLinks::kCapacity);
  auto back = std::make_shared<RelayRing>(RelayLinks::kCapacity);
  Submit(command::LinkTo{1, onward});
  there(command::LinkFrom{onward});
  there(command::LinkTo{0, back});
  Submit(command::LinkFrom{back});

  const std::vector<std::uint8_t> key(28, 7);
  const Handle room = handles_.Make();
  const Handle far_room = handles_.Make();
  Submit(command::CreateRoom{room});
  there(command::CreateRoom{far_room});
  const Handle publisher = CreateSession(room, 0);
  const Client camera(worker_->port());
  camera.Check(Local(0), Remote(0));
  ASSERT_TRUE(camera.Receive(DatagramKind::kStun));
  Submit(command::SetSrtpKeys{publisher, 7, key, key});
  const Handle viewer = handles_.Make();
  there(command::CreateSession{viewer, far_room, Local(1), Remote(1)});
  const Client screen(far.port());
  screen.Check(Local(1), Remote(1));
  ASSERT_TRUE(screen.Receive(DatagramKind::kStun));
  there(command::SetSrtpKeys{viewer, 7, key, key});

  SourceConfig source;
  source.kind = Kind::kVideo;
  source.csrc = 99;
  source.mid = "0";
  source.ssrcs = {5};
  source.payloads = {{96, Codec::kVp8, 2, 90'000, 0}};
  source.source = handles_.Make();
  Submit(command::AddSource{publisher, source});
  const Handle mirror = handles_.Make();
  there(command::CreateSession{mirror, far_room, {}, {}});
  source.source = handles_.Make();
  there(command::AddSource{mirror, source});
  there(command::Mirror{mirror, {0, publisher}});
  Submit(command::Relay{publisher, {1, mirror}});
  SlotConfig slot;
  slot.slot = handles_.Make();
  slot.session = viewer;
  slot.kind = Kind::kVideo;
  slot.ssrc = 77;
  slot.payloads = {{2, 100}};
  there(command::AddSlot{slot});
  there(command::SetSlots{{}, {{slot.slot, source.source}}});
  Submit(command::RequestStats{});
  ASSERT_TRUE(Until([](const Event& e) { return std::holds_alternative<std::shared_ptr<const event::Stats>>(e); }));

  auto sender = SrtpSender::Create(SrtpProfile::kAeadAes128Gcm, key);
  auto receiver = SrtpReceiver::Create(SrtpProfile::kAeadAes128Gcm, key);
  const auto send = [&](std::uint16_t number, bool key_frame) {
    std::array<std::uint8_t, 12> header{0x80, 0x80 | 96};
    WriteU16(&header[2], number);
    WriteU32(&header[4], number * 3'000U);
    WriteU32(&header[8], 5);
    // VP8: a descriptor that begins a partition, then the frame tag with its bit for "not a key frame", start code and
    // size.
    const std::array<std::uint8_t, 12> payload{
        0x10, static_cast<std::uint8_t>(key_frame ? 0x10 : 0x11), 0, 0, 0x9D, 0x01, 0x2A, 64, 1, 180, 0, 0};
    std::array<std::uint8_t, 200> sealed{};
    camera.Send(Bytes(sealed).first(sender->Protect(header, payload, sealed).size));
  };
  send(1, false);
  // The far viewer cannot begin with this: its router asks its mirror, and this worker asks the camera.
  const auto request = camera.Receive(DatagramKind::kRtcp);
  ASSERT_TRUE(request);
  send(2, true);
  for (std::uint16_t number = 3; number <= 100; ++number) {
    auto packet = screen.Receive(DatagramKind::kRtp);
    ASSERT_TRUE(packet);
    ASSERT_TRUE(receiver->Unprotect(*packet).ok());
    EXPECT_EQ(ReadU32(&(*packet)[8]), 77U);
    EXPECT_EQ(ReadU32(&(*packet)[12]), 99U);
    send(number, false);
  }
  there(command::CloseRoom{far_room});
  Submit(command::CloseSession{publisher});
  far.Stop();
}

TEST_F(WorkerTest, StopsWithCommandsAndEventsUnderWay) {
  for (int i = 0; i < 2000; ++i) {
    const Handle room = handles_.Make();
    Submit(command::CreateRoom{room});
    Submit(command::CloseRoom{room});
  }
  worker_->Stop();
  worker_->Stop();
}

TEST(Worker, TakesOnePortNumberForAllItsAddressesAndSaysWhenItIsTaken) {
  WorkerOptions options;
  options.bind = {"127.0.0.1", "::1"};
  const Worker first(options);
  EXPECT_NE(first.port(), 0);
  options.port = first.port();
  try {
    const Worker second(options);
    FAIL() << "two workers on one port";
  } catch (const std::system_error& error) {
    EXPECT_EQ(error.code().value(), EADDRINUSE);
  }
}

}  // namespace
}  // namespace tertulia
