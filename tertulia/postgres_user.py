"""Who the embedded PostgreSQL runs as: the caller, or, as root, a system user without privileges.

``initdb`` and ``postgres`` refuse to run as root. Then the owner of an existing cluster is used, else the system user
``tertulia``, made on first need. If that user cannot reach the program's directory (a clone below /root, say), the
server keeps one capability, CAP_DAC_READ_SEARCH, instead of anybody's permissions being changed on the way.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

SYSTEM_USER = "tertulia"


class UserError(Exception):
    """No suitable user; the text is one sentence that says what to do."""


@dataclass(frozen=True)
class RunAs:
    """A user and the words in front of a command line that make it run as that user."""

    uid: int
    gid: int
    name: str
    prefix: tuple[str, ...] = ()

    def give(self, path: Path) -> None:
        """Make ``path`` this user's own (needed and possible only as root)."""
        if os.geteuid() == 0:
            os.chown(path, self.uid, self.gid, follow_symlinks=False)


def choose(cluster: Path, binary: Path) -> RunAs:
    """The user for the cluster in ``cluster``, able to run ``binary``. Raises UserError."""
    if os.geteuid() != 0:
        return RunAs(os.geteuid(), os.getegid(), _name(os.geteuid()))
    entry = _owner(cluster) or _system_user()
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        raise UserError(
            "As root the embedded database needs the program setpriv (package util-linux) to run without privileges; "
            "install it, start the server as an ordinary user, or name a PostgreSQL server in TERTULIA_DATABASE_DSN."
        )
    base = (setpriv, f"--reuid={entry.pw_uid}", f"--regid={entry.pw_gid}", "--clear-groups", "--no-new-privs")
    # no_setuid_fixup: without it access(2), which postgres asks about its own binary, ignores the capability.
    for extra in (
        (),
        ("--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search", "--securebits=+no_setuid_fixup"),
    ):
        prefix = (*base, *extra)
        test = [*prefix, "test", "-x", str(binary), "-a", "-x", str(cluster.parent)]
        if subprocess.run(test, stderr=subprocess.DEVNULL, check=False).returncode == 0:
            return RunAs(entry.pw_uid, entry.pw_gid, entry.pw_name, prefix)
    raise UserError(
        f"The user {entry.pw_name} cannot reach {binary} and {cluster.parent}; start the server as an ordinary user, "
        "or move the checkout and TERTULIA_DATA_DIR to a place that other users may enter."
    )


def _owner(cluster: Path) -> pwd.struct_passwd | None:
    """The ordinary user who owns an existing cluster, so that root can serve what that user began."""
    try:
        uid = cluster.stat().st_uid
    except FileNotFoundError:
        return None
    return None if uid == 0 else pwd.getpwuid(uid)


def _system_user() -> pwd.struct_passwd:
    try:
        return pwd.getpwnam(SYSTEM_USER)
    except KeyError:
        pass
    useradd = shutil.which("useradd") or "/usr/sbin/useradd"
    command = [useradd, "--system", "--user-group", "--no-create-home", "--home-dir", "/nonexistent"]
    try:
        subprocess.run([*command, "--shell", "/usr/sbin/nologin", SYSTEM_USER], check=True, capture_output=True)
        return pwd.getpwnam(SYSTEM_USER)
    except (OSError, subprocess.CalledProcessError, KeyError) as error:
        raise UserError(
            f"The embedded database does not run as root and the system user {SYSTEM_USER} cannot be made; start the "
            "server as an ordinary user, or name a PostgreSQL server in TERTULIA_DATABASE_DSN."
        ) from error


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError as error:
        raise UserError(
            f"The embedded database needs a user with a name and id {uid} has none in /etc/passwd; name a PostgreSQL "
            "server in TERTULIA_DATABASE_DSN instead."
        ) from error
