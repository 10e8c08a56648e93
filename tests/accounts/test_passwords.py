"""Hashing: argon2id with the parameters of the table, never too many at once."""

from __future__ import annotations

import asyncio

import pytest
from argon2 import PasswordHasher, extract_parameters
from argon2.low_level import Type

from accounts import passwords
from accounts.passwords import Passwords, check_password
from tertulia.errors import BadRequest, RateLimited


@pytest.fixture(autouse=True)
def cheap_passwords() -> None:
    """Here they cost what they cost."""


async def test_hash_is_argon2id_with_the_stated_parameters_and_is_found_again() -> None:
    hasher = Passwords()
    kept = await hasher.hash("correct horse battery")
    parameters = extract_parameters(kept)
    assert (parameters.type, parameters.memory_cost, parameters.time_cost, parameters.parallelism) == (
        Type.ID,
        passwords.MEMORY_KIB,
        passwords.PASSES,
        passwords.LANES,
    )
    assert passwords.MEMORY_KIB >= 19 * 1024 and passwords.PASSES >= 2, "OWASP's least"
    assert await hasher.verify(kept, "correct horse battery")
    assert not await hasher.verify(kept, "correct horse batterx")
    assert not await hasher.verify(None, "correct horse battery")
    assert not await hasher.verify("no hash", "correct horse battery")
    hasher.close()


async def test_same_password_however_it_is_typed() -> None:
    hasher = Passwords(PasswordHasher(1, 64, 1))
    assert await hasher.verify(await hasher.hash("café au lait"), "cafe\u0301 au lait")
    hasher.close()


async def test_old_parameters_are_noticed() -> None:
    weak, strong = Passwords(PasswordHasher(1, 64, 1)), Passwords(PasswordHasher(2, 64, 1))
    kept = await weak.hash("correct horse battery")
    assert strong.is_outdated(kept) and not weak.is_outdated(kept)
    weak.close()
    strong.close()


async def test_too_many_at_once_are_turned_away_and_the_rest_are_answered() -> None:
    hasher = Passwords(PasswordHasher(1, 8 * 1024, 1))
    most = passwords.WAITING_MAX + passwords.THREADS
    done = await asyncio.gather(*(hasher.verify(None, "x") for _ in range(most + 20)), return_exceptions=True)
    refused = [one for one in done if isinstance(one, RateLimited)]
    assert len(refused) == 20 and all(one.retry_after_s > 0 and one.code == "busy" for one in refused)
    assert done.count(False) == most
    assert not await hasher.verify(None, "x"), "and then it goes on"
    hasher.close()


@pytest.mark.parametrize("password", ["short", "123456789", "aaaaaaaaaaaa", "abababababab", "ada@example.org"])
def test_what_would_be_guessed_is_refused(password: str) -> None:
    with pytest.raises(BadRequest) as refused:
        check_password(password, "ada@example.org", "Ada")
    assert refused.value.code == "password-weak"
