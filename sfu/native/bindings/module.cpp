// The Python module sfu._core: commands in, events out. It translates and knows nothing. The worker's thread never
// touches Python; everything here runs on the caller's thread under the GIL, which also makes it the rings' one other
// end.
#include <nanobind/nanobind.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <cerrno>
#include <map>
#include <memory>
#include <string>
#include <system_error>
#include <tuple>

#include "event_tuples.hpp"
#include "handle_table.hpp"
#include "worker.hpp"

namespace nb = nanobind;
using nb::literals::operator""_a;

namespace tertulia::bindings {

namespace {

std::vector<std::uint8_t> ToVector(const nb::bytes& bytes) {
  const auto* data = static_cast<const std::uint8_t*>(bytes.data());
  return {data, data + bytes.size()};
}

Kind ToKind(const std::string& name) {
  if (name == "audio") {
    return Kind::kAudio;
  }
  if (name == "video") {
    return Kind::kVideo;
  }
  throw nb::value_error("kind is 'audio' or 'video'");
}

Codec ToCodec(const std::string& name) {
  static const std::map<std::string, Codec, std::less<>> kNames = {
      {"opus", Codec::kOpus}, {"red", Codec::kRed}, {"vp8", Codec::kVp8}, {"vp9", Codec::kVp9},
      {"h264", Codec::kH264}, {"av1", Codec::kAv1}, {"rtx", Codec::kRtx}};
  const auto found = kNames.find(name);
  return found == kNames.end() ? Codec::kOther : found->second;
}

ExtensionIds ToExtensions(const nb::dict& ids, bool two_byte) {
  static const std::map<std::string, Ext, std::less<>> kNames = {{"mid", Ext::kMid},
                                                                 {"rid", Ext::kRid},
                                                                 {"repaired-rid", Ext::kRepairedRid},
                                                                 {"audio-level", Ext::kAudioLevel},
                                                                 {"transport-cc", Ext::kTransportCc},
                                                                 {"abs-send-time", Ext::kAbsSendTime},
                                                                 {"orientation", Ext::kOrientation},
                                                                 {"abs-capture-time", Ext::kAbsCaptureTime},
                                                                 {"playout-delay", Ext::kPlayoutDelay},
                                                                 {"dependency-descriptor", Ext::kDependencyDescriptor}};
  ExtensionIds result;
  result.two_byte = two_byte;
  for (const auto& [key, value] : ids) {
    const auto found = kNames.find(nb::cast<std::string>(key));
    if (found == kNames.end()) {
      throw nb::value_error("no such header extension");
    }
    result.id[static_cast<std::size_t>(found->second)] = nb::cast<std::uint8_t>(value);
  }
  return result;
}

SendStamp ToStamp(const std::string& name) {
  if (name.empty()) {
    return SendStamp::kNone;
  }
  if (name == "transport-cc") {
    return SendStamp::kTransportCc;
  }
  if (name == "abs-send-time") {
    return SendStamp::kAbsSendTime;
  }
  throw nb::value_error("stamp is 'transport-cc', 'abs-send-time' or empty");
}

using ViewTuple = std::tuple<Handle, bool, std::uint32_t, std::uint8_t>;
using PayloadTuple = std::tuple<std::uint8_t, std::string, std::uint16_t, std::uint32_t, std::uint8_t>;

class PyWorker {
 public:
  PyWorker(std::uint16_t port, std::vector<std::string> bind, int socket_buffer, bool gso, std::size_t command_capacity,
           std::size_t event_capacity, double disconnected_after_s, double failed_after_s, std::uint32_t number)
      : number_(number), handles_((number << kGenerationBits) + 1) {
    WorkerOptions options;
    options.port = port;
    options.bind = std::move(bind);
    options.socket_buffer = socket_buffer;
    options.segmentation = gso;
    options.command_capacity = command_capacity;
    options.event_capacity = event_capacity;
    options.consent.disconnected_after_us = static_cast<TimeUs>(disconnected_after_s * 1e6);
    options.consent.failed_after_us = static_cast<TimeUs>(failed_after_s * 1e6);
    try {
      worker_ = std::make_unique<Worker>(options);
    } catch (const std::system_error& error) {
      errno = error.code().value();
      PyErr_SetFromErrno(PyExc_OSError);
      throw nb::python_error();
    }
  }

  [[nodiscard]] int port() const { return worker_->port(); }
  [[nodiscard]] int event_fd() { return worker_->queue().fd(); }
  void Start() { worker_->Start(); }
  void Close() {
    const nb::gil_scoped_release release;
    worker_->Stop();
  }

  nb::list Poll(std::size_t limit) {
    nb::list result;
    worker_->queue().Pop(limit, [&](Event event) {
      if (const auto* closed = std::get_if<event::Closed>(&event)) {
        handles_.Release(closed->handle);
      }
      result.append(ToTuple(event));
    });
    return result;
  }

  Handle CreateRoom() {
    return Make([](Handle handle) { return command::CreateRoom{handle}; });
  }
  void CloseRoom(Handle room) { Submit(command::CloseRoom{room}); }

  Handle CreateSession(Handle room, const std::string& local_ufrag, const std::string& local_pwd,
                       const std::string& remote_ufrag, const std::string& remote_pwd) {
    return Make([&](Handle handle) {
      return command::CreateSession{handle, room, {local_ufrag, local_pwd}, {remote_ufrag, remote_pwd}};
    });
  }
  void RestartIce(Handle session, const std::string& local_ufrag, const std::string& local_pwd,
                  const std::string& remote_ufrag, const std::string& remote_pwd) {
    Submit(command::RestartIce{session, {local_ufrag, local_pwd}, {remote_ufrag, remote_pwd}});
  }
  void ConfigureMedia(Handle session, const nb::dict& extensions, bool two_byte, bool transport_cc, bool remb) {
    Submit(command::ConfigureMedia{session, {ToExtensions(extensions, two_byte), transport_cc, remb}});
  }
  void SetSrtpKeys(Handle session, std::uint16_t profile, const nb::bytes& send_key, const nb::bytes& receive_key) {
    Submit(command::SetSrtpKeys{session, profile, ToVector(send_key), ToVector(receive_key)});
  }
  void SendDtls(Handle session, const nb::bytes& datagram) { Submit(command::SendDtls{session, ToVector(datagram)}); }
  void CloseSession(Handle session) { Submit(command::CloseSession{session}); }

  Handle AddSource(Handle session, std::uint32_t csrc, std::string mid, const std::string& kind,
                   std::vector<std::string> rids, std::vector<std::uint32_t> ssrcs,
                   std::vector<std::pair<std::uint32_t, std::uint32_t>> rtx_ssrcs,
                   const std::vector<PayloadTuple>& payloads, bool nack) {
    SourceConfig config;
    config.csrc = csrc;
    config.mid = std::move(mid);
    config.kind = ToKind(kind);
    config.rids = std::move(rids);
    config.ssrcs = std::move(ssrcs);
    config.rtx_ssrcs = std::move(rtx_ssrcs);
    config.nack = nack;
    for (const auto& [pt, codec, format, clock_rate, apt] : payloads) {
      config.payloads.push_back({pt, ToCodec(codec), format, clock_rate, apt});
    }
    return Make([&](Handle handle) {
      config.source = handle;
      return command::AddSource{session, std::move(config)};
    });
  }
  void RemoveSource(Handle source) { Submit(command::RemoveSource{source}); }
  void PauseSource(Handle source, bool paused) { Submit(command::PauseSource{source, paused}); }

  Handle AddSlot(Handle session, std::string mid, const std::string& kind, std::uint32_t ssrc, std::uint32_t rtx_ssrc,
                 std::string cname, std::vector<std::pair<std::uint16_t, std::uint8_t>> payloads,
                 std::vector<std::pair<std::uint8_t, std::uint8_t>> rtx_payloads, const std::string& stamp) {
    SlotConfig config;
    config.session = session;
    config.mid = std::move(mid);
    config.kind = ToKind(kind);
    config.ssrc = ssrc;
    config.rtx_ssrc = rtx_ssrc;
    config.cname = std::move(cname);
    config.payloads = std::move(payloads);
    config.rtx_payloads = std::move(rtx_payloads);
    config.stamp = ToStamp(stamp);
    return Make([&](Handle handle) {
      config.slot = handle;
      return command::AddSlot{std::move(config)};
    });
  }
  void RemoveSlot(Handle slot) { Submit(command::RemoveSlot{slot}); }
  void SetSlots(const std::vector<ViewTuple>& views, std::vector<std::pair<Handle, Handle>> sources) {
    command::SetSlots command;
    command.views.reserve(views.size());
    for (const auto& [slot, visible, max_pixels, priority] : views) {
      command.views.emplace_back(slot, SlotView{visible, max_pixels, priority});
    }
    command.sources = std::move(sources);
    Submit(std::move(command));
  }

  // Both ways between two workers, once.
  void Link(PyWorker& other) {
    Connect(*this, other);
    Connect(other, *this);
  }
  void Relay(Handle session, const PyWorker& other, Handle mirror) {
    Submit(command::Relay{session, {other.number_, mirror}});
  }
  void Mirror(Handle session, const PyWorker& other, Handle origin) {
    Submit(command::Mirror{session, {other.number_, origin}});
  }

  void RequestStats() { Submit(command::RequestStats{}); }

 private:
  static constexpr unsigned kGenerationBits = 24;  // of one worker: its handles are unlike all others'

  static void Connect(PyWorker& from, PyWorker& to) {
    auto ring = std::make_shared<RelayRing>(RelayLinks::kCapacity);
    to.Submit(command::LinkFrom{ring});
    from.Submit(command::LinkTo{to.number_, std::move(ring)});
  }

  void Submit(Command&& command) {
    if (!worker_->Submit(std::move(command))) {
      throw nb::buffer_error("the worker's command ring is full");
    }
  }

  // A handle lives from here until the worker's "closed".
  template <typename Build>
  Handle Make(Build build) {
    const Handle handle = handles_.Make();
    if (!worker_->Submit(Command(build(handle)))) {
      handles_.Release(handle);
      throw nb::buffer_error("the worker's command ring is full");
    }
    return handle;
  }

  std::uint32_t number_;
  std::unique_ptr<Worker> worker_;
  HandleAllocator handles_;
};

}  // namespace

}  // namespace tertulia::bindings

NB_MODULE(_core, m) {  // NOLINT(performance-unnecessary-value-param): the macro declares it
  using tertulia::bindings::PyWorker;
  m.doc() = "The native media worker. Used by sfu.core alone; described in sfu/_core.pyi.";
  nb::class_<PyWorker>(m, "Worker")
      .def(nb::init<std::uint16_t, std::vector<std::string>, int, bool, std::size_t, std::size_t, double, double,
                    std::uint32_t>(),
           "port"_a, "bind"_a, "socket_buffer"_a, "gso"_a, nb::kw_only(), "command_capacity"_a = 8192,
           "event_capacity"_a = 4096, "disconnected_after"_a = 5.0, "failed_after"_a = 15.0, "number"_a = 0)
      .def_prop_ro("port", &PyWorker::port)
      .def_prop_ro("event_fd", &PyWorker::event_fd)
      .def("start", &PyWorker::Start)
      .def("close", &PyWorker::Close)
      .def("poll", &PyWorker::Poll, "limit"_a)
      .def("create_room", &PyWorker::CreateRoom)
      .def("close_room", &PyWorker::CloseRoom, "room"_a)
      .def("create_session", &PyWorker::CreateSession, "room"_a, "local_ufrag"_a, "local_pwd"_a, "remote_ufrag"_a,
           "remote_pwd"_a)
      .def("restart_ice", &PyWorker::RestartIce, "session"_a, "local_ufrag"_a, "local_pwd"_a, "remote_ufrag"_a,
           "remote_pwd"_a)
      .def("configure_media", &PyWorker::ConfigureMedia, "session"_a, "extensions"_a, "two_byte"_a, "transport_cc"_a,
           "remb"_a)
      .def("set_srtp_keys", &PyWorker::SetSrtpKeys, "session"_a, "profile"_a, "send_key"_a, "receive_key"_a)
      .def("send_dtls", &PyWorker::SendDtls, "session"_a, "datagram"_a)
      .def("close_session", &PyWorker::CloseSession, "session"_a)
      .def("add_source", &PyWorker::AddSource, "session"_a, "csrc"_a, "mid"_a, "kind"_a, "rids"_a, "ssrcs"_a,
           "rtx_ssrcs"_a, "payloads"_a, "nack"_a)
      .def("remove_source", &PyWorker::RemoveSource, "source"_a)
      .def("pause_source", &PyWorker::PauseSource, "source"_a, "paused"_a)
      .def("add_slot", &PyWorker::AddSlot, "session"_a, "mid"_a, "kind"_a, "ssrc"_a, "rtx_ssrc"_a, "cname"_a,
           "payloads"_a, "rtx_payloads"_a, "stamp"_a)
      .def("remove_slot", &PyWorker::RemoveSlot, "slot"_a)
      .def("set_slots", &PyWorker::SetSlots, "views"_a, "sources"_a)
      .def("link", &PyWorker::Link, "other"_a)
      .def("relay", &PyWorker::Relay, "session"_a, "other"_a, "mirror"_a)
      .def("mirror", &PyWorker::Mirror, "session"_a, "other"_a, "origin"_a)
      .def("request_stats", &PyWorker::RequestStats);
}
