"""What a robot shows and hums: its name, a frame counter drawn big, something that moves, and a gentle tone.

Drawn with numpy into YUV planes, without a font library: a letter is five columns of seven dots.
"""

from __future__ import annotations

import asyncio
import colorsys
import fractions
import time
import zlib
from typing import Final

import numpy as np
from aiortc import AudioStreamTrack, VideoStreamTrack
from av import AudioFrame, VideoFrame
from numpy.typing import NDArray

WIDTH, HEIGHT, RATE = 640, 360, 15
SAMPLE_RATE: Final = 48_000
SAMPLES: Final = 960  # 20 ms, Opus's usual packet

# Columns from left to right, bit 0 at the top.
_FONT: Final = {
    " ": "0000000000", "-": "0808080808", ".": "0060600000", ":": "0036360000",
    "0": "3e5149453e", "1": "00427f4000", "2": "4261514946", "3": "2141454b31", "4": "1814127f10",
    "5": "2745454539", "6": "3c4a494930", "7": "0171090503", "8": "3649494936", "9": "064949291e",
    "A": "7e1111117e", "B": "7f49494936", "C": "3e41414122", "D": "7f4141221c", "E": "7f49494941",
    "F": "7f09090901", "G": "3e4149497a", "H": "7f0808087f", "I": "00417f4100", "J": "2040413f01",
    "K": "7f08142241", "L": "7f40404040", "M": "7f020c027f", "N": "7f0408107f", "O": "3e4141413e",
    "P": "7f09090906", "Q": "3e4151215e", "R": "7f09192946", "S": "4649494931", "T": "01017f0101",
    "U": "3f4040403f", "V": "1f2040201f", "W": "3f4038403f", "X": "6314081463", "Y": "0708700807",
    "Z": "6151494543",
}  # fmt: skip


def _letter(character: str) -> NDArray[np.bool_]:
    columns = np.frombuffer(bytes.fromhex(_FONT.get(character.upper(), _FONT["-"])), dtype=np.uint8)
    return (columns[None, :] >> np.arange(7, dtype=np.uint8)[:, None] & 1).astype(bool)


def text(words: str, scale: int) -> NDArray[np.bool_]:
    """A mask of the words, 7 x scale pixels high; letters are 5 x scale wide with a gap of one x scale."""
    gap = np.zeros((7, 1), dtype=bool)
    letters = [part for character in words for part in (_letter(character), gap)]
    return np.kron(np.hstack(letters), np.ones((scale, scale), dtype=bool)).astype(bool)


class Picture(VideoStreamTrack):
    """640x360 at 15 frames a second, in a colour that follows from the name."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self._begun = time.monotonic()
        self._count = 0
        hue = zlib.crc32(name.encode()) % 360 / 360
        red, green, blue = colorsys.hls_to_rgb(hue, 0.35, 0.45)
        # ITU-R BT.601, full to limited range.
        y = 16 + 65.5 * red + 128.6 * green + 25.0 * blue
        u = 128 - 37.8 * red - 74.2 * green + 112.0 * blue
        v = 128 + 112.0 * red - 93.8 * green - 18.2 * blue
        self._frame = np.empty((HEIGHT * 3 // 2, WIDTH), dtype=np.uint8)
        self._frame[:HEIGHT] = int(y)
        planes = self._frame[HEIGHT:].reshape(2, -1)
        planes[0], planes[1] = int(u), int(v)
        self._paper = int(y)
        self._draw(text(name[:17], 5), 40)

    def _draw(self, mask: NDArray[np.bool_], top: int) -> None:
        """Centred, in white on the paper's colour."""
        height, width = mask.shape
        left = max(0, (WIDTH - width) // 2)
        mask = mask[:, :WIDTH]
        self._frame[top : top + height, left : left + mask.shape[1]][...] = np.where(mask, 235, self._paper)

    def draw(self, count: int) -> NDArray[np.uint8]:
        """The picture of frame ``count`` (planar YUV 4:2:0, as rows of the width)."""
        self._draw(text(f"{count:06d}", 14), 130)
        band = self._frame[HEIGHT - 60 : HEIGHT - 40]
        band[...] = self._paper
        # A dot that goes to and fro once in four seconds.
        phase = abs(count % (4 * RATE) / (2 * RATE) - 1)
        left = int(40 + phase * (WIDTH - 100))
        band[:, left : left + 20] = 235
        return self._frame

    async def recv(self) -> VideoFrame:
        await asyncio.sleep(max(0.0, self._begun + self._count / RATE - time.monotonic()))
        # After a pause of the machine, frames are left out rather than made up for.
        self._count = max(self._count, int((time.monotonic() - self._begun) * RATE))
        frame = VideoFrame.from_ndarray(self.draw(self._count), format="yuv420p")
        frame.pts, frame.time_base = self._count * (90_000 // RATE), fractions.Fraction(1, 90_000)
        self._count += 1
        return frame


class Tone(AudioStreamTrack):
    """A soft tone that swells and fades, in a pitch that follows from the name."""

    def __init__(self, name: str) -> None:
        super().__init__()
        scale = (262, 294, 330, 392, 440, 524, 587, 659)  # a pentatonic scale: robots sound well together
        self.frequency = scale[zlib.crc32(name.encode()) % len(scale)]
        self._begun = time.monotonic()
        self._samples = 0

    async def recv(self) -> AudioFrame:
        await asyncio.sleep(max(0.0, self._begun + self._samples / SAMPLE_RATE - time.monotonic()))
        behind = int((time.monotonic() - self._begun) * SAMPLE_RATE) - self._samples
        if behind > SAMPLE_RATE:
            self._samples += behind // SAMPLES * SAMPLES
        t = (np.arange(SAMPLES) + self._samples) / SAMPLE_RATE
        wave = np.sin(2 * np.pi * self.frequency * t) * (900 + 500 * np.sin(2 * np.pi * 0.25 * t))
        frame = AudioFrame.from_ndarray(wave.astype(np.int16).reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = SAMPLE_RATE, self._samples, fractions.Fraction(1, SAMPLE_RATE)
        self._samples += SAMPLES
        return frame
