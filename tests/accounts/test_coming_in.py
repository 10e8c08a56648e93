"""Registering, logging in, refreshing and logging out, as programs do it."""

from __future__ import annotations

import asyncio
import secrets
from pathlib import Path
from typing import Any

import pytest

from tests.accounts.conftest import PASSWORD, House, open_house


def an_address() -> str:
    return f"Ada-{secrets.token_hex(6)}@Example.org"


async def register(house: House, email: str, name: str = "Ada", password: str = PASSWORD) -> Any:
    asked = await house.ask("POST", "/auth/register", {"email": email})
    assert (asked.status, asked.body) == (202, {})
    made = await house.ask(
        "POST",
        "/auth/register/finish",
        {"token": house.mailed_token(email), "name": name, "password": password},
    )
    assert made.status == 201, made.body
    return made.body


async def test_somebody_registers_logs_in_and_is_known_in_the_chat(house: House) -> None:
    email = an_address()
    made = await register(house, email)
    assert made["account"]["role"] == "member"
    answer = await house.ask("POST", "/auth/login", {"email": email.upper(), "password": PASSWORD})
    session = answer.body["session"]
    assert session["session"] != made["session"], "each log-in is a session of its own"
    myself = await house.ask("GET", "/auth/user", token=session["token"])
    assert (myself.body["account"]["email"], myself.body["account"]["name"]) == (email, "Ada")
    chat = await house.ask("GET", "/chat/me", token=session["token"])
    assert chat.body["id"] == session["account"]["id"]
    room = (await house.ask("POST", "/rooms", {"name": "A room"})).body["id"]
    token = await house.ask("POST", f"/rooms/{room}/tokens", token=session["token"])
    assert token.body["identity"] == session["account"]["id"], "and in rooms"


async def test_link_is_good_once_even_for_two_at_once(house: House) -> None:
    email = an_address()
    await house.ask("POST", "/auth/register", {"email": email})
    body = {"token": house.mailed_token(email), "name": "Ada", "password": PASSWORD}
    answers = await asyncio.gather(*(house.ask("POST", "/auth/register/finish", body) for _ in range(3)))
    assert sorted(answer.status for answer in answers) == [201, 404, 404]


async def test_address_with_an_account_gets_the_same_answer_and_other_mail(house: House) -> None:
    email = an_address()
    await register(house, email)
    house.outbox.mails.clear()
    again = await house.ask("POST", "/auth/register", {"email": email.lower()})
    assert (again.status, again.body) == (202, {})
    [mail] = house.outbox.mails
    assert mail.to == email and "#" not in mail.text


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"name": "Ada", "password": "short"}, "password-weak"),
        ({"name": "Ada", "password": "aaaaaaaaaaaaaaaa"}, "password-weak"),
        ({"name": "\u200b", "password": PASSWORD}, "text-blank"),
        ({"name": "", "password": PASSWORD}, "body-invalid"),
    ],
)
async def test_bad_account_is_refused_and_the_link_stays_good(house: House, body: Any, code: str) -> None:
    email = an_address()
    await house.ask("POST", "/auth/register", {"email": email})
    token = house.mailed_token(email)
    refused = await house.ask("POST", "/auth/register/finish", {"token": token, **body})
    assert refused.refusal == (400, code)
    good = {"token": token, "name": "Ada", "password": PASSWORD}
    assert (await house.ask("POST", "/auth/register/finish", good)).status == 201


@pytest.mark.parametrize("email", ["", "ada", "ada@", "a b@example.org", "ada@example.org\r\nBcc: x@y.z", "ä@ö.de"])
async def test_what_is_no_address_is_refused(house: House, email: str) -> None:
    assert (await house.ask("POST", "/auth/register", {"email": email})).status == 400


@pytest.mark.parametrize(
    ("changes", "email", "status"),
    [
        ({"registration": "closed"}, "ada@example.org", 403),
        ({"registration": "invitation"}, "ada@example.org", 403),
        ({"registration": "domain", "registration_domains": ("example.org",)}, "ada@EXAMPLE.org", 202),
        ({"registration": "domain", "registration_domains": ("example.org",)}, "ada@sub.example.org", 403),
        ({"registration": "domain", "registration_domains": ("example.org",)}, "a@example.org@evil.example", 400),
    ],
)
async def test_who_may_register_is_a_setting(dsn: str, tmp_path: Path, changes: Any, email: str, status: int) -> None:
    async with open_house(dsn, tmp_path, **changes) as house:
        assert (await house.ask("POST", "/auth/register", {"email": email})).status == status


async def test_first_owner_comes_by_the_printed_link_and_only_the_first(house: House) -> None:
    async with house.services.database.acquire() as db:
        await db.execute("UPDATE accounts.account SET role = 'admin' WHERE role = 'owner'")
    links = [await house.services.accounts.registration.owner_link() for _ in range(2)]
    tokens = [link.split("#")[1] for link in links if link]
    body = {"name": "Olga", "password": PASSWORD}
    assert (await house.ask("POST", "/auth/register/finish", {"token": tokens[0], **body})).code == "email-invalid"
    made = await house.ask("POST", "/auth/register/finish", {"token": tokens[0], **body, "email": an_address()})
    assert made.body["account"]["role"] == "owner"
    second = await house.ask("POST", "/auth/register/finish", {"token": tokens[1], **body, "email": an_address()})
    assert second.refusal == (404, "link-invalid")
    assert await house.services.accounts.registration.owner_link() is None


async def test_invitation_for_an_address_proves_it_and_gives_its_role(house: House) -> None:
    owner = await house.person("owner")
    email = an_address()
    link = await owner.ask("POST", "/accounts/invitations", {"email": email, "role": "admin"})
    assert link.status == 201
    body = {"token": link.body["token"], "name": "Ada", "password": PASSWORD, "email": "other@example.org"}
    made = await house.ask("POST", "/auth/register/finish", body)
    assert (made.body["account"]["email"], made.body["account"]["role"]) == (email, "admin")
    assert (await owner.ask("POST", "/accounts/invitations", {"email": email})).refusal == (409, "email-taken")


async def test_open_invitation_goes_by_mail_and_is_used_up(dsn: str, tmp_path: Path) -> None:
    async with open_house(dsn, tmp_path) as house:
        admin = await house.person("admin")
        invite = (await admin.ask("POST", "/accounts/invitations", {"uses": 1})).body["token"]
        body = {"token": invite, "name": "Ada", "password": PASSWORD}
        assert (await house.ask("POST", "/auth/register/finish", body)).code == "link-invalid", "it proves no address"
        emails = [an_address(), an_address()]
        for email in emails:
            assert (await house.ask("POST", "/auth/register", {"email": email, "invite": invite})).status == 202
        done = [
            await house.ask("POST", "/auth/register/finish", {**body, "token": house.mailed_token(email)})
            for email in emails
        ]
        assert [answer.status for answer in done] == [201, 404]
        assert (await house.ask("POST", "/auth/register", {"email": an_address(), "invite": invite})).status == 404


async def test_refresh_tokens_rotate_and_a_used_one_ends_the_session(house: House) -> None:
    ada = await house.person()
    bystander = await house.log_in(await house.account())
    first = await house.ask("POST", "/auth/refresh", {"refresh_token": ada.refresh})
    assert first.status == 200 and first.body["session"] == ada.session
    second = await house.ask("POST", "/auth/refresh", {"refresh_token": first.body["refresh_token"]})
    assert second.status == 200
    reused = await house.ask("POST", "/auth/refresh", {"refresh_token": ada.refresh})
    assert reused.refusal == (401, "refresh-invalid")
    newest = await house.ask("POST", "/auth/refresh", {"refresh_token": second.body["refresh_token"]})
    assert newest.refusal == (401, "refresh-invalid"), "the whole family is void"
    for token in (ada.token, first.body["token"], second.body["token"]):
        assert (await house.ask("GET", "/auth/user", token=token)).refusal == (401, "session-ended")
    assert (await bystander.ask("GET", "/auth/user")).status == 200


async def test_of_two_refreshes_at_once_one_is_a_reuse(house: House) -> None:
    ada = await house.person()
    body = {"refresh_token": ada.refresh}
    answers = await asyncio.gather(*(house.ask("POST", "/auth/refresh", body) for _ in range(2)))
    assert sorted(answer.status for answer in answers) == [200, 401]
    assert (await ada.ask("GET", "/auth/user")).code == "session-ended"


async def test_made_up_refresh_token_ends_nothing(house: House) -> None:
    ada = await house.person()
    body = ada.refresh[:-4] + ("AAAA" if ada.refresh[-4:] != "AAAA" else "BBBB")
    for made_up in (body, "x" * 40, "é" * 40, ada.token):
        assert (await house.ask("POST", "/auth/refresh", {"refresh_token": made_up})).code == "refresh-invalid"
    assert (await ada.ask("GET", "/auth/user")).status == 200


async def test_logging_out_here_everywhere_and_elsewhere(house: House) -> None:
    account = await house.account()
    here, there, third = [await house.log_in(account) for _ in range(3)]
    listed = (await here.ask("GET", "/auth/sessions")).body["sessions"]
    assert {one["id"] for one in listed} == {here.session, there.session, third.session}
    assert [one["id"] for one in listed if one["current"]] == [here.session]
    assert (await here.ask("DELETE", f"/auth/sessions/{there.session}")).status == 200
    assert (await there.ask("GET", "/auth/user")).code == "session-ended"
    assert (await here.ask("DELETE", f"/auth/sessions/{there.session}")).refusal == (404, "session-not-found")
    assert (await here.ask("POST", "/auth/logout", {})).status == 200
    assert (await here.ask("GET", "/auth/user")).code == "session-ended"
    assert (await house.ask("POST", "/auth/refresh", {"refresh_token": here.refresh})).code == "refresh-invalid"
    fourth = await house.log_in(account)
    assert (await third.ask("POST", "/auth/logout", {"everywhere": True})).status == 200
    assert (await fourth.ask("GET", "/auth/user")).code == "session-ended"


async def test_nobody_ends_the_session_of_another(house: House) -> None:
    ada, bob = await house.person(), await house.person()
    assert (await ada.ask("DELETE", f"/auth/sessions/{bob.session}")).refusal == (404, "session-not-found")
    assert (await ada.ask("DELETE", "/auth/sessions/nonsense")).refusal == (404, "session-not-found")
    assert (await bob.ask("GET", "/auth/user")).status == 200


async def test_oldest_session_gives_way(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("accounts.sessions.SESSIONS_MAX", 2)
    account = await house.account(password=PASSWORD)
    first = await house.log_in(account)
    for _ in range(2):
        await house.ask("POST", "/auth/login", {"email": account.email, "password": PASSWORD})
    assert (await first.ask("GET", "/auth/user")).code == "session-ended"


async def test_password_is_changed_by_the_old_one_and_other_sessions_end(house: House) -> None:
    account = await house.account(password=PASSWORD)
    here, there = await house.log_in(account), await house.log_in(account)
    wrong = await here.ask("POST", "/auth/password", {"password": "not the one", "new_password": "another good one"})
    assert wrong.refusal == (401, "credentials-wrong")
    done = await here.ask("POST", "/auth/password", {"password": PASSWORD, "new_password": "another good one"})
    assert done.status == 200
    assert (await there.ask("GET", "/auth/user")).code == "session-ended"
    assert (await here.ask("GET", "/auth/user")).status == 200
    old = await house.ask("POST", "/auth/login", {"email": account.email, "password": PASSWORD})
    assert old.refusal == (401, "credentials-wrong")
    new = await house.ask("POST", "/auth/login", {"email": account.email, "password": "another good one"})
    assert new.body["session"] is not None


async def test_forgotten_password_is_set_by_a_link_from_the_mail(house: House) -> None:
    account = await house.account(password=PASSWORD)
    session = await house.log_in(account)
    for email in (account.email, "nobody@example.org"):
        answer = await house.ask("POST", "/auth/recover", {"email": email})
        assert (answer.status, answer.body) == (202, {})
    assert [mail.to for mail in house.outbox.mails] == [account.email]
    body = {"token": house.mailed_token(account.email), "password": "another good one"}
    assert (await house.ask("POST", "/auth/recover/finish", body)).status == 200
    assert (await house.ask("POST", "/auth/recover/finish", body)).refusal == (404, "link-invalid")
    assert (await session.ask("GET", "/auth/user")).code == "session-ended"
    new = await house.ask("POST", "/auth/login", {"email": account.email, "password": "another good one"})
    assert new.status == 200


async def test_administrator_hands_over_a_link_where_there_is_no_mail(house: House) -> None:
    admin, member = await house.person("admin"), await house.account(password=PASSWORD)
    link = await admin.ask("POST", f"/accounts/{member.id}/reset-link")
    assert link.status == 201 and link.body["url"].startswith(house.settings.base_url)
    body = {"token": link.body["token"], "password": "another good one"}
    assert (await house.ask("POST", "/auth/recover/finish", body)).status == 200


async def test_outbox_is_shown_on_development_servers_only(dsn: str, tmp_path: Path, house: House) -> None:
    email = an_address()
    await house.ask("POST", "/auth/register", {"email": email})
    mails = (await house.ask("GET", "/auth/outbox")).body["mails"]
    assert mails[0]["to"] == email
    async with open_house(dsn, tmp_path, public_url="https://talk.example.org") as production:
        assert (await production.ask("GET", "/auth/outbox")).refusal == (403, "development-only")


async def test_page_is_told_how_people_come_in(dsn: str, tmp_path: Path, house: House) -> None:
    await house.account("owner")
    options = (await house.ask("GET", "/auth/options")).body
    assert options == {"registration": "open", "owner": True, "mail": True, "outbox": True, "development": True}
    async with open_house(dsn, tmp_path, public_url="https://talk.example.org") as production:
        options = (await production.ask("GET", "/auth/options")).body
        assert options == {
            "registration": "invitation",
            "owner": True,
            "mail": False,
            "outbox": False,
            "development": False,
        }


async def test_link_says_what_it_is_for_and_stays_good(house: House) -> None:
    owner, email = await house.person("owner"), an_address()

    async def look(token: str) -> Any:
        return (await house.ask("POST", "/auth/link", {"token": token})).body

    invite = (await owner.ask("POST", "/accounts/invitations", {"email": email, "role": "admin"})).body["token"]
    assert await look(invite) == {"purpose": "invite", "email": email, "role": "admin"}
    anybody = (await owner.ask("POST", "/accounts/invitations", {"uses": 2})).body["token"]
    assert await look(anybody) == {"purpose": "invite", "email": None, "role": "member"}
    made = await house.ask("POST", "/auth/register/finish", {"token": invite, "name": "Ada", "password": PASSWORD})
    assert made.status == 201
    reset = (await owner.ask("POST", f"/accounts/{made.body['account']['id']}/reset-link")).body["token"]
    assert await look(reset) == {"purpose": "reset", "email": email, "role": None}
    await house.ask("POST", "/auth/recover", {"email": "nobody@example.org"})
    for bad in (invite, "x" * 43):
        assert (await house.ask("POST", "/auth/link", {"token": bad})).refusal == (404, "link-invalid")
