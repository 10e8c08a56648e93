"""What each kind of change needs to be admitted, and what it does: one function a kind, on the state under the lock.

A function either refuses, by raising, and then takes no number, or returns the event and leaves its effects in the
:class:`State`. Nothing here does I/O: what may be needed was read before.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

import msgspec

from chat import refusals
from chat.access import OPEN, Access, Membership, Right, judge
from chat.draft import Draft
from chat.fold import fold
from chat.ledger_store import Effects, Locked
from tertulia.catalogue import Change, Event, EventKind, Message, MessageBody, Role

GROUP_MAX = 1_000
CHANNEL_MAX = 100_000
EVERYBODY_MAX = 100
"""In larger conversations only moderators mention everybody."""
PINS_MAX = 100
REACTION_KINDS_MAX = 20
_RANK: Mapping[Role, int] = {"guest": 0, "member": 1, "moderator": 2, "owner": 3}


@dataclass
class State:
    """A conversation inside a batch: as it was under the lock, with what the batch has done so far."""

    locked: Locked
    seq: int
    no: int
    members: dict[str, Membership]
    member_count: int
    messages: dict[int, Message]
    """Those that the batch names or makes."""
    reacted: set[tuple[int, str, str]] = field(default_factory=set)
    pinned: int = 0
    owners: int = 0
    names: dict[str, str] = field(default_factory=dict)
    blocked: set[str] = field(default_factory=set)
    """Senders who are blocked by the other one of a direct conversation."""
    retention_s: int = 0
    history_from_join: bool = False
    effects: Effects = field(default_factory=Effects)

    def access(self, draft: Draft, right: Right) -> Access | None:
        """Let the sender in; None for what is trusted. Raises what ``judge`` raises."""
        if draft.trusted:
            return None
        return judge(self.locked.facts, self.members.get(draft.sender), draft.principal, right)

    def message(self, draft: Draft, access: Access | None, field_name: str = "seq") -> Message:
        """The message that a draft is about. Raises NotFound ``message-not-found``, Conflict ``message-deleted``."""
        target = self.messages.get(draft.target or 0)
        if target is None or target.kind != "message" or not self._visible(target, access):
            raise refusals.no_message(field_name)
        if target.deleted_at is not None:
            raise refusals.message_deleted()
        return target

    def _visible(self, message: Message, access: Access | None) -> bool:
        live = message.expires_at is None or message.expires_at > self.locked.at
        return live and (access is None or message.seq > access.visible_from)

    def event(
        self, draft: Draft, change: Change | None = None, body: MessageBody | None = None, counts: bool = False
    ) -> Event:
        """The next event of the log, folded into the messages at hand.

        :param counts: whether it is a message of the main line and gets a ``no``
        """
        self.seq += 1
        self.no += counts
        target = self.messages.get(draft.target) if draft.target is not None else None
        expires_at = target.expires_at if target is not None else None
        if draft.kind == "message" and self.retention_s:
            expires_at = self.locked.at + self.retention_s * 1000
        event = Event(
            conversation=self.locked.facts.id,
            seq=self.seq,
            id=str(uuid.uuid4()),
            kind=draft.kind,
            at=self.locked.at,
            sender=draft.sender,
            sender_name=draft.sender_name,
            client_id=draft.client_id,
            body=body,
            target=draft.target,
            change=change,
            no=self.no if counts else None,
            expires_at=expires_at,
        )
        fold(self.messages, event)
        return event


def _message(state: State, draft: Draft) -> Event:
    state.access(draft, "write")
    body = draft.body
    assert body is not None
    if draft.sender in state.blocked:
        raise refusals.blocked()
    if body.everybody and state.member_count > EVERYBODY_MAX:
        state.access(draft, "moderate")
    if body.thread is not None:
        root = state.messages.get(body.thread)
        if root is None or root.kind != "message" or root.thread is not None or root.deleted_at is not None:
            raise refusals.bad_thread()
    event = state.event(draft, body=body, counts=body.thread is None)
    _mention(state, body, event.seq)
    return event


def _mention(state: State, body: MessageBody, seq: int) -> None:
    named = {*body.mentions, *(["*"] if body.everybody else [])}
    state.effects.mentions += [(user, state.no, seq) for user in sorted(named)]


def _edit(state: State, draft: Draft) -> Event:
    access = state.access(draft, "write")
    target = state.message(draft, access)
    body = draft.body
    assert body is not None
    if target.sender != draft.sender:
        raise refusals.not_allowed("editing what others wrote")
    if draft.revision is not None and draft.revision != target.revision:
        raise refusals.stale_edit()
    was = target.body
    # Where a message stands is not to be edited.
    thread, reply_to = target.thread, was.reply_to if was is not None else None
    if (body.thread, body.reply_to) != (thread, reply_to):
        body = msgspec.structs.replace(body, thread=thread, reply_to=reply_to)
        draft.json = msgspec.json.encode(body).decode()
    event = state.event(draft, body=body)
    named = set(body.mentions) - set(was.mentions if was is not None else [])
    number = target.no if target.no is not None else state.no
    state.effects.mentions += [(user, number, target.seq) for user in sorted(named)]
    return event


def _delete(state: State, draft: Draft) -> Event:
    access = state.access(draft, "read")
    target = state.message(draft, access)
    if target.sender != draft.sender:
        state.access(draft, "moderate")
    event = state.event(draft)
    state.effects.forgotten.append(target.seq)
    state.reacted = {key for key in state.reacted if key[0] != target.seq}
    for key in [key for key in state.effects.reacted if key[0] == target.seq]:
        del state.effects.reacted[key]
    state.effects.mentions = [each for each in state.effects.mentions if each[2] != target.seq]
    state.pinned -= target.pinned_at is not None
    return event


def _reaction(state: State, draft: Draft) -> Event:
    access = state.access(draft, "react")
    target = state.message(draft, access)
    asked = draft.change
    assert asked is not None
    assert asked.emoji is not None
    if draft.sender in state.blocked:
        raise refusals.blocked()
    key = (target.seq, asked.emoji, draft.sender)
    counts = {reaction.emoji: reaction.count for reaction in target.reactions}
    count = counts.get(asked.emoji, 0)
    there = key in state.reacted
    if asked.action == "added":
        if not there:
            if asked.emoji not in counts and len(counts) >= REACTION_KINDS_MAX:
                raise refusals.too_many_reactions()
            count += 1
        state.reacted.add(key)
        state.effects.reacted[key] = (draft.sender_name, state.locked.at)
    else:
        count = max(0, count - there)
        state.reacted.discard(key)
        state.effects.reacted[key] = None
    return state.event(draft, Change(action=asked.action, emoji=asked.emoji, count=count))


def _pin(state: State, draft: Draft) -> Event:
    access = state.access(draft, "pin")
    target = state.message(draft, access)
    if target.pinned_at is None:
        if state.pinned >= PINS_MAX:
            raise refusals.too_many_pins()
        state.pinned += 1
    return state.event(draft)


def _unpin(state: State, draft: Draft) -> Event:
    access = state.access(draft, "pin")
    state.pinned -= state.message(draft, access).pinned_at is not None
    return state.event(draft)


def _member(state: State, draft: Draft) -> Event:
    asked = draft.change
    assert asked is not None
    if asked.action == "joined":
        return _joined(state, draft)
    if asked.action == "left":
        return _left(state, draft)
    assert asked.user is not None
    if asked.action == "added":
        return _added(state, draft, asked.user)
    if asked.action == "removed":
        return _removed(state, draft, asked.user)
    assert asked.role is not None
    return _role(state, draft, asked.user, asked.role)


def _joined(state: State, draft: Draft) -> Event:
    facts = state.locked.facts
    if not draft.trusted and (facts.kind not in OPEN or not draft.principal.workspace):
        raise refusals.no_conversation()
    return _come(state, draft, "joined", draft.sender, draft.sender_name)


def _come(state: State, draft: Draft, action: Literal["joined", "added"], user: str, name: str) -> Event:
    membership = state.members.get(user)
    asked_role: Role = draft.change.role if draft.change is not None and draft.change.role is not None else "member"
    here = membership is not None and not membership.left and membership.role != "guest"
    role = membership.role if here and membership is not None else asked_role
    if not here:
        most = GROUP_MAX if state.locked.facts.kind == "group" else CHANNEL_MAX
        if state.member_count >= most:
            raise refusals.full()
        state.member_count += 1
        state.owners += role == "owner"
        state.effects.member_count = state.member_count
        since = state.seq if state.history_from_join else 0
        state.members[user] = Membership(role, since, False)
        state.effects.members[user] = (name, role, since, None)
    return state.event(draft, Change(action=action, user=user, name=name, role=role, count=state.member_count))


def _added(state: State, draft: Draft, user: str) -> Event:
    state.access(draft, "invite")
    if user not in state.names:
        raise refusals.nobody()
    return _come(state, draft, "added", user, state.names[user])


def _go(state: State, draft: Draft, action: Literal["left", "removed"], user: str, name: str) -> Event:
    membership = state.members[user]
    state.member_count -= 1
    state.owners -= membership.role == "owner"
    event = state.event(
        draft,
        Change(
            action=action,
            user=user,
            name=name or None,
            role=membership.role,
            count=state.member_count,
        ),
    )
    state.members[user] = Membership(membership.role, membership.visible_from, True)
    state.effects.member_count = state.member_count
    state.effects.members[user] = (name, membership.role, membership.visible_from, event.seq)
    return event


def _left(state: State, draft: Draft) -> Event:
    membership = state.members.get(draft.sender)
    if membership is None or membership.left or membership.role == "guest":
        raise refusals.no_conversation()
    if state.locked.facts.kind in ("direct", "self"):
        raise refusals.wrong_kind("is never left")
    if membership.role == "owner" and state.owners <= 1 and state.member_count > 1:
        raise refusals.last_owner()
    return _go(state, draft, "left", draft.sender, draft.sender_name)


def _present(state: State, user: str) -> Membership:
    membership = state.members.get(user)
    if membership is None or membership.left or membership.role == "guest":
        raise refusals.nobody()
    return membership


def _own_rank(state: State, draft: Draft, access: Access | None) -> int:
    return _RANK[access.role] if access is not None else _RANK["owner"]


def _removed(state: State, draft: Draft, user: str) -> Event:
    access = state.access(draft, "moderate")
    if user == draft.sender:
        raise refusals.not_oneself()
    if _RANK[_present(state, user).role] >= _own_rank(state, draft, access):
        raise refusals.not_allowed("removing somebody of the same rank")
    return _go(state, draft, "removed", user, state.names.get(user, ""))


def _role(state: State, draft: Draft, user: str, role: Role) -> Event:
    state.access(draft, "roles")
    membership = _present(state, user)
    if membership.role == "owner" and role != "owner" and state.owners <= 1:
        raise refusals.last_owner()
    state.owners += (role == "owner") - (membership.role == "owner")
    state.members[user] = Membership(role, membership.visible_from, False)
    name = state.names.get(user, "")
    state.effects.members[user] = (name, role, membership.visible_from, None)
    return state.event(draft, Change(action="role", user=user, name=name or None, role=role, count=state.member_count))


def _settings(state: State, draft: Draft) -> Event:
    state.access(draft, "manage")
    asked = draft.change
    assert asked is not None
    values = {
        name: getattr(asked, name)
        for name in ("title", "about", "retention_s", "history_from_join")
        if getattr(asked, name) is not None
    }
    if state.locked.facts.kind in ("direct", "room") and values.keys() - {"retention_s"}:
        raise refusals.wrong_kind("has no title or rules of its own")
    state.effects.settings |= values
    state.retention_s = values.get("retention_s", state.retention_s)
    state.history_from_join = values.get("history_from_join", state.history_from_join)
    return state.event(draft, asked)


def _logged(state: State, draft: Draft) -> Event:
    """What the program itself logs: calls, and entries of somebody's own log."""
    assert draft.trusted
    return state.event(draft, draft.change)


ADMIT: Mapping[EventKind, Callable[[State, Draft], Event]] = {
    "message": _message,
    "edit": _edit,
    "delete": _delete,
    "reaction": _reaction,
    "pin": _pin,
    "unpin": _unpin,
    "member": _member,
    "settings": _settings,
    "call-started": _logged,
    "call-ended": _logged,
    "self": _logged,
}
