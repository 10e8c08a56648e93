"""What can go wrong, as a small tree with stable codes.

    TertuliaError            the caller's fault or an expected condition; safe to show
    ├── BadRequest     400   malformed or out of bounds
    ├── Unauthorized   401   no credentials, or bad or expired ones
    ├── Forbidden      403   known, but not allowed
    ├── NotFound       404   no such thing, or not visible to the asker
    ├── Conflict       409   contradicts what is already there
    ├── TooLarge       413   a frame, text or offer over its limit
    ├── RateLimited    429   slow down
    └── Unavailable    503   full, draining, or a part is down

Every other exception is a bug of ours: doors answer it with ``internal`` and log it, and none of its text
reaches the peer. ``code`` is part of the public interface and never changes its meaning.
"""

from __future__ import annotations

from typing import ClassVar

CODES: dict[str, str] = {
    "internal": "A fault of the server. The request may have had no effect; try again later.",
    "frame-invalid": "The frame is not what the catalogue describes: no JSON, a wrong type, or a field out of bounds.",
    "body-invalid": "The body of an HTTP request is not what is described here; `field` names what is wrong.",
    "body-too-large": "The body of an HTTP request is longer than this door takes.",
    "bad-request": "The HTTP request is malformed.",
    "unauthorized": "The HTTP request needs credentials.",
    "forbidden": "The HTTP request is not allowed.",
    "not-found": "There is nothing at this address.",
    "method-not-allowed": "The address does not take this HTTP method.",
    "frame-too-large": "The frame is longer than its door takes.",
    "event-unknown": "There is no such event, or this door does not take it.",
    "rate-limited": "Too many requests in too short a time; wait a moment.",
    "token-missing": "A token is needed.",
    "token-invalid": "The token is malformed, forged, not valid yet or made for something else.",
    "token-expired": "The token was good once; ask for a new one.",
    "api-key-invalid": "This needs an API key, as the bearer `key_id:secret`.",
    "guests-disabled": "This server makes rooms and tokens for API keys only.",
    "not-joined": "Join the room first.",
    "room-mismatch": "The token opens another room.",
    "room-not-found": "There is no room of this id.",
    "room-full": "The room has reached its capacity.",
    "room-empty": "There is nobody in the room who could see the robot.",
    "room-ended": "The room was ended while the request was under way.",
    "participant-not-found": "There is nobody of this id in the room.",
    "publish-not-granted": "The token does not allow sending sound or pictures.",
    "subscribe-not-granted": "The token does not allow watching or listening.",
    "chat-not-granted": "The token does not allow the chat.",
    "moderate-not-granted": "The token does not allow moderating.",
    "media-missing": "The request needs a media session; join with an offer.",
    "media-unavailable": "The media server cannot take the session now; chat works without it.",
    "session-not-found": "The media session is over: join again with an offer. Of log-ins: one has no such session.",
    "offer-invalid": "The offer is not a session description this server can answer.",
    "offer-missing-section": "The offer lacks a section that it needs or names.",
    "content-type-unsupported": "The body is of another type than this address takes.",
    "ice-session-outdated": "ICE has been restarted since; use the newest ETag.",
    "robots-full": "As many robots as this server runs are running.",
    "robots-unavailable": "This server runs no robots.",
    "conversation-not-found": "There is no such conversation, or it is not visible to the asker.",
    "workspace-needed": "A room token opens its room only; this needs a person who is logged in.",
    "not-a-member": "The conversation is there to be joined; join it first.",
    "role-insufficient": "The asker's role in the conversation does not allow it.",
    "kind-unfit": "This kind of conversation does not have what was asked for (nobody leaves a direct one, say).",
    "message-not-found": "There is no such message, or it is not visible to the asker.",
    "message-deleted": "The message was deleted and cannot be changed any more.",
    "edit-stale": "The message was edited by another device since the revision that this edit began from.",
    "reaction-invalid": "A reaction is one emoji.",
    "reactions-full": "A message takes at most 20 kinds of reactions.",
    "pins-full": "A conversation holds at most 100 pinned messages.",
    "thread-invalid": "The thread's first message is missing, deleted or itself in a thread.",
    "cursor-invalid": "The cursor is not one that this server gave; begin from the front.",
    "member-not-found": "There is nobody of this identity in the conversation.",
    "last-owner": "A conversation keeps an owner; make somebody else one first.",
    "conversation-full": "A group holds 1,000 members, a channel 100,000.",
    "conversation-too-large": "Typing and readers are told only in conversations of up to 100 members.",
    "invite-invalid": "The invitation is used up, expired, revoked or made up.",
    "blocked": "The other one has blocked the asker.",
    "user-invalid": "This cannot be done with oneself.",
    "own-only": "This is for oneself only.",
    "search-empty": "A search needs a word or a filter.",
    "preferences-full": "Somebody keeps at most 200 preferences.",
    "development-only": "The development log-in exists only on servers that nobody else can reach.",
    "session-ended": "The log-in is over, or the account changed since the token was made: refresh it, or log in.",
    "credentials-wrong": "The address or the password is wrong, or there is no such account; which one is not said.",
    "refresh-invalid": "The refresh token is made up, used before, or its session has ended. Log in.",
    "origin-foreign": "The request came from a page of another site.",
    "csrf-invalid": "A request with cookies needs the token that logging in answered, as `X-CSRF-Token`.",
    "link-invalid": "The link is used up, expired or made up.",
    "registration-closed": "This server takes no new accounts that way.",
    "email-invalid": "That is no e-mail address.",
    "email-taken": "There is an account with this address; said to administrators only.",
    "mail-missing": "This needs a mail server (`smtp_url`).",
    "password-weak": "A password has at least 10 characters, and more than a few different ones.",
    "account-needed": "This needs somebody with an account.",
    "account-banned": "The account was banned.",
    "account-not-found": "There is no such account.",
    "right-missing": "The asker's role in this installation does not allow it.",
    "second-factor-wrong": "The code is wrong or was used before.",
    "second-factor-state": "The second factor is not in the state that this needs.",
    "provider-unknown": "This server knows no such provider to log in by.",
    "path-invalid": "A log-in leads back to an address of this server.",
    "oauth-state-invalid": "The log-in by way of a provider did not begin in this browser, or it is over; begin again.",
    "oauth-denied": "The provider did not let the person in.",
    "oauth-failed": "The provider cannot be reached, or what it says cannot be believed.",
    "oauth-link-needed": "The address has an account: log in to it, then link the provider.",
    "email-unverified": "The provider names no address that it has verified.",
    "identity-linked": "This identity at the provider is linked to another account.",
    "busy": "The server has more of this to do than it takes on; try again in a moment.",
    "client-id-reused": "This client id was used for another message; make a new one.",
    "text-blank": "The message holds nothing to read.",
    "text-invalid": "The message holds characters that cannot be stored (control characters, lone surrogates).",
    "text-too-long": "The message is longer than 4,000 characters, or 12,000 bytes as JSON.",
    "outcome-unknown": "The connection to the database broke while committing: send again with the same client id.",
    "database-unavailable": "The database does not answer now, nothing was written; try again.",
}
"""Every stable code and what it means; the table in docs/protocol.md is made from it."""


class TertuliaError(Exception):
    """An error that a client may see.

    :param code: stable, lower-case, words joined by ``-`` (``room-not-found``)
    :param message: one sentence for people, which says what to do where that is known
    :param field: the offending field of the request, if there is one
    """

    status: ClassVar[int] = 500

    def __init__(self, code: str, message: str, field: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.field = field

    def to_dict(self) -> dict[str, str]:
        """The ``error`` object of HTTP answers, acknowledgements and data channel frames."""
        body = {"code": self.code, "message": self.message}
        if self.field is not None:
            body["field"] = self.field
        return body


class BadRequest(TertuliaError):
    status = 400


class Unauthorized(TertuliaError):
    status = 401


class Forbidden(TertuliaError):
    status = 403


class NotFound(TertuliaError):
    status = 404


class Conflict(TertuliaError):
    status = 409


class TooLarge(TertuliaError):
    status = 413


class RateLimited(TertuliaError):
    """``retry_after_s``: how long to wait before the same may be asked again, where that is known."""

    status = 429

    def __init__(self, code: str, message: str, field: str | None = None, retry_after_s: float = 0.0) -> None:
        super().__init__(code, message, field)
        self.retry_after_s = retry_after_s


class Unavailable(TertuliaError):
    status = 503


def to_client(error: BaseException) -> dict[str, str]:
    """Map any exception to the ``error`` object a client may see; unknown ones become ``internal``."""
    if isinstance(error, TertuliaError):
        return error.to_dict()
    return {"code": "internal", "message": "Something went wrong on the server."}
