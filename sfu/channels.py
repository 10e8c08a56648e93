"""The two data channels of a session: ids, names, and what becomes of frames that do not belong there.

Frames are passed on as bytes; their meaning is the listener's. Here they are only counted: a client that sends faster
than people can write or machines need ends its session.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Literal

from sfu.transport.dtls import DtlsTransport
from sfu.transport.sctp import SctpTransport
from tertulia.catalogue import CHAT_CHANNEL_ID, CONTROL_CHANNEL_ID

ChannelName = Literal["control", "chat"]

CHANNELS: Final[dict[int, ChannelName]] = {CONTROL_CHANNEL_ID: "control", CHAT_CHANNEL_ID: "chat"}
IDS: Final[dict[ChannelName, int]] = {name: number for number, name in CHANNELS.items()}

FRAMES_PER_S: Final = 200.0
FRAMES_BURST: Final = 400.0


class Channels:
    """Both channels over one association. ``now`` is a clock in seconds."""

    def __init__(
        self,
        dtls: DtlsTransport,
        on_frame: Callable[[ChannelName, bytes], None],
        on_open: Callable[[ChannelName, bool], None],
        now: Callable[[], float],
    ) -> None:
        self._on_frame = on_frame
        self._now = now
        self._allowance = FRAMES_BURST
        self._refilled_at = now()
        self._sctp = SctpTransport(
            dtls, dict(CHANNELS), self._receive, lambda number, is_open: on_open(CHANNELS[number], is_open)
        )

    async def connect(self, port: int, message_max: int | None) -> None:
        await self._sctp.connect(port, message_max)

    async def close(self) -> None:
        await self._sctp.stop()

    def is_open(self, channel: ChannelName) -> bool:
        return self._sctp.is_open(IDS[channel])

    def send(self, channel: ChannelName, data: bytes) -> bool:
        """False: not open, or its bounded queue is full."""
        return self._sctp.send_message(IDS[channel], data)

    def _receive(self, number: int, data: bytes) -> None:
        now = self._now()
        self._allowance = min(FRAMES_BURST, self._allowance + (now - self._refilled_at) * FRAMES_PER_S)
        self._refilled_at = now
        if self._allowance < 1:
            raise ConnectionError("frames faster than any client sends them")
        self._allowance -= 1
        self._on_frame(CHANNELS[number], data)
