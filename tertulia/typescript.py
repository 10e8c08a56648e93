"""Writes the TypeScript face of the catalogue: ``python -m tertulia.typescript`` makes web/client/src/catalogue.ts.

A structure may be read by the client (answers, notices), written by it (requests), or both. What the client reads
holds every field; what it writes may leave out fields that have a default. A structure that does both and has
defaults therefore becomes two interfaces, the second one named ``…Input``.
"""

from __future__ import annotations

import inspect
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

from msgspec import inspect as shapes

from tertulia import catalogue, errors

TARGET = Path(__file__).resolve().parent.parent / "web" / "client" / "src" / "catalogue.ts"

HEADER = """\
// Made from tertulia/catalogue.py by `python -m tertulia.typescript`; do not edit.
// Times are milliseconds since 1970-01-01 UTC.
/* eslint-disable */
"""

CONSTANTS = ("MESSAGE_TEXT_MAX", "MESSAGE_BYTES_MAX", "FRAME_BYTES_MAX", "CONTROL_CHANNEL_ID", "CHAT_CHANNEL_ID")
ALIASES = {
    name: getattr(catalogue, name)
    for name in (
        "TrackKind",
        "VideoCodec",
        "ParticipantKind",
        "EventKind",
        "ConversationKind",
        "MadeKind",
        "Role",
        "AccountRole",
        "ChosenStatus",
        "ShownStatus",
    )
}


def structures(kind: shapes.Type) -> Iterator[shapes.StructType]:
    """Every structure a type is made of, itself first."""
    match kind:
        case shapes.StructType():
            yield kind
            for field in kind.fields:
                yield from structures(field.type)
        case shapes.ListType():
            yield from structures(kind.item_type)
        case shapes.DictType():
            yield from structures(kind.value_type)
        case shapes.UnionType():
            for member in kind.types:
                yield from structures(member)
        case _:
            pass


def reachable(roots: list[type[Any]]) -> dict[type[Any], shapes.StructType]:
    """The structures the given ones need, in the order of first use."""
    found: dict[type[Any], shapes.StructType] = {}
    for shape in shapes.multi_type_info(roots):
        for structure in structures(shape):
            found.setdefault(structure.cls, structure)
    return found


class Writer:
    """Turns msgspec's description of the structures into TypeScript."""

    def __init__(self) -> None:
        requests = [request for request, _ in catalogue.REQUESTS.values()]
        answers = [answer for _, answer in catalogue.REQUESTS.values()]
        self.read = reachable([*answers, *catalogue.NOTICES.values(), *catalogue.HTTP_ANSWERS, catalogue.ErrorBody])
        self.written = reachable([*requests, *catalogue.HTTP_REQUESTS])
        self.aliases = {frozenset(get_args(literal)): name for name, literal in ALIASES.items()}

    def input_name(self, cls: type[Any]) -> str:
        """The name of the interface a client writes this structure with."""
        if cls in self.read and self.differs(self.written[cls]):
            return f"{cls.__name__}Input"
        return cls.__name__

    def differs(self, shape: shapes.StructType) -> bool:
        return any(
            not field.required and not issubclass(inner.cls, catalogue.Sparse)
            for inner in structures(shape)
            for field in inner.fields
        )

    def text(self, kind: shapes.Type, writing: bool) -> str:
        match kind:
            case shapes.StructType():
                return self.input_name(kind.cls) if writing else kind.cls.__name__
            case shapes.ListType():
                inner = self.text(kind.item_type, writing)
                return f"({inner})[]" if " | " in inner else f"{inner}[]"
            case shapes.DictType():
                return f"Record<string, {self.text(kind.value_type, writing)}>"
            case shapes.UnionType():
                return " | ".join(self.text(member, writing) for member in kind.types)
            case shapes.LiteralType():
                alias = self.aliases.get(frozenset(kind.values))
                return alias or " | ".join(json.dumps(value) for value in kind.values)
            case shapes.StrType():
                return "string"
            case shapes.IntType() | shapes.FloatType():
                return "number"
            case shapes.BoolType():
                return "boolean"
            case shapes.NoneType():
                return "null"
            case shapes.RawType() | shapes.AnyType():
                return "unknown"
            case _:
                raise TypeError(f"no TypeScript for {kind!r}")

    def interface(self, shape: shapes.StructType, writing: bool) -> str:
        name = self.input_name(shape.cls) if writing else shape.cls.__name__
        if not shape.fields:
            return f"export type {name} = Record<string, never>;"
        sparse = issubclass(shape.cls, catalogue.Sparse)
        lines = [comment(shape.cls.__doc__), f"export interface {name} {{"]
        for field in shape.fields:
            optional = "?" if (writing or sparse) and not field.required else ""
            lines.append(f"  {key(field.encode_name)}{optional}: {self.text(field.type, writing)};")
        lines.append("}")
        return "\n".join(line for line in lines if line)

    def interfaces(self) -> Iterator[str]:
        for cls, shape in self.read.items():
            yield self.interface(shape, writing=False)
            if cls in self.written and self.input_name(cls) != cls.__name__:
                yield self.interface(shape, writing=True)
        for cls, shape in self.written.items():
            if cls not in self.read:
                yield self.interface(shape, writing=True)

    def file(self) -> str:
        parts = [HEADER.rstrip()]
        parts += [f"export const {name} = {getattr(catalogue, name)};" for name in CONSTANTS]
        parts += [f"export type {name} = {literal(values)};" for name, values in ALIASES.items()]
        parts += self.interfaces()
        parts.append(self.events())
        parts.append(
            channels("CHANNEL_REQUESTS", catalogue.CHANNEL_REQUESTS, "Which requests each data channel takes.")
        )
        parts.append(
            channels(
                "CHANNEL_NOTICES",
                catalogue.CHANNEL_NOTICES,
                "Which notices use a data channel while it is open, and the socket while it is not.",
            )
        )
        parts.append(error_codes())
        return "\n\n".join(parts) + "\n"

    def events(self) -> str:
        lines = [comment("Client to server, each answered."), "export interface Requests {"]
        for event, (request, answer) in catalogue.REQUESTS.items():
            lines.append(f"  {key(event)}: {{ request: {self.input_name(request)}; answer: {answer.__name__} }};")
        lines += ["}", "", comment("Server to client, never answered."), "export interface Notices {"]
        for event, notice in catalogue.NOTICES.items():
            lines.append(f"  {key(event)}: {notice.__name__};")
        lines += ["}", "", "export type RequestName = keyof Requests;", "export type NoticeName = keyof Notices;"]
        lines.append("export type ChannelName = " + " | ".join(json.dumps(n) for n in catalogue.CHANNEL_REQUESTS) + ";")
        return "\n".join(lines)


def key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z_]\w*", name) else json.dumps(name)


def literal(alias: Any) -> str:
    return " | ".join(json.dumps(value) for value in get_args(alias))


def channels(name: str, table: dict[str, frozenset[str]], about: str) -> str:
    event = "RequestName" if name == "CHANNEL_REQUESTS" else "NoticeName"
    rows = [f"  {key(channel)}: {json.dumps(sorted(names))}," for channel, names in table.items()]
    opening = f"export const {name}: Readonly<Record<ChannelName, readonly {event}[]>> = {{"
    return "\n".join([comment(about), opening, *rows, "};"])


def error_codes() -> str:
    rows = [f"  | {json.dumps(code)}" for code in sorted(errors.CODES)]
    about = comment("Stable codes of errors; a newer server may know more.")
    return "\n".join([about, "export type ErrorCode =", *rows]) + ";"


def comment(text: str | None) -> str:
    if not text:
        return ""
    body = re.sub(r"``([^`]*)``", r"`\1`", re.sub(r":\w+:`([^`]*)`", r"`\1`", inspect.cleandoc(text)))
    lines = body.splitlines()
    if len(lines) == 1:
        return f"/** {lines[0]} */"
    return "\n".join(["/**", *(f" * {line}".rstrip() for line in lines), " */"])


def generate() -> str:
    """The text of catalogue.ts."""
    return Writer().file()


def main() -> None:
    """Write the file, creating its folder."""
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    TARGET.write_text(generate(), encoding="utf-8")
    sys.stdout.write(f"{TARGET}\n")


if __name__ == "__main__":
    main()
