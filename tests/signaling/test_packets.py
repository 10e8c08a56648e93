"""Engine.IO and Socket.IO packets, against those that python-socketio makes and reads."""

from __future__ import annotations

import json
from typing import Any

import engineio.packet
import pytest
import socketio.packet
from hypothesis import given
from hypothesis import strategies as st

from signaling import packets
from tertulia.catalogue import Ok
from tests.signaling.test_hostile import HOSTILE

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


def of_a_client(kind: int, data: Any = None, number: int | None = None, namespace: str | None = None) -> str:
    """What python-socketio's client sends."""
    inner = socketio.packet.Packet(kind, data=data, id=number, namespace=namespace, binary=False).encode()
    return str(engineio.packet.Packet(engineio.packet.MESSAGE, data=inner).encode())


def of_the_server(frame: bytes) -> socketio.packet.Packet:
    """How python-socketio's client reads it."""
    payload = frame[2:] if frame[1] < 126 else frame[4:]
    outer = engineio.packet.Packet(encoded_packet=payload.decode())
    assert outer.packet_type == engineio.packet.MESSAGE
    # Engine.IO has parsed what looks like a number.
    return socketio.packet.Packet(encoded_packet=payload.decode()[1:])


@given(st.text(min_size=1, max_size=20), JSON, st.none() | st.integers(0, 10**9))
def test_event_is_read_as_it_was_meant(name: str, payload: Any, number: int | None) -> None:
    packet = packets.read(of_a_client(socketio.packet.EVENT, [name, payload], number))
    assert isinstance(packet, packets.Event)
    assert (packet.name, packet.number) == (name, number)
    assert packet.payload is not None
    assert json.loads(bytes(packet.payload)) == payload


@given(st.dictionaries(st.text(max_size=5), JSON, max_size=3))
def test_connect_is_read_with_what_it_brings(auth: dict[str, Any]) -> None:
    assert packets.read(of_a_client(socketio.packet.CONNECT, auth or None)) == packets.Connect(None, auth or None)
    other = packets.read(of_a_client(socketio.packet.CONNECT, auth or None, namespace="/admin"))
    assert isinstance(other, packets.Connect)
    assert other.namespace == "/admin"


def test_answers_are_read_by_a_client() -> None:
    ack = of_the_server(packets.acknowledgement(7, Ok()))
    assert (ack.packet_type, ack.id, ack.data) == (socketio.packet.ACK, 7, [{}])
    entered = of_the_server(packets.connected("abc"))
    assert (entered.packet_type, entered.data) == (socketio.packet.CONNECT, {"sid": "abc"})
    refused = of_the_server(packets.refused({"code": "token-missing", "message": "No."}, "/admin"))
    assert (refused.packet_type, refused.namespace) == (socketio.packet.CONNECT_ERROR, "/admin")
    assert refused.data == {"message": "No.", "data": {"code": "token-missing", "message": "No."}}


def test_goodbyes_and_heart_beats_are_known() -> None:
    assert packets.read("3") == packets.Pong()
    assert packets.read("1") == packets.read(of_a_client(socketio.packet.DISCONNECT)) == packets.Close()


@pytest.mark.parametrize("text", ["", "2", "2probe", "30", "42", "42{}", '42["x"', "43[]", '42/a,["x"]', "4²", "b"])
def test_what_no_client_sends_is_strange(text: str) -> None:
    assert packets.read(text) == packets.Strange()


@given(st.one_of(st.text(max_size=60), st.sampled_from(HOSTILE), st.from_regex(r"4[0-9](/[a-z]*,)?[0-9]*.{0,20}")))
def test_no_text_raises(text: str) -> None:
    assert isinstance(packets.read(text), packets.Packet)
