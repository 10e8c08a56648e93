"""The HTTP door's table: every operation of accounts, what it needs, and who may ask it.

The door (``http.py``), ``/openapi.json`` and the reference follow it, and the walk over all roles compares with it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from accounts.permissions import AccountRight
from tertulia.catalogue import (
    Accepted,
    Account,
    AccountList,
    AuditList,
    AuthOptions,
    ChangePassword,
    ConfirmPassword,
    ConfirmTotp,
    FinishRecovery,
    FinishRegistration,
    Frame,
    Link,
    LinkInfo,
    ListAccounts,
    ListAudit,
    LoggedInAs,
    LogIn,
    LogOut,
    LookAtLink,
    MakeInvitation,
    Myself,
    Outbox,
    Profile,
    Recover,
    RecoveryCodes,
    Refresh,
    Register,
    SecondFactor,
    SessionList,
    SessionTokens,
    SetAccountRole,
    SetBan,
    TotpSecret,
    UpdateAccount,
)
from tertulia.openapi import Operation


@dataclass(frozen=True)
class Route:
    """One operation. ``right``: what the asker's role must have; None is for anybody, counted by address."""

    method: Literal["GET", "POST", "PUT", "DELETE"]
    path: str
    name: str
    request: type[Frame] | None
    answer: type[Frame]
    right: AccountRight | None
    about: str
    status: int = 200


ROUTES: tuple[Route, ...] = (
    Route("GET", "/auth/options", "options", None, AuthOptions, None, "How people come in here."),
    Route("POST", "/auth/link", "look-at-link", LookAtLink, LinkInfo, None, "What a link is for; it stays good."),
    Route("POST", "/auth/register", "register", Register, Accepted, None, "Ask for an account.", 202),
    Route(
        "POST",
        "/auth/register/finish",
        "finish-registration",
        FinishRegistration,
        SessionTokens,
        None,
        "Make the account that a link is for.",
        201,
    ),
    Route("POST", "/auth/login", "log-in", LogIn, LoggedInAs, None, "Log in with a password."),
    Route("POST", "/auth/login/second", "second-factor", SecondFactor, SessionTokens, None, "The second step."),
    Route("POST", "/auth/refresh", "refresh", Refresh, SessionTokens, None, "New tokens for a refresh token."),
    Route("POST", "/auth/recover", "recover", Recover, Accepted, None, "Ask for a link that sets a new password.", 202),
    Route(
        "POST",
        "/auth/recover/finish",
        "finish-recovery",
        FinishRecovery,
        Accepted,
        None,
        "Set a new password with a link.",
    ),
    Route("GET", "/auth/outbox", "outbox", None, Outbox, None, "Mails that a development server did not send."),
    Route("POST", "/auth/logout", "log-out", LogOut, Accepted, "profile", "End this session, or all of one's own."),
    Route("GET", "/auth/user", "myself", None, Myself, "profile", "Who the asker is."),
    Route("GET", "/auth/sessions", "sessions", None, SessionList, "profile", "Where one is logged in."),
    Route(
        "DELETE", "/auth/sessions/{sessionId}", "end-session", None, Accepted, "profile", "End one of one's sessions."
    ),
    Route("POST", "/auth/password", "change-password", ChangePassword, Accepted, "profile", "Change one's password."),
    Route("POST", "/auth/totp", "begin-totp", ConfirmPassword, TotpSecret, "profile", "Set up an authenticator."),
    Route("POST", "/auth/totp/confirm", "confirm-totp", ConfirmTotp, RecoveryCodes, "profile", "It shows the codes."),
    Route("POST", "/auth/totp/remove", "remove-totp", ConfirmPassword, Accepted, "profile", "Need no codes again."),
    Route(
        "POST",
        "/auth/recovery-codes",
        "renew-recovery-codes",
        ConfirmPassword,
        RecoveryCodes,
        "profile",
        "New recovery codes in the place of the old ones.",
    ),
    Route("PUT", "/user/update", "update-account", UpdateAccount, Account, "profile", "Change one's profile."),
    Route("GET", "/user/{userId}", "profile", None, Profile, "people", "Somebody as others see them."),
    Route("POST", "/user/block/{userId}", "block", None, Accepted, "profile", "Take no more messages from somebody."),
    Route("DELETE", "/user/block/{userId}", "unblock", None, Accepted, "profile", "Take them again."),
    Route("GET", "/accounts", "accounts", ListAccounts, AccountList, "accounts", "All accounts."),
    Route("PUT", "/accounts/{userId}/role", "give-role", SetAccountRole, Account, "roles", "Give somebody a role."),
    Route("PUT", "/accounts/{userId}/ban", "ban", SetBan, Account, "accounts", "Shut somebody out, or no longer."),
    Route("POST", "/accounts/{userId}/logout", "log-out-account", None, Accepted, "accounts", "End their sessions."),
    Route(
        "POST",
        "/accounts/{userId}/reset-link",
        "make-reset-link",
        None,
        Link,
        "accounts",
        "A link by which somebody sets a new password.",
        201,
    ),
    Route("POST", "/accounts/invitations", "invite", MakeInvitation, Link, "invite", "A link to register by.", 201),
    Route("GET", "/accounts/audit", "audit", ListAudit, AuditList, "audit", "What administrators did."),
)


def operations() -> list[Operation]:
    """The table as ``/openapi.json`` describes it."""
    return [
        Operation(
            method=route.method,
            path=route.path,
            name=route.name,
            about=route.about,
            tag="accounts",
            request=route.request,
            answer=route.answer,
            status=route.status,
            in_address=route.method == "GET",
            authenticated=route.right is not None,
            path_names={"userId": None, "sessionId": None},
        )
        for route in ROUTES
    ]
