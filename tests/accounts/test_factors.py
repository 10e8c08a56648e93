"""The second factor, with time as the test wants it."""

from __future__ import annotations

import asyncio

import pyotp
import pytest

from accounts.factors import RECOVERY_CODES, STEP_S
from accounts.rates import RATES
from tests.accounts.conftest import PASSWORD, Answer, House, Person

pytestmark = pytest.mark.usefixtures("still_time")
START = 1_800_000_000.0


class Clock:
    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(house: House) -> Clock:
    clock = Clock()
    house.services.accounts.factors._clock = clock
    return clock


async def set_up(house: House, clock: Clock) -> tuple[Person, pyotp.TOTP, list[str]]:
    """Somebody with an authenticator, and their recovery codes."""
    ada = await house.person(password=PASSWORD)
    begun = await ada.ask("POST", "/auth/totp", {"password": PASSWORD})
    totp = pyotp.TOTP(begun.body["secret"])
    assert begun.body["uri"].startswith("otpauth://totp/Tertulia:")
    confirmed = await ada.ask("POST", "/auth/totp/confirm", {"code": totp.at(int(clock.now))})
    assert confirmed.status == 200
    clock.now += STEP_S
    return ada, totp, confirmed.body["codes"]


async def first_step(house: House, ada: Person) -> str:
    answer = await house.ask("POST", "/auth/login", {"email": ada.email, "password": PASSWORD})
    assert answer.body["session"] is None and not answer.cookies
    return str(answer.body["ticket"])


async def second_step(house: House, ticket: str, code: str) -> Answer:
    return await house.ask("POST", "/auth/login/second", {"ticket": ticket, "code": code})


async def test_log_in_takes_both_steps(house: House, clock: Clock) -> None:
    ada, totp, _ = await set_up(house, clock)
    ticket = await first_step(house, ada)
    assert (await house.ask("GET", "/auth/user", token=ticket)).code == "token-invalid", "a ticket is no token"
    done = await second_step(house, ticket, totp.at(int(clock.now)))
    assert done.status == 200 and done.body["account"]["two_factor"]
    clock.now += STEP_S
    again = await second_step(house, ticket, totp.at(int(clock.now)))
    assert again.refusal == (404, "link-invalid"), "a ticket is good once"


async def test_code_is_good_once_and_not_for_long(house: House, clock: Clock) -> None:
    ada, totp, _ = await set_up(house, clock)
    code = totp.at(int(clock.now))
    assert (await second_step(house, await first_step(house, ada), code)).status == 200
    ticket = await first_step(house, ada)
    assert (await second_step(house, ticket, code)).refusal == (401, "second-factor-wrong")
    for seconds in (-3 * STEP_S, 3 * STEP_S):
        off = totp.at(int(clock.now) + seconds)
        assert (await second_step(house, ticket, off)).code == "second-factor-wrong"
    clock.now += STEP_S
    late = totp.at(int(clock.now))
    clock.now += STEP_S
    assert (await second_step(house, ticket, late)).status == 200, "a clock may be half a minute off"


async def test_of_two_uses_of_a_code_at_once_one_succeeds(house: House, clock: Clock) -> None:
    ada, totp, codes = await set_up(house, clock)
    for code in (totp.at(int(clock.now)), codes[0]):
        tickets = [await first_step(house, ada) for _ in range(2)]
        done = await asyncio.gather(*(second_step(house, ticket, code) for ticket in tickets))
        assert sorted(answer.status for answer in done) == [200, 401]


async def test_recovery_code_stands_in_once(house: House, clock: Clock) -> None:
    ada, _, codes = await set_up(house, clock)
    assert len(set(codes)) == RECOVERY_CODES
    assert (await second_step(house, await first_step(house, ada), codes[0].upper())).status == 200
    assert (await second_step(house, await first_step(house, ada), codes[0])).code == "second-factor-wrong"
    renewed = await ada.ask("POST", "/auth/recovery-codes", {"password": PASSWORD})
    assert (await second_step(house, await first_step(house, ada), codes[1])).code == "second-factor-wrong"
    assert (await second_step(house, await first_step(house, ada), renewed.body["codes"][1])).status == 200


async def test_codes_are_not_guessed(house: House, clock: Clock) -> None:
    ada, totp, _ = await set_up(house, clock)
    ticket = await first_step(house, ada)
    statuses = [(await second_step(house, ticket, "000000")).status for _ in range(int(RATES["second-factor"].burst))]
    assert set(statuses) == {401, 429}, "confirming the authenticator counted as well"
    limited = await second_step(house, await first_step(house, ada), totp.at(int(clock.now)))
    assert limited.status == 429 and int(limited.headers["Retry-After"]) > 0


async def test_what_changes_how_one_logs_in_needs_the_password(house: House, clock: Clock) -> None:
    ada, _, _ = await set_up(house, clock)
    for path in ("/auth/totp", "/auth/totp/remove", "/auth/recovery-codes"):
        assert (await ada.ask("POST", path, {"password": "not the right one"})).refusal == (401, "credentials-wrong")
    assert (await ada.ask("POST", "/auth/totp", {"password": PASSWORD})).refusal == (409, "second-factor-state")
    assert (await ada.ask("POST", "/auth/totp/remove", {"password": PASSWORD})).status == 200
    answer = await house.ask("POST", "/auth/login", {"email": ada.email, "password": PASSWORD})
    assert answer.body["ticket"] is None and answer.body["session"] is not None


async def test_unconfirmed_authenticator_is_not_asked_for(house: House, clock: Clock) -> None:
    ada = await house.person(password=PASSWORD)
    await ada.ask("POST", "/auth/totp", {"password": PASSWORD})
    assert (await ada.ask("POST", "/auth/totp/confirm", {"code": "000000"})).code == "second-factor-wrong"
    answer = await house.ask("POST", "/auth/login", {"email": ada.email, "password": PASSWORD})
    assert answer.body["session"] is not None
    assert (await ada.ask("POST", "/auth/recovery-codes", {"password": PASSWORD})).code == "second-factor-state"


async def test_setting_up_ends_other_sessions(house: House, clock: Clock) -> None:
    account = await house.account(password=PASSWORD)
    other = await house.log_in(account)
    ada = await house.log_in(account)
    begun = await ada.ask("POST", "/auth/totp", {"password": PASSWORD})
    await ada.ask("POST", "/auth/totp/confirm", {"code": pyotp.TOTP(begun.body["secret"]).at(int(clock.now))})
    assert (await other.ask("GET", "/auth/user")).code == "session-ended"
    assert (await ada.ask("GET", "/auth/user")).status == 200


async def test_new_password_by_mail_does_not_go_around_the_second_step(house: House, clock: Clock) -> None:
    ada, _, _ = await set_up(house, clock)
    old_ticket = await first_step(house, ada)
    await house.ask("POST", "/auth/recover", {"email": ada.email})
    body = {"token": house.mailed_token(ada.email), "password": PASSWORD + " again"}
    assert (await house.ask("POST", "/auth/recover/finish", body)).status == 200
    answer = await house.ask("POST", "/auth/login", {"email": ada.email, "password": PASSWORD + " again"})
    assert answer.body["session"] is None and answer.body["ticket"] is not None
    assert (await second_step(house, old_ticket, "000000")).code == "link-invalid", "the old password's ticket is void"


async def test_secret_is_not_readable_in_the_database(house: House, clock: Clock) -> None:
    ada, totp, codes = await set_up(house, clock)
    async with house.services.database.acquire() as db:
        row = await db.fetchrow("SELECT totp_secret FROM accounts.account WHERE id = $1", ada.id)
        hashes = await db.fetch("SELECT hash FROM accounts.recovery_code WHERE account_id = $1", ada.id)
    assert totp.secret.encode() not in row["totp_secret"]
    assert not {code.encode() for code in codes} & {one["hash"] for one in hashes}
    other = await house.account(password=PASSWORD)
    async with house.services.database.acquire() as db:
        # Moved to another account, it opens nothing there: it is bound to its own.
        await db.execute(
            "UPDATE accounts.account SET totp_secret = $2, totp_on = true WHERE id = $1", other.id, row["totp_secret"]
        )
    answer = await house.ask("POST", "/auth/login", {"email": other.email, "password": PASSWORD})
    moved = await second_step(house, answer.body["ticket"], totp.at(int(clock.now)))
    assert moved.code == "second-factor-wrong"
