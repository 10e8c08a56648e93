"""Logging: one JSON object a line, and nothing personal above debug."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from tertulia import logs

TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJl"


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    stream = io.StringIO()
    logs.configure("debug", "json", stream)
    yield stream
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def lines(stream: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_line_holds_the_event_and_what_is_bound(stream: io.StringIO) -> None:
    structlog.get_logger("a.part").info("session started", room="calm-river", count=3)
    [line] = lines(stream)
    assert (line["event"], line["room"], line["count"], line["level"]) == ("session started", "calm-river", 3, "info")
    assert line["logger"] == "a.part"


@pytest.mark.parametrize(
    "personal",
    ["192.0.2.7", "192.0.2.7:4000", "2001:db8::7", "::ffff:192.0.2.7", "fe80:0:0:0:1:2:3:4", TOKEN, "Bearer abc.def"],
)
def test_tokens_and_addresses_are_removed(stream: io.StringIO, personal: str) -> None:
    structlog.get_logger().info("packet dropped", detail=f"from {personal} today")
    logging.getLogger("some.library").warning("lost %s", personal)
    assert personal not in stream.getvalue()
    assert str(lines(stream)[0]["detail"]).startswith(f"from {logs.REDACTED}")


@pytest.mark.parametrize(
    "harmless", ["12:34:56", "1.2.3", "sfu::Worker", "a:b:c", "room 10", "2026-11-22T23:45:00.123456Z"]
)
def test_what_only_looks_alike_stays(stream: io.StringIO, harmless: str) -> None:
    structlog.get_logger().info("noted", detail=harmless)
    assert lines(stream)[0]["detail"] == harmless


def test_exceptions_are_cleaned_too(stream: io.StringIO) -> None:
    try:
        raise ValueError(f"bad token {TOKEN}")
    except ValueError as error:
        structlog.get_logger().error("failed", exc_info=error)
    assert TOKEN not in stream.getvalue()
    assert "ValueError" in stream.getvalue()


def test_debug_may_name_addresses(stream: io.StringIO) -> None:
    structlog.get_logger().debug("checking", path="192.0.2.7:4000")
    assert lines(stream)[0]["path"] == "192.0.2.7:4000"
