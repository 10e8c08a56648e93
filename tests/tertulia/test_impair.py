"""The bad network: the model on virtual time, and the forwarder with real sockets."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from tertulia.forwarder import Forwarder
from tertulia.impair import HEADERS, Impairment, Link

PACKET = 1000


def test_the_same_seed_loses_the_same_datagrams_and_another_seed_others() -> None:
    def lost(seed: int) -> list[int]:
        link = Link(Impairment(loss=0.05), seed)
        return [number for number in range(10_000) if link.send(PACKET, number / 1000) is None]

    assert lost(1) == lost(1)
    assert lost(1) != lost(2)
    assert 400 < len(lost(1)) < 600


def test_a_changed_rate_does_not_change_which_datagrams_are_lost_at_random() -> None:
    free, slow = Link(Impairment(loss=0.5), 7), Link(Impairment(loss=0.5, rate_bps=1e9), 7)
    assert [free.send(PACKET, n) is None for n in range(100)] == [slow.send(PACKET, n) is None for n in range(100)]


def test_jitter_delays_but_never_reorders() -> None:
    link = Link(Impairment(delay_ms=30, jitter_ms=20), 1)
    sent = [number / 1000 for number in range(1000)]
    arrivals = [arrival for now in sent if (arrival := link.send(PACKET, now)) is not None]
    assert arrivals == sorted(arrivals)
    assert len(arrivals) == len(sent)
    delays = [arrival - now for arrival, now in zip(arrivals, sent, strict=True)]
    assert min(delays) >= 0.030
    assert max(delays) <= 0.0501


def test_a_slow_hop_lets_through_what_it_can_and_drops_what_would_wait_too_long() -> None:
    rate = 500_000.0
    link = Link(Impairment(rate_bps=rate, queue_ms=100), 1)
    seconds, interval = 10.0, 0.005  # 1.6 Mbit/s offered
    waits = []
    for number in range(int(seconds / interval)):
        now = number * interval
        arrival = link.send(PACKET, now)
        if arrival is not None:
            waits.append(arrival - now)
    through = link.counts.delivered * (PACKET + HEADERS) * 8
    assert through == pytest.approx(rate * seconds, rel=0.02)
    assert link.counts.dropped > 0
    assert max(waits) <= 0.100 + (PACKET + HEADERS) * 8 / rate + 1e-9


def test_a_queue_in_bytes_holds_so_many_bytes() -> None:
    link = Link(Impairment(rate_bps=8_000, queue_ms=1e9, queue_bytes=3 * (PACKET + HEADERS)), 1)
    taken = [link.send(PACKET, 0.0) is not None for _ in range(10)]
    assert taken == [True, True, True] + [False] * 7


@pytest.fixture
def server() -> Iterator[socket.socket]:
    with _udp() as made:
        yield made


def _udp() -> socket.socket:
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.bind(("127.0.0.1", 0))
    made.settimeout(10)
    return made


def test_clients_are_told_apart_by_the_server_and_get_their_own_answers(server: socket.socket) -> None:
    with Forwarder(server.getsockname()) as forwarder, _udp() as ana, _udp() as ben:
        ana.sendto(b"ana", ("127.0.0.1", forwarder.port))
        ben.sendto(b"ben", ("127.0.0.1", forwarder.port))
        seen = dict(server.recvfrom(100) for _ in range(2))
        assert seen[b"ana"] != seen[b"ben"]
        server.sendto(b"to ben", seen[b"ben"])
        server.sendto(b"to ana", seen[b"ana"])
        assert ana.recv(100) == b"to ana"
        assert ben.recv(100) == b"to ben"
        up, down = forwarder.counts()
        assert up.delivered == 2
        assert down.delivered == 2


def test_either_direction_is_impaired_by_itself_and_while_it_runs(server: socket.socket) -> None:
    with Forwarder(server.getsockname(), seed=3) as forwarder, _udp() as client:
        client.sendto(b"hello", ("127.0.0.1", forwarder.port))
        _, source = server.recvfrom(100)
        forwarder.impair(down=Impairment(loss=1.0))
        server.sendto(b"lost", source)
        while forwarder.counts()[1].lost == 0:
            pass
        client.sendto(b"the other way", ("127.0.0.1", forwarder.port))
        assert server.recv(100) == b"the other way"
        forwarder.impair(down=Impairment(delay_ms=5))
        server.sendto(b"pong", source)
        assert client.recv(100) == b"pong"
