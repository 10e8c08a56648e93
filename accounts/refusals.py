"""What accounts refuse with; the same words wherever it happens, so that no difference tells anything."""

from __future__ import annotations

from tertulia.errors import BadRequest, Conflict, Forbidden, NotFound, Unauthorized


def wrong_credentials() -> Unauthorized:
    return Unauthorized("credentials-wrong", "The address or the password is wrong.")


def bad_refresh() -> Unauthorized:
    return Unauthorized("refresh-invalid", "This refresh token is not good (any more); log in.")


def session_ended() -> Unauthorized:
    return Unauthorized("session-ended", "This session has ended; log in again.")


def account_needed() -> Forbidden:
    return Forbidden("account-needed", "This needs somebody with an account.")


def banned() -> Forbidden:
    return Forbidden("account-banned", "This account was banned.")


def bad_link() -> NotFound:
    return NotFound("link-invalid", "The link is used up, expired or made up.", "token")


def no_account() -> NotFound:
    return NotFound("account-not-found", "There is no such account.")


def bad_email() -> BadRequest:
    return BadRequest("email-invalid", "That is no e-mail address.", "email")


def registration_closed() -> Forbidden:
    return Forbidden("registration-closed", "This server takes no new accounts that way.")


def wrong_code() -> Unauthorized:
    return Unauthorized("second-factor-wrong", "The code is wrong or was used before.", "code")


def wrong_state(message: str) -> Conflict:
    return Conflict("second-factor-state", message)


def last_owner() -> Conflict:
    return Conflict("last-owner", "An installation keeps an owner; make somebody else one first.")


def bad_cursor() -> BadRequest:
    return BadRequest("cursor-invalid", "The cursor is not one that this server gave.", "cursor")


def no_session() -> NotFound:
    return NotFound("session-not-found", "There is no such session of yours.")


def no_provider() -> NotFound:
    return NotFound("provider-unknown", "This server knows no such provider.")


def bad_state() -> Forbidden:
    return Forbidden("oauth-state-invalid", "This log-in did not begin here, or it is over; begin again.")


def oauth_denied() -> Forbidden:
    return Forbidden("oauth-denied", "The provider did not let you in.")


def oauth_failed() -> Forbidden:
    return Forbidden("oauth-failed", "The provider cannot be reached, or what it says cannot be believed.")


def unverified_email() -> Forbidden:
    return Forbidden("email-unverified", "The provider names no address of yours that it has verified.")


def link_needed() -> Forbidden:
    return Forbidden("oauth-link-needed", "There is an account with this address; log in to it and link the provider.")


def identity_linked() -> Conflict:
    return Conflict("identity-linked", "This is linked to another account already.")
