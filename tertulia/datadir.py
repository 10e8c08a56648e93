"""The data directory: made private, locked for one server at a time, and keeper of made-up secrets.

::

    data_dir/
      lock              held with flock(2) while a server runs; the kernel lets go of it even after kill -9
      token-secret      0600; made at the first start when the settings name none
      postgres/         the embedded database (postgres.py)
"""

from __future__ import annotations

import errno
import fcntl
import os
import secrets
from pathlib import Path


class DataDirError(Exception):
    """The directory cannot be used; the text is one sentence that says what to do."""


class DataDir:
    """An existing, writable directory. Raises DataDirError when it cannot be made so."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path).expanduser().resolve()
        self._lock: int | None = None
        advice = f"choose another with TERTULIA_DATA_DIR, or give {_user()} write permission to it."
        try:
            # As root the directory lets others pass (not look), because the embedded database runs as a user
            # without privileges and has to reach its own private directory inside.
            mode = 0o711 if os.geteuid() == 0 else 0o700
            if not self.path.exists():
                self.path.mkdir(mode=mode, parents=True)
                self.path.chmod(mode)
        except OSError as error:
            raise DataDirError(f"Cannot make the data directory {self.path} ({error.strerror}); {advice}") from error
        if not self.path.is_dir():
            raise DataDirError(f"The data directory {self.path} is not a directory; {advice}")
        if not os.access(self.path, os.R_OK | os.W_OK | os.X_OK):
            raise DataDirError(f"The data directory {self.path} is not writable; {advice}")

    def lock(self) -> None:
        """Make this process the only one to use the directory. Raises DataDirError if another one does."""
        path = self.path / "lock"
        try:
            handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        except OSError as error:
            raise DataDirError(
                f"Cannot open {path} ({error.strerror}); the directory belongs to another user, so start the server "
                "as that user or choose another directory with TERTULIA_DATA_DIR."
            ) from error
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            owner = os.read(handle, 32).decode(errors="replace").strip() or "unknown"
            os.close(handle)
            if error.errno in (errno.EWOULDBLOCK, errno.EACCES):
                raise DataDirError(
                    f"Another server (process {owner}) uses the data directory {self.path}; stop it, or give this one "
                    "a directory of its own with TERTULIA_DATA_DIR."
                ) from error
            raise DataDirError(f"Cannot lock {path}: {error.strerror}.") from error
        os.ftruncate(handle, 0)
        os.write(handle, f"{os.getpid()}\n".encode())
        self._lock = handle

    def unlock(self) -> None:
        """Let another server use the directory."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def secret(self, name: str) -> str:
        """The kept secret ``name``, made now if there is none: 64 hexadecimal digits that survive restarts."""
        path = self.path / name
        try:
            return self._read_secret(path)
        except FileNotFoundError:
            pass
        # Written aside and linked into place, so that of two processes one wins and both read the same.
        aside = self.path / f".{name}.{os.getpid()}"
        handle = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
        try:
            os.write(handle, secrets.token_hex(32).encode())
            os.fsync(handle)
        finally:
            os.close(handle)
        try:
            os.link(aside, path)
        except FileExistsError:
            pass
        finally:
            aside.unlink()
        return self._read_secret(path)

    @staticmethod
    def _read_secret(path: Path) -> str:
        try:
            text = path.read_text(encoding="ascii").strip()
        except PermissionError as error:
            raise DataDirError(f"Cannot read {path}; start the server as the user who owns it.") from error
        if len(text) < 32:
            raise DataDirError(f"{path} is damaged; remove it and a new secret is made (old tokens end with it).")
        return text


def _user() -> str:
    return f"the user with id {os.geteuid()}"
