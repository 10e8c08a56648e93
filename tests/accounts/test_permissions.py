"""Every operation with every role, compared with the table; and everybody's identifiers in everybody's hands."""

from __future__ import annotations

import itertools
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, get_args

import pytest

from accounts.permissions import RANK, RIGHTS
from accounts.routes import ROUTES, Route
from tertulia.catalogue import AccountRole
from tests.accounts.conftest import House, Person

ROLES: tuple[AccountRole, ...] = get_args(AccountRole)


@dataclass
class Asker:
    """Somebody in a role, with whom they would act on: a fresh account that stands lower than all of them."""

    person: Person
    subject: str
    subject_session: str


def filled(route: Route, asker: Asker) -> tuple[str, Any]:
    """An address and a body that are in order."""
    path = route.path.replace("{userId}", asker.subject).replace("{sessionId}", asker.person.session)
    bodies: Mapping[str, Any] = {
        "give-role": {"role": "guest"},
        "ban": {"banned": True},
        "invite": {"email": f"{secrets.token_hex(6)}@example.org"},
        "update-account": {"name": "Another name"},
        "change-password": {"password": "x", "new_password": "another good one"},
        "begin-totp": {"password": "x"},
        "remove-totp": {"password": "x"},
        "renew-recovery-codes": {"password": "x"},
        "confirm-totp": {"code": "000000"},
        "log-out": {},
    }
    return path, bodies.get(route.name)


@pytest.mark.parametrize("role", [*ROLES, None])
async def test_each_role_may_do_what_the_table_says_and_nothing_else(house: House, role: AccountRole | None) -> None:
    subject = await house.person("guest")
    for route in ROUTES:
        if route.right is None:
            continue
        # A new person for each: some operations end the asker's own session.
        person = await house.person(role or "member")
        path, body = filled(route, Asker(person, subject.id, subject.session))
        answer = await house.ask(route.method, path, body, token=person.token if role else None)
        refused = answer.body.get("error", {}).get("code") if isinstance(answer.body, dict) else None
        if role is None:
            assert (answer.status, refused) == (401, "token-missing"), route.name
        elif route.right in RIGHTS[role]:
            assert refused not in ("right-missing", "account-needed") and answer.status < 500, (route.name, refused)
        else:
            assert (answer.status, refused) == (403, "right-missing"), route.name
        if route.name == "ban" and answer.status == 200:
            subject = await house.person("guest")


async def test_walk_covers_every_right() -> None:
    needed = {route.right for route in ROUTES if route.right is not None}
    assert needed == {right for rights in RIGHTS.values() for right in rights} - {"owners"}


async def power(house: House, actor: Person, subject: str, route: str) -> int:
    body = {"role": {"role": "guest"}, "ban": {"banned": True}}.get(route)
    method = "PUT" if body is not None else "POST"
    return (await actor.ask(method, f"/accounts/{subject}/{route}", body)).status


@pytest.mark.parametrize(("actor", "subject"), list(itertools.product(ROLES, ROLES)))
async def test_nobody_has_power_over_those_who_stand_as_high(
    house: House, actor: AccountRole, subject: AccountRole
) -> None:
    await house.account("owner")  # so that none is the last
    somebody = await house.person(actor)
    allowed = "accounts" in RIGHTS[actor] and (actor == "owner" or RANK[actor] > RANK[subject])
    for route in ("logout", "reset-link", "role", "ban"):
        other = await house.account(subject)
        status = await power(house, somebody, other.id, route)
        assert status == (403 if not allowed else 201 if route == "reset-link" else 200), route


@pytest.mark.parametrize(("actor", "given"), list(itertools.product(ROLES, ROLES)))
async def test_nobody_gives_what_they_do_not_have(house: House, actor: AccountRole, given: AccountRole) -> None:
    somebody, other = await house.person(actor), await house.account("guest")
    answer = await somebody.ask("PUT", f"/accounts/{other.id}/role", {"role": given})
    invited = await somebody.ask(
        "POST", "/accounts/invitations", {"email": f"{secrets.token_hex(6)}@example.org", "role": given}
    )
    may_give = actor == "owner" or ("roles" in RIGHTS[actor] and RANK[given] < RANK[actor])
    assert answer.status == (200 if may_give else 403)
    assert invited.status == (201 if may_give else 403)


async def test_installation_keeps_an_owner(house: House) -> None:
    async with house.services.database.acquire() as db:
        await db.execute("UPDATE accounts.account SET role = 'admin' WHERE role = 'owner'")
    owner = await house.person("owner")
    for path, body in (
        (f"/accounts/{owner.id}/role", {"role": "member"}),
        (f"/accounts/{owner.id}/ban", {"banned": True}),
    ):
        assert (await owner.ask("PUT", path, body)).refusal == (409, "last-owner")
    second = await house.person("owner")
    assert (await owner.ask("PUT", f"/accounts/{owner.id}/role", {"role": "member"})).status == 200
    assert (await second.ask("PUT", f"/accounts/{second.id}/role", {"role": "member"})).refusal == (409, "last-owner")


async def test_right_is_judged_by_the_account_and_not_by_the_token(house: House) -> None:
    admin = await house.person("admin")
    async with house.services.database.acquire() as db:
        # Without a word to anybody: the token is as good as before.
        await db.execute("UPDATE accounts.account SET role = 'member' WHERE id = $1", admin.id)
    assert (await admin.ask("GET", "/accounts")).refusal == (403, "right-missing")


async def test_others_identifiers_are_refused_without_saying_whether_they_exist(house: House) -> None:
    """The matrix: each identifier of one person, of another and of nobody, in each place that takes one."""
    member, admin, other = await house.person(), await house.person("admin"), await house.person()
    nobody = {"userId": "a:00000000000000000000", "sessionId": "00000000-0000-4000-8000-000000000000"}
    theirs = {"userId": other.id, "sessionId": other.session}
    strange = {"userId": "x%00' OR 1=1 --", "sessionId": "x%00' OR 1=1 --"}
    for asker, route in itertools.product((member, admin), ROUTES):
        names = [name for name in nobody if f"{{{name}}}" in route.path]
        if not names or route.right is None:
            continue
        [name] = names
        _, body = filled(route, Asker(asker, other.id, other.session))
        seen = []
        for values in (nobody, theirs, strange):
            path = route.path.replace(f"{{{name}}}", values[name])
            answer = await asker.ask(route.method, path, body)
            seen.append((answer.status, answer.body.get("error", {}).get("code")))
        role: AccountRole = "member" if asker is member else "admin"
        if name == "sessionId":
            assert set(seen) == {(404, "session-not-found")}, route.name
        elif route.right in RIGHTS[role]:
            assert seen[0] == seen[2] == (404, "account-not-found"), route.name
        else:
            assert set(seen[:2]) == {(403, "right-missing")}, route.name
        if route.name in ("ban", "log-out-account", "give-role") and asker is admin:
            async with house.services.database.acquire() as db:
                await db.execute("UPDATE accounts.account SET state = 'active' WHERE id = $1", other.id)
    assert (await member.ask("GET", "/auth/user")).status == 200


async def test_acts_are_noted_with_who_did_them(house: House) -> None:
    admin, member = await house.person("admin"), await house.person()
    await admin.ask("PUT", f"/accounts/{member.id}/role", {"role": "guest"})
    await admin.ask("PUT", f"/accounts/{member.id}/ban", {"banned": True})
    await admin.ask("POST", f"/accounts/{member.id}/reset-link")
    await member.ask("PUT", f"/accounts/{admin.id}/ban", {"banned": True})
    entries = (await admin.ask("GET", "/accounts/audit")).body["entries"]
    mine = [(one["action"], one["subject"], one["detail"]) for one in entries if one["actor"] == admin.id]
    assert mine == [
        ("reset-link-made", member.id, ""),
        ("banned", member.id, ""),
        ("role-given", member.id, "guest"),
    ]
    assert not [one for one in entries if one["actor"] == member.id], "what was refused is no act"


async def test_lists_are_read_in_pages(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("accounts.audit.PAGE", 2)
    owner = await house.person("owner")
    made = [(await house.account()).id for _ in range(3)]
    for account in made:
        await owner.ask("PUT", f"/accounts/{account}/ban", {"banned": True})
    seen: list[str] = []
    async with house.services.database.acquire() as db:
        count = await db.fetchval("SELECT count(*) FROM accounts.account")
    size = min(100, count // 3 + 1)
    path = f"/accounts?limit={size}"
    while path:
        page = (await owner.ask("GET", path)).body
        seen += [one["id"] for one in page["accounts"]]
        path = f"/accounts?limit={size}&cursor={page['cursor']}" if page["cursor"] else ""
    assert len(seen) == len(set(seen)) and set(made) <= set(seen)
    first = (await owner.ask("GET", "/accounts/audit")).body
    second = (await owner.ask("GET", f"/accounts/audit?cursor={first['cursor']}")).body
    assert [one["subject"] for one in first["entries"] + second["entries"]][:3] == made[::-1]
    for cursor in ("x", "WzEsImEiXQ", "WyJub3QgYSBkYXRlIiwiYSJd"):
        assert (await owner.ask("GET", f"/accounts?cursor={cursor}")).refusal == (400, "cursor-invalid")
