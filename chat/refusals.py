"""What the chat refuses with, one function a reason, so that a code has one meaning and one wording everywhere."""

from __future__ import annotations

from tertulia.errors import BadRequest, Conflict, Forbidden, NotFound, TooLarge, Unavailable


def no_conversation(field: str | None = "conversation") -> NotFound:
    """There is none, or the asker is not to know of it."""
    return NotFound("conversation-not-found", "There is no such conversation.", field)


def chat_not_granted() -> Forbidden:
    return Forbidden("chat-not-granted", "Your token does not allow the chat.")


def workspace_needed() -> Forbidden:
    return Forbidden("workspace-needed", "A room token opens its room only; log in for this.")


def not_a_member() -> Forbidden:
    return Forbidden("not-a-member", "Join the conversation first.", "conversation")


def not_allowed(what: str) -> Forbidden:
    return Forbidden("role-insufficient", f"Your role in this conversation does not allow {what}.")


def wrong_kind(what: str) -> Conflict:
    return Conflict("kind-unfit", f"This kind of conversation {what}.", "conversation")


def no_message(field: str = "seq") -> NotFound:
    return NotFound("message-not-found", "There is no such message.", field)


def message_deleted() -> Conflict:
    return Conflict("message-deleted", "The message was deleted.", "seq")


def stale_edit() -> Conflict:
    return Conflict("edit-stale", "The message was changed meanwhile; look at it and edit again.", "revision")


def bad_reaction() -> BadRequest:
    return BadRequest("reaction-invalid", "A reaction is one emoji.", "emoji")


def too_many_reactions() -> Conflict:
    return Conflict("reactions-full", "This message has as many kinds of reactions as it can have.", "emoji")


def too_many_pins() -> Conflict:
    return Conflict("pins-full", "As many messages as can be are pinned; unpin one first.", "seq")


def bad_thread() -> BadRequest:
    return BadRequest("thread-invalid", "A thread begins at a message that is in no thread itself.", "body.thread")


def bad_cursor() -> BadRequest:
    return BadRequest("cursor-invalid", "The cursor is not one that this server gave.", "cursor")


def nobody(field: str = "user") -> NotFound:
    return NotFound("member-not-found", "There is nobody of this identity in the conversation.", field)


def last_owner() -> Conflict:
    return Conflict("last-owner", "Make somebody else an owner first.", "user")


def full() -> Conflict:
    return Conflict("conversation-full", "The conversation has as many members as its kind can have.", "conversation")


def bad_invite() -> NotFound:
    return NotFound("invite-invalid", "The invitation is not valid, or not any more.", "token")


def blocked() -> Forbidden:
    return Forbidden("blocked", "This person does not take messages from you.")


def not_oneself() -> BadRequest:
    return BadRequest("user-invalid", "This cannot be done with oneself.", "user")


def own_only() -> Forbidden:
    return Forbidden("own-only", "This is for oneself only.", "userId")


def too_large_for_that() -> Conflict:
    return Conflict("conversation-too-large", "This is told only in conversations of up to 100 members.")


def bad_text(field: str) -> BadRequest:
    return BadRequest("text-invalid", "The text holds characters that cannot be stored.", field)


def text_too_long(message: str, field: str) -> TooLarge:
    return TooLarge("text-too-long", message, field)


def nothing_to_search() -> BadRequest:
    return BadRequest("search-empty", "Name a word to look for, or something that narrows the search.", "query")


def too_much_kept() -> Conflict:
    return Conflict("preferences-full", "As many preferences as can be are kept; take one away first.", "preferences")


def id_reused() -> Conflict:
    return Conflict("client-id-reused", "This client id was used for another message.", "client_id")


def outcome_unknown() -> Unavailable:
    return Unavailable(
        "outcome-unknown", "The database went away while storing the message; send again with the same id."
    )


def database_away() -> Unavailable:
    return Unavailable("database-unavailable", "The database does not answer; try again soon.")
