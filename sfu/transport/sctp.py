"""SCTP for one session: aiortc's association, with bounds, shorter timers and negotiated channels.

What differs from the stock transport, and why:

* Stock keeps whatever a peer sends: any stream, any gap in sequence numbers, any size. Here a message has at most
  16 KiB, 256 KiB may wait for missing pieces, and a transmission sequence number must lie within a window; what
  breaks a bound ends the session.
* A selective acknowledgement may claim gaps of 65,535 numbers hundreds of times in one packet, each of which stock
  walks through. Gaps beyond what is outstanding are refused before that.
* Retransmission timers start at 3 s and never fall below 1 s in stock; the figures below suit a live conversation.
* Both channels are negotiated by id (RFC 8831, section 6.4), so they open with the association, without messages of
  their own; channels that a peer opens in-band are not accepted.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from aiortc.rtcdatachannel import RTCDataChannel, RTCDataChannelParameters
from aiortc.rtcsctptransport import (
    SCTP_TSN_MODULO,
    WEBRTC_BINARY,
    WEBRTC_STRING,
    DataChunk,
    ForwardTsnChunk,
    InitChunk,
    RTCSctpCapabilities,
    RTCSctpTransport,
    SackChunk,
)

from sfu.transport.dtls import DtlsTransport

MESSAGE_MAX: Final = 16_384
BUFFERED_MAX: Final = 262_144
"""Bytes that may wait to be sent on one channel, and that may wait for missing pieces on the way in."""
TSN_WINDOW: Final = 4_096
CHUNKS_WAITING_MAX: Final = 2_048

RTO_INITIAL_S: Final = 0.5
RTO_MIN_S: Final = 0.2
RTO_MAX_S: Final = 5.0

MessageHandler = Callable[[int, bytes], None]
"""(channel id, message)"""
StateHandler = Callable[[int, bool], None]
"""(channel id, open)"""


class SctpTransport(RTCSctpTransport):
    """An association with a fixed set of negotiated channels."""

    def __init__(
        self, dtls: DtlsTransport, channels: dict[int, str], on_message: MessageHandler, on_open: StateHandler
    ) -> None:
        super().__init__(dtls)
        self._on_message = on_message
        self._rto = RTO_INITIAL_S
        self._channels: dict[int, RTCDataChannel] = {}
        self.refused = 0
        for number, label in channels.items():
            channel = RTCDataChannel(self, RTCDataChannelParameters(label=label, negotiated=True, id=number))
            channel.on("open", lambda number=number: on_open(number, True))
            channel.on("close", lambda number=number: on_open(number, False))
            self._channels[number] = channel

    async def connect(self, port: int, message_max: int | None) -> None:
        """Begin the association; both ends do (RFC 8841, section 9.3)."""
        await self.start(RTCSctpCapabilities(maxMessageSize=MESSAGE_MAX if message_max is None else message_max), port)

    def is_open(self, number: int) -> bool:
        channel = self._channels.get(number)
        return channel is not None and channel.readyState == "open"

    def send_message(self, number: int, data: bytes) -> bool:
        """Queue one text message. False when the channel is not open, or too much waits to be sent already."""
        channel = self._channels.get(number)
        if channel is None or channel.readyState != "open" or not data:
            return False
        limit = self._remote_max_message_size or MESSAGE_MAX
        if len(data) > min(limit, MESSAGE_MAX) or channel.bufferedAmount + len(data) > BUFFERED_MAX:
            self.refused += 1
            return False
        channel.send(data.decode())
        return True

    def buffered(self, number: int) -> int:
        channel = self._channels.get(number)
        return 0 if channel is None else channel.bufferedAmount

    # --- bounds on what a peer may do -------------------------------------------------------------------------

    async def _receive_data_chunk(self, chunk: DataChunk) -> None:
        if chunk.stream_id not in self._channels or self._last_received_tsn is None:
            raise ConnectionError("data on a stream that was not negotiated")
        ahead = (chunk.tsn - self._last_received_tsn) % SCTP_TSN_MODULO
        if TSN_WINDOW < ahead < SCTP_TSN_MODULO // 2:
            raise ConnectionError("a sequence number far ahead")
        await super()._receive_data_chunk(chunk)
        # Duplicates are reported once; a flood of them in one packet is not worth its answer.
        del self._sack_duplicates[32:]
        waiting = self._inbound_streams.get(chunk.stream_id)
        if waiting is not None:
            pieces = waiting.reassembly
            if len(pieces) > CHUNKS_WAITING_MAX or sum(len(piece.user_data) for piece in pieces) > BUFFERED_MAX:
                raise ConnectionError("too much data waits for missing pieces")

    async def _receive_sack_chunk(self, chunk: SackChunk) -> None:
        sent = (self._local_tsn - 1 - chunk.cumulative_tsn) % SCTP_TSN_MODULO
        if sent >= SCTP_TSN_MODULO // 2 or any(start < 1 or not start <= end <= sent for start, end in chunk.gaps):
            raise ConnectionError("an acknowledgement of what was never sent")
        if sum(end - start + 1 for start, end in chunk.gaps) > len(self._sent_queue) + 1:
            raise ConnectionError("acknowledged more than is outstanding")
        await super()._receive_sack_chunk(chunk)

    async def _receive_forward_tsn_chunk(self, chunk: ForwardTsnChunk) -> None:
        # Our channels are reliable; a peer has nothing to skip (RFC 3758, section 3.2).
        raise ConnectionError("abandoned data on a reliable channel")

    async def _handle_data(self, data: bytes) -> None:
        if self._association_state == self.State.ESTABLISHED and len(data) > 12 and data[12] == InitChunk.type:
            raise ConnectionError("a second association")
        await super()._handle_data(data)

    async def _data_channel_receive(self, stream_id: int, pp_id: int, data: bytes) -> None:
        if len(data) > MESSAGE_MAX:
            raise ConnectionError("a message over 16 KiB")
        if pp_id in (WEBRTC_STRING, WEBRTC_BINARY) and stream_id in self._channels:
            self._on_message(stream_id, data)

    # --- timers --------------------------------------------------------------------------------------------------

    def _update_rto(self, R: float) -> None:
        super()._update_rto(R)  # keeps the smoothed round trip
        if self._srtt is not None and self._rttvar is not None:
            self._rto = max(RTO_MIN_S, min(self._srtt + 4 * self._rttvar, RTO_MAX_S))
