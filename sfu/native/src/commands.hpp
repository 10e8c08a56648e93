// What Python tells a worker. Commands travel through a bounded ring, are applied in order and are never answered;
// whatever they name may be gone by then, and then they do nothing.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "ice/lite_agent.hpp"
#include "relay.hpp"
#include "signalled_ring.hpp"
#include "tertulia/types.hpp"

namespace tertulia::command {

struct Nothing {};

struct CreateRoom {
  Handle room = 0;
};

struct CloseRoom {
  Handle room = 0;
};

struct CreateSession {
  Handle session = 0;
  Handle room = 0;
  IceCredentials local;
  IceCredentials remote;
};

struct RestartIce {
  Handle session = 0;
  IceCredentials local;
  IceCredentials remote;
};

struct ConfigureMedia {
  Handle session = 0;
  MediaConfig media;
};

// Exported keys (RFC 5764, 4.2), each key || salt. The DTLS handshake is complete: the current path is proven.
struct SetSrtpKeys {
  Handle session = 0;
  std::uint16_t profile = 0;
  std::vector<std::uint8_t> send_key;
  std::vector<std::uint8_t> receive_key;
};

struct SendDtls {
  Handle session = 0;
  std::vector<std::uint8_t> datagram;
};

struct CloseSession {
  Handle session = 0;
};

struct AddSource {
  Handle session = 0;
  SourceConfig config;
};

struct RemoveSource {
  Handle source = 0;
};

struct PauseSource {
  Handle source = 0;
  bool paused = false;
};

struct AddSlot {
  SlotConfig config;
};

struct RemoveSlot {
  Handle slot = 0;
};

// What is wanted of slots, and then the sources that they show, all in one go: a change in a large room concerns
// hundreds of viewers, and waking the worker for each would cost more than all the rest.
struct SetSlots {
  std::vector<std::pair<Handle, SlotView>> views;
  std::vector<std::pair<Handle, Handle>> sources;
};

// The way to another worker, and the way from one.
struct LinkTo {
  std::uint32_t worker = 0;
  std::shared_ptr<RelayRing> ring;
};

struct LinkFrom {
  std::shared_ptr<RelayRing> ring;
};

// Packets of this session go to its mirror on another worker too (0: no longer).
struct Relay {
  Handle session = 0;
  RelayTarget target;
};

// This session has no client: it stands for `origin`, a session of another worker, whose packets come over a relay.
struct Mirror {
  Handle session = 0;
  RelayTarget origin;
};

struct RequestStats {};

}  // namespace tertulia::command

namespace tertulia {

using Command = std::variant<command::Nothing, command::CreateRoom, command::CloseRoom, command::CreateSession,
                             command::RestartIce, command::ConfigureMedia, command::SetSrtpKeys, command::SendDtls,
                             command::CloseSession, command::AddSource, command::RemoveSource, command::PauseSource,
                             command::AddSlot, command::RemoveSlot, command::SetSlots, command::LinkTo,
                             command::LinkFrom, command::Relay, command::Mirror, command::RequestStats>;

using CommandRing = SignalledRing<Command>;

}  // namespace tertulia
