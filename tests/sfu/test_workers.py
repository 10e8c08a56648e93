"""Several workers: a room lives on one, rooms are spread, and each room's answers name its own worker's port."""

from __future__ import annotations

import re
import socket

import pytest

from sfu.service import SfuService
from tertulia.catalogue import Grants, View
from tertulia.settings import Settings, SettingsError, load
from tests.sfu.peers import Heard, Peer, until
from tests.sfu.test_call import Caller
from tests.sfu.test_life import OFFER, TRACKS


async def port_of(sfu: SfuService, room: str, name: str) -> tuple[int, str]:
    """The port that a join's answer names, and the session."""
    joined = await sfu.join(room, name, Grants(), OFFER, TRACKS, View(), Heard())
    ports = set(re.findall(r"^a=candidate:\S+ 1 udp \d+ \S+ (\d+) typ host", joined.answer, re.MULTILINE))
    assert len(ports) == 1
    return int(ports.pop()), joined.session


async def test_rooms_are_spread_over_workers_and_a_room_stays_on_one() -> None:
    sfu = SfuService(Settings(media_port=0, media_workers=3, media_addresses=("127.0.0.1",)))
    await sfu.start()
    try:
        assert len(set(sfu.ports)) == 3
        seen = {room: await port_of(sfu, room, "ann") for room in ("one", "two", "three")}
        assert {port for port, _ in seen.values()} == set(sfu.ports)
        for room, (port, _) in seen.items():
            assert (await port_of(sfu, room, "ben"))[0] == port
        # A room that ended leaves its place to the next.
        for session in [session for session, found in sfu._sessions.items() if found.room == "two"]:
            await sfu.leave(session, "left")
        await until(lambda: sfu.stats()["rooms"] == 2)
        assert (await port_of(sfu, "four", "ann"))[0] == seen["two"][0]
    finally:
        await sfu.close()


async def test_calls_on_different_workers_are_seen_and_heard(peers: list[Peer]) -> None:
    sfu = SfuService(Settings(media_port=0, media_workers=2, media_addresses=("127.0.0.1",)))
    await sfu.start()
    try:
        pairs = [[Caller(sfu, f"{room}-{name}", room) for name in ("a", "b")] for room in ("east", "west")]
        for pair in pairs:
            for number, caller in enumerate(pair):
                peers.append(caller.peer)
                await caller.call(None, 440 + 220 * number)
        for first, second in pairs:
            await until(lambda first=first, second=second: first.hears(second.name, 660))  # type: ignore[misc]  # bound
        assert sfu._workers is not None
        assert [core.sessions for core in sfu._workers] == [2, 2]
    finally:
        for peer in peers:
            await peer.close()
        await sfu.close()


async def test_a_room_too_large_for_a_worker_spans_two(peers: list[Peer]) -> None:
    sfu = SfuService(Settings(media_port=0, media_workers=2, media_worker_sessions=1, media_addresses=("127.0.0.1",)))
    await sfu.start()
    try:
        ann, bob = Caller(sfu, "ann"), Caller(sfu, "bob")
        peers += [ann.peer, bob.peer]
        await ann.call("red", 440)
        await bob.call("green", 660)
        assert sfu._workers is not None
        first, second = sfu._workers
        await until(lambda: ann.sees("bob", "green") and bob.sees("ann", "red"))
        await until(lambda: ann.hears("bob", 660) and bob.hears("ann", 440))
        # Each worker has a session of its own and the mirror of the other's.
        assert (first.sessions, second.sessions) == (2, 2)
        assert (await first.stats())["worker"]["relayed"] > 0
        assert (await first.stats())["worker"]["relay_lost"] == (await second.stats())["worker"]["relay_lost"] == 0
        # What both workers hear is one list of speakers.
        await until(lambda: {one.participant for one in ann.heard.speakers[-1].speakers} == {"ann", "bob"})
        # A third comes where both are full already, and sees everybody.
        cho = Caller(sfu, "cho")
        peers.append(cho.peer)
        await cho.call("blue", 880)
        await until(lambda: cho.sees("ann", "red") and cho.sees("bob", "green"))
        await until(lambda: ann.sees("cho", "blue") and bob.sees("cho", "blue"))
        # What a moderator stops is stopped on both, and comes back on both.
        stage = sfu._stages["room"]
        stage.hold(sfu._sessions[ann.session], "camera", True)
        await until(lambda: bob.shows("ann") is None and cho.shows("ann") is None)
        stage.hold(sfu._sessions[ann.session], "camera", False)
        await until(lambda: bob.shows("ann") is not None and cho.shows("ann") is not None)
        await until(lambda: bob.sees("ann", "red") and cho.sees("ann", "red"))
        # Who leaves takes the mirror along.
        assert first.sessions + second.sessions == 6
        await sfu.leave(bob.session, "left")
        await until(lambda: ann.shows("bob") is None and cho.shows("bob") is None)
        await until(lambda: first.sessions + second.sessions == 4)
    finally:
        for peer in peers:
            await peer.close()
        await sfu.close()
        assert sfu.stats()["rooms"] == 0


async def test_a_taken_port_of_a_later_worker_gives_back_the_first() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("0.0.0.0", 0))
        port = other.getsockname()[1]
        sfu = SfuService(Settings(media_port=port - 1, media_workers=2))
        with pytest.raises(OSError):
            await sfu.start()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as again:
            again.bind(("0.0.0.0", port - 1))


def test_ports_beyond_the_last_are_refused() -> None:
    environment = {"TERTULIA_MEDIA_PORT": "65534", "TERTULIA_MEDIA_WORKERS": "3"}
    with pytest.raises(SettingsError, match="media_workers"):
        load(environ=environment)
