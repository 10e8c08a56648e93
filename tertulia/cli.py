"""The command line: ``tertulia serve | check | token | robot | bench | migrate | backup | restore | turn-config``.

What an operator can do wrong ends with one sentence on standard error and exit code 1; a traceback is always a bug.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Annotated, Any, NoReturn

import msgspec
import typer
import uvloop

from tertulia import bench, logs
from tertulia import settings as settings_table
from tertulia.settings import Settings, SettingsError

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="A place to meet, on your own machine.",
)

app.add_typer(bench.app, name="bench")

Config = Annotated[
    Path | None,
    typer.Option("--config", help="Settings file (TOML); TERTULIA_* variables win over it.", metavar="FILE"),
]


def main() -> None:
    """The entry point."""
    app()


def fail(sentence: str) -> NoReturn:
    """End with a sentence that says what to do."""
    typer.echo(f"tertulia: {sentence}", err=True)
    raise typer.Exit(1)


def load(config: Path | None) -> Settings:
    """The settings, with logging set up by them; ends the program when they are wrong."""
    try:
        settings = settings_table.load(config)
    except SettingsError as error:
        fail(str(error))
    logs.configure(settings.log_level, settings.log_format)
    return settings


def with_secret(settings: Settings) -> Settings:
    """Settings whose token secret is the kept one if none is configured."""
    from tertulia.datadir import DataDir, DataDirError

    if settings.token_secret:
        return settings
    try:
        return msgspec.structs.replace(settings, token_secret=DataDir(settings.data_dir).secret("token-secret"))
    except DataDirError as error:
        fail(str(error))


def run(main_coroutine: Coroutine[Any, Any, None]) -> None:
    """Run on uvloop."""
    uvloop.run(main_coroutine)


@app.command()
def serve(config: Config = None) -> None:
    """Run the server until Ctrl-C."""
    settings = load(config)
    from tertulia import server

    def announce(settings: Settings, owner_link: str | None) -> None:
        typer.echo("\n" + server.welcome(settings, owner_link) + "\n")
        sys.stdout.flush()

    try:
        run(server.serve(settings, announce))
    except server.StartError as error:
        fail(str(error))


@app.command()
def check(config: Config = None) -> None:
    """Look at configuration, ports, addresses, TURN and database; say what is wrong and how to mend it."""
    settings = load(config)
    from tertulia import check as checks

    findings = asyncio.run(checks.run(settings))
    for finding in findings:
        typer.echo(f"{'ok  ' if finding.ok else 'FAIL'}  {finding.subject}: {finding.text}")
    if not all(finding.ok for finding in findings):
        raise typer.Exit(1)


@app.command()
def token(
    room: Annotated[str, typer.Option(help="The room's id.")],
    identity: Annotated[str, typer.Option(help="Who it is for, unique in the room.")],
    name: Annotated[str, typer.Option(help="The name others see.")] = "",
    ttl: Annotated[int, typer.Option(help="Good for so many seconds.", min=1, max=31_536_000)] = 86_400,
    moderate: Annotated[bool, typer.Option("--moderate", help="May end the room and mute others.")] = False,
    key: Annotated[str, typer.Option(help="Sign with this API key instead of the guests' secret.")] = "",
    config: Config = None,
) -> None:
    """Print a room token."""
    settings = with_secret(load(config))
    from tertulia.catalogue import Grants
    from tertulia.tokens import GUEST_KEY, Claims, Tokens

    if key and key not in settings.api_keys:
        fail(f"There is no API key {key!r} in the settings.")
    claims = {"sub": identity, "name": name or identity, "room": room, "iss": key or GUEST_KEY, "exp": 0}
    try:
        msgspec.convert(claims, Claims)
    except msgspec.ValidationError as error:
        fail(f"That is no token: {error}.")
    grants = Grants(moderate=moderate)
    typer.echo(Tokens(settings).mint(room, identity, name or identity, grants, ttl, key or GUEST_KEY))


@app.command()
def robot(
    url: Annotated[str, typer.Option(help="The server.")] = "",
    room: Annotated[str, typer.Option(help="The room's id; a new room is made without one.")] = "",
    token: Annotated[str, typer.Option(help="A room token; a guest's is asked for without one.")] = "",
    name: Annotated[str, typer.Option(help="The name others see.")] = "Robot",
    config: Config = None,
) -> None:
    """Be a participant with a moving picture and a tone, until Ctrl-C."""
    settings = load(config)
    from tertulia import visit

    try:
        run(visit.stay(url or settings.base_url, room, token, name, typer.echo))
    except visit.VisitError as error:
        fail(str(error))
    except KeyboardInterrupt:
        raise typer.Exit(0) from None


@app.command()
def migrate(config: Config = None) -> None:
    """Bring the database up to date. `serve` does it too; this is for doing it beforehand."""
    settings = load(config)
    from tertulia.database import Database, DatabaseError
    from tertulia.datadir import DataDir, DataDirError

    async def apply() -> None:
        directory = DataDir(settings.data_dir) if not settings.database_dsn else None
        if directory is not None:
            directory.lock()
        database = Database.from_settings(settings)
        try:
            await database.start()
            names = await database.migrate()
        finally:
            await database.close()
            if directory is not None:
                directory.unlock()
        typer.echo("\n".join(f"applied {name}" for name in names) or "nothing to do")

    try:
        run(apply())
    except (DatabaseError, DataDirError) as error:
        fail(str(error))


@app.command()
def backup(
    path: Annotated[Path, typer.Argument(help="The file to write; must not be there yet.", metavar="FILE")],
    config: Config = None,
) -> None:
    """Write everything in the database to one file, while the server runs or not."""
    settings = load(config)
    from tertulia import backup as backups
    from tertulia.database import DatabaseError
    from tertulia.datadir import DataDirError

    async def write() -> None:
        size = await backups.backup(settings, path)
        typer.echo(f"wrote {path}, {size / 1e6:.1f} MB")

    try:
        run(write())
    except (backups.BackupError, DatabaseError, DataDirError) as error:
        fail(str(error))


@app.command()
def restore(
    path: Annotated[Path, typer.Argument(help="A file that `backup` wrote.", metavar="FILE")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    config: Config = None,
) -> None:
    """Put a backup in the place of everything in the database. A running server takes it up within half a minute."""
    settings = load(config)
    from tertulia import backup as backups
    from tertulia.database import DatabaseError
    from tertulia.datadir import DataDirError

    if not yes:
        typer.confirm("Everything in the database now will be gone. Go on?", abort=True)

    async def put_back() -> None:
        for name in await backups.restore(settings, path):
            typer.echo(f"applied {name}")
        typer.echo(f"restored {path}; clients that are connected are told to reload")

    try:
        run(put_back())
    except (backups.BackupError, DatabaseError, DataDirError) as error:
        fail(str(error))


@app.command("turn-config")
def turn_config(config: Config = None) -> None:
    """Print coturn's configuration (turnserver.conf) as the settings say."""
    settings = load(config)
    from turn.config import ConfigError, render

    try:
        typer.echo(render(settings), nl=False)
    except ConfigError as error:
        fail(str(error))
