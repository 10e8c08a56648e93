"""Our STUN against aioice on random messages: what one writes, the other must read the same."""

from __future__ import annotations

import ipaddress
import random
from typing import Any

import pytest
from aioice import stun

from sfu import _wire_test as wire
from tests.sfu.native.samples import ROUNDS

PASSWORD = "a password of some length"


def random_address(rng: random.Random) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    return (
        ipaddress.IPv4Address(rng.getrandbits(32))
        if rng.random() < 0.5
        else ipaddress.IPv6Address(rng.getrandbits(128))
    )


def test_stun_that_aioice_writes_is_read_the_same(rng: random.Random) -> None:
    for _ in range(ROUNDS):
        message = stun.Message(stun.Method.BINDING, rng.choice(list(stun.Class)), transaction_id=rng.randbytes(12))
        username = rng.randbytes(rng.randint(2, 30)).hex() + ":" + rng.randbytes(4).hex()
        address, port = random_address(rng), rng.getrandbits(16)
        priority, tie_breaker = rng.getrandbits(32), rng.getrandbits(64)
        message.attributes["USERNAME"] = username
        message.attributes["PRIORITY"] = priority
        message.attributes["ICE-CONTROLLING"] = tie_breaker
        message.attributes["XOR-MAPPED-ADDRESS"] = (str(address), port)
        message.attributes["SOFTWARE"] = "x" * rng.randint(1, 40)
        if rng.random() < 0.5:
            message.attributes["USE-CANDIDATE"] = None
        if rng.random() < 0.3:
            message.attributes["ERROR-CODE"] = (487, "Role Conflict")
        message.add_message_integrity(PASSWORD.encode())
        message.add_fingerprint()
        fields = wire.parse_stun(bytes(message), PASSWORD)
        assert fields == {
            "type": int(message.message_method) | int(message.message_class),
            "transaction": message.transaction_id,
            "username": username,
            "priority": priority,
            "use_candidate": "USE-CANDIDATE" in message.attributes,
            "controlling": tie_breaker,
            "controlled": None,
            "error_code": 487 if "ERROR-CODE" in message.attributes else 0,
            "fingerprint": True,
            "integrity": True,
            "mapped": (address.packed, port),
        }
        wrong = wire.parse_stun(bytes(message), PASSWORD + "!")
        assert wrong is not None
        assert not wrong["integrity"]


@pytest.mark.parametrize("kind", [0x0001, 0x0101, 0x0111])
def test_stun_that_we_write_is_read_by_aioice(rng: random.Random, kind: int) -> None:
    for _ in range(ROUNDS):
        address, port = random_address(rng), rng.getrandbits(16)
        transaction, priority, tie_breaker = rng.randbytes(12), rng.getrandbits(32), rng.getrandbits(64)
        username = "u" * rng.randint(1, 60)
        nominate = rng.random() < 0.5
        datagram = wire.build_stun(
            kind, transaction, username, priority, tie_breaker, nominate, address.packed, port, PASSWORD
        )
        message = stun.parse_message(datagram)  # checks the fingerprint
        assert message.check_message_integrity(PASSWORD.encode())
        assert int(message.message_method) | int(message.message_class) == kind
        assert message.transaction_id == transaction
        attributes: dict[str, Any] = dict(message.attributes)
        assert attributes["USERNAME"] == username
        assert attributes["PRIORITY"] == priority
        assert attributes["ICE-CONTROLLING"] == tie_breaker
        assert attributes["XOR-MAPPED-ADDRESS"] == (str(address), port)
        assert ("USE-CANDIDATE" in attributes) == nominate
        assert attributes.get("ERROR-CODE") == ((487, "Role Conflict") if kind == 0x0111 else None)
