"""Settings: one typed table of name, default and help, filled from a TOML file and ``TERTULIA_*`` variables.

The fields of :class:`Settings` are the table. A variable wins over the file, the file over the default. Lists are
written with commas in variables (``TERTULIA_MEDIA_ADDRESSES=192.0.2.7,2001:db8::7``), tables as ``key=value`` pairs
(``TERTULIA_API_KEYS=site-a=secret1,site-b=secret2``). ``docs/operating.md`` shows the same table; a test compares them.
"""

from __future__ import annotations

import ipaddress
import os
import re
import tomllib
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta

from tertulia.catalogue import VideoCodec

PREFIX = "TERTULIA_"
CONFIG_VARIABLE = PREFIX + "CONFIG"

Registration = typing.Literal["open", "domain", "invitation", "closed"]
Port = Annotated[int, Meta(ge=0, le=65535)]


class SettingsError(Exception):
    """The settings are wrong; the text is one sentence that names the setting and says what to do."""


def _default_data_dir() -> str:
    base = os.environ.get("XDG_DATA_HOME") or str(Path.home() / ".local" / "share")
    return str(Path(base) / "tertulia")


def _default_web_dist() -> str:
    return str(Path(__file__).resolve().parent.parent / "web" / "app" / "dist")


def _help(text: str) -> Meta:
    return Meta(description=text)


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything an operator can choose. Immutable; made by :func:`load`."""

    http_host: Annotated[
        str, _help("Address the web server listens on. Anything but this machine's own loopback is production.")
    ] = "127.0.0.1"
    http_port: Annotated[Port, _help("TCP port of the page, the HTTP interface and Socket.IO.")] = 8080
    public_url: Annotated[
        str, _help("How people reach the server, e.g. `https://talk.example.org`. Empty: the listening address.")
    ] = ""
    media_port: Annotated[Port, _help("UDP port of all sound, pictures and data channels.")] = 7882
    media_workers: Annotated[
        int,
        Meta(ge=1, le=64),
        _help(
            "Threads that forward media, each on a port of its own: `media_port` and those after it. One serves some "
            "300,000 packets a second; leave a core to the rest of the program."
        ),
    ] = 1
    media_worker_sessions: Annotated[
        int,
        Meta(ge=1, le=10_000),
        _help("A room with more sessions than this goes on to another worker, where there are several."),
    ] = 400
    media_bind: Annotated[
        tuple[str, ...], _help("Addresses the media port is bound to. Empty: every address, IPv4 and IPv6.")
    ] = ()
    media_addresses: Annotated[
        tuple[str, ...],
        _help("Addresses told to clients for media. Behind NAT: the public one. Empty: every address of this machine."),
    ] = ()
    media_advertised_port: Annotated[
        Port,
        _help(
            "UDP port told to clients, where something forwards it (and those after it) to `media_port`. 0: the same."
        ),
    ] = 0
    data_dir: Annotated[
        str, _help("Where the embedded database and made-up secrets live. Only one server may use it at a time.")
    ] = msgspec.field(default_factory=_default_data_dir)
    database_dsn: Annotated[
        str,
        _help("PostgreSQL 16 or newer, e.g. `postgresql://user:password@host/tertulia`. Empty: the embedded server."),
    ] = ""
    redis_url: Annotated[
        str,
        _help(
            "Redis 7 or Valkey through which several processes tell each other of messages, e.g. `redis://host:6379`. "
            "Empty: PostgreSQL does it where `database_dsn` is set."
        ),
    ] = ""
    trusted_proxies: Annotated[
        tuple[str, ...],
        _help("Addresses and networks of reverse proxies whose `X-Forwarded-For` is believed."),
    ] = ("127.0.0.1", "::1")
    token_secret: Annotated[
        str,
        _help("Signs the room tokens of guests. Empty on localhost: made at the first start and kept in `data_dir`."),
    ] = ""
    api_keys: Annotated[
        dict[str, str], _help("Key ids and secrets of sites that create rooms and sign room tokens themselves.")
    ] = {}
    guests: Annotated[bool, _help("Whether people without an account may create rooms and join with a name.")] = True
    registration: Annotated[
        Registration,
        _help(
            "Who may make an account: anybody (`open`), addresses of `registration_domains` (`domain`), people with a "
            "link from an administrator (`invitation`), or nobody (`closed`). Such links work in every mode."
        ),
    ] = "invitation"
    registration_domains: Annotated[
        tuple[str, ...], _help("Domains of e-mail addresses that may register, for `registration` = `domain`.")
    ] = ()
    smtp_url: Annotated[
        str,
        _help(
            "Mail server, e.g. `smtp://user:password@mail.example.org:587` (STARTTLS) or `smtps://…:465`. Empty: a "
            "development server shows its mails at `/auth/outbox`, any other sends none."
        ),
    ] = ""
    mail_from: Annotated[str, _help("The sender of mails, e.g. `Tertulia <tertulia@example.org>`.")] = ""
    oauth_clients: Annotated[
        dict[str, str],
        _help(
            "Providers that people may log in by, with `client id:secret`: `google`, `github`, `facebook`, and names "
            "of `oauth_issuers`. They come back to `/auth/oauth/<name>/callback`."
        ),
    ] = {}
    oauth_issuers: Annotated[
        dict[str, str], _help("Addresses of further OpenID issuers by name, e.g. `work=https://id.example.org`.")
    ] = {}
    room_capacity: Annotated[int, Meta(ge=1, le=10_000), _help("How many participants a room holds at most.")] = 100
    video_codec: Annotated[
        VideoCodec,
        _help(
            "What cameras and screens send where the browser can: `vp8` and `h264` in several sizes, `vp9` and `av1` "
            "in layers of one stream. A viewer that cannot decode it sees no picture, and is told so."
        ),
    ] = "vp8"
    channel_room_max: Annotated[
        int,
        Meta(ge=0, le=10_000),
        _help(
            "Rooms with more participants are told of messages, speakers and slots over Socket.IO only, which costs "
            "the server less than data channels do."
        ),
    ] = 32
    turn_urls: Annotated[
        tuple[str, ...],
        _help("TURN servers told to clients, e.g. `turn:turn.example.org:3478?transport=udp`. Empty: none."),
    ] = ()
    turn_secret: Annotated[str, _help("The secret shared with coturn (`static-auth-secret`).")] = ""
    turn_realm: Annotated[str, _help("The TURN server's realm.")] = "tertulia"
    turn_ttl_s: Annotated[int, Meta(ge=60, le=86_400), _help("How long a TURN credential can be used, in seconds.")] = (
        3600
    )
    turn_port: Annotated[Port, _help("coturn's port for TURN over UDP and TCP (for `tertulia turn-config`).")] = 3478
    turn_tls_port: Annotated[Port, _help("coturn's port for TURN over TLS; used when a certificate is set.")] = 5349
    turn_cert: Annotated[str, _help("Certificate chain for TURN over TLS, as coturn sees the path.")] = ""
    turn_key: Annotated[str, _help("Private key for TURN over TLS, as coturn sees the path.")] = ""
    turn_listen: Annotated[tuple[str, ...], _help("Addresses coturn listens on. Empty: all.")] = ()
    turn_external_ip: Annotated[
        str, _help("coturn's public address when it is behind NAT: `public` or `public/private`.")
    ] = ""
    turn_min_port: Annotated[Port, _help("First UDP port coturn relays from.")] = 49152
    turn_max_port: Annotated[Port, _help("Last UDP port coturn relays from.")] = 65535
    turn_allowed_peers: Annotated[
        tuple[str, ...],
        _help(
            "Private addresses coturn may relay to all the same: those of the media servers, when they have no other."
        ),
    ] = ()
    web_dist: Annotated[str, _help("The built page.")] = msgspec.field(default_factory=_default_web_dist)
    log_level: Annotated[typing.Literal["debug", "info", "warning", "error"], _help("The least that is logged.")] = (
        "info"
    )
    log_format: Annotated[
        typing.Literal["auto", "text", "json"], _help("`auto`: text on a terminal, JSON lines elsewhere.")
    ] = "auto"

    @property
    def development(self) -> bool:
        """True when only this machine can reach the server, which makes the development defaults safe."""
        return is_loopback(self.http_host) and not self.public_url

    @property
    def media_ports(self) -> range:
        """The UDP ports of the workers; ``media_port`` 0 (any) is the only one said then."""
        return range(self.media_port, self.media_port + (self.media_workers if self.media_port else 1))

    @property
    def base_url(self) -> str:
        """The address people open, without a trailing slash."""
        if self.public_url:
            return self.public_url.rstrip("/")
        host = self.http_host
        if is_loopback(host) or host in ("0.0.0.0", "::", ""):
            host = "localhost"
        elif ":" in host:
            host = f"[{host}]"
        return f"http://{host}:{self.http_port}"


class Row(msgspec.Struct, frozen=True):
    """One line of the table, for the documentation."""

    name: str
    type: str
    default: str
    help: str

    @property
    def variable(self) -> str:
        return PREFIX + self.name.upper()


def is_loopback(host: str) -> bool:
    """Whether listening on ``host`` means that only this machine can connect."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def table() -> list[Row]:
    """All settings in the order they are defined."""
    hints = typing.get_type_hints(Settings, include_extras=True)
    rows = []
    for field in msgspec.structs.fields(Settings):
        annotated = hints[field.name]
        metas = [meta for meta in annotated.__metadata__ if isinstance(meta, Meta)]
        help_text = next(meta.description for meta in reversed(metas) if meta.description)
        rows.append(Row(field.name, _type_name(annotated.__origin__), _default_text(field), help_text))
    return rows


def load(path: Path | None = None, environ: Mapping[str, str] | None = None) -> Settings:
    """Settings from the TOML file (``path``, else ``$TERTULIA_CONFIG``, else none) and the environment.

    Raises SettingsError with a sentence that names the setting.
    """
    environ = os.environ if environ is None else environ
    if path is None and environ.get(CONFIG_VARIABLE):
        path = Path(environ[CONFIG_VARIABLE])
    values: dict[str, Any] = _read_toml(path) if path is not None else {}
    origins = {name: f"{name} in {path}" for name in values}
    fields = {row.name: hint for row, hint in zip(table(), _plain_types(), strict=True)}
    for variable, text in environ.items():
        if not variable.startswith(PREFIX) or variable == CONFIG_VARIABLE:
            continue
        name = variable.removeprefix(PREFIX).lower()
        if name not in fields:
            # Unknown variables are refused like unknown keys: a misspelt secret must not go unnoticed.
            raise SettingsError(f"There is no setting {variable}. The table of settings is in docs/operating.md.")
        values[name] = _from_text(text.strip(), fields[name], variable)
        origins[name] = variable
    for name in values:
        if name not in fields:
            raise SettingsError(f"There is no setting {origins[name]}. The table of settings is in docs/operating.md.")
    settings = _convert(values, origins)
    _check(settings)
    return settings


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"Cannot read the settings file {path}: {error.strerror}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"The settings file {path} is not TOML: {error}.") from error


def _plain_types() -> list[Any]:
    hints = typing.get_type_hints(Settings)
    return [hints[field.name] for field in msgspec.structs.fields(Settings)]


def _from_text(text: str, kind: Any, variable: str) -> Any:
    """The value of a variable: lists by commas, tables as pairs; numbers and booleans are left to the conversion."""
    origin = typing.get_origin(kind)
    if origin is tuple:
        return [part.strip() for part in text.split(",") if part.strip()]
    if origin is dict:
        pairs = [part.partition("=") for part in text.split(",") if part.strip()]
        if any(not separator for _, separator, _ in pairs):
            raise SettingsError(f"{variable} is written as id=secret,id=secret.")
        return {key.strip(): value.strip() for key, _, value in pairs}
    if kind is bool:
        known = {
            "1": True,
            "true": True,
            "yes": True,
            "on": True,
            "0": False,
            "false": False,
            "no": False,
            "off": False,
        }
        if text.lower() not in known:
            raise SettingsError(f"{variable} is {text!r}; write true or false.")
        return known[text.lower()]
    return text


def _convert(values: dict[str, Any], origins: Mapping[str, str]) -> Settings:
    for name, value in values.items():
        # One at a time, so that the message can name the variable or the file that is wrong.
        try:
            msgspec.convert({name: value}, Settings, strict=False)
        except msgspec.ValidationError as error:
            reason = str(error).partition(" - at ")[0].replace("`", "")
            raise SettingsError(f"{origins[name]} is wrong: {reason}.") from error
    return msgspec.convert(values, Settings, strict=False)


def _check(settings: Settings) -> None:
    """What one field's type cannot say."""
    for name in ("media_addresses", "media_bind", "turn_listen"):
        for address in getattr(settings, name):
            try:
                ipaddress.ip_address(address)
            except ValueError as error:
                raise SettingsError(f"{name} holds {address!r}, which is not an IP address.") from error
    for network in settings.trusted_proxies:
        try:
            ipaddress.ip_network(network)
        except ValueError as error:
            raise SettingsError(
                f"trusted_proxies holds {network!r}, which is neither an address nor a network such as 10.0.0.0/8."
            ) from error
    for network in settings.turn_allowed_peers:
        try:
            ipaddress.ip_network(network)
        except ValueError as error:
            raise SettingsError(
                f"turn_allowed_peers holds {network!r}, which is not a network such as 10.0.0.0/8."
            ) from error
    if settings.public_url and not settings.public_url.startswith(("http://", "https://")):
        raise SettingsError("public_url begins with https:// (or http:// for a test).")
    if settings.redis_url and not settings.redis_url.startswith(("redis://", "rediss://")):
        raise SettingsError("redis_url begins with redis:// (or rediss:// for TLS).")
    if settings.redis_url and not settings.database_dsn:
        raise SettingsError("redis_url is for several processes on one database; set database_dsn as well.")
    if settings.smtp_url and not settings.smtp_url.startswith(("smtp://", "smtps://")):
        raise SettingsError("smtp_url begins with smtp:// (STARTTLS) or smtps:// (TLS from the start).")
    if settings.smtp_url and "@" not in settings.mail_from:
        raise SettingsError("smtp_url is set but mail_from is not; give the address that mails come from.")
    for name, issuer in settings.oauth_issuers.items():
        parts = urlsplit(issuer)
        if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(parts.hostname or "")):
            raise SettingsError(f"The OpenID issuer {name!r} in oauth_issuers is an address that begins with https://.")
    for name, credentials in settings.oauth_clients.items():
        if name not in ("google", "github", "facebook") and name not in settings.oauth_issuers:
            raise SettingsError(f"oauth_clients names {name!r}; give the address of that issuer in oauth_issuers.")
        if not re.fullmatch(r"[a-z0-9-]{1,32}", name) or ":" not in credentials:
            raise SettingsError(f"oauth_clients is written as name=client id:secret; {name!r} is not.")
    if settings.registration == "domain" and not settings.registration_domains:
        raise SettingsError("registration is domain, so registration_domains must name at least one.")
    if settings.registration in ("open", "domain") and not settings.smtp_url and not settings.development:
        raise SettingsError(
            "Who registers proves an address by mail, so registration = open or domain needs smtp_url; or leave it at "
            "invitation."
        )
    for url in settings.turn_urls:
        if not url.startswith(("turn:", "turns:", "stun:", "stuns:")):
            raise SettingsError(f"turn_urls holds {url!r}; such an address begins with turn: or turns:.")
    if any(url.startswith("turn") for url in settings.turn_urls) and not settings.turn_secret:
        raise SettingsError("turn_urls is set but turn_secret is not; give the secret that coturn has.")
    if settings.media_port and settings.media_port + settings.media_workers - 1 > 65535:
        raise SettingsError("media_port leaves no room for the ports of all media_workers; choose a lower one.")
    if settings.turn_min_port > settings.turn_max_port:
        raise SettingsError("turn_min_port is above turn_max_port.")
    if bool(settings.turn_cert) != bool(settings.turn_key):
        raise SettingsError("turn_cert and turn_key go together; set both or none.")
    for key_id, secret in settings.api_keys.items():
        if len(secret) < 16:
            raise SettingsError(f"The secret of API key {key_id!r} is shorter than 16 characters.")
    if not settings.development and len(settings.token_secret) < 32:
        raise SettingsError(
            "The server is to be reached from other machines, so token_secret must be set to at least 32 characters "
            "(make one with: openssl rand -hex 32), or http_host left at 127.0.0.1."
        )


def _type_name(kind: Any) -> str:
    if typing.get_origin(kind) is Annotated:
        kind = kind.__origin__
    if typing.get_origin(kind) is tuple:
        return "list"
    if typing.get_origin(kind) is dict:
        return "table"
    if typing.get_origin(kind) is typing.Literal:
        return ", ".join(f"`{choice}`" for choice in typing.get_args(kind))
    return {str: "text", int: "number", bool: "true or false"}[kind]


_DEFAULTS_IN_WORDS = {"data_dir": "~/.local/share/tertulia", "web_dist": "web/app/dist"}


def _default_text(field: msgspec.structs.FieldInfo) -> str:
    value = _DEFAULTS_IN_WORDS.get(field.name, field.default)
    if value is msgspec.NODEFAULT:
        value = field.default_factory()
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return ",".join(value)
    return "" if value in ("", {}) else str(value)
