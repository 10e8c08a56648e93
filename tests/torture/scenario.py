"""One short run that touches every promise, deterministic but for the scheduling: the same for a good server and for
one with a fault in it.
"""

from __future__ import annotations

import asyncio
import contextlib
import uuid

from tests.torture.device import Device
from tests.torture.parts import Run
from tests.torture.people import make_device, make_group, make_place
from tests.torture.program import Program
from tests.torture.settling import arrives, read_all, settle
from tests.torture.wire import Lost, Refused

LONG = "語" * 3900
ROUNDS = 45
"""Rounds of two long messages while a reader stalls: twice what may have been kept for it, wherever."""
STALLED_BYTES_MAX = 640 * 1024
"""256 KiB are the server's queue; the rest is for its transport and what both kernels may hold."""


async def play(run: Run, program: Program, patience_s: float = 20.0) -> None:
    """Everything once, then the audit."""
    node = program.node
    place = await make_place(run, node, "Scenario")
    elsewhere = await make_place(run, node, "Elsewhere")
    run.recorder.write("rule", "bounds", {"stalled_bytes": STALLED_BYTES_MAX, "read_all_over_http": True})
    ada, bob, cy, dan, eve = [
        await make_device(run, node, place if name != "eve" else elsewhere, name)
        for name in ("ada", "bob", "cy", "dan", "eve")
    ]
    everybody = (ada, bob, cy, dan)
    await ada.connect(node)
    await bob.connect(node, call=True)
    await _all_doors(ada, bob, cy)
    await _change(ada, bob)
    await _mark(ada, bob)
    await _resume(ada, bob, program)
    await _arrive_in_a_burst(ada, cy, dan, program)
    await _trespass(eve, ada)
    group = await _show_out(run, program, patience_s)
    await _stall(ada, bob, cy, dan, patience_s)
    await settle(
        run,
        program.services.database.parameters,
        (*everybody, *group),
        [place.conversation, elsewhere.conversation, group[0].place.conversation],
        patience_s,
        program.services.chat.beat,
    )
    for device in (*everybody, *group):
        await device.disconnect()


async def _all_doors(ada: Device, bob: Device, cy: Device) -> None:
    """Side by side and one after the other, over three doors, and again with the same ids over another."""
    over_socket = [ada.send(f"ada {n}", "socket") for n in range(8)]
    over_http = [cy.send(f"cy {n}", "http") for n in range(8)]
    await asyncio.gather(*over_socket, *over_http)
    for n in range(4):
        await bob.send(f"bob {n}", "channel")
        await ada.send(f"answer {n}", "socket")
    message = {
        "conversation": ada.place.conversation,
        "client_id": "00000000-0000-4000-8000-00000000000a",
        "body": {"text": "again"},
    }
    for door in ("socket", "http", "socket"):
        with contextlib.suppress(Lost, Refused):
            await ada.ask(door, "send-message", message)
    await read_all(cy, "http")


async def _change(ada: Device, bob: Device) -> None:
    """Every kind of change of a message, and one that is deleted, with everything that was done to it."""
    seqs = [seq for seq, message in sorted(ada.view.messages.items()) if message["text"] is not None][:4]
    if len(seqs) < 4:
        return  # a faulty server has shown less
    mine = [seq for seq in sorted(ada.view.events) if ada.view.events[seq]["sender"] == "ada"][:2]
    await ada.change("react", {"seq": seqs[0], "emoji": "👍"}, "socket")
    await bob.change("react", {"seq": seqs[0], "emoji": "👍"}, "channel")
    await bob.change("react", {"seq": seqs[1], "emoji": "🎉"}, "channel")
    await ada.change("pin-message", {"seq": seqs[2]}, "socket")
    await ada.change("pin-message", {"seq": seqs[2], "pinned": False}, "socket")
    for seq in mine:
        await ada.change("edit-message", {"seq": seq, "body": {"text": f"edited {seq}"}}, "socket")
    for seq in mine[:1]:
        await bob.change("react", {"seq": seq, "emoji": "👀"}, "channel")
        await ada.change("delete-message", {"seq": seq}, "socket")
        for door, event, payload in (
            ("socket", "fill", {"conversation": ada.place.conversation, "after": 0}),
            ("http", "history", {"conversation": ada.place.conversation, "limit": 100}),
        ):
            with contextlib.suppress(Lost, Refused):
                await ada.ask(door, event, payload)


async def _mark(ada: Device, bob: Device) -> None:
    """Read marks from two devices, of which the slower one speaks of the past."""
    for reader, door, other in ((ada, "socket", "http"), (bob, "channel", "http")):
        newest = reader.view.seq
        await reader.mark(newest - 2, door)
        await reader.mark(newest - 6, other)
        await reader.mark(newest - 1, other, delivered=True)
        await reader.mark(newest - 4, door)


async def _resume(ada: Device, bob: Device, program: Program) -> None:
    """Away, back with a position, and back with a position of another log."""
    await bob.disconnect()
    for n in range(6):
        await ada.send(f"while bob is away {n}", "socket")
    await bob.connect(program.node)
    with contextlib.suppress(Lost, Refused):
        strange = {"conversation": ada.place.conversation, "seq": 3, "tag": "00000000"}
        await bob.ask("socket", "sync", {"positions": [strange]})


async def _arrive_in_a_burst(ada: Device, cy: Device, dan: Device, program: Program) -> None:
    """Join while others write, and write and read over another door at once."""
    burst = [asyncio.create_task(ada.send(f"burst {n}", "socket")) for n in range(20)]
    await dan.connect(program.node)
    await asyncio.gather(*burst)
    for n in range(4):
        await cy.send(f"own {n}", "http")
        with contextlib.suppress(Lost, Refused):
            await cy.ask("http", "history", {"conversation": cy.place.conversation, "limit": 5})


async def _trespass(eve: Device, ada: Device) -> None:
    """Somebody of another room asks for this conversation in every way there is."""
    await eve.connect(ada.node or eve.node)  # type: ignore[arg-type] # both are set
    conversation = ada.place.conversation
    for door, event, payload in (
        ("http", "history", {"conversation": conversation}),
        ("socket", "history", {"conversation": conversation}),
        ("socket", "fill", {"conversation": conversation, "after": 0}),
        ("socket", "sync", {"positions": [{"conversation": conversation, "seq": 0}]}),
    ):
        with contextlib.suppress(Lost, Refused):
            await eve.ask(door, event, payload)
    await eve.disconnect()


async def _show_out(run: Run, program: Program, patience_s: float) -> list[Device]:
    """A member of a group is shown out while connected: nothing that follows reaches them, however they ask.

    Those who are left.
    """
    owner, member, leaver = await make_group(run, program.node, ("owner", "member", "leaver"))
    for device in (owner, member, leaver):
        await device.connect(program.node)
    for n in range(3):
        await owner.send(f"before {n}", "socket")
    await arrives(lambda: leaver.view.seq >= owner.view.seq, patience_s)
    removal = {"client_id": str(uuid.uuid4()), "conversation": owner.place.conversation, "user": leaver.identity}
    with contextlib.suppress(Lost, Refused):
        removed = await owner.ask("http", "remove-member", removal)
        rule = {"identity": leaver.identity, "conversation": owner.place.conversation, "above": 0}
        run.recorder.write("rule", "may-see", rule | {"upto": removed["event"]["seq"]})
    for n in range(3):
        await member.send(f"secret {n}", "socket")
    conversation = owner.place.conversation
    for door, event, payload in (
        ("http", "history", {"conversation": conversation}),
        ("http", "search", {"query": "secret"}),
        ("socket", "fill", {"conversation": conversation, "after": 0}),
        ("socket", "sync", {"positions": [{"conversation": conversation, "seq": 0}], "open": [conversation]}),
    ):
        with contextlib.suppress(Lost, Refused):
            await leaver.ask(door, event, payload)
    await member.send("secret at last", "http")
    await leaver.disconnect()
    return [owner, member]


async def _stall(ada: Device, bob: Device, cy: Device, dan: Device, patience_s: float) -> None:
    """One reader stops reading while much is written; the others must not notice."""
    dan.stall()
    before = ada.view.seq
    for n in range(ROUNDS):
        await asyncio.gather(*(writer.send(f"{n} {LONG}", "http") for writer in (bob, cy)))
    await arrives(lambda: ada.view.seq >= before + 2 * ROUNDS, patience_s)
    dan.flow()
