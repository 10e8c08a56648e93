"""Presence: sockets that are lost and found, media that ends, rooms that end, and what the others see of it."""

from __future__ import annotations

from tertulia.catalogue import Quality, Speaker, Speakers, Track
from tests.signaling.conftest import API_KEY, OFFER, Client, Stack
from tests.waiting import until


async def two(stack: Stack) -> tuple[str, Client, Client]:
    room = (await stack.room())["id"]
    ada, bob = await stack.client(room, "ada"), await stack.client(room, "bob")
    await ada.join(room, offer=OFFER)
    await bob.join(room)
    return room, ada, bob


async def test_lost_socket_shows_at_once_and_ends_after_the_grace(stack: Stack) -> None:
    _, ada, bob = await two(stack)
    ada.cut()
    shown = await bob.wait_for("participant-updated")
    assert (shown["id"], shown["connected"]) == ("ada", False)
    assert await bob.wait_for("participant-left") == {"id": "ada", "reason": "connection-lost"}
    assert stack.sfu.sessions == {}, "the media session ends with the participant"


async def test_client_that_comes_back_in_time_keeps_its_media_session(stack: Stack) -> None:
    room, ada, bob = await two(stack)
    session = stack.session("ada")
    stack.signaling.grace_s = 60
    ada.cut()
    await bob.wait_for("participant-updated")
    session.change_slot()
    again = await stack.client(room, "ada")
    joined = await again.join(room, session=session.id)
    assert joined["session"] == session.id
    assert joined["answer"] is None
    assert joined["slots"] == {"rev": 2, "full": True, "slots": joined["slots"]["slots"]}, "the whole map as it is now"
    back = await bob.wait_for("participant-updated", 2)
    assert (back["id"], back["connected"]) == ("ada", True)
    assert bob.received("participant-left") == []
    assert list(stack.sfu.sessions) == [session.id]


async def test_coming_back_before_the_loss_was_noticed_is_no_replacement(stack: Stack) -> None:
    room, ada, _ = await two(stack)
    again = await stack.client(room, "ada")
    joined = await again.join(room, session=stack.session("ada").id)
    assert joined["session"] == stack.session("ada").id
    await ada.closed()
    assert ada.received("session-ended") == []


async def test_session_that_is_over_cannot_be_resumed_and_a_new_offer_can(stack: Stack) -> None:
    room, ada, bob = await two(stack)
    session = stack.session("ada")
    stack.sfu.end(session, "consent-lost")
    assert (await ada.wait_for("media-state")) == {"state": "closed", "reason": "consent-lost"}
    answer = await ada.call("join", {"room": room, "session": session.id})
    assert answer["error"]["code"] == "session-not-found"
    for made_up in ("x", "", session.id):
        answer = await bob.call("join", {"room": room, "session": made_up})
        assert answer["error"]["code"] == "session-not-found"
    joined = await ada.join(room, offer=OFFER, session=session.id)
    assert joined["session"] not in (None, session.id)
    assert bob.received("participant-left") == []


async def test_socket_and_media_both_lost_need_no_grace(stack: Stack) -> None:
    _, ada, bob = await two(stack)
    stack.signaling.grace_s = 60
    ada.cut()
    await bob.wait_for("participant-updated")
    stack.sfu.end(stack.session("ada"), "consent-lost")
    await bob.wait_for("participant-left")


async def test_media_lost_first_and_then_the_socket_needs_no_grace_either(stack: Stack) -> None:
    _, ada, bob = await two(stack)
    stack.signaling.grace_s = 60
    stack.sfu.end(stack.session("ada"), "dtls-closed")
    await ada.wait_for("media-state")
    ada.cut()
    await bob.wait_for("participant-left")


async def test_failed_join_leaves_the_grace_running(stack: Stack) -> None:
    room, ada, bob = await two(stack)
    stack.signaling.grace_s = 1.0
    ada.cut()
    await bob.wait_for("participant-updated")
    again = await stack.client(room, "ada")
    assert (await again.call("join", {"room": room, "offer": "nonsense"}))["error"]["code"] == "offer-invalid"
    await bob.wait_for("participant-left")


async def test_tracks_speakers_and_slots_reach_whom_they_concern(stack: Stack) -> None:
    _, ada, bob = await two(stack)
    session = stack.session("ada")
    session.listener.on_tracks([Track("microphone", 7)])
    shown = await bob.wait_for("participant-updated")
    assert shown["tracks"] == [{"kind": "microphone", "source": 7, "muted": False}]
    session.listener.on_speakers(Speakers([Speaker("bob", 20)]))
    assert await ada.wait_for("speakers") == {"speakers": [{"participant": "bob", "level": 20}]}
    session.listener.on_quality(Quality(3, down_loss=0.05, round_trip_ms=80))
    assert await ada.wait_for("quality") == {"score": 3, "up_loss": 0.0, "down_loss": 0.05, "round_trip_ms": 80}
    assert bob.received("quality") == []
    session.change_slot()
    assert (await ada.wait_for("slots"))["rev"] == 2
    assert bob.received("slots") == []


async def test_slots_over_a_new_door_begin_with_the_whole_map(stack: Stack) -> None:
    _, ada, _ = await two(stack)
    session = stack.session("ada")
    session.change_slot()
    assert not (await ada.wait_for("slots"))["full"]
    session.open_channel("control")
    session.change_slot()
    session.change_slot()
    first, second = session.received("slots")
    assert (first["d"]["rev"], first["d"]["full"]) == (3, True)
    assert (second["d"]["rev"], second["d"]["full"]) == (4, False)
    session.full = True  # the channel's queue is full: the socket takes over, with the whole map
    session.change_slot()
    last = await ada.wait_for("slots", 2)
    assert (last["rev"], last["full"]) == (5, True)


async def test_requests_about_media_reach_the_media_server(stack: Stack) -> None:
    room, ada, _ = await two(stack)
    await ada.join(room, offer=OFFER, tracks=[{"mid": "1", "kind": "camera"}])
    await ada.ask("view", {"seats": [{"participant": "bob", "width": 640, "height": 360}]})
    assert stack.session("ada").view.seats[0].participant == "bob"
    await ada.ask("set-track", {"kind": "camera", "muted": True})
    assert stack.session("ada").tracks[0].muted
    assert (await ada.ask("restart-ice", {"offer": "v=0"}))["answer"] == "v=0 another answer"
    session = stack.session("ada")
    session.open_channel("control")
    session.request("control", "view", {"seats": []}, 5)
    await until(lambda: session.received("ok") == [{"t": "ok", "i": 5, "d": {}}])
    assert session.view.seats == []


async def test_leaving_says_goodbye_to_the_media_and_forgets_the_room(stack: Stack) -> None:
    room, ada, bob = await two(stack)
    session = stack.session("ada")
    await ada.ask("leave")
    await bob.wait_for("participant-left")
    assert stack.sfu.left == [(session.id, "left")]
    assert (await ada.call("leave"))["error"]["code"] == "not-joined"
    await bob.ask("leave")
    assert stack.signaling.stats() == {"rooms": 0, "participants": 0}
    await ada.join(room)


async def test_ended_room_tells_everybody_and_is_gone_with_its_chat(stack: Stack) -> None:
    room, ada, bob = await two(stack)
    headers = {"Authorization": f"Bearer {stack.token(room, 'mod', moderate=True)}"}
    async with stack.web.delete(f"/rooms/{room}", headers=headers) as response:
        assert response.status == 200
    for client in (ada, bob):
        assert (await client.wait_for("session-ended"))["code"] == "room-ended"
        await client.closed()
    assert stack.sfu.sessions == {}
    late = await stack.client(room, "late")
    assert (await late.call("join", {"room": room}))["error"]["code"] == "room-not-found"


async def test_removed_participant_is_told_and_gone(stack: Stack) -> None:
    room, ada, bob = await two(stack)
    headers = {"Authorization": f"Bearer {API_KEY}"}
    async with stack.web.delete(f"/rooms/{room}/participants/ada", headers=headers) as response:
        assert response.status == 200
    assert (await ada.wait_for("session-ended"))["code"] == "removed"
    assert await bob.wait_for("participant-left") == {"id": "ada", "reason": "removed"}
    async with stack.web.delete(f"/rooms/{room}/participants/ada", headers=headers) as response:
        assert (response.status, (await response.json())["error"]["code"]) == (404, "participant-not-found")


async def test_stream_is_present_as_long_as_its_media(stack: Stack) -> None:
    room, _, bob = await two(stack)
    principal = stack.tokens.verify(stack.token(room, "camera-7"))
    listener = await stack.signaling.enter(principal, "stream", room)
    joined = await bob.wait_for("participant-joined")
    assert (joined["id"], joined["kind"], joined["connected"]) == ("camera-7", "stream", True)
    listener.on_tracks([Track("camera", 9)])
    assert (await bob.wait_for("participant-updated"))["tracks"][0]["source"] == 9
    await stack.signaling.exit(room, "camera-7", "left")
    assert (await bob.wait_for("participant-left"))["id"] == "camera-7"
    await stack.signaling.exit(room, "camera-7", "left")


async def test_stream_that_ends_by_itself_leaves(stack: Stack) -> None:
    room, _, bob = await two(stack)
    principal = stack.tokens.verify(stack.token(room, "camera-7"))
    listener = await stack.signaling.enter(principal, "stream", room)
    listener.on_state("closed", "consent-lost")
    assert (await bob.wait_for("participant-left"))["id"] == "camera-7"


async def test_robot_comes_when_asked_and_goes_with_the_last_person(stack: Stack) -> None:
    room, ada, bob = await two(stack)
    robot = await ada.ask("add-robot")
    assert robot["kind"] == "robot"
    [(where, token)] = stack.robots.running.values()
    assert where == room
    principal = stack.tokens.verify(token)
    await stack.signaling.enter(principal, "stream", room)
    joined = await bob.wait_for("participant-joined")
    assert (joined["id"], joined["kind"], joined["name"]) == (robot["id"], "robot", "Robot 1")
    await ada.ask("leave")
    assert stack.robots.running
    await bob.ask("leave")
    await until(lambda: not stack.robots.running)


async def test_robot_can_be_sent_away(stack: Stack) -> None:
    room, _, _ = await two(stack)
    headers = {"Authorization": f"Bearer {stack.token(room, 'ada')}"}
    async with stack.web.post(f"/rooms/{room}/robots", headers=headers) as response:
        assert response.status == 201
        robot = await response.json()
    async with stack.web.delete(f"/rooms/{room}/robots/{robot['id']}", headers=headers) as response:
        assert response.status == 200
    assert not stack.robots.running
    async with stack.web.delete(f"/rooms/{room}/robots/{robot['id']}", headers=headers) as response:
        assert response.status == 404


async def test_server_that_stops_closes_its_sockets_and_spreads_no_rumours(stack: Stack) -> None:
    _room, ada, bob = await two(stack)
    await stack.app.shutdown()
    await ada.closed()
    await bob.closed()
    await stack.signaling.close()
    for client in (ada, bob):
        for event in ("participant-left", "session-ended"):
            assert client.received(event) == []
    assert stack.sfu.sessions == {}
