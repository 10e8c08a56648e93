"""Logging: structlog everywhere, one line an event, nothing personal.

Levels, so that everybody means the same by them:

* ``error``    a bug of ours or lost data; somebody should look now
* ``warning``  degraded, and it may need a person (database gone, port lost, queue overflow)
* ``info``     a few lines for each room or session: started, ended, and why
* ``debug``    what one needs to follow one session; may name network addresses, never tokens or message text

Above ``debug`` a processor removes what looks like a token or a network address, whatever its source.
"""

from __future__ import annotations

import ipaddress
import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any, Literal, TextIO

import structlog

REDACTED = "[removed]"

# A JWT, or a bearer header.
_TOKEN = re.compile(r"eyJ[\w-]+\.[\w-]+\.[\w-]*|(?i:bearer)\s+\S+")
# What could be a network address; ipaddress decides.
_ADDRESS = re.compile(r"(?<![\w:.])[0-9a-fA-F:.]*[:.][0-9a-fA-F:.]*[0-9a-fA-F:](?!\w)")


def _without_address(found: re.Match[str]) -> str:
    text = found.group()
    for candidate, rest in ((text, ""), text.rpartition(":")[::2]):
        try:
            ipaddress.ip_address(candidate)
        except ValueError:
            continue
        return f"{REDACTED}:{rest}" if rest else REDACTED
    return text


def remove_personal(_: Any, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """The structlog processor that replaces tokens and network addresses in every text value, above ``debug``."""
    if method == "debug":
        return event
    for key, value in event.items():
        if isinstance(value, str):
            event[key] = _ADDRESS.sub(_without_address, _TOKEN.sub(REDACTED, value))
    return event


def configure(
    level: str = "info", form: Literal["auto", "text", "json"] = "auto", stream: TextIO | None = None
) -> None:
    """Set up structlog and route the standard library's logging (aiohttp, asyncio, aiortc) through it."""
    stream = sys.stderr if stream is None else stream
    text = form == "text" or (form == "auto" and stream.isatty())
    shared: list[structlog.types.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        remove_personal,
    ]
    renderer: structlog.types.Processor = (
        structlog.dev.ConsoleRenderer(colors=stream.isatty()) if text else structlog.processors.JSONRenderer()
    )
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.stdlib.add_logger_name,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *shared],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    # These libraries say at info what belongs to debug, addresses included.
    for name in ("aioice", "aiortc", "asyncio"):
        logging.getLogger(name).setLevel(logging.DEBUG if level == "debug" else logging.WARNING)
