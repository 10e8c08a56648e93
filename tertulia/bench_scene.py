"""One room under load: publishers over WHIP, viewers over WHEP, measured step by step."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field

import aiohttp

from tertulia.bench_load import Load, Report
from tertulia.bench_offers import (
    Credentials,
    feedback_command,
    make_offer,
    read_answer,
    slot_command,
    source_command,
)
from tertulia.bench_options import Cipher
from tertulia.bench_server import BenchError, BenchServer, Cpu

_PROFILES: dict[Cipher, str] = {
    "gcm128": "SRTP_AEAD_AES_128_GCM",
    "gcm256": "SRTP_AEAD_AES_256_GCM",
    "cm": "SRTP_AES128_CM_SHA1_80",
}
"""The command line's names and OpenSSL's."""

_BATCH = 20  # sessions that are described before their transports connect, so that none waits long enough to expire
_WARM_UP_LIMIT_S = 30.0
_SETTLE_LIMIT_S = 12.0


@dataclass(slots=True)
class JoinCost:
    """CPU seconds of the server for a number of joins, by step, and how long they took."""

    count: int = 0
    describe_s: float = 0.0
    """HTTP request, offer parsed, session made, answer written."""
    connect_s: float = 0.0
    """ICE and DTLS."""
    elapsed_s: float = 0.0


@dataclass(slots=True)
class Window:
    """A measured stretch of time: what the viewers saw and what the server spent."""

    report: Report
    cpu_s: float
    worker_s: float


@dataclass(slots=True)
class Scene:
    """A room with its peers. Peer numbers count up over publishers and viewers."""

    server: BenchServer
    load: Load
    http: aiohttp.ClientSession
    cipher: Cipher
    audio: bool
    feedback: bool = False
    """Viewers give transport-wide feedback every 50 ms, as browsers do, and not only receiver reports."""
    room: str = ""
    _next: int = field(default=0, init=False)
    _resources: list[tuple[str, str]] = field(default_factory=list, init=False)

    async def open(self) -> None:
        """Create the room."""
        self.room = (await self._post_json("/rooms", {"name": "Benchmark"}))["id"]

    async def join(self, count: int, *, publish: bool) -> JoinCost:
        """Let so many peers join and connect."""
        cost = JoinCost(count)
        tokens = [await self.token(self._next + number) for number in range(count)]
        for start in range(0, count, _BATCH):
            batch = tokens[start : start + _BATCH]
            peers = range(self._next, self._next + len(batch))
            self._next += len(batch)
            own = [await self.prepare(peer) for peer in peers]
            began, before = time.monotonic(), self.server.cpu()
            commands = [
                await self.describe(peer, token, credentials, publish=publish)
                for peer, token, credentials in zip(peers, batch, own, strict=True)
            ]
            described = self.server.cpu()
            for command in commands:
                self.load.tell(command)
            await self.load.wait_connected(peers)
            cost.describe_s += described.since(before)
            cost.connect_s += self.server.cpu().since(described)
            cost.elapsed_s += time.monotonic() - began
        return cost

    def poll(self) -> None:
        """The load asks its sockets in turn from now on, so that the server does not pay for waking its receivers."""
        self.load.tell("poll on")

    def stream(self, shape: str, pps: float, packet_bytes: int) -> None:
        """All publishers begin to send, or change their pace."""
        self.load.tell(f"stream {shape} {pps} {packet_bytes}")

    def flood(self, kind: str, victim: int, pps: float, packet_bytes: int) -> None:
        """An attacker begins to send (``sfu/native/bench/flood.hpp`` names the kinds)."""
        self.load.tell(f"flood {kind} {victim} {pps} {packet_bytes}")

    def end_flood(self) -> None:
        """The attacker stops."""
        self.load.tell("flood off")

    async def wait_until_all_receive(self) -> None:
        """Warm-up: every slot of every viewer has had packets within one second."""
        deadline = time.monotonic() + _WARM_UP_LIMIT_S
        while True:
            await self.load.reset()
            await asyncio.sleep(1.0)
            report = await self.load.report()
            if report.slots > 0 and report.receiving == report.slots:
                return
            if time.monotonic() > deadline:
                raise BenchError(f"Only {report.receiving} of {report.slots} slots receive anything.")

    async def wait_until_nothing_is_lost(self) -> None:
        """Until the server knows what viewers' networks carry: what did not seem to fit at first is given later.

        What is lost for longer than that is for the measurement to show.
        """
        deadline = time.monotonic() + _SETTLE_LIMIT_S
        while (await self.measure(1.0)).report.lost > 0 and time.monotonic() < deadline:
            pass

    async def measure(self, seconds: float) -> Window:
        """Count and account for so many seconds."""
        before: Cpu = self.server.cpu()
        await self.load.reset()
        await asyncio.sleep(seconds)
        report = await self.load.report()
        after = self.server.cpu()
        return Window(report, after.since(before), after.worker_since(before, self.server.workers))

    async def close(self) -> None:
        """All peers leave."""
        await self.load.close()
        for location, token in self._resources:
            async with self.http.delete(self.server.url + location, headers=_bearer(token)) as answer:
                await answer.read()

    async def leave(self, number: int) -> None:
        """End the session that was the ``number``-th to be described, as a program does that ends in order."""
        location, token = self._resources[number]
        async with self.http.delete(self.server.url + location, headers=_bearer(token)) as answer:
            await answer.read()

    async def token(self, number: int) -> str:
        """A room token for the peer of this number."""
        path = f"/rooms/{self.room}/tokens"
        answer = await self._post_json(path, {"name": f"Peer {number}", "identity": f"peer-{number}", "ttl_s": 3600})
        return answer["token"]

    async def prepare(self, peer: int) -> tuple[Credentials, str]:
        """ICE credentials and the certificate's fingerprint of a new peer."""
        credentials = Credentials.make()
        return credentials, await self.load.add_peer(peer, credentials.ufrag, credentials.pwd)

    async def describe(self, peer: int, token: str, own: tuple[Credentials, str], *, publish: bool) -> str:
        """Offer and answer; returns the load generator's command that connects."""
        offer = make_offer(*own, audio=self.audio, publish=publish)
        path = f"/{'whip' if publish else 'whep'}/{self.room}"
        headers = _bearer(token) | {"content-type": "application/sdp"}
        async with self.http.post(self.server.url + path, data=offer.text, headers=headers) as response:
            text = await response.text()
            if response.status != 201:
                raise BenchError(f"POST {path} was answered with {response.status}: {text[:300]}")
            self._resources.append((response.headers["location"], token))
        answer = read_answer(text)
        for index in range(len(offer.kinds)):
            command = source_command if publish else slot_command
            self.load.tell(command(peer, index, offer, answer))
        feedback = feedback_command(peer, answer)
        if self.feedback and not publish and feedback is not None:
            self.load.tell(feedback)
        remote = answer.credentials
        return (
            f"connect {peer} {answer.host} {answer.port} {remote.ufrag} {remote.pwd} "
            f"{_PROFILES[self.cipher]} {answer.fingerprint}"
        )

    async def _post_json(self, path: str, body: dict[str, object]) -> dict[str, str]:
        async with self.http.post(self.server.url + path, json=body, headers=_bearer(self.server.key)) as response:
            if response.status != 201:
                raise BenchError(f"POST {path} was answered with {response.status}: {(await response.text())[:300]}")
            answer: dict[str, str] = await response.json()
            return answer


def _bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}
