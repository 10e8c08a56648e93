"""Random packets that more than one test writes."""

from __future__ import annotations

import random

from aiortc.rtp import RtcpReceiverInfo

from sfu import _wire_test as wire

ROUNDS = 300


def random_rtp(rng: random.Random, sequence: int, ssrc: int) -> bytes:
    extensions = [(rng.randint(1, 14), rng.randbytes(rng.randint(1, 16))) for _ in range(rng.randint(0, 3))]
    return wire.build_rtp(
        rng.random() < 0.5,
        rng.randrange(128),
        sequence & 0xFFFF,
        rng.getrandbits(32),
        ssrc,
        [rng.getrandbits(32) for _ in range(rng.randint(0, 3))],
        extensions,
        rng.randbytes(rng.randint(0, 1100)),
    )


def random_report(rng: random.Random) -> RtcpReceiverInfo:
    return RtcpReceiverInfo(
        ssrc=rng.getrandbits(32),
        fraction_lost=rng.getrandbits(8),
        packets_lost=rng.randint(-(1 << 23), (1 << 23) - 1),
        highest_sequence=rng.getrandbits(32),
        jitter=rng.getrandbits(32),
        lsr=rng.getrandbits(32),
        dlsr=rng.getrandbits(32),
    )
