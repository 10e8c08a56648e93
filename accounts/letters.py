"""What the mails say. Links carry their secret behind a ``#``, which no server log and no referrer sees."""

from __future__ import annotations

from accounts.mail import Mail

REGISTER_PATH = "/register"
RESET_PATH = "/recover"


def link(base_url: str, path: str, token: str) -> str:
    return f"{base_url}{path}#{token}"


def registration(base_url: str, to: str, token: str) -> Mail:
    return Mail(
        to,
        "Your account on Tertulia",
        f"Somebody, probably you, asked for an account with this address at {base_url}.\n\n"
        f"To make it, open this link within a day and choose a password:\n\n{link(base_url, REGISTER_PATH, token)}\n\n"
        "If it was not you, do nothing: without the link there is no account.\n",
    )


def known_already(base_url: str, to: str) -> Mail:
    return Mail(
        to,
        "You have an account on Tertulia",
        f"Somebody, probably you, asked for an account with this address at {base_url}. It has one already:\n"
        "log in, or ask for a new password there if you have forgotten yours.\n\n"
        "If it was not you, there is nothing to do; nobody learnt that you have an account.\n",
    )


def reset(base_url: str, to: str, token: str) -> Mail:
    return Mail(
        to,
        "A new password for Tertulia",
        f"Somebody, probably you, asked for a new password at {base_url}.\n\n"
        f"To choose one, open this link within an hour:\n\n{link(base_url, RESET_PATH, token)}\n\n"
        "If it was not you, do nothing: your password stays as it is.\n",
    )


def password_changed(base_url: str, to: str) -> Mail:
    return Mail(
        to,
        "Your password was changed",
        f"The password of your account at {base_url} was changed, and all other sessions were ended.\n\n"
        "If it was not you, ask for a new password there at once.\n",
    )
