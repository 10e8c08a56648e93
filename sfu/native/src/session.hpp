// One client's transport: ICE-lite, the SRTP keys, and the path its datagrams take. It knows nothing of rooms: what it
// decrypts is handed back to the caller, what the room's router wants sent comes in plain.
#pragma once

#include <array>
#include <bitset>
#include <memory>
#include <string>
#include <vector>

#include "crypto/srtp.hpp"
#include "events.hpp"
#include "ice/lite_agent.hpp"
#include "port.hpp"
#include "relay.hpp"
#include "token_bucket.hpp"

namespace tertulia {

// What a session needs of the worker that owns it.
class SessionHost {
 public:
  virtual ~SessionHost() = default;
  // The socket that a local address belongs to; null if there is none.
  virtual Port* PortFor(const Address& local) = 0;
  virtual EventQueue& events() = 0;
  virtual void RandomBytes(MutableBytes out) = 0;
  virtual RelayLinks& links() = 0;
  [[nodiscard]] virtual const ConsentTimes& consent() const = 0;
};

class Session : private LiteAgentOutput, private Sealer {
 public:
  Session(SessionHost& host, Handle handle, Handle room, IceCredentials local, IceCredentials remote, TimeUs now);
  ~Session() override;
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  [[nodiscard]] Handle handle() const { return handle_; }
  [[nodiscard]] Handle room() const { return room_; }
  [[nodiscard]] LiteAgent& ice() { return ice_; }
  [[nodiscard]] const event::SessionCounters& counters() const { return counters_; }

  // Is media sent to this address, and has it been heard from lately?
  [[nodiscard]] bool Holds(const IcePath& path) const;

  // True: authenticated; the path is this session's.
  bool ReceiveStun(const IcePath& path, Bytes datagram, TimeUs now);
  // A record from a path of this session: up to Python.
  void ReceiveDtls(Bytes datagram, TimeUs now);
  // Decrypts in place; empty if there are no keys yet or the packet is not authentic.
  MutableBytes ReceiveRtp(const IcePath& path, MutableBytes datagram, TimeUs now);
  MutableBytes ReceiveRtcp(const IcePath& path, MutableBytes datagram, TimeUs now);

  // The handshake is complete, so the path is proven. False: no such profile or wrong sizes.
  bool SetKeys(std::uint16_t profile, Bytes send_key, Bytes receive_key, TimeUs now);
  [[nodiscard]] bool has_keys() const { return sender_ != nullptr; }

  void SendDtls(Bytes datagram);
  void SendRtp(Bytes header, Bytes payload);
  void SendRtcp(Bytes packet);

  // This session has no client and stands for `origin` on another worker: RTCP goes there.
  void MirrorOf(const RelayTarget& origin) { origin_ = origin; }
  [[nodiscard]] bool mirrors() const { return origin_.mirror != 0; }
  // Packets with this payload type are audio: they leave first when the socket is full.
  void AddAudioPayloadType(std::uint8_t payload_type) { audio_.set(payload_type & 0x7F); }

 private:
  void SendStun(const IcePath& path, Bytes datagram) override;
  void OnIceState(IceState state) override;
  void OnPathChanged(const IcePath& path) override;

  std::size_t Seal(Bytes header, Bytes payload, MutableBytes out) override;
  void Prefetch(int step) const override {
    if (sender_ != nullptr) {
      sender_->Prefetch(step);
    }
  }

  void Consider();
  MutableBytes Opened(const IcePath& path, MutableBytes datagram, const SrtpResult& result, TimeUs now);

  // What every packet that is sent touches lies together.
  bool may_send_media_ = false;
  Port* port_ = nullptr;  // of the path in use
  std::unique_ptr<SrtpSender> sender_;
  std::bitset<128> audio_;
  Destination destination_;
  event::SessionCounters counters_;
  RelayTarget origin_;

  SessionHost& host_;
  Handle handle_;
  Handle room_;
  std::unique_ptr<SrtpReceiver> receiver_;
  DtlsQuota dtls_quota_;
  TokenBucket dtls_rate_;
  LiteAgent ice_;
};

}  // namespace tertulia
