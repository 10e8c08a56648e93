"""What ends with a session: sockets, data channels and media, here and in other processes, and what is on its way."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import socketio
from aiortc import RTCPeerConnection, RTCSessionDescription

from accounts import account_store, revoking
from accounts.account_store import AccountRow
from tests.accounts.conftest import PASSWORD, House, Person, open_house
from tests.waiting import until


class Client:
    """A Socket.IO client that keeps what it is told."""

    def __init__(self) -> None:
        self.io = socketio.AsyncClient(reconnection=False, handle_sigint=False)
        self.notices: list[tuple[str, Any]] = []
        self.io.on("*", self._notice)

    async def _notice(self, event: str, payload: Any) -> None:
        self.notices.append((event, payload))

    async def connect(self, house: House, token: str) -> None:
        await self.io.connect(house.url, socketio_path="/ws", transports=["websocket"], auth={"token": token})

    @property
    def ended(self) -> list[str]:
        return [payload["code"] for event, payload in self.notices if event == "session-ended"]


@asynccontextmanager
async def connected(house: House, token: str) -> AsyncIterator[Client]:
    client = Client()
    await client.connect(house, token)
    yield client
    await client.io.disconnect()


async def account_of(house: House, person: Person) -> AccountRow:
    async with house.services.database.acquire() as db:
        found = await account_store.by_id(db, person.id)
    assert found is not None
    return found


async def log_out(house: House, ada: Person) -> None:
    assert (await ada.ask("POST", "/auth/logout", {})).status == 200


async def log_out_everywhere(house: House, ada: Person) -> None:
    assert (await ada.ask("POST", "/auth/logout", {"everywhere": True})).status == 200


async def end_from_elsewhere(house: House, ada: Person) -> None:
    other = await house.log_in(await account_of(house, ada))
    assert (await other.ask("DELETE", f"/auth/sessions/{ada.session}")).status == 200


async def change_password_elsewhere(house: House, ada: Person) -> None:
    answer = await house.ask("POST", "/auth/login", {"email": ada.email, "password": PASSWORD})
    body = {"password": PASSWORD, "new_password": "another good one"}
    token = answer.body["session"]["token"]
    assert (await house.ask("POST", "/auth/password", body, token=token)).status == 200


async def give_role(house: House, ada: Person) -> None:
    owner = await house.person("owner")
    assert (await owner.ask("PUT", f"/accounts/{ada.id}/role", {"role": "guest"})).status == 200


async def ban(house: House, ada: Person) -> None:
    admin = await house.person("admin")
    assert (await admin.ask("PUT", f"/accounts/{ada.id}/ban", {"banned": True})).status == 200


async def use_refresh_twice(house: House, ada: Person) -> None:
    for _ in range(2):
        await house.ask("POST", "/auth/refresh", {"refresh_token": ada.refresh})


ENDS: list[Callable[[House, Person], Awaitable[None]]] = [
    log_out,
    log_out_everywhere,
    end_from_elsewhere,
    change_password_elsewhere,
    give_role,
    ban,
    use_refresh_twice,
]


@pytest.mark.parametrize("end", ENDS, ids=lambda end: end.__name__)
async def test_everything_open_by_a_session_closes_with_it(house: House, end: Any) -> None:
    ada = await house.person(password=PASSWORD)
    bob = await house.person()
    room = (await house.ask("POST", "/rooms", {"name": "A room"})).body["id"]
    in_room = (await ada.ask("POST", f"/rooms/{room}/tokens")).body["token"]
    peer = RTCPeerConnection()
    async with (
        connected(house, ada.token) as socket,
        connected(house, in_room) as call,
        connected(house, bob.token) as other,
    ):
        assert await join(call, room, peer) == "connected"
        assert house.services.sfu.stats()["sessions"] == 1
        await end(house, ada)
        # Whoever ended it has the answer, so it is in effect: what is asked now is refused, over every door.
        assert house.services.signaling.stats()["participants"] == 0
        assert (await house.ask("GET", "/chat/me", token=in_room)).code == "session-ended"
        await until(lambda: not socket.io.connected and not call.io.connected)
        assert (socket.ended, call.ended) == (["logged-out"], ["logged-out"])
        await until(lambda: house.services.sfu.stats()["sessions"] == 0)
        assert other.io.connected and other.ended == []
        for token in (ada.token, in_room):
            with pytest.raises(socketio.exceptions.ConnectionError):
                await Client().connect(house, token)
    await peer.close()


async def join(client: Client, room: str, peer: RTCPeerConnection) -> str:
    """Enter with a media session; its state once it has one."""
    peer.createDataChannel("control", negotiated=True, id=0)
    peer.createDataChannel("chat", negotiated=True, id=1)
    await peer.setLocalDescription(await peer.createOffer())
    answer = await client.io.call("join", {"room": room, "offer": peer.localDescription.sdp}, timeout=10)
    assert "error" not in answer, answer
    await peer.setRemoteDescription(RTCSessionDescription(answer["answer"], "answer"))
    await until(lambda: peer.connectionState in ("connected", "failed"))
    return str(peer.connectionState)


async def test_stream_by_whip_ends_too(house: House) -> None:
    ada = await house.person()
    room = (await house.ask("POST", "/rooms", {"name": "A room"})).body["id"]
    token = (await ada.ask("POST", f"/rooms/{room}/tokens")).body["token"]
    peer = RTCPeerConnection()
    peer.addTransceiver("audio", direction="sendonly")
    await peer.setLocalDescription(await peer.createOffer())
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/sdp"}
    offer = peer.localDescription.sdp
    async with house.web.post(f"{house.url}/whip/{room}", data=offer, headers=headers) as response:
        assert response.status == 201, await response.text()
    assert house.services.signaling.stats()["participants"] == 1
    await log_out(house, ada)
    assert house.services.signaling.stats()["participants"] == 0
    await until(lambda: house.services.sfu.stats()["sessions"] == 0)
    async with house.web.post(f"{house.url}/whip/{room}", data=offer, headers=headers) as response:
        assert response.status == 401
    await peer.close()


async def test_request_that_waits_in_line_is_refused_once_the_session_has_ended(house: House) -> None:
    ada = await house.person()
    made = await ada.ask(
        "POST", "/chat/conversations", {"client_id": str(uuid.uuid4()), "kind": "group", "title": "A group"}
    )
    async with connected(house, ada.token) as socket:
        [connection] = house.services.signaling._accounts[ada.id]
        gate = asyncio.Event()

        async def hold() -> None:
            await gate.wait()

        connection.lane.put(hold)
        message = {"conversation": made.body["id"], "client_id": str(uuid.uuid4()), "body": {"text": "too late"}}
        await socket.io.emit("send-message", message)
        await until(lambda: bool(connection.lane._waiting))
        await log_out(house, ada)
        gate.set()
    again = await house.log_in(await account_of(house, ada))
    page = (await again.ask("GET", f"/chat/history/{made.body['id']}")).body
    assert [one for one in page["messages"] if one["kind"] == "message"] == []


async def test_role_given_lets_come_back_with_a_refresh(house: House) -> None:
    ada = await house.person()
    await give_role(house, ada)
    renewed = await house.ask("POST", "/auth/refresh", {"refresh_token": ada.refresh})
    assert renewed.body["account"]["role"] == "guest"
    assert (await house.ask("GET", "/auth/user", token=renewed.body["token"])).status == 200


async def test_banned_person_comes_back_only_when_let_in_again(house: House) -> None:
    ada = await house.person(password=PASSWORD)
    await ban(house, ada)
    log_in = {"email": ada.email, "password": PASSWORD}
    assert (await house.ask("POST", "/auth/login", log_in)).refusal == (403, "account-banned")
    wrong = await house.ask("POST", "/auth/login", {**log_in, "password": "not the right one"})
    assert wrong.refusal == (401, "credentials-wrong"), "only who knows the password hears of the ban"
    assert (await house.ask("POST", "/auth/refresh", {"refresh_token": ada.refresh})).code == "refresh-invalid"
    owner = await house.person("owner")
    assert (await owner.ask("PUT", f"/accounts/{ada.id}/ban", {"banned": False})).status == 200
    assert (await house.ask("POST", "/auth/login", log_in)).status == 200
    assert (await ada.ask("GET", "/auth/user")).code == "session-ended", "what was void stays so"


async def test_session_ends_in_the_other_process_by_a_hint(
    dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(revoking, "EVERY_S", 3600.0)  # nothing but the hint can do it
    async with open_house(dsn, tmp_path / "one") as one, open_house(dsn, tmp_path / "two") as two:
        ada = await one.person()
        async with connected(two, ada.token) as there:
            await log_out(one, ada)
            await until(lambda: not there.io.connected)
            assert there.ended == ["logged-out"]
        assert (await two.ask("GET", "/auth/user", token=ada.token)).code == "session-ended"


async def test_process_that_starts_later_knows_what_has_ended(dsn: str, tmp_path: Path) -> None:
    async with open_house(dsn, tmp_path / "one") as one:
        ada, bob = await one.person(), await one.person()
        await log_out(one, ada)
        await give_role(one, bob)
    async with open_house(dsn, tmp_path / "two") as two:
        for person in (ada, bob):
            assert (await two.ask("GET", "/auth/user", token=person.token)).code == "session-ended"


async def test_lost_hint_is_made_good(house: House) -> None:
    ada = await house.person()
    async with connected(house, ada.token) as socket:
        async with house.services.database.acquire() as db:
            await db.execute("UPDATE accounts.session SET ended_at = now() WHERE id = $1::uuid", ada.session)
        assert socket.io.connected
        for lost in house.services.bus.on_loss:
            lost()
        await until(lambda: not socket.io.connected)
        assert socket.ended == ["logged-out"]
