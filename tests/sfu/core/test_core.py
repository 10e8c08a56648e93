"""The core over real sockets: checks, DTLS both ways, handles, limits. Media is in test_core_media."""

from __future__ import annotations

import gc
import os
import random
import socket
from functools import partial
from pathlib import Path

import pytest
from aioice import stun

from sfu._core import Worker
from sfu.core import Closed, Core, CoreBusy, DtlsReceived, PathChanged, RoomEvent, SessionEvent
from tests.sfu.core.conftest import OpenPeer
from tests.sfu.core.peers import MediaSettings, Socket, answer, authentic, check, is_dtls, is_stun, make_credentials
from tests.waiting import until

FAMILIES = [socket.AF_INET, socket.AF_INET6]
RECORD = b"\x16\xfe\xfd" + bytes(40)
"""Looks like a DTLS handshake record."""


def ignore(event: RoomEvent | SessionEvent) -> None:
    """Nothing to be told."""


@pytest.mark.parametrize("family", FAMILIES)
async def test_check_is_answered_with_the_address_it_came_from(
    core: Core, open_peer: OpenPeer, family: socket.AddressFamily
) -> None:
    ice = make_credentials()
    core.create_session(core.create_room(ignore), ice, ignore)
    peer = await open_peer(core, family)
    request = check(ice)
    peer.send(bytes(request))
    response = authentic(await peer.next(is_stun), ice.local_pwd)
    assert response.message_class == stun.Class.RESPONSE
    assert response.transaction_id == request.transaction_id
    assert response.attributes["XOR-MAPPED-ADDRESS"] == peer.address


async def test_reply_leaves_from_the_address_that_was_hit() -> None:
    core = Core(MediaSettings(media_bind=("0.0.0.0",)))
    core.start()
    ice = make_credentials()
    core.create_session(core.create_room(ignore), ice, ignore)
    # Every address of 127.0.0.0/8 is ours; without IP_PKTINFO the reply would leave from 127.0.0.1.
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(10)
        client.sendto(bytes(check(ice)), ("127.0.0.9", core.port))
        _, source = client.recvfrom(2048)
    assert source == ("127.0.0.9", core.port)
    core.close()


async def test_check_with_a_wrong_password_opens_nothing(core: Core, open_peer: OpenPeer) -> None:
    events: list[SessionEvent] = []
    ice = make_credentials()
    core.create_session(core.create_room(ignore), ice, events.append)
    peer = await open_peer(core)
    peer.send(bytes(check(ice, password="not the password")))
    response = stun.parse_message(await peer.next(is_stun))
    assert response.message_class == stun.Class.ERROR
    assert response.error_code == 401
    peer.send(RECORD)
    assert (await core.stats())["worker"]["unknown_source"] == 1
    assert events == []


async def test_unknown_fragment_is_not_answered(core: Core, open_peer: OpenPeer) -> None:
    core.create_session(core.create_room(ignore), make_credentials(), ignore)
    peer = await open_peer(core)
    peer.send(bytes(check(make_credentials())))
    await _received(core, 1)
    assert (await core.stats())["worker"]["unknown_source"] == 1
    assert peer.received == []


async def test_role_conflict_is_answered_with_487(core: Core, open_peer: OpenPeer) -> None:
    ice = make_credentials()
    core.create_session(core.create_room(ignore), ice, ignore)
    peer = await open_peer(core)
    message = stun.Message(message_method=stun.Method.BINDING, message_class=stun.Class.REQUEST)
    message.attributes["USERNAME"] = f"{ice.local_ufrag}:{ice.remote_ufrag}"
    message.attributes["PRIORITY"] = 1
    message.attributes["ICE-CONTROLLED"] = 1
    message.add_message_integrity(ice.local_pwd.encode())
    peer.send(bytes(message))
    response = authentic(await peer.next(is_stun), ice.local_pwd)
    assert response.error_code == 487


@pytest.mark.parametrize("family", FAMILIES)
async def test_dtls_goes_up_and_down_on_the_checked_path(
    core: Core, open_peer: OpenPeer, family: socket.AddressFamily
) -> None:
    events: list[SessionEvent] = []
    ice = make_credentials()
    session = core.create_session(core.create_room(ignore), ice, events.append)
    core.send_dtls(session, b"\x16too early")
    peer = await open_peer(core, family)
    peer.send(RECORD)  # before any check: nobody's
    peer.send(bytes(check(ice)))
    await peer.next(is_stun)
    peer.send(RECORD + b"up")
    await until(lambda: DtlsReceived(session, RECORD + b"up") in events)
    assert events == [PathChanged(session, "connected"), DtlsReceived(session, RECORD + b"up")]
    core.send_dtls(session, RECORD + b"down")
    assert await peer.next(is_dtls) == RECORD + b"down"


async def test_dtls_is_told_to_the_session_whose_path_it_came_on(core: Core, open_peer: OpenPeer) -> None:
    told: dict[int, list[SessionEvent]] = {}
    peers: list[tuple[int, Socket]] = []
    room = core.create_room(ignore)
    for _ in range(3):
        ice = make_credentials()
        events: list[SessionEvent] = []
        session = core.create_session(room, ice, events.append)
        told[session] = events
        peer = await open_peer(core)
        peer.send(bytes(check(ice)))
        await peer.next(is_stun)
        peers.append((session, peer))
    for session, peer in reversed(peers):
        peer.send(RECORD + session.to_bytes(8, "big"))
    await until(lambda: all(len(events) == 2 for events in told.values()))
    for session, events in told.items():
        assert events[1] == DtlsReceived(session, RECORD + session.to_bytes(8, "big"))


async def test_dtls_flood_is_bounded(core: Core, open_peer: OpenPeer) -> None:
    events: list[SessionEvent] = []
    ice = make_credentials()
    session = core.create_session(core.create_room(ignore), ice, events.append)
    peer = await open_peer(core)
    peer.send(bytes(check(ice)))
    await peer.next(is_stun)
    for _ in range(500):
        peer.send(RECORD)
    await _received(core, 501)
    stats = await core.stats()
    received = [event for event in events if isinstance(event, DtlsReceived)]
    assert stats["sessions"][session]["dtls_dropped"] == 500 - len(received)
    assert 64 <= len(received) < 200


async def test_silent_client_is_disconnected_then_failed(open_peer: OpenPeer) -> None:
    core = Core(MediaSettings(), disconnected_after=0.2, failed_after=0.6)
    core.start()
    events: list[SessionEvent] = []
    ice = make_credentials()
    session = core.create_session(core.create_room(ignore), ice, events.append)
    peer = await open_peer(core)
    peer.send(bytes(check(ice)))
    await until(lambda: len(events) == 3)
    assert events == [PathChanged(session, state) for state in ("connected", "disconnected", "failed")]
    peer.received.clear()
    core.send_dtls(session, RECORD)  # consent is gone (RFC 7675): nothing leaves
    before = (await core.stats())["worker"]["sent"]
    assert (await core.stats())["worker"]["sent"] == before
    assert not any(is_dtls(data) for data in peer.received)
    core.close()


async def test_client_that_answers_our_question_stays_connected(open_peer: OpenPeer) -> None:
    core = Core(MediaSettings(), disconnected_after=0.4, failed_after=0.8)
    core.start()
    events: list[SessionEvent] = []
    ice = make_credentials()
    session = core.create_session(core.create_room(ignore), ice, events.append)
    peer = await open_peer(core)
    peer.send(bytes(check(ice)))
    await peer.next(is_stun)
    for _ in range(5):
        peer.send(answer(await peer.next(is_stun), ice, ("127.0.0.1", core.port)))
    assert events == [PathChanged(session, "connected")]
    core.close()


async def test_restart_takes_new_credentials_and_keeps_the_old_ones(core: Core, open_peer: OpenPeer) -> None:
    old, new = make_credentials(), make_credentials()
    session = core.create_session(core.create_room(ignore), old, ignore)
    core.restart_ice(session, new)
    for ice in (new, old):
        peer = await open_peer(core)
        peer.send(bytes(check(ice)))
        authentic(await peer.next(is_stun), ice.local_pwd)


async def test_path_in_use_is_not_taken_by_another_session(core: Core, open_peer: OpenPeer) -> None:
    mine, theirs = make_credentials(), make_credentials()
    events: list[SessionEvent] = []
    room = core.create_room(ignore)
    session = core.create_session(room, mine, events.append)
    core.create_session(room, theirs, ignore)
    peer = await open_peer(core)
    peer.send(bytes(check(mine)))
    await peer.next(is_stun)
    peer.send(bytes(check(theirs)))
    peer.send(RECORD)
    await until(lambda: DtlsReceived(session, RECORD) in events)
    assert peer.received == []


async def test_stale_handles_do_nothing(core: Core) -> None:
    rooms: list[RoomEvent] = []
    events: list[SessionEvent] = []
    room = core.create_room(rooms.append)
    session = core.create_session(room, make_credentials(), events.append)
    slot = core.add_slot(session, mid="1", kind="audio", ssrc=1, rtx_ssrc=0, cname="c", payloads=[(1, 111)])
    source = core.add_source(session, csrc=7, mid="0", kind="audio", payloads=[])
    core.close_room(room)
    await until(lambda: bool(rooms))
    assert (events, rooms) == ([Closed(session)], [Closed(room)])

    late = core.create_session(room, make_credentials(), events.append)
    core.set_slot(slot, source)
    core.remove_slot(slot)
    core.pause_source(source, True)
    core.remove_source(source)
    core.send_dtls(session, RECORD)
    core.set_srtp_keys(session, 7, bytes(28), bytes(28))
    core.restart_ice(session, make_credentials())
    core.close_session(session)
    core.close_room(room)
    core.set_slot(12345 << 32, 0)
    await until(lambda: Closed(late) in events)
    stats = await core.stats()
    assert (stats["worker"]["sessions"], stats["worker"]["rooms"]) == (0, 0)
    assert not (stats["sessions"] or stats["slots"] or stats["sources"])
    assert len(events) == 2


async def test_handles_are_used_again_with_the_next_generation(core: Core) -> None:
    gone: list[RoomEvent] = []
    first = core.create_room(gone.append)
    core.close_room(first)
    await until(lambda: gone == [Closed(first)])
    second = core.create_room(ignore)
    assert second & 0xFFFFFFFF == first & 0xFFFFFFFF
    assert second >> 32 == (first >> 32) + 1


def test_full_ring_is_an_error_to_the_caller() -> None:
    worker = Worker(0, ["127.0.0.1"], 1 << 20, True, command_capacity=16)
    rooms = [worker.create_room() for _ in range(16)]  # nobody empties the ring: the thread was not started
    with pytest.raises(BufferError):
        worker.create_room()
    with pytest.raises(BufferError):
        worker.close_room(rooms[0])
    worker.close()


async def test_core_says_busy_when_the_ring_is_full() -> None:
    core = Core(MediaSettings(), command_capacity=2)
    core.create_room(ignore)
    core.create_room(ignore)
    with pytest.raises(CoreBusy):
        core.create_room(ignore)
    core.close()


def test_port_in_use_is_an_os_error() -> None:
    first = Worker(0, ["127.0.0.1"], 1 << 20, True)
    with pytest.raises(OSError, match="in use"):
        Worker(first.port, ["127.0.0.1"], 1 << 20, True)
    with pytest.raises(OSError, match="Invalid argument"):
        Worker(0, ["no address"], 1 << 20, True)


async def test_five_thousand_sessions_leak_nothing(core: Core) -> None:
    closed: set[int] = set()
    room = core.create_room(ignore)

    def on_event(event: SessionEvent) -> None:
        if isinstance(event, Closed):
            closed.add(event.handle)

    async def churn(count: int) -> None:
        for _ in range(count // 100):
            sessions = [core.create_session(room, make_credentials(), on_event) for _ in range(100)]
            for session in sessions:
                core.add_slot(session, mid="1", kind="audio", ssrc=1, rtx_ssrc=0, cname="c", payloads=[(1, 111)])
                core.set_srtp_keys(session, 7, bytes(28), bytes(28))
                core.close_session(session)
            await until(partial(closed.issuperset, sessions))

    await churn(1000)
    closed.clear()
    gc.collect()
    before = _resident_bytes()
    await churn(5000)
    closed.clear()
    gc.collect()
    assert (await core.stats())["worker"]["sessions"] == 0
    assert _resident_bytes() - before < 8 * 2**20


async def test_garbage_changes_nothing(core: Core, open_peer: OpenPeer) -> None:
    events: list[SessionEvent] = []
    ice = make_credentials()
    session = core.create_session(core.create_room(ignore), ice, events.append)
    peer, stranger = await open_peer(core), await open_peer(core)
    peer.send(bytes(check(ice)))
    await peer.next(is_stun)
    noise = random.Random(1)
    request = bytes(check(ice, password="wrong"))
    sent = 1
    for _ in range(2000):
        junk = noise.randbytes(noise.randrange(1, 300))
        if not is_dtls(junk):
            peer.send(junk)
            sent += 1
        broken = bytearray(request)
        broken[noise.randrange(len(broken))] ^= 1 << noise.randrange(8)
        stranger.send(bytes(broken[: noise.randrange(1, len(broken) + 1)]))
        stranger.send(junk)
        sent += 2
        if sent % 64 < 3:
            await _received(core, sent)
    await _received(core, sent)
    peer.send(RECORD)
    await until(lambda: DtlsReceived(session, RECORD) in events)
    assert events == [PathChanged(session, "connected"), DtlsReceived(session, RECORD)]
    assert (await core.stats())["worker"]["sessions"] == 1


async def _received(core: Core, count: int) -> None:
    """Wait until the worker has read so many datagrams."""
    while (await core.stats())["worker"]["received"] < count:
        pass


def _resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
