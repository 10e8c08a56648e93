// The smallest call: one publisher with camera and microphone, one viewer with a slot for each.
#pragma once

#include "emulator/network.hpp"
#include "emulator/publisher_model.hpp"
#include "emulator/viewer_model.hpp"

namespace tertulia::test {

// Of the tests: between publisher and viewer, and when a call has begun.
inline constexpr TimeUs kRoundTrip = 60 * kMillisecond;
inline constexpr TimeUs kBegin = Network::kStart + kSecond;

struct CallOptions {
  std::uint64_t seed = 1;
  PublisherOptions publisher;
  ViewerOptions viewer;
  LinkConfig publisher_up, publisher_down, viewer_up, viewer_down;
};

// A round trip of `round_trip_us` between publisher and viewer, `loss` on every link.
inline CallOptions LossyCall(std::uint64_t seed, double loss, TimeUs round_trip_us) {
  CallOptions options;
  options.seed = seed;
  options.publisher.encodings = {SingleEncoding()};
  options.publisher.audio_ssrc = 0x2000;
  LinkConfig link;
  link.loss = loss;
  link.delay_us = round_trip_us / 4;
  options.publisher_up = options.publisher_down = options.viewer_up = options.viewer_down = link;
  return options;
}

class Call {
 public:
  static constexpr Handle kPublisher = 1, kViewer = 2, kCamera = 10, kMicrophone = 11, kVideoSlot = 20, kAudioSlot = 21;
  static constexpr std::uint32_t kVideoSsrc = 0x5000, kVideoRtxSsrc = 0x5001, kAudioSsrc = 0x6000;

  explicit Call(const CallOptions& options)
      : publisher(options.publisher), viewer(options.viewer), network(options.seed) {
    network.Join(kPublisher, PublisherMedia(), publisher, options.publisher_up, options.publisher_down);
    network.Join(kViewer, ViewerMedia(), viewer, options.viewer_up, options.viewer_down);
    Router& router = network.router();
    router.AddSource(kPublisher, publisher.VideoSource(kCamera, 100));
    router.AddSource(kPublisher, publisher.AudioSource(kMicrophone, 101));
    router.AddSlot(viewer.AddSlot(kViewer, kVideoSlot, Kind::kVideo, kVideoSsrc, kVideoRtxSsrc));
    router.AddSlot(viewer.AddSlot(kViewer, kAudioSlot, Kind::kAudio, kAudioSsrc));
    router.SetSlot(kVideoSlot, kCamera, network.now());
    router.SetSlot(kAudioSlot, kMicrophone, network.now());
  }

  [[nodiscard]] const SlotModel& video() const { return viewer.slot(kVideoSsrc); }
  [[nodiscard]] const SlotModel& audio() const { return viewer.slot(kAudioSsrc); }

  PublisherModel publisher;
  ViewerModel viewer;
  Network network;
};

}  // namespace tertulia::test
