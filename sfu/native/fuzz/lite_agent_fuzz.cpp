// The ICE agent under a stranger and a client, with time steps: a stranger's bytes change nothing; media goes only to
// addresses that sent an authenticated check, and after the first one only to addresses that answered us; what we send
// to strangers stays within its limit; timers never stall.
#include <set>
#include <vector>

#include "ice/lite_agent.hpp"
#include "input.hpp"

using namespace tertulia;  // NOLINT(google-build-using-namespace): a program of one function

namespace {
struct Recorder final : LiteAgentOutput {
  void SendStun(const IcePath& path, Bytes datagram) override {
    const auto message = stun::Parse(datagram);
    FUZZ_CHECK(message && stun::VerifyFingerprint(*message));
    ++sent;
    if (message->Is(stun::Type::kBindingRequest)) {
      questions.emplace_back(path, message->transaction);
      FUZZ_CHECK(stun::VerifyIntegrity(*message, "remote password"));
    }
  }
  void OnIceState(IceState) override {}
  void OnPathChanged(const IcePath& path) override { FUZZ_CHECK(allowed.contains(path.remote.port)); }

  std::size_t sent = 0;
  std::vector<std::pair<IcePath, stun::TransactionId>> questions;
  std::set<std::uint16_t> allowed;  // ports that may become the path
};

IcePath PathOf(std::uint8_t n) { return {Address::V4(192, 0, 2, 1, 7882), Address::V4(198, 51, 100, 1, n % 16)}; }
}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input(data, size);
  Recorder recorder;
  std::uint64_t drawn = 0;
  TimeUs now = 0;
  LiteAgent agent(
      recorder,
      // Never the same twice: an answer to an old question must not be one to another question too.
      [&](MutableBytes out) {
        std::fill(out.begin(), out.end(), std::uint8_t{0});
        WriteU64(out.data(), ++drawn);
      },
      {"local", "local password"}, {"remote", "remote password"}, now);
  while (!input.empty()) {
    const std::uint8_t action = input.Byte();
    const IcePath path = PathOf(input.Byte());
    std::array<std::uint8_t, 256> buffer{};
    switch (action % 8) {
      case 0: {  // a stranger
        const auto before = agent.path();
        const std::size_t sent = recorder.sent;
        FUZZ_CHECK(!agent.ReceiveStun(path, input.Take(input.Byte()), now));
        FUZZ_CHECK(agent.path() == before && recorder.sent <= sent + 1);
        break;
      }
      case 1: {  // the client checks, perhaps nominates
        stun::Writer writer(buffer, stun::Type::kBindingRequest, {action});
        writer.AddUsername("local:remote");
        writer.AddControlling(1);
        if ((action & 0x80) != 0) writer.AddUseCandidate();
        if (!agent.path()) recorder.allowed.insert(path.remote.port);
        FUZZ_CHECK(agent.ReceiveStun(path, Bytes(buffer).first(writer.Finish("local password")), now));
        FUZZ_CHECK(agent.Knows(path));
        break;
      }
      case 2: {  // the client answers one of our questions, from where it was asked or from elsewhere
        if (recorder.questions.empty()) break;
        const auto& [asked, transaction] = recorder.questions[input.Byte() % recorder.questions.size()];
        const IcePath from = (action & 0x80) != 0 ? path : asked;
        if (from == asked) recorder.allowed.insert(from.remote.port);
        stun::Writer writer(buffer, stun::Type::kBindingSuccess, transaction);
        writer.AddXorMappedAddress(asked.local);
        agent.ReceiveStun(from, Bytes(buffer).first(writer.Finish("remote password")), now);
        break;
      }
      case 3:
        agent.OnAuthenticatedPacket(path, now);
        break;
      case 4:
        agent.OnDtlsConnected(now);
        break;
      case 5:
        agent.Restart({"local", "local password"}, {"remote", "remote password"}, now);
        break;
      default:
        now += TimeUs{input.Word()} * 1'000;
        agent.Advance(now);
        FUZZ_CHECK(agent.NextWakeup() > now);
    }
  }
  return 0;
}
