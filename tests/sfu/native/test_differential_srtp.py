"""Our SRTP against libsrtp (pylibsrtp) on random packets, both directions, every profile."""

from __future__ import annotations

import random
from collections.abc import Callable

import pylibsrtp
import pytest
from aiortc.rtp import RtcpRrPacket

from sfu import _wire_test as wire
from tests.sfu.native.samples import ROUNDS, random_report, random_rtp

PROFILES = {
    "AES_CM_128_HMAC_SHA1_80": (1, pylibsrtp.Policy.SRTP_PROFILE_AES128_CM_SHA1_80, 30),
    "AEAD_AES_128_GCM": (7, pylibsrtp.Policy.SRTP_PROFILE_AEAD_AES_128_GCM, 28),
    "AEAD_AES_256_GCM": (8, pylibsrtp.Policy.SRTP_PROFILE_AEAD_AES_256_GCM, 44),
}
WINDOW = 1024


@pytest.fixture(params=PROFILES)
def profile(request: pytest.FixtureRequest) -> tuple[int, int, int]:
    return PROFILES[request.param]


def libsrtp(profile: tuple[int, int, int], key: bytes, outbound: bool) -> pylibsrtp.Session:
    kind = pylibsrtp.Policy.SSRC_ANY_OUTBOUND if outbound else pylibsrtp.Policy.SSRC_ANY_INBOUND
    policy = pylibsrtp.Policy(key=key, ssrc_type=kind, srtp_profile=profile[1])
    policy.window_size = WINDOW
    return pylibsrtp.Session(policy)


def shuffled(rng: random.Random, packets: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """Reordered by up to forty places, some lost, some twice; the first stays first, since it says where to begin."""
    order = sorted(range(1, len(packets)), key=lambda i: i + rng.uniform(0, 40))
    order = [i for i in order for _ in range(rng.choices((0, 1, 2), (5, 90, 5))[0])]
    return [packets[0], *(packets[i] for i in order)]


def sequences(rng: random.Random, count: int) -> list[int]:
    """Upward with gaps, through two rollovers."""
    numbers = [rng.randrange(0x7000, 0x8000)]
    while len(numbers) < count:
        numbers.append(numbers[-1] + rng.choices((1, 2, 5, 60, 2_500), (50, 20, 10, 10, 5))[0])
    assert numbers[-1] >> 16 >= 2
    return numbers


def opened(unprotect: Callable[[bytes], bytes], sealed: bytes) -> bytes | None:
    """The plain packet; nothing if it was refused as a replay, the only reason to refuse a genuine one."""
    try:
        return unprotect(sealed)
    except (ValueError, pylibsrtp.Error) as error:
        assert "replay" in str(error)
        return None


def test_srtp_agrees_with_libsrtp(profile: tuple[int, int, int], rng: random.Random) -> None:
    """Reordering, losses, duplicates and jumps across rollovers: what either side seals, both open or refuse alike."""
    key = rng.randbytes(profile[2])
    receivers = wire.Srtp(profile[0], key), libsrtp(profile, key, outbound=False)
    for ssrc in (1, 2):
        sender = wire.Srtp(profile[0], key) if ssrc == 1 else libsrtp(profile, key, outbound=True)
        packets = []
        for sequence in sequences(rng, 900):
            plain = random_rtp(rng, sequence, ssrc)
            packets.append((plain, sender.protect(plain)))
        delivered = set()
        for plain, sealed in shuffled(rng, packets):
            ours, theirs = (opened(receiver.unprotect, sealed) for receiver in receivers)
            assert ours == theirs
            assert ours in (plain, None)
            assert ours is None or sealed not in delivered
            if ours is not None:
                delivered.add(sealed)
        assert len(delivered) > len(packets) // 2


def test_srtp_writes_the_same_bytes_as_libsrtp(profile: tuple[int, int, int], rng: random.Random) -> None:
    key = rng.randbytes(profile[2])
    ours, theirs = wire.Srtp(profile[0], key), libsrtp(profile, key, outbound=True)
    for sequence in sequences(rng, 900):
        plain = random_rtp(rng, sequence, 7)
        assert ours.protect(plain) == theirs.protect(plain)


def test_srtp_of_several_ssrcs_agrees_with_libsrtp(profile: tuple[int, int, int], rng: random.Random) -> None:
    key = rng.randbytes(profile[2])
    ours, theirs = wire.Srtp(profile[0], key), libsrtp(profile, key, outbound=False)
    numbers = {ssrc: rng.randrange(0x8000) for ssrc in (1, 2, 3, 0xFFFFFFFF)}
    for _ in range(ROUNDS):
        ssrc = rng.choice(list(numbers))
        numbers[ssrc] += rng.randint(1, 500)
        plain = random_rtp(rng, numbers[ssrc], ssrc)
        assert theirs.unprotect(ours.protect(plain)) == plain


def test_srtp_refuses_what_libsrtp_refuses(profile: tuple[int, int, int], rng: random.Random) -> None:
    """One changed bit anywhere: neither takes it, and both still take the genuine packet afterwards."""
    key = rng.randbytes(profile[2])
    ours, theirs = wire.Srtp(profile[0], key), libsrtp(profile, key, outbound=False)
    source = libsrtp(profile, key, outbound=True)
    for sequence in range(1, ROUNDS):
        plain = random_rtp(rng, sequence, 9)
        sealed = source.protect(plain)
        forged = bytearray(sealed)
        forged[rng.randrange(len(forged))] ^= 1 << rng.randrange(8)
        with pytest.raises(ValueError):
            ours.unprotect(bytes(forged))
        with pytest.raises(pylibsrtp.Error):
            theirs.unprotect(bytes(forged))
        assert ours.unprotect(sealed) == theirs.unprotect(sealed) == plain


def test_srtcp_agrees_with_libsrtp(profile: tuple[int, int, int], rng: random.Random) -> None:
    key = rng.randbytes(profile[2])
    receivers = wire.Srtp(profile[0], key), libsrtp(profile, key, outbound=False)
    for first in (1, 10):
        sender = wire.Srtp(profile[0], key) if first == 1 else libsrtp(profile, key, outbound=True)
        packets = []
        for _ in range(ROUNDS):
            plain = bytes(RtcpRrPacket(ssrc=first + rng.randrange(3), reports=[random_report(rng)]))
            packets.append((plain, sender.protect_rtcp(plain)))
        delivered = set()
        for plain, sealed in shuffled(rng, packets):
            ours, theirs = (opened(receiver.unprotect_rtcp, sealed) for receiver in receivers)
            assert ours == theirs == (None if sealed in delivered else plain)
            delivered.add(sealed)


def test_sender_refuses_a_sequence_number_that_is_not_newer(profile: tuple[int, int, int], rng: random.Random) -> None:
    ours = wire.Srtp(profile[0], rng.randbytes(profile[2]))
    ours.protect(random_rtp(rng, 100, 1))
    for sequence in (100, 99, 0x8064):
        with pytest.raises(ValueError, match="not-newer"):
            ours.protect(random_rtp(rng, sequence, 1))
