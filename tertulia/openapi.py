"""``/openapi.json``: the HTTP interface as a machine reads it, made from the catalogue and the doors' tables.

Nothing is described twice: bodies and answers are the catalogue's structures, bounds included, and operations are the
rows that the doors themselves are made from (OpenAPI 3.1, https://spec.openapis.org/oas/v3.1.0).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Any, Literal

import msgspec
from aiohttp import web

from tertulia import errors
from tertulia.catalogue import ErrorBody, Frame

Credential = Literal["token", "key"]
JSON = "application/json"

SCHEMES = {
    "token": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT", "description": "Of a room, or of a log-in."},
    "key": {"type": "http", "scheme": "bearer", "bearerFormat": "key_id:secret", "description": "A site's API key."},
}
REFUSALS = {
    400: "The request is malformed or out of bounds.",
    401: "No token, or one that is bad or expired.",
    403: "Known, but not allowed.",
    404: "No such thing, or not for the asker to know of.",
    409: "It contradicts what is already there.",
    413: "Longer than this address takes.",
    429: "Too often; wait a moment.",
    503: "The database is away or its answer was lost; try again, with the same client id.",
}


class Refused(Frame, frozen=True):
    """Every answer that is not a success."""

    error: ErrorBody


@dataclass(frozen=True)
class Operation:
    """One method of one address.

    :param request: the body, or with ``in_address`` what path and query are made into; a media type: text of that kind
    :param answer: the answer's body, or the media type of a text; None: it has no body
    :param authenticated: whether it needs a credential
    :param path_names: names in the path that are called otherwise in the request, or mean no part of it (None)
    :param credentials: one of these; where none is needed, those that may be shown (None: a token, where one is needed)
    :param headers: what the answer holds besides, and what it means
    :param further: other answers by status: what they mean, and their body
    """

    method: str
    path: str
    name: str
    about: str
    tag: str
    request: type[Frame] | str | None
    answer: type[Frame] | str | None
    status: int = 200
    in_address: bool = False
    authenticated: bool = True
    path_names: Mapping[str, str | None] = field(default_factory=dict)
    credentials: tuple[Credential, ...] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    further: Mapping[int, tuple[str, type[Frame] | str | None]] = field(default_factory=dict)


def describe(operations: Iterable[Operation]) -> dict[str, Any]:
    """The description of these operations."""
    listed = list(operations)
    bodies = [each.request for each in listed] + [each.answer for each in listed]
    bodies += [body for each in listed for _, body in each.further.values()]
    kinds: set[type[Frame]] = {Refused, *(body for body in bodies if isinstance(body, type))}
    ordered = sorted(kinds, key=lambda kind: kind.__name__)
    _, components = msgspec.json.schema_components(ordered, ref_template="#/components/schemas/{name}")
    paths: dict[str, dict[str, Any]] = {}
    for each in listed:
        paths.setdefault(each.path, {})[each.method.lower()] = _operation(each, components)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Tertulia",
            "version": version("tertulia"),
            "description": 'Errors are `{"error": {"code", "message", "field"}}`. Their codes: '
            + "; ".join(f"`{code}`: {meaning}" for code, meaning in sorted(errors.CODES.items())),
        },
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": SCHEMES,
        },
    }


def routes(operations: Iterable[Operation]) -> list[web.RouteDef]:
    """``GET /openapi.json``."""
    body = msgspec.json.encode(describe(operations))

    async def get(_: web.Request) -> web.Response:
        return web.Response(body=body, content_type="application/json", headers={"Cache-Control": "no-cache"})

    return [web.get("/openapi.json", get)]


def _operation(each: Operation, components: Mapping[str, Any]) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": each.name,
        "summary": each.about,
        "tags": [each.tag],
        "responses": {
            **{str(status): _response(about, Refused) for status, about in REFUSALS.items()},
            str(each.status): _response("It is done; this is the answer.", each.answer, each.headers),
            **{str(status): _response(about, body) for status, (about, body) in each.further.items()},
        },
        "security": _security(each),
    }
    properties: dict[str, Any] = {}
    required: list[str] = []
    if isinstance(each.request, type):
        shape = components[each.request.__name__]
        properties, required = shape.get("properties", {}), shape.get("required", [])
    parameters = []
    in_path = re.findall(r"{(\w+)}", each.path)
    for name in in_path:
        known = each.path_names.get(name, name)
        schema = properties.get(known) if known is not None else None
        schema = schema or {"type": "string", "minLength": 1, "maxLength": 64}
        parameters.append({"name": name, "in": "path", "required": True, "schema": schema})
    if each.in_address:
        taken = {each.path_names.get(name, name) for name in in_path}
        for name, schema in properties.items():
            if name in taken:
                continue
            plain = _plain(schema)
            parameter: dict[str, Any] = {"name": name, "in": "query", "required": name in required, "schema": plain}
            if plain.get("type") == "array":
                parameter |= {"style": "form", "explode": False}
            parameters.append(parameter)
    elif each.request is not None:
        described["requestBody"] = {"required": True, "content": _content(each.request)}
    if parameters:
        described["parameters"] = parameters
    return described


def _security(each: Operation) -> list[dict[str, Any]]:
    credentials = each.credentials if each.credentials is not None else ("token",) * each.authenticated
    shown: list[dict[str, Any]] = [{credential: []} for credential in credentials]
    return [*shown, {}] if shown and not each.authenticated else shown


def _response(about: str, body: type[Frame] | str | None, headers: Mapping[str, str] | None = None) -> dict[str, Any]:
    described: dict[str, Any] = {"description": about}
    if body is not None:
        described["content"] = _content(body)
    if headers:
        described["headers"] = {
            name: {"description": meaning, "required": True, "schema": {"type": "string"}}
            for name, meaning in headers.items()
        }
    return described


def _content(body: type[Frame] | str) -> dict[str, Any]:
    return {body: {"schema": {"type": "string"}}} if isinstance(body, str) else {JSON: {"schema": _ref(body)}}


def _ref(kind: type[Frame]) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{kind.__name__}"}


def _plain(schema: dict[str, Any]) -> dict[str, Any]:
    """What an address can say: not null, which is said by saying nothing."""
    members = [member for member in schema.get("anyOf", []) if member != {"type": "null"}]
    if len(members) != 1:
        return {key: value for key, value in schema.items() if key != "default" or value is not None}
    return dict(members[0])
