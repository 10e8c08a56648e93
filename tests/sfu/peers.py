"""Peers for end-to-end tests: aiortc publishers and viewers whose pictures and tones prove who they are.

A publisher paints the whole picture in its own colour, with a bar that moves, and hums its own tone. A viewer decodes
and measures. Nothing is mocked: the other end is the real server over real UDP.
"""

from __future__ import annotations

import asyncio
import fractions
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import numpy as np
from aiortc import (
    AudioStreamTrack,
    MediaStreamTrack,
    RTCBundlePolicy,
    RTCConfiguration,
    RTCDataChannel,
    RTCPeerConnection,
    RTCSessionDescription,
    VideoStreamTrack,
)
from aiortc.mediastreams import MediaStreamError
from av import AudioFrame, VideoFrame

from sfu.attendance import Channel, MediaStateName
from tertulia.catalogue import Layers, Quality, Slots, Speakers, Track

WIDTH, HEIGHT, RATE = 320, 180, 15
COLOURS = {"red": (200, 40, 40), "green": (40, 200, 40), "blue": (40, 40, 200), "white": (220, 220, 220)}


async def until(condition: Callable[[], bool], limit: float = 20.0) -> None:
    """Wait until the condition holds; the test fails after ``limit`` seconds."""
    async with asyncio.timeout(limit):
        while not condition():  # noqa: ASYNC110 - any condition of any peer, not one event
            await asyncio.sleep(0.01)


@dataclass
class Heard:
    """A SessionListener that remembers what it was told."""

    frames: list[tuple[str, bytes]] = field(default_factory=list)
    channels: dict[str, bool] = field(default_factory=dict)
    states: list[tuple[str, str | None]] = field(default_factory=list)
    slots: list[Slots] = field(default_factory=list)
    speakers: list[Speakers] = field(default_factory=list)
    tracks: list[list[Track]] = field(default_factory=list)
    qualities: list[Quality] = field(default_factory=list)
    layers: list[Layers] = field(default_factory=list)

    def on_frame(self, channel: Channel, data: bytes) -> None:
        self.frames.append((channel, data))

    def on_channel(self, channel: Channel, is_open: bool, /) -> None:
        self.channels[channel] = is_open

    def on_state(self, state: MediaStateName, reason: str | None) -> None:
        self.states.append((state, reason))

    def on_slots(self, slots: Slots) -> None:
        self.slots.append(slots)

    def on_speakers(self, speakers: Speakers) -> None:
        self.speakers.append(speakers)

    def on_tracks(self, tracks: list[Track]) -> None:
        self.tracks.append(tracks)

    def on_layers(self, layers: Layers) -> None:
        self.layers.append(layers)

    def on_quality(self, quality: Quality) -> None:
        self.qualities.append(quality)

    @property
    def state(self) -> str | None:
        return self.states[-1][0] if self.states else None


class Painter(VideoStreamTrack):
    """A picture in one colour with a moving bar, 15 a second."""

    def __init__(self, colour: str) -> None:
        super().__init__()
        self._colour = np.array(COLOURS[colour], dtype=np.uint8)
        self._count = 0
        self._begun = time.monotonic()

    async def recv(self) -> VideoFrame:
        await asyncio.sleep(max(0.0, self._begun + self._count / RATE - time.monotonic()))
        picture = np.empty((HEIGHT, WIDTH, 3), dtype=np.uint8)
        picture[:] = self._colour
        left = self._count * 8 % (WIDTH - 16)
        picture[HEIGHT - 20 :, left : left + 16] = 0
        frame = VideoFrame.from_ndarray(picture, format="rgb24")
        frame.pts, frame.time_base = self._count * (90_000 // RATE), fractions.Fraction(1, 90_000)
        self._count += 1
        return frame


class Hummer(AudioStreamTrack):
    """A tone."""

    def __init__(self, frequency: float) -> None:
        super().__init__()
        self._frequency = frequency
        self._samples = 0
        self._begun = time.monotonic()

    async def recv(self) -> AudioFrame:
        await asyncio.sleep(max(0.0, self._begun + self._samples / 48_000 - time.monotonic()))
        t = (np.arange(960) + self._samples) / 48_000
        wave = (np.sin(2 * np.pi * self._frequency * t) * 8_000).astype(np.int16)
        frame = AudioFrame.from_ndarray(wave.reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = 48_000, self._samples, fractions.Fraction(1, 48_000)
        self._samples += 960
        return frame


class Watcher:
    """Decodes one remote track and keeps what it saw or heard last."""

    def __init__(self, track: MediaStreamTrack) -> None:
        self.track = track
        self.count = 0
        self.colours: list[str] = []
        self._sound = np.zeros(0, dtype=np.float64)
        self._task = asyncio.ensure_future(self._run())

    async def _run(self) -> None:
        try:
            while True:
                frame = await self.track.recv()
                self.count += 1
                if isinstance(frame, VideoFrame):
                    self.colours.append(name_of(frame))
                elif isinstance(frame, AudioFrame):
                    samples = frame.to_ndarray().reshape(-1, len(frame.layout.channels))[:, 0].astype(np.float64)
                    self._sound = np.concatenate([self._sound, samples])[-24_000:]
        except MediaStreamError:
            return

    @property
    def colour(self) -> str | None:
        return self.colours[-1] if self.colours else None

    @property
    def tone(self) -> float:
        """The strongest frequency of the last half second; 0 for silence or too little sound."""
        if len(self._sound) < 24_000 or np.abs(self._sound).max() < 500:
            return 0.0
        spectrum = np.abs(np.fft.rfft(self._sound * np.hanning(len(self._sound))))
        return float(np.argmax(spectrum) * 48_000 / len(self._sound))

    def hums(self, frequency: float) -> bool:
        return abs(self.tone - frequency) < 15

    async def stop(self) -> None:
        self._task.cancel()
        await asyncio.wait([self._task])


def name_of(frame: VideoFrame) -> str:
    """Which of the colours the picture has."""
    picture = frame.to_ndarray(format="rgb24")
    mean = picture[: picture.shape[0] // 2].reshape(-1, 3).mean(axis=0)
    return min(COLOURS, key=lambda name: float(np.abs(mean - np.array(COLOURS[name])).sum()))


Exchange = Callable[[str], Awaitable[str]]
"""Takes an offer somewhere and brings the answer."""


class Peer:
    """One RTCPeerConnection with what it sends and sees."""

    def __init__(self, configuration: RTCConfiguration | None = None) -> None:
        # With its default policy aiortc loses all but the first section of a kind.
        self.pc = RTCPeerConnection(configuration or RTCConfiguration(bundlePolicy=RTCBundlePolicy.MAX_BUNDLE))
        self.watchers: dict[str, Watcher] = {}  # by MID
        self.messages: dict[str, list[str | bytes]] = {"control": [], "chat": []}
        self.channels: dict[str, RTCDataChannel] = {}
        self.offers = 0
        self.pc.on("track", self._on_track)

    def _on_track(self, track: MediaStreamTrack) -> None:
        transceiver = next(item for item in self.pc.getTransceivers() if item.receiver.track is track)
        assert transceiver.mid is not None
        self.watchers[transceiver.mid] = Watcher(track)

    def publish(self, colour: str | None = None, frequency: float | None = None) -> None:
        """Send a picture and a tone."""
        if frequency is not None:
            self.pc.addTransceiver(Hummer(frequency), direction="sendonly")
        if colour is not None:
            self.pc.addTransceiver(Painter(colour), direction="sendonly")

    def receive(self, *kinds: str) -> None:
        for kind in kinds:
            self.pc.addTransceiver(kind, direction="recvonly")

    def open_channels(self) -> None:
        for number, label in enumerate(("control", "chat")):
            channel = self.pc.createDataChannel(label, negotiated=True, id=number)
            channel.on("message", self.messages[label].append)
            self.channels[label] = channel

    async def connect(self, exchange: Exchange) -> None:
        """Offer, answer, and wait until connected."""
        await self.pc.setLocalDescription(await self.pc.createOffer())
        self.offers += 1
        answer = await exchange(self.pc.localDescription.sdp)
        await self.pc.setRemoteDescription(RTCSessionDescription(answer, "answer"))
        await until(lambda: self.pc.connectionState == "connected")

    def video(self, index: int = 0) -> Watcher:
        return [watcher for watcher in self.watchers.values() if watcher.track.kind == "video"][index]

    def audio(self, index: int = 0) -> Watcher:
        return [watcher for watcher in self.watchers.values() if watcher.track.kind == "audio"][index]

    async def close(self) -> None:
        for watcher in self.watchers.values():
            await watcher.stop()
        await self.pc.close()
