"""Writes the tables of docs/protocol.md from the catalogue: ``python -m tertulia.reference``.

The page's prose is written by hand; between a line ``<!-- table: name -->`` and the next ``<!-- end -->`` stands what
is made here, so that the page cannot say anything else than the code.
"""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import get_args

from msgspec import NODEFAULT, Raw
from msgspec import inspect as shapes

from accounts.oauth_http import OPERATIONS as OAUTH
from accounts.permissions import RIGHTS
from accounts.routes import ROUTES as ACCOUNT_ROUTES
from chat.routes import ROUTES
from tertulia import catalogue, errors
from tertulia.typescript import ALIASES, Writer

TARGET = Path(__file__).resolve().parent.parent / "docs" / "protocol.md"
_PLACE = re.compile(r"(<!-- table: ([a-z-]+) -->\n).*?(^<!-- end -->)", re.DOTALL | re.MULTILINE)


def requests() -> Iterable[str]:
    yield "| event | request | answer | data channel |"
    yield "|---|---|---|---|"
    for event, (request, answer) in catalogue.REQUESTS.items():
        channels = [f"`{name}`" for name, events in catalogue.CHANNEL_REQUESTS.items() if event in events]
        yield f"| `{event}` | {link(request)} | {link(answer)} | {', '.join(channels)} |"


def chat_http() -> Iterable[str]:
    yield "| request | what it does | event | answer |"
    yield "|---|---|---|---|"
    for route in ROUTES:
        asked = f"`{route.event}` ({link(route.request)})"
        yield f"| `{route.method} {route.path}` | {route.about} | {asked} | {link(route.answer)} |"


def accounts_http() -> Iterable[str]:
    yield "| request | what it does | who | body → answer |"
    yield "|---|---|---|---|"
    for route in ACCOUNT_ROUTES:
        who = " or ".join(role for role, rights in RIGHTS.items() if route.right in rights) or "anybody"
        asked = f"{link(route.request)} → " if route.request is not None else "→ "
        status = f"{route.status} " if route.status != 200 else ""
        yield f"| `{route.method} {route.path}` | {route.about} | {who} | {asked}{status}{link(route.answer)} |"
    for each in OAUTH:
        who = "whoever has an account" if each.authenticated else "anybody"
        asked = f"{link(each.request)} → " if isinstance(each.request, type) else "→ "
        answer = link(each.answer) if isinstance(each.answer, type) else str(each.status)
        yield f"| `{each.method} {each.path}` | {each.about} | {who} | {asked}{answer} |"


def notices() -> Iterable[str]:
    yield "| event | payload | data channel |"
    yield "|---|---|---|"
    for event, notice in catalogue.NOTICES.items():
        channels = [f"`{name}`" for name, events in catalogue.CHANNEL_NOTICES.items() if event in events]
        yield f"| `{event}` | {link(notice)} | {', '.join(channels)} |"


def frames() -> Iterable[str]:
    """Every structure with its fields, in the order of the catalogue."""
    writer = Writer()
    known: dict[type[object], shapes.StructType] = {**writer.read, **writer.written, catalogue.Envelope: envelope()}
    order = list(vars(catalogue).values())
    for cls, shape in sorted(known.items(), key=lambda item: order.index(item[0])):
        yield f"### {cls.__name__}"
        yield ""
        about = plain(cls.__doc__ or "")
        if about:
            yield about
            yield ""
        if not shape.fields:
            yield "No fields: `{}`."
            yield ""
            continue
        yield "| field | type | bounds | if left out |"
        yield "|---|---|---|---|"
        for field in shape.fields:
            yield f"| `{field.encode_name}` | {kind(field.type)} | {bounds(field.type)} | {default(field)} |"
        yield ""


def codes() -> Iterable[str]:
    yield "| code | meaning |"
    yield "|---|---|"
    for code, meaning in sorted(errors.CODES.items()):
        yield f"| `{code}` | {meaning} |"


def constants() -> Iterable[str]:
    yield "| constant | value |"
    yield "|---|---|"
    for name in ("MESSAGE_TEXT_MAX", "MESSAGE_BYTES_MAX", "FRAME_BYTES_MAX", "CONTROL_CHANNEL_ID", "CHAT_CHANNEL_ID"):
        yield f"| `{name}` | {getattr(catalogue, name)} |"


TABLES: dict[str, Callable[[], Iterable[str]]] = {
    "requests": requests,
    "chat-http": chat_http,
    "accounts-http": accounts_http,
    "notices": notices,
    "frames": frames,
    "codes": codes,
    "constants": constants,
}


def envelope() -> shapes.StructType:
    shape = shapes.type_info(catalogue.Envelope)
    assert isinstance(shape, shapes.StructType)
    return shape


def link(cls: type[object]) -> str:
    return f"[{cls.__name__}](#{cls.__name__.lower()})"


def plain(text: str) -> str:
    """A docstring as Markdown."""
    text = re.sub(r":\w+:`~?[\w.]*?(\w+)`", r"`\1`", inspect.cleandoc(text))
    return text.replace("``", "`")


def kind(shape: shapes.Type) -> str:
    match shape:
        case shapes.StructType():
            return link(shape.cls)
        case shapes.ListType():
            return f"list of {kind(shape.item_type)}"
        case shapes.DictType():
            return f"names and {kind(shape.value_type)}"
        case shapes.UnionType():
            return " or ".join(kind(member) for member in shape.types)
        case shapes.LiteralType():
            values = next((given for given in map(get_args, ALIASES.values()) if set(given) == set(shape.values)), None)
            return ", ".join(f"`{value}`" for value in values or shape.values)
        case shapes.StrType():
            return "text"
        case shapes.IntType():
            return "integer"
        case shapes.FloatType():
            return "number"
        case shapes.BoolType():
            return "boolean"
        case shapes.NoneType():
            return "null"
        case shapes.RawType():
            return "the event's payload"
        case _:
            raise TypeError(f"no word for {shape!r}")


def bounds(shape: shapes.Type) -> str:
    match shape:
        case shapes.UnionType():
            return next((text for text in map(bounds, shape.types) if text), "")
        case shapes.StrType(pattern=str() as pattern):
            return f"`{pattern}`"
        case shapes.StrType():
            return between(shape.min_length, shape.max_length, "characters")
        case shapes.ListType():
            return between(shape.min_length, shape.max_length, "items")
        case shapes.IntType():
            return between(shape.ge, shape.le, "")
        case _:
            return ""


def between(low: int | None, high: int | None, unit: str) -> str:
    if low is None and high is None:
        return ""
    high_text = "2^53" if high == 2**53 else "2^31" if high == 2**31 else str(high)
    if low is None:
        return f"at most {high_text} {unit}".strip()
    return f"{low} to {high_text} {unit}".strip() if high is not None else f"at least {low} {unit}".strip()


def default(field: shapes.Field) -> str:
    if field.required:
        return "required"
    if field.default_factory is not NODEFAULT:
        return "empty"
    value = field.default
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, catalogue.Frame | Raw) or value == "":
        return "empty"
    return f"`{value}`" if isinstance(value, str) else str(value)


def fill(page: str) -> str:
    """The page with its tables made anew."""

    def table(match: re.Match[str]) -> str:
        return match[1] + "\n".join(TABLES[match[2]]()).rstrip() + "\n" + match[3]

    return _PLACE.sub(table, page)


def main() -> None:
    """Rewrite the page."""
    TARGET.write_text(fill(TARGET.read_text(encoding="utf-8")), encoding="utf-8")
    sys.stdout.write(f"{TARGET}\n")


if __name__ == "__main__":
    main()
