"""Statistics of real calls: what clients are told of their connection, and what /metrics adds up."""

from __future__ import annotations

import itertools
import socket

import pytest
from prometheus_client import REGISTRY

from sfu import observer
from sfu.observer import Observer
from sfu.service import SfuService
from tertulia.catalogue import Grants, TrackIntent, View
from tertulia.forwarder import Forwarder
from tertulia.impair import Impairment
from tertulia.settings import Settings
from tests.server import free_port
from tests.sfu.peers import Heard, Peer, until


async def call(sfu: SfuService, name: str, peers: list[Peer]) -> Heard:
    """A participant who sends a tone and hears one other."""
    peer, heard = Peer(), Heard()
    peers.append(peer)

    async def exchange(offer: str) -> str:
        tracks = [TrackIntent(mid="0", kind="microphone")]
        return (await sfu.join("room", name, Grants(), offer, tracks, View(), heard)).answer

    peer.publish(None, 440)
    peer.receive("audio", "video")
    peer.open_channels()
    await peer.connect(exchange)
    return heard


@pytest.fixture
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    """A look four times a second; a few packets are enough."""
    monkeypatch.setattr(observer, "FEW_PACKETS", 5)
    monkeypatch.setattr(Observer.__init__, "__defaults__", (0.25,))


@pytest.mark.usefixtures("often")
async def test_clients_are_told_when_their_connection_gets_worse_and_better(peers: list[Peer]) -> None:
    port = free_port(socket.SOCK_DGRAM)
    with Forwarder(("127.0.0.1", port)) as forwarder:
        service = SfuService(
            Settings(media_port=port, media_addresses=("127.0.0.1",), media_advertised_port=forwarder.port)
        )
        await service.start()
        try:
            ann, bob = await call(service, "ann", peers), await call(service, "bob", peers)
            await until(lambda: bool(ann.qualities and bob.qualities))
            assert ann.qualities[0].score == 5
            forwarder.impair(up=Impairment(loss=0.6))
            await until(lambda: min(ann.qualities[-1].score, bob.qualities[-1].score) <= 2, limit=30)
            worst = next(heard.qualities[-1] for heard in (ann, bob) if heard.qualities[-1].score <= 2)
            assert worst.up_loss > 0.1
            forwarder.impair(up=Impairment())
            await until(lambda: min(ann.qualities[-1].score, bob.qualities[-1].score) == 5, limit=30)
            for heard in (ann, bob):
                scores = [quality.score for quality in heard.qualities]
                assert all(before != after for before, after in itertools.pairwise(scores))
        finally:
            for peer in peers:
                await peer.close()
            peers.clear()
            await service.close()


@pytest.mark.usefixtures("often")
async def test_totals_count_what_was_sent_and_name_nobody(peers: list[Peer]) -> None:
    def total(name: str, counter: str) -> float:
        return REGISTRY.get_sample_value(name, {"counter": counter}) or 0.0

    before = total("tertulia_sfu_slots_total", "packets")
    service = SfuService(Settings(media_port=0, media_addresses=("127.0.0.1",)))
    await service.start()
    try:
        await call(service, "ann", peers)
        await call(service, "bob", peers)
        await until(lambda: total("tertulia_sfu_slots_total", "packets") >= before + 20)
        await until(lambda: REGISTRY.get_sample_value("tertulia_sfu_sessions_by_quality", {"score": "5"}) == 2.0)
        assert service.totals()["received"] > 0
        assert service.totals()["sessions"] == 2
        labels = {
            name
            for family in REGISTRY.collect()
            if family.name.startswith("tertulia_sfu")
            for sample in family.samples
            for name in sample.labels
        }
        assert labels <= {"score", "direction", "counter", "le"}
    finally:
        for peer in peers:
            await peer.close()
        peers.clear()
        await service.close()
