"""What every HTTP door shares: reading a body, answering, who asks, and turning exceptions into answers.

Errors are ``{"error": {"code", "message", "field"?}}`` with the status of their class (``errors.py``). An exception
that is not ours is logged and answered with ``internal``; none of its text leaves the program.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
import structlog
from aiohttp import web
from aiohttp.abc import AbstractAccessLogger
from aiohttp.typedefs import Handler

from tertulia.errors import NotFound, RateLimited, TertuliaError, TooLarge, Unauthorized, to_client
from tertulia.unreadable import no_json, unfit

if TYPE_CHECKING:
    from tertulia.browser import Browsers
    from tertulia.tokens import Principal, Tokens

log = structlog.get_logger("tertulia.http")
access = structlog.get_logger("tertulia.access")

T = TypeVar("T")

BODY_BYTES_MAX = 512 * 1024  # an offer is at most 256 KiB; files have a door of their own

TOKENS: web.AppKey[Tokens] = web.AppKey("tokens")
BROWSERS: web.AppKey[Browsers] = web.AppKey("browsers")

_CODES = {401: "unauthorized", 403: "forbidden", 404: "not-found", 405: "method-not-allowed", 413: "body-too-large"}
_QUIET = frozenset({"/healthz", "/readyz", "/metrics"})


async def read_json(request: web.Request, kind: type[T]) -> T:
    """The body as ``kind``; an empty body is ``{}``. Raises BadRequest ``body-invalid`` naming the field, TooLarge."""
    return decode(await read_body(request) or b"{}", kind)


async def read_body(request: web.Request) -> bytes:
    """The body's bytes. Raises TooLarge ``body-too-large``."""
    try:
        return await request.read()
    except web.HTTPRequestEntityTooLarge as error:
        raise TooLarge("body-too-large", f"The body is larger than {BODY_BYTES_MAX} bytes.") from error


def decode(body: bytes | str, kind: type[T]) -> T:
    """JSON as ``kind``. Raises BadRequest ``body-invalid`` or what is wrong with a text."""
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.ValidationError as error:
        raise unfit(error, "body-invalid") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise no_json(body, "body-invalid", "body") from error


def json_response(body: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    """``body`` (a structure, list or dict) as JSON. Answers are personal, so nothing on the way may keep them."""
    return web.Response(
        body=msgspec.json.encode(body),
        status=status,
        content_type="application/json",
        headers={"Cache-Control": "no-store", **(headers or {})},
    )


def error_response(error: BaseException, headers: Mapping[str, str] | None = None) -> web.Response:
    """The answer to any exception."""
    status = error.status if isinstance(error, TertuliaError) else 500
    if isinstance(error, RateLimited) and error.retry_after_s > 0:
        # RFC 9110, section 10.2.3: whole seconds.
        headers = {**(headers or {}), "Retry-After": str(math.ceil(error.retry_after_s))}
    return json_response({"error": to_client(error)}, status, headers)


def bearer(request: web.Request) -> str | None:
    """The credential of ``Authorization: Bearer …`` (RFC 6750), or None."""
    scheme, _, credential = request.headers.get("Authorization", "").partition(" ")
    return credential.strip() or None if scheme.lower() == "bearer" else None


def principal(request: web.Request) -> Principal:
    """Who asks, by the token in the request. Raises Unauthorized, and Forbidden for what another site's page asks."""
    token = bearer(request)
    if token is not None:
        return request.app[TOKENS].verify(token)
    found = by_cookie(request)
    if found is None:
        raise Unauthorized("token-missing", "Send the token as `Authorization: Bearer <token>`.")
    return found


def by_cookie(request: web.Request) -> Principal | None:
    """Who asks, by a browser's cookie; None where there is no such. Raises Unauthorized, Forbidden."""
    browsers = request.app.get(BROWSERS)
    token = browsers.access_token(request) if browsers is not None else None
    if browsers is None or token is None:
        return None
    found = request.app[TOKENS].verify(token)
    browsers.check_change(request, found.session)
    return found


@web.middleware
async def errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """The one place where an exception becomes an HTTP answer."""
    try:
        return await handler(request)
    except TertuliaError as error:
        return error_response(error, {"WWW-Authenticate": "Bearer"} if isinstance(error, Unauthorized) else None)
    except web.HTTPException as error:
        if error.status < 400:
            raise
        if error.status == 404:
            return error_response(NotFound("not-found", "There is nothing at this address."))
        headers = {name: value for name, value in error.headers.items() if name in ("Allow", "WWW-Authenticate")}
        body = {"code": _CODES.get(error.status, "bad-request"), "message": f"{error.reason}."}
        return json_response({"error": body}, error.status, headers)
    except ConnectionResetError:
        raise  # the asker has gone; there is nobody to answer
    except Exception as error:
        log.error("request failed", method=request.method, route=route_name(request), exc_info=error)
        return error_response(error)


def route_name(request: web.BaseRequest) -> str:
    """The route's pattern (``/r/{room}``), which unlike the path names nobody and holds no query."""
    info = getattr(request, "match_info", None)
    resource = info.route.resource if info is not None else None
    return resource.canonical if resource is not None else "(none)"


class AccessLogger(AbstractAccessLogger):
    """One line a request: method, route pattern, status, milliseconds. No address, no path, no query, no header."""

    def log(self, request: web.BaseRequest, response: web.StreamResponse, time: float) -> None:
        route = route_name(request)
        emit = access.debug if route in _QUIET or response.status < 400 else access.info
        emit("request", method=request.method, route=route, status=response.status, ms=round(time * 1000, 1))

    @property
    def enabled(self) -> bool:
        return True
