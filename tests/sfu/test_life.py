"""Sessions come and go: nothing of them may stay, and none may disturb another."""

from __future__ import annotations

import asyncio
import gc
import os
import weakref
from pathlib import Path

import pytest
from aiortc.rtcsctptransport import DataChunk

from sfu.robots import RobotHost
from sfu.sdp.parse import parse
from sfu.sdp.plan import infer_tracks
from sfu.service import SfuService
from sfu.session import Session
from tertulia.catalogue import Grants, TrackIntent, View
from tertulia.errors import Unavailable
from tertulia.settings import Settings
from tertulia.tokens import Tokens
from tests.sfu.peers import Heard, Peer, until
from tests.sfu.test_call import Caller

OFFER = (Path(__file__).parent / "corpus" / "chromium-call.sdp").read_bytes().decode()
TRACKS = [TrackIntent(mid=mid, kind=kind) for mid, kind in infer_tracks(parse(OFFER)).items()]


def open_files() -> int:
    return len(os.listdir("/proc/self/fd"))


def resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def robot_processes() -> int:
    """Robots among this process's children."""
    children = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
    commands = [Path(f"/proc/{pid}/cmdline").read_bytes() for pid in children if Path(f"/proc/{pid}").exists()]
    return sum(b"sfu.robot" in command for command in commands)


async def come_and_go(sfu: SfuService, times: int) -> list[weakref.ref[Session]]:
    """:returns: the sessions there were, not held"""
    were = []
    for number in range(times):
        heard = Heard()
        name = f"guest-{number % 7}"
        joined = await sfu.join(f"room-{number % 3}", name, Grants(), OFFER, TRACKS, View(), heard)
        were.append(weakref.ref(sfu._sessions[joined.session]))
        if number % 5:
            await sfu.leave(joined.session, "left")
            assert heard.states == [("closed", "left")]
    for session in list(sfu._sessions):
        await sfu.leave(session, "left")
    return were


def gone(references: list[weakref.ref[Session]]) -> bool:
    """Collects first: who looked at statistics may have held a session until after the last collection."""
    gc.collect()
    return not any(reference() for reference in references)


async def test_two_hundred_joins_and_leaves_leave_nothing(sfu: SfuService) -> None:
    # The allocator's own figures settle first; a leak would go on (a session with its 21 slots has about 200 KiB).
    await come_and_go(sfu, 400)
    await until(lambda: sfu.stats()["ending"] == 0)
    gc.collect()
    tasks, files, memory = len(asyncio.all_tasks()), open_files(), resident_bytes()
    were = await come_and_go(sfu, 200)
    await until(lambda: sfu.stats() == {"rooms": 0, "sessions": 0, "sources": 0, "slots": 0, "ending": 0})
    assert sfu._workers is not None
    [core] = sfu._workers
    await until(lambda: not core._sessions and not core._session_of and not core._rooms)
    gc.collect()
    assert len(asyncio.all_tasks()) <= tasks
    assert open_files() <= files
    assert resident_bytes() - memory < 4 * 1024 * 1024
    await until(lambda: gone(were))
    stats = await core.stats()
    assert stats["worker"]["sessions"] == stats["worker"]["rooms"] == 0


async def test_connected_peers_leave_nothing_either(sfu: SfuService) -> None:
    for number in range(8):
        caller = Caller(sfu, f"guest-{number}")
        await caller.call(None, 440, seats=1)
        if number % 2:
            await sfu.leave(caller.session, "left")
        await caller.peer.close()
        await until(lambda caller=caller: caller.heard.state == "closed")  # type: ignore[misc]  # bound per turn
    await until(lambda: sfu.stats() == {"rooms": 0, "sessions": 0, "sources": 0, "slots": 0, "ending": 0})


async def test_a_hostile_data_channel_ends_its_own_session_only(sfu: SfuService, peers: list[Peer]) -> None:
    good, bad = Caller(sfu, "good"), Caller(sfu, "bad")
    peers += [good.peer, bad.peer]
    await good.call(None, 440)
    await bad.call(None, 660)
    await until(lambda: good.hears("bad", 660) and bool(bad.heard.channels.get("chat")))
    association = bad.peer.pc.sctp
    assert association is not None
    chunk = DataChunk(flags=3)
    chunk.tsn, chunk.stream_id, chunk.protocol, chunk.user_data = association._local_tsn, 999, 51, b"x"
    await association._send_chunk(chunk)
    await until(lambda: bad.heard.state == "closed")
    await until(lambda: good.shows("bad", "microphone") is None)
    good.peer.channels["chat"].send("still here")
    await until(lambda: good.heard.frames == [("chat", b"still here")])
    assert good.heard.state == "connected"


async def test_a_failing_listener_is_its_own_problem(sfu: SfuService, peers: list[Peer]) -> None:
    class Broken(Heard):
        def on_frame(self, channel: str, data: bytes) -> None:
            raise RuntimeError("a bug")

    ann = Caller(sfu, "ann")
    ann.heard = Broken()
    peers.append(ann.peer)
    await ann.call(None, 440)
    await until(lambda: all(channel.readyState == "open" for channel in ann.peer.channels.values()))
    ann.peer.channels["chat"].send("boom")
    await until(lambda: sfu.send(ann.session, "chat", b"fine"))
    await until(lambda: ann.peer.messages["chat"] == ["fine"])
    assert sfu.session_state(ann.session) == "connected"


async def test_robots_are_few_and_end_with_their_host() -> None:
    """Robots whose server is not there keep trying until they are told to go."""
    tokens = Tokens(Settings(token_secret="a secret that is used in tests only, and long enough"))
    host = RobotHost(limit=2)
    for identity in ("one", "two"):
        await host.start("room", identity, tokens.mint("room", identity, identity), "http://127.0.0.1:9")
    with pytest.raises(Unavailable) as refused:
        await host.start("room", "three", "token", "http://127.0.0.1:9")
    assert refused.value.code == "robots-full"
    assert robot_processes() == 2
    await host.stop("room", "one")
    assert len(host) == 1
    await host.close()
    assert len(host) == 0
    assert robot_processes() == 0
