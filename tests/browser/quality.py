"""From what a page saw (``meter.js``) to figures: frame rate, height, freezes, concealment, layers, bit rate. Pure."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

FREEZE_MIN_MS = 150.0
"""A gap is a freeze if it exceeds three usual intervals, and a usual one plus this (as webrtc-stats, freezeCount)."""


@dataclass(frozen=True, slots=True)
class Picture:
    """One remote camera as a page presented it."""

    participant: str
    frames: int
    fps: float
    height: int
    """The median of all presented frames."""
    heights: tuple[tuple[float, int], ...]
    """(ms, height) of the first frame and of each change."""
    frozen_share: float
    longest_gap_ms: float
    repeated: int
    """Frames that spell the same number as the one before."""
    unreadable: int


@dataclass(frozen=True, slots=True)
class Quality:
    """One page's stretch of a call."""

    seconds: float
    pictures: tuple[Picture, ...]
    concealed_share: float
    browser_frozen_share: float
    """What the browser itself calls frozen, of its worst video stream."""
    video: dict[str, float]
    audio: dict[str, float]
    samples: tuple[tuple[float, float], ...]
    """(ms, bytes received so far)."""
    limited: dict[str, float]
    """Seconds that this page's encoders were held back, by reason, summed over its layers."""
    camera_fps: float
    """Frames a second that this page's own camera gave ..."""
    encoded_fps: float
    """... and that its best layer had: the other page can show no more."""

    @property
    def decoded_fps(self) -> float:
        """Frames a second that were decoded; a busy machine may not get round to showing them all."""
        return self.video.get("framesDecoded", 0.0) / self.seconds

    def bit_rate(self, begin_ms: float, end_ms: float) -> float:
        """Bits a second of all media received between two times, headers of RTP and below not counted."""
        inside = [sample for sample in self.samples if begin_ms <= sample[0] <= end_ms]
        (first_ms, first), (last_ms, last) = inside[0], inside[-1]
        return (last - first) * 8000 / (last_ms - first_ms)


def judge(raw: dict[str, Any]) -> Quality:
    """Figures of one ``__meter.stop()``."""
    video = [stream for stream in raw["streams"] if stream["kind"] == "video"]
    audio = [stream for stream in raw["streams"] if stream["kind"] == "audio"]
    heard = sum(stream["totalSamplesReceived"] for stream in audio)
    return Quality(
        seconds=raw["ms"] / 1000,
        pictures=tuple(_picture(item["participant"], item["frames"], raw["ms"]) for item in raw["videos"]),
        concealed_share=sum(stream["concealedSamples"] for stream in audio) / heard if heard else 1.0,
        browser_frozen_share=max((stream["totalFreezesDuration"] for stream in video), default=0.0) * 1000 / raw["ms"],
        video=_sum(video),
        audio=_sum(audio),
        samples=tuple((at, received) for at, received in raw["samples"]),
        limited=raw["limited"],
        camera_fps=raw["sent"]["camera"] * 1000 / raw["ms"],
        encoded_fps=raw["sent"]["encoded"] * 1000 / raw["ms"],
    )


def _picture(participant: str, frames: list[tuple[float, int, int]], ms: float) -> Picture:
    # A frame that is presented again (or cannot be read) is not news: only a change of the number moves the picture.
    fresh: list[tuple[float, int, int]] = []
    for frame in frames:
        if frame[2] >= 0 and (not fresh or frame[2] != fresh[-1][2]):
            fresh.append(frame)
    times = [0.0, *(at for at, _, _ in fresh), ms]
    gaps = [later - earlier for earlier, later in pairwise(times)]
    usual = statistics.median(gaps)
    limit = max(3 * usual, usual + FREEZE_MIN_MS) if fresh else 0.0
    heights: list[tuple[float, int]] = []
    for at, height, _ in frames:
        if not heights or heights[-1][1] != height:
            heights.append((at, height))
    unreadable = sum(1 for frame in frames if frame[2] < 0)
    return Picture(
        participant=participant,
        frames=len(fresh),
        fps=len(fresh) * 1000 / ms,
        height=int(statistics.median(height for _, height, _ in frames)) if frames else 0,
        heights=tuple(heights),
        frozen_share=sum(gap for gap in gaps if gap > limit) / ms,
        longest_gap_ms=max(gaps),
        repeated=len(frames) - len(fresh) - unreadable,
        unreadable=unreadable,
    )


def _sum(streams: list[dict[str, Any]]) -> dict[str, float]:
    names = [name for name, value in (streams[0] if streams else {}).items() if isinstance(value, int | float)]
    return {name: sum(stream[name] for stream in streams) for name in names}
