"""Browsers that are logged in by cookie: where the token is found, and what keeps other sites from using it.

A page of ours keeps no token where a script could read it: it comes in a cookie that only HTTP carries (``HttpOnly``,
``SameSite=Strict``, and with the ``__Host-`` prefix on https, so that no neighbouring host can set it). A browser sends
such a cookie whoever wrote the request, so what changes something must come from a page of ours (``Origin``) and bring
the token that logging in answered (``X-CSRF-Token``), which is made from the session and worth nothing in another.
"""

from __future__ import annotations

import hmac
from typing import Protocol
from urllib.parse import urlsplit

from aiohttp import web

from tertulia.errors import Forbidden
from tertulia.tokens import derived_secret

CSRF_HEADER = "X-CSRF-Token"
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
"""Methods that change nothing (RFC 9110, section 9.2.1)."""


class BrowserSettings(Protocol):
    """The part of the settings that concerns browsers."""

    @property
    def token_secret(self) -> str: ...
    @property
    def public_url(self) -> str: ...
    @property
    def base_url(self) -> str: ...


class Browsers:
    """The cookies of this installation, and the checks that go with them."""

    def __init__(self, settings: BrowserSettings) -> None:
        self.secure = settings.base_url.startswith("https://")
        prefix = "__Host-" if self.secure else ""
        self.access_cookie = f"{prefix}tertulia-access"
        self.refresh_cookie = f"{prefix}tertulia-refresh"
        self.device_cookie = f"{prefix}tertulia-device"
        self._public = origin_of(settings.public_url)
        self._csrf_key = derived_secret(settings.token_secret, "csrf").encode()

    # --- where a request comes from --------------------------------------------------------------------------------

    def is_ours(self, origin: str, host: str) -> bool:
        """Whether a page of this origin is ours, by the address asked or the public one (RFC 6454)."""
        if origin.lower() == self._public != "":
            return True
        # A page of ours is asked for at the host that it now connects to; its scheme may have ended at a proxy.
        return urlsplit(origin).netloc.lower() == host.lower() != ""

    def check_origin(self, request: web.BaseRequest, required: bool) -> None:
        """Refuse what a page of another site asks. Programs name no origin; browsers do, for what changes something.

        Raises Forbidden ``origin-foreign``.
        """
        origin = request.headers.get("Origin")
        if origin is None and not required and request.headers.get("Sec-Fetch-Site") in (None, "same-origin", "none"):
            return
        if origin is None or not self.is_ours(origin, request.headers.get("Host", "")):
            raise Forbidden("origin-foreign", "This was asked by a page of another site.")

    # --- tokens in cookies -----------------------------------------------------------------------------------------

    def csrf_token(self, session: str) -> str:
        """What a page of this session sends along with whatever changes something."""
        return hmac.new(self._csrf_key, session.encode(), "sha256").hexdigest()

    def check_change(self, request: web.BaseRequest, session: str) -> None:
        """Whether a request that was let in by cookie may change something.

        Raises Forbidden ``origin-foreign`` or ``csrf-invalid``.
        """
        if request.method in SAFE:
            return
        self.check_origin(request, required=True)
        given = request.headers.get(CSRF_HEADER, "")
        if not hmac.compare_digest(given.encode(), self.csrf_token(session).encode()):
            raise Forbidden("csrf-invalid", "Send the session's token as `X-CSRF-Token`.")

    def access_token(self, request: web.BaseRequest) -> str | None:
        """The access token of the browser that asks."""
        return request.cookies.get(self.access_cookie) or None

    def socket_token(self, request: web.BaseRequest) -> str | None:
        """The same for a WebSocket, which changes things and cannot bring a header: only from a page that is ours."""
        origin = request.headers.get("Origin")
        if origin is None or not self.is_ours(origin, request.headers.get("Host", "")):
            return None
        return self.access_token(request)

    def set(self, response: web.StreamResponse, name: str, value: str, life_s: int) -> None:
        """Have the browser keep a cookie; it is sent to this host only, and only by pages of it."""
        response.set_cookie(name, value, max_age=life_s, path="/", secure=self.secure, httponly=True, samesite="Strict")

    def clear(self, response: web.StreamResponse, name: str) -> None:
        response.set_cookie(name, "", max_age=0, path="/", secure=self.secure, httponly=True, samesite="Strict")


def origin_of(url: str) -> str:
    """The origin of an address; empty where there is none."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}".lower() if parts.netloc else ""
