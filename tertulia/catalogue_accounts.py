"""The frames of accounts: registering, logging in, sessions, and what an administrator does. HTTP only."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from tertulia.catalogue_base import DisplayName, Frame, Identity, Millis, Uuid

AccountRole = Literal["owner", "admin", "member", "guest"]
"""What somebody is in the installation; ``accounts/permissions.py`` says what that allows."""

Email = Annotated[str, Meta(min_length=3, max_length=254)]
Password = Annotated[str, Meta(min_length=1, max_length=256)]
Secret = Annotated[str, Meta(min_length=16, max_length=512)]
"""A token of ours: of a link, of a refresh."""
Code = Annotated[str, Meta(min_length=6, max_length=32)]

# --- who somebody is ---------------------------------------------------------------------------------------------


class Account(Frame, frozen=True):
    """An account as its owner and administrators see it. ``id`` is also its identity in conversations and rooms."""

    id: Identity
    name: DisplayName
    email: str
    role: AccountRole
    state: Literal["active", "banned"] = "active"
    status_text: str = ""
    two_factor: bool = False
    has_password: bool = True
    created_at: Millis = 0


class Profile(Frame, frozen=True):
    """An account as other people see it."""

    id: Identity
    name: DisplayName
    status_text: str = ""


class UpdateAccount(Frame, frozen=True):
    """Change one's own profile; what is left out stays."""

    name: DisplayName | None = None
    status_text: Annotated[str, Meta(max_length=100)] | None = None


# --- coming in ---------------------------------------------------------------------------------------------------


class AuthOptions(Frame, frozen=True):
    """How people come in here: what a page offers to somebody whom it does not know.

    ``owner``: whether the installation has its first owner. ``mail``: whether links reach people by mail; with
    ``outbox`` they are shown by the server instead. ``development``: whether ``POST /auth/dev`` lets anybody in.
    """

    registration: Literal["open", "domain", "invitation", "closed"]
    owner: bool
    mail: bool
    outbox: bool
    development: bool


class LookAtLink(Frame, frozen=True):
    """What a link is for, without using it."""

    token: Secret


class LinkInfo(Frame, frozen=True):
    """A link as whoever holds it may see it. An ``invite`` without ``email`` leads to ``POST /auth/register`` first."""

    purpose: Literal["owner", "register", "invite", "reset"]
    email: str | None = None
    role: AccountRole | None = None


class Register(Frame, frozen=True):
    """Ask for an account. The answer is the same whether the address has one; what follows comes by mail."""

    email: Email
    invite: Secret | None = None


class FinishRegistration(Frame, frozen=True):
    """Make the account that a link is for. ``email`` counts for the first owner only; any other link names one."""

    token: Secret
    name: DisplayName
    password: Password
    email: Email | None = None
    browser: bool = False


class LogIn(Frame, frozen=True):
    """``browser``: the tokens are set as cookies, out of the reach of scripts, instead of being answered."""

    email: Email
    password: Password
    browser: bool = False


class SecondFactor(Frame, frozen=True):
    """The second step of a log-in: a code of the authenticator, or a recovery code, with the ticket of the first."""

    ticket: Secret
    code: Code
    browser: bool = False


class Refresh(Frame, frozen=True):
    """Without a token: that of the browser's cookie."""

    refresh_token: Secret | None = None


class SessionTokens(Frame, frozen=True):
    """A session. Programs get ``token`` and ``refresh_token``; browsers get cookies, and ``csrf`` for what they change.

    Each refresh token is good for one refresh; one that is used again ends the session.
    """

    session: Uuid
    expires_at: Millis
    account: Account
    token: str | None = None
    refresh_token: str | None = None
    csrf: str | None = None


class LoggedInAs(Frame, frozen=True):
    """The session, or the ticket for the second factor that is still needed."""

    session: SessionTokens | None = None
    ticket: str | None = None


class Myself(Frame, frozen=True):
    """``csrf``: for browsers, what a page sends as ``X-CSRF-Token`` with whatever changes something."""

    account: Account
    session: Uuid
    csrf: str | None = None


class Accepted(Frame, frozen=True):
    """It will be seen to; nothing else is said, whoever asks."""


# --- sessions, password, second factor ---------------------------------------------------------------------------


class SessionInfo(Frame, frozen=True):
    """One of one's own sessions. ``agent`` is what the program called itself."""

    id: Uuid
    agent: str
    browser: bool
    created_at: Millis
    used_at: Millis
    current: bool = False


class SessionList(Frame, frozen=True):
    sessions: list[SessionInfo]


class LogOut(Frame, frozen=True):
    """End this session, or with ``everywhere`` all of one's own."""

    everywhere: bool = False


class ChangePassword(Frame, frozen=True):
    """All other sessions end."""

    password: Password
    new_password: Password


class Recover(Frame, frozen=True):
    """Ask for a link by mail that sets a new password. The answer is the same whether the address has an account."""

    email: Email


class FinishRecovery(Frame, frozen=True):
    """Set a new password with a link. All sessions end."""

    token: Secret
    password: Password


class ConfirmPassword(Frame, frozen=True):
    """What changes how one logs in needs the password again."""

    password: Password


class TotpSecret(Frame, frozen=True):
    """For an authenticator; ``uri`` is what a QR code holds. It counts once a code of it was confirmed."""

    secret: str
    uri: str


class ConfirmTotp(Frame, frozen=True):
    code: Code


class RecoveryCodes(Frame, frozen=True):
    """Each is good once, in the place of the authenticator's code. Shown now and never again."""

    codes: list[str]


# --- by way of others --------------------------------------------------------------------------------------------


class OAuthProviders(Frame, frozen=True):
    """Names for ``GET /auth/oauth/{provider}``, where a page sends the browser to log in."""

    providers: list[str]


class OAuthBegin(Frame, frozen=True):
    """``path``: where the browser goes on after it came back."""

    path: Annotated[str, Meta(max_length=200)] = "/"


class OAuthReturn(Frame, frozen=True):
    """What a provider sends the browser back with (RFC 6749, section 4.1.2; RFC 9207)."""

    state: Annotated[str, Meta(max_length=200)] = ""
    code: Annotated[str, Meta(max_length=2048)] | None = None
    error: Annotated[str, Meta(max_length=200)] | None = None
    iss: Annotated[str, Meta(max_length=500)] | None = None


class OAuthLink(Frame, frozen=True):
    """``path``: where the browser goes on after it came back."""

    path: Annotated[str, Meta(max_length=200)] = "/"


class OAuthBegun(Frame, frozen=True):
    url: str


# --- administration ----------------------------------------------------------------------------------------------


class AccountList(Frame, frozen=True):
    """A page of them, and where the next one begins."""

    accounts: list[Account]
    cursor: str | None = None


class ListAccounts(Frame, frozen=True):
    cursor: Annotated[str, Meta(max_length=200)] | None = None
    limit: Annotated[int, Meta(ge=1, le=100)] = 50


class SetAccountRole(Frame, frozen=True):
    role: AccountRole


class SetBan(Frame, frozen=True):
    banned: bool


class MakeInvitation(Frame, frozen=True):
    """A link by which people register. With ``email`` it is for that address and proves it; else by mail as ever."""

    email: Email | None = None
    role: AccountRole = "member"
    uses: Annotated[int, Meta(ge=1, le=1000)] = 1
    ttl_s: Annotated[int, Meta(ge=60, le=30 * 86_400)] = 7 * 86_400


class Link(Frame, frozen=True):
    """A link that was made; its secret is kept nowhere."""

    url: str
    token: str
    expires_at: Millis


class AuditEntry(Frame, frozen=True):
    """Something an administrator did, or that concerns everybody's safety."""

    at: Millis
    action: str
    actor: str | None = None
    subject: str | None = None
    detail: str = ""


class AuditList(Frame, frozen=True):
    entries: list[AuditEntry]
    cursor: str | None = None


class ListAudit(Frame, frozen=True):
    cursor: Annotated[str, Meta(max_length=200)] | None = None


class OutboxMail(Frame, frozen=True):
    """A mail that was not sent, on a development server without a mail server."""

    to: str
    subject: str
    text: str


class Outbox(Frame, frozen=True):
    mails: list[OutboxMail]


ACCOUNT_REQUESTS: tuple[type[Frame], ...] = (
    *(Register, FinishRegistration, LogIn, SecondFactor, Refresh, LogOut, ChangePassword, Recover, FinishRecovery),
    *(
        ConfirmPassword,
        ConfirmTotp,
        UpdateAccount,
        SetAccountRole,
        SetBan,
        MakeInvitation,
        ListAccounts,
        ListAudit,
        OAuthLink,
    ),
    *(OAuthBegin, OAuthReturn, LookAtLink),
)
ACCOUNT_ANSWERS: tuple[type[Frame], ...] = (
    *(SessionTokens, LoggedInAs, Myself, Accepted, SessionList, TotpSecret, RecoveryCodes, Profile),
    *(AccountList, Link, AuditList, Outbox, OAuthProviders, OAuthBegun),
    *(AuthOptions, LinkInfo),
)
