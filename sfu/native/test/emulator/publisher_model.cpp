#include "emulator/publisher_model.hpp"

#include <algorithm>
#include <array>

#include "emulator/content.hpp"
#include "recv/clock_map.hpp"

namespace tertulia::test {
namespace {

constexpr std::size_t kAudioBytes = 80;  // 32 kbit/s
constexpr std::size_t kKeyFrameFactor = 4;
constexpr std::uint8_t kVoice = 0x80 | 30;

}  // namespace

EncodingOptions SingleEncoding() {
  EncodingOptions encoding;
  encoding.ssrc = 0x1000;
  encoding.rtx_ssrc = 0x1001;
  return encoding;
}

void PublisherModel::Start() {
  for (const EncodingOptions& options : options_.encodings) {
    Stream stream;
    stream.options = options;
    // Near the turn of the number, unalike.
    stream.sequence = static_cast<std::uint16_t>(65'000 + options.ssrc % 97);
    stream.timestamp_base = options.ssrc * 2'654'435'761U;
    stream.picture_id = static_cast<std::uint16_t>(32'000 + options.ssrc % 89);
    streams_.push_back(stream);
  }
  video_us_ = has_video() ? Network::kStart : kNever;
  if (has_audio()) {
    Stream stream;
    stream.options.ssrc = options_.audio_ssrc;
    stream.sequence = 65'300;
    streams_.push_back(stream);
    audio_us_ = Network::kStart;
  }
}

SourceConfig PublisherModel::VideoSource(Handle source, std::uint32_t csrc) const {
  SourceConfig config;
  config.source = source;
  config.csrc = csrc;
  config.mid = options_.video_mid;
  config.kind = Kind::kVideo;
  for (const EncodingOptions& encoding : options_.encodings) {
    if (!encoding.rid.empty()) {
      config.rids.push_back(encoding.rid);
    } else {
      config.ssrcs.push_back(encoding.ssrc);
      if (encoding.rtx_ssrc != 0) {
        config.rtx_ssrcs.emplace_back(encoding.ssrc, encoding.rtx_ssrc);
      }
    }
  }
  config.nack = options_.nack;
  config.payloads = {{kVp8, Codec::kVp8, kVp8Format, 90'000, 0}, {kRtx, Codec::kRtx, 0, 90'000, kVp8}};
  return config;
}

SourceConfig PublisherModel::AudioSource(Handle source, std::uint32_t csrc) const {
  SourceConfig config;
  config.source = source;
  config.csrc = csrc;
  config.mid = options_.audio_mid;
  config.kind = Kind::kAudio;
  config.nack = options_.nack;
  config.payloads = {{kRed, Codec::kRed, kRedFormat, 48'000, 0}, {kOpus, Codec::kOpus, kOpusFormat, 48'000, 0}};
  return config;
}

TimeUs PublisherModel::next_us() const { return std::min({video_us_, audio_us_, report_us_}); }

void PublisherModel::Advance(TimeUs now) {
  if (video_us_ <= now) {
    SendVideo(now);
    video_us_ = Network::kStart + static_cast<TimeUs>(video_frames_.size()) * kSecond / options_.frame_rate;
  }
  if (audio_us_ <= now) {
    SendAudio(now);
    audio_us_ += kAudioFrameUs;
  }
  if (report_us_ <= now) {
    SendReports(now);
    report_us_ += kSecond;
  }
}

void PublisherModel::SendVideo(TimeUs now) {
  const auto frame = static_cast<std::uint32_t>(video_frames_.size());
  video_frames_.push_back(now);
  const bool key_frame = key_frame_wanted_ && (frame == 0 || now - key_frame_us_ >= kKeyFrameSpacingUs);
  if (key_frame) {
    key_frame_wanted_ = false;
    key_frame_us_ = now;
    ++counters_.key_frames;
  }
  for (std::size_t layer = 0; layer < options_.encodings.size(); ++layer) {
    Stream& stream = streams_[layer];
    ++stream.picture_id;
    ++stream.tl0_index;
    stream.key_index = static_cast<std::uint8_t>(stream.key_index + (key_frame ? 1 : 0));
    stream.timestamp = stream.timestamp_base + static_cast<std::uint32_t>(now * 9 / 100);
    const std::size_t average = stream.options.bitrate_bps / 8 / static_cast<std::size_t>(options_.frame_rate);
    const std::size_t bytes = key_frame ? kKeyFrameFactor * average : average;
    const std::size_t count = std::max<std::size_t>(1, (bytes + options_.packet_bytes - 1) / options_.packet_bytes);
    for (std::size_t i = 0; i < count; ++i) {
      PacketSpec packet;
      packet.payload_type = kVp8;
      packet.marker = i + 1 == count;
      if (!stream.acknowledged) {
        packet.mid = options_.video_mid;
        packet.rid = stream.options.rid;
      }
      Vp8Spec vp8;
      vp8.picture_id = stream.picture_id & 0x7FFF;
      vp8.tl0_index = stream.tl0_index;
      vp8.key_index = stream.key_index;
      vp8.start = i == 0;
      vp8.key_frame = key_frame;
      vp8.width = stream.options.width;
      vp8.height = stream.options.height;
      packet.payload = Vp8Payload(vp8);
      const ContentTag tag{frame, static_cast<std::uint16_t>(i), static_cast<std::uint16_t>(count)};
      AppendContent(packet.payload, tag, bytes / count);
      Send(stream, std::move(packet));
    }
  }
}

void PublisherModel::SendAudio(TimeUs now) {
  const auto frame = static_cast<std::uint32_t>(audio_frames_.size());
  audio_frames_.push_back(now);
  Stream& stream = streams_.back();
  stream.timestamp = stream.timestamp_base + static_cast<std::uint32_t>(now * 48 / 1'000);
  PacketSpec packet;
  packet.payload_type = kOpus;
  packet.level = kVoice;
  if (!stream.acknowledged) {
    packet.mid = options_.audio_mid;
  }
  AppendContent(packet.payload, {frame, 0, 1}, kAudioBytes);
  if (options_.redundancy > 0) {
    packet.payload_type = kRed;
    packet.payload = Redundant(packet.payload);
  }
  Send(stream, std::move(packet));
}

// RFC 2198, section 3: the headers of the earlier payloads, that of this one, then all payloads, the oldest first.
std::vector<std::uint8_t> PublisherModel::Redundant(const std::vector<std::uint8_t>& primary) {
  std::vector<std::uint8_t> bytes;
  for (std::size_t i = 0; i < sound_.size(); ++i) {
    const std::size_t offset = (sound_.size() - i) * 960;
    const std::size_t size = sound_[i].size();
    bytes.push_back(0x80 | kOpus);
    bytes.push_back(static_cast<std::uint8_t>(offset >> 6));
    bytes.push_back(static_cast<std::uint8_t>(offset << 2 | size >> 8));
    bytes.push_back(static_cast<std::uint8_t>(size));
  }
  bytes.push_back(kOpus);
  for (const auto& earlier : sound_) {
    bytes.insert(bytes.end(), earlier.begin(), earlier.end());
  }
  bytes.insert(bytes.end(), primary.begin(), primary.end());
  sound_.push_back(primary);
  if (sound_.size() > options_.redundancy) {
    sound_.pop_front();
  }
  return bytes;
}

void PublisherModel::Send(Stream& stream, PacketSpec packet) {
  packet.ssrc = stream.options.ssrc;
  packet.sequence = stream.sequence++;
  packet.timestamp = stream.timestamp;
  ++stream.packets;
  stream.octets += static_cast<std::uint32_t>(packet.payload.size());
  stream.history.push_back(packet);
  if (stream.history.size() > kHistory) {
    stream.history.pop_front();
  }
  ++counters_.packets;
  Emit(std::move(packet));
}

// RFC 4588, section 4: the original sequence number goes before the original payload.
void PublisherModel::Resend(Stream& stream, std::uint16_t sequence) {
  ++counters_.nacked;
  const auto found = std::find_if(stream.history.begin(), stream.history.end(),
                                  [&](const PacketSpec& packet) { return packet.sequence == sequence; });
  if (found == stream.history.end()) {
    return;
  }
  ++counters_.resent;
  PacketSpec packet = *found;
  packet.mid.clear();
  packet.rid.clear();
  if (stream.options.rtx_ssrc != 0) {
    packet.ssrc = stream.options.rtx_ssrc;
    packet.payload_type = kRtx;
    packet.sequence = stream.rtx_sequence++;
    packet.payload.insert(packet.payload.begin(),
                          {static_cast<std::uint8_t>(sequence >> 8), static_cast<std::uint8_t>(sequence)});
    if (!stream.rtx_acknowledged) {
      packet.mid = options_.video_mid;
      packet.repaired_rid = stream.options.rid;
    }
  }
  Emit(std::move(packet));
}

void PublisherModel::Emit(PacketSpec packet) {
  packet.transport_sequence = transport_sequence_++;
  out.push_back(Build(packet));
}

void PublisherModel::SendReports(TimeUs now) {
  std::array<std::uint8_t, 1'200> buffer{};
  rtcp::Writer writer(buffer);
  for (const Stream& stream : streams_) {
    const std::uint64_t rate = IsAudio(stream) ? 48 : 90;
    rtcp::SenderInfo info;
    info.ssrc = stream.options.ssrc;
    info.ntp = WallNtp(now);
    info.rtp_timestamp =
        stream.timestamp_base + static_cast<std::uint32_t>(static_cast<std::uint64_t>(now) * rate / 1'000);
    info.packets = stream.packets;
    info.octets = stream.octets;
    writer.AddSenderReport(info);
    writer.AddSdesCname(info.ssrc, "publisher");
  }
  out.emplace_back(writer.written().begin(), writer.written().end());
}

PublisherModel::Stream* PublisherModel::FindStream(std::uint32_t ssrc) {
  const auto found =
      std::find_if(streams_.begin(), streams_.end(), [&](const Stream& stream) { return stream.options.ssrc == ssrc; });
  return found == streams_.end() ? nullptr : &*found;
}

void PublisherModel::Receive(Bytes datagram, TimeUs /*now*/) {
  rtcp::CompoundReader reader(datagram);
  rtcp::Packet packet;
  while (reader.Next(packet)) {
    if (const auto report = rtcp::ParseReceiverReport(packet)) {
      for (std::size_t i = 0; i < report->reports.size(); ++i) {
        if (Stream* stream = FindStream(report->reports[i].ssrc)) {
          stream->acknowledged = true;
          if (IsAudio(*stream)) {
            reported_audio_loss_ = report->reports[i].fraction_lost;
          }
        }
      }
    } else if (rtcp::ParsePli(packet)) {
      key_frame_wanted_ = true;
      ++counters_.key_frame_requests;
    } else if (const auto nack = rtcp::ParseNack(packet)) {
      if (Stream* stream = FindStream(nack->media_ssrc)) {
        nack->ForEach([&](std::uint16_t sequence) { Resend(*stream, sequence); });
      }
    }
  }
}

}  // namespace tertulia::test
