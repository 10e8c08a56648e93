// tertulia-load: publishers and viewers for measuring an SFU. It speaks ICE, DTLS and SRTP; who does HTTP and reads
// descriptions drives it through lines on standard input, and gets JSON lines back:
//
//   peer ID UFRAG PWD                                      -> {"event":"peer","fingerprint":…}
//   source ID video|audio SSRC PT MID MID-ID TWCC-ID LEVEL-ID   a track that ID publishes (ids of header extensions)
//   slot ID video|audio SSRC                               a stream that ID will receive
//   feedback ID EXTENSION                                  ID says every 50 ms what arrived, by transport-wide numbers
//   connect ID HOST PORT UFRAG PWD PROFILES FINGERPRINT    -> later {"event":"connected"|"failed","peer":ID,…}
//   stream frames|even PPS BYTES                           all publishers begin to send, or change their pace
//   flood unknown|stun|srtp|dtls ID PPS BYTES              attack the session of ID; `flood off` ends it
//   poll on|off                                            ask the sockets in turn instead of sleeping on epoll
//   drop ID goodbye|silent                                 the peer is gone, with or without a word
//   stop | reset | report | close                          report -> {"event":"report",…} since the last reset
//
// The end of the input ends the program.
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <exception>
#include <sstream>
#include <string>

#include "load.hpp"

namespace tertulia::load {
namespace {

Kind ParseKind(const std::string& word) { return word == "audio" ? Kind::kAudio : Kind::kVideo; }

void Answer(const std::string& json) {
  std::fputs((json + "\n").c_str(), stdout);
  std::fflush(stdout);
}

double CpuSeconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

std::string ToJson(const Report& report) {
  std::ostringstream out;
  out << R"({"event":"report","seconds":)" << report.seconds << R"(,"sent":)" << report.sent << R"(,"slots":)"
      << report.slots << R"(,"receiving":)" << report.receiving << R"(,"delivered":)" << report.total.packets
      << R"(,"bytes":)" << report.total.bytes << R"(,"lost":)" << report.total.lost << R"(,"verified":)"
      << report.total.verified << R"(,"mismatched":)" << report.total.mismatched << R"(,"fewest":)" << report.fewest
      << R"(,"most":)" << report.most << R"(,"delay_p50_us":)" << report.delay_p50_us << R"(,"delay_p99_us":)"
      << report.delay_p99_us << R"(,"late_us":)" << report.late_us << R"(,"key_frames":)" << report.key_frames
      << R"(,"flooded":)" << report.flooded << R"(,"cpu_seconds":)" << CpuSeconds() << "}";
  return out.str();
}

FloodKind ParseFloodKind(const std::string& word) {
  if (word == "stun") return FloodKind::kStun;
  if (word == "srtp") return FloodKind::kSrtp;
  return word == "dtls" ? FloodKind::kDtls : FloodKind::kUnknown;
}

void ExecuteFlood(Load& load, std::istream& words) {
  std::string kind;
  std::uint32_t victim = 0;
  double packets_per_second = 0;
  std::size_t bytes = 0;
  words >> kind;
  if (kind == "off") {
    load.StopFlood();
    return;
  }
  words >> victim >> packets_per_second >> bytes;
  load.StartFlood(ParseFloodKind(kind), victim, packets_per_second, bytes);
}

SourceOptions ParseSource(std::istream& words) {
  SourceOptions options;
  std::string kind;
  unsigned payload_type = 0;
  unsigned mid_id = 0;
  unsigned transport_cc_id = 0;
  unsigned audio_level_id = 0;
  words >> kind >> options.ssrc >> payload_type >> options.mid >> mid_id >> transport_cc_id >> audio_level_id;
  options.kind = ParseKind(kind);
  options.payload_type = static_cast<std::uint8_t>(payload_type);
  options.mid_id = static_cast<std::uint8_t>(mid_id);
  options.transport_cc_id = static_cast<std::uint8_t>(transport_cc_id);
  options.audio_level_id = static_cast<std::uint8_t>(audio_level_id);
  return options;
}

void Execute(Load& load, const std::string& line) {
  std::istringstream words(line);
  std::string verb;
  std::uint32_t id = 0;
  words >> verb;
  if (verb == "peer") {
    std::string ufrag;
    std::string pwd;
    words >> id >> ufrag >> pwd;
    const std::string fingerprint = load.AddPeer(id, ufrag, pwd);
    Answer(R"({"event":"peer","peer":)" + std::to_string(id) + R"(,"fingerprint":")" + fingerprint + "\"}");
  } else if (verb == "source") {
    words >> id;
    load.AddSource(id, ParseSource(words));
  } else if (verb == "slot") {
    std::string kind;
    std::uint32_t ssrc = 0;
    words >> id >> kind >> ssrc;
    load.AddSlot(id, ParseKind(kind), ssrc);
  } else if (verb == "feedback") {
    unsigned extension_id = 0;
    words >> id >> extension_id;
    load.GiveFeedback(id, static_cast<std::uint8_t>(extension_id));
  } else if (verb == "connect") {
    Remote remote;
    std::string profiles;
    words >> id >> remote.host >> remote.port >> remote.ufrag >> remote.pwd >> profiles >> remote.fingerprint;
    load.Connect(id, remote, profiles);
  } else if (verb == "drop") {
    std::string manner;
    words >> id >> manner;
    load.Drop(id, manner == "goodbye");
  } else if (verb == "stream") {
    Pace pace;
    std::string shape;
    words >> shape >> pace.packets_per_second >> pace.packet_bytes;
    pace.shape = shape == "even" ? Shape::kEven : Shape::kFrames;
    load.Stream(pace);
  } else if (verb == "flood") {
    ExecuteFlood(load, words);
  } else if (verb == "poll") {
    std::string state;
    words >> state;
    load.SetPolling(state == "on");
  } else if (verb == "stop") {
    load.Stop();
  } else if (verb == "reset") {
    load.Reset();
    Answer(R"({"event":"reset"})");
  } else if (verb == "report") {
    Answer(ToJson(load.MakeReport()));
  } else if (verb == "close") {
    load.Close();
    Answer(R"({"event":"closed"})");
  }
}

// Executes whole lines and keeps the rest. False at the end of the input.
bool ReadCommands(Load& load, std::string& pending) {
  std::array<char, 65536> chunk{};
  const ssize_t got = read(STDIN_FILENO, chunk.data(), chunk.size());
  if (got <= 0) return false;
  pending.append(chunk.data(), static_cast<std::size_t>(got));
  std::size_t begin = 0;
  for (std::size_t end = pending.find('\n'); end != std::string::npos; end = pending.find('\n', begin)) {
    Execute(load, pending.substr(begin, end - begin));
    begin = end + 1;
  }
  pending.erase(0, begin);
  return true;
}

int Run() {
  rlimit files{};
  if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
  }
  Load load;
  std::string pending;
  for (;;) {
    if (load.Wait(STDIN_FILENO) && !ReadCommands(load, pending)) return 0;
    for (const StateChange& change : load.TakeChanges()) {
      Answer(std::string(R"({"event":")") + (change.connected ? "connected" : "failed") + R"(","peer":)" +
             std::to_string(change.peer) + R"(,"profile":)" + std::to_string(change.profile) + "}");
    }
  }
}

}  // namespace
}  // namespace tertulia::load

int main() {
  try {
    return tertulia::load::Run();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "tertulia-load: %s\n", error.what());
    return 1;
  }
}
