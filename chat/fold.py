"""The fold: how events make messages what they are.

The ledger folds what it writes with :func:`fold`, and a client that applies the same rules to what it holds gets the
same result: an old snapshot and the events after it are a new snapshot. An event changes a message only if it is
newer than the message's ``version``, so that events which are applied twice, or were in the snapshot, change nothing.
"""

from __future__ import annotations

from collections.abc import MutableMapping

import msgspec

from tertulia.catalogue import Event, Message, ReactionCount

SHOWN_MEMBERS_MAX = 100
"""In larger conversations nobody wants to read who came and went."""
_FIELDS = Event.__struct_fields__


def fold(messages: MutableMapping[int, Message], event: Event, me: str | None = None) -> None:
    """Apply an event to the messages at hand; what it names and is not among them stays out.

    :param me: whose reactions ``mine`` is about
    """
    if event.kind == "message":
        messages[event.seq] = message = begin(event)
        root = messages.get(message.thread) if message.thread is not None else None
        if root is not None and event.seq > root.version:
            messages[root.seq] = msgspec.structs.replace(
                root, version=event.seq, reply_count=root.reply_count + 1, last_reply_at=event.at
            )
        return
    if shown(event):
        messages[event.seq] = begin(event)
        return
    target = messages.get(event.target) if event.target is not None else None
    if target is not None and event.seq > target.version:
        messages[target.seq] = changed(target, event, me)


def begin(event: Event) -> Message:
    """The message that an event begins."""
    fields = {name: getattr(event, name) for name in _FIELDS}
    thread = event.body.thread if event.body is not None else None
    return Message(**fields, version=event.seq, revision=event.seq, thread=thread)


def shown(event: Event) -> bool:
    """Whether an event stands in the timeline for itself, besides messages."""
    if event.kind == "member" and event.change is not None and event.change.action in ("joined", "left"):
        return (event.change.count or 0) <= SHOWN_MEMBERS_MAX
    return event.kind in ("member", "settings", "call-started", "call-ended")


def changed(message: Message, event: Event, me: str | None = None) -> Message:
    """The message after an event that names it."""
    replace = msgspec.structs.replace
    match event.kind:
        case "edit":
            return replace(message, version=event.seq, revision=event.seq, body=event.body, edited_at=event.at)
        case "delete":
            return replace(
                message, version=event.seq, body=None, deleted_at=event.at, pinned_at=None, reactions=[], mine=[]
            )
        case "reaction":
            return _reacted(message, event, me)
        case "pin":
            return replace(message, version=event.seq, pinned_at=event.at)
        case "unpin":
            return replace(message, version=event.seq, pinned_at=None)
        case _:
            return message


def _reacted(message: Message, event: Event, me: str | None) -> Message:
    change = event.change
    if change is None or change.emoji is None:
        return message  # purged: the count comes with the next one
    counts = {reaction.emoji: reaction.count for reaction in message.reactions}
    counts[change.emoji] = change.count or 0
    mine = set(message.mine)
    if me is not None and event.sender == me:
        (mine.add if change.action == "added" else mine.discard)(change.emoji)
    return msgspec.structs.replace(message, version=event.seq, reactions=counted(counts), mine=sorted(mine))


def counted(counts: dict[str, int]) -> list[ReactionCount]:
    """Counts as a frame holds them, in an order that everybody arrives at."""
    return [ReactionCount(emoji, count) for emoji, count in sorted(counts.items()) if count > 0]
