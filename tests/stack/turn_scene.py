"""What happens inside the namespaces of test_turn.py.

::

    client 192.0.2.10 ──cable── 192.0.2.1  coturn  203.0.113.1 ──cable── 203.0.113.10 media server

The machine in the middle forwards nothing, and the client has no route beyond it: what arrives was relayed.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from pathlib import Path

from aioice import stun
from aioice.turn import TurnClientUdpProtocol
from aiortc import RTCBundlePolicy, RTCConfiguration, RTCIceServer, RTCIceTransportPolicy

from sfu.sdp.parse import parse
from sfu.sdp.plan import infer_tracks
from sfu.service import SfuService
from tertulia.catalogue import Grants, TrackIntent, View
from tertulia.settings import Settings
from tests.sfu.peers import Heard, Peer, until
from tests.stack import coturn, namespaces
from turn.credentials import ice_servers, password, user_name

TURN, SFU = "192.0.2.1", "203.0.113.10"
TURN_SETTINGS = Settings(
    turn_secret="a-secret-of-the-test",
    turn_urls=(f"turn:{TURN}:3478?transport=udp",),
    turn_listen=(TURN,),
    turn_min_port=50000,
    turn_max_port=50100,
)


def main(role: str, directory: Path) -> None:
    """Play a role; an exception is a failed test."""
    if role == "call":
        play_call(directory)
    elif role == "refusals":
        play_refusals(directory)
    elif role == "client":
        namespaces.join_network(routed=False)
        asyncio.run(play_client(directory / "signalling"))
    elif role == "server":
        namespaces.join_network(routed=True)
        asyncio.run(play_server(directory / "signalling"))


# -- a call through the relay


def play_call(directory: Path) -> None:
    """In the middle: the cables and coturn."""
    namespaces.ip("link", "set", "lo", "up")
    namespaces.forbid_forwarding()
    module = "tests.stack.turn_scene"
    server = namespaces.Neighbour(module, ["server", str(directory)], "right", f"{SFU}/24", "203.0.113.1/24")
    client = namespaces.Neighbour(module, ["client", str(directory)], "left", "192.0.2.10/24", f"{TURN}/24")
    with coturn.running(TURN_SETTINGS, directory):
        (directory / "go").touch()
        assert client.succeeded(), "the client failed"
        assert server.succeeded(), "the media server failed"


async def play_server(signalling: Path) -> None:
    """To the right: the media server, and somebody who calls it directly."""
    service = SfuService(Settings(media_port=7882, media_addresses=(SFU,)))
    await service.start()
    far = Heard()
    done, goodbye = asyncio.Event(), asyncio.Event()

    async def exchange(name: str, offer: str, heard: Heard) -> str:
        tracks = [TrackIntent(mid=mid, kind=kind) for mid, kind in infer_tracks(parse(offer)).items()]
        return (await service.join("room", name, Grants(), offer, tracks, View(), heard)).answer

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answer = await exchange("far", json.loads(await reader.readline()), far)
        writer.write(json.dumps(answer).encode() + b"\n")
        await reader.readline()  # the client has seen what it waited for
        done.set()
        await goodbye.wait()
        writer.close()

    server = await asyncio.start_unix_server(accept, signalling, limit=2**20)
    near = Peer()
    near.publish("green", 660)
    near.receive("audio", "video")
    await near.connect(lambda offer: exchange("near", offer, Heard()))
    await until(lambda: near.video().colour == "red" and near.audio().hums(440), limit=40)
    async with asyncio.timeout(40):
        await done.wait()
    assert far.states == [("connected", None)]
    goodbye.set()
    await near.close()
    await service.close()
    server.close()


async def play_client(signalling: Path) -> None:
    """To the left: a caller that uses relayed candidates only."""
    await until((signalling.parent / "go").exists)
    await until(signalling.exists)
    reader, writer = await asyncio.open_unix_connection(signalling, limit=2**20)
    servers = [
        RTCIceServer(server.urls, server.username, server.credential) for server in ice_servers(TURN_SETTINGS, "far")
    ]
    peer = Peer(
        RTCConfiguration(
            iceServers=servers, iceTransportPolicy=RTCIceTransportPolicy.RELAY, bundlePolicy=RTCBundlePolicy.MAX_BUNDLE
        )
    )

    async def exchange(offer: str) -> str:
        kinds = {line.split()[7] for line in offer.splitlines() if line.startswith("a=candidate:")}
        assert kinds == {"relay"}, kinds
        writer.write(json.dumps(offer).encode() + b"\n")
        answer: str = json.loads(await reader.readline())
        return answer

    peer.publish("red", 440)
    peer.receive("audio", "video")
    await peer.connect(exchange)
    await until(lambda: peer.video().colour == "green" and peer.audio().hums(660), limit=40)
    writer.write(b"seen\n")
    await reader.read()  # until the other side has seen too
    await peer.close()
    writer.close()


# -- what is refused


def play_refusals(directory: Path) -> None:
    """Everything on one machine: coturn, and clients that want what they must not have."""
    namespaces.ip("link", "set", "lo", "up")
    for address in (f"{TURN}/24", f"{SFU}/24", "10.0.0.1/8"):
        namespaces.ip("address", "add", address, "dev", "lo")
    with coturn.running(TURN_SETTINGS, directory):
        asyncio.run(ask())


async def ask() -> None:
    """Ask for each thing and compare the error code (RFC 8656, 18)."""
    later = int(time.time()) + 3600
    good = user_name("somebody", later)
    secret = password(TURN_SETTINGS.turn_secret, good)
    async with asyncio.timeout(30):
        allowed = await bind(good, secret, SFU)
        assert allowed is None, allowed
        for peer in ("10.0.0.1", "127.0.0.1", "169.254.169.254", "192.168.1.1", "172.16.0.1", "224.0.0.1", "0.0.0.0"):
            assert await bind(good, secret, peer) == 403, peer
        expired = user_name("somebody", 1_700_000_000)
        assert await bind(expired, password(TURN_SETTINGS.turn_secret, expired), SFU) == 401
        assert await bind(good, password("another secret", good), SFU) == 401
        assert await bind(user_name("somebody-else", later), secret, SFU) == 401


async def bind(username: str, secret: str, peer: str) -> int | None:
    """Allocate and bind a channel to ``peer``; the error code of what failed, None if nothing did."""
    loop = asyncio.get_running_loop()
    transport, protocol = await loop.create_datagram_endpoint(
        lambda: TurnClientUdpProtocol((TURN, 3478), username, secret, lifetime=600, channel_refresh_time=500),
        local_addr=(TURN, 0),
        remote_addr=(TURN, 3478),
    )
    try:
        await protocol.connect()
        try:
            await protocol.channel_bind(0x4000, (peer, 4000))
        finally:
            await protocol.delete()
    except stun.TransactionFailed as error:
        assert error.response.error_code is not None
        return error.response.error_code
    finally:
        transport.close()
    return None


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
