"""The page: the built single-page app at the addresses that it knows, and its files.

Files under ``assets/`` carry a hash of their content in their name, so they are kept for ever; everything else is asked
for again each time (with its ETag). The page runs nothing that did not come from here, is framed by nobody else, and
camera, microphone and screen are its own to ask for.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from aiohttp import web

from tertulia.errors import NotFound
from tertulia.settings import Settings

POLICY = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self' 'wasm-unsafe-eval'",
        # Libraries for accessible components set styles on elements; no style can carry code.
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "media-src 'self' blob: mediastream:",
        "worker-src 'self' blob:",
        "connect-src 'self'",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'self'",
    )
)
PERMISSIONS = (
    "camera=(self), microphone=(self), display-capture=(self), speaker-selection=(self), fullscreen=(self),"
    " screen-wake-lock=(self), autoplay=(self), clipboard-write=(self), geolocation=(), payment=(), usb=()"
)
PAGE_HEADERS = {
    "Cache-Control": "no-cache",
    "Content-Security-Policy": POLICY,
    "Permissions-Policy": PERMISSIONS,
    "Cross-Origin-Opener-Policy": "same-origin",
}
FOREVER = "public, max-age=31536000, immutable"

ACCOUNT_PAGES = ("/login", "/register", "/welcome", "/recover", "/outbox")

NOT_BUILT = (
    "<!doctype html><meta charset=utf-8><title>Tertulia</title><p>The page is not built. Stop the server and start it "
    "with <code>make run</code>, or build the page with <code>make web</code>."
)


def install(app: web.Application, settings: Settings) -> None:
    """Headers that every answer carries, whatever made it."""
    strict = settings.base_url.startswith("https://")

    async def add(_: web.Request, response: web.StreamResponse) -> None:
        response.headers.setdefault("X-Content-Type-Options", "nosniff")
        # A room's address is the key to it: other sites must not learn it from links people follow.
        response.headers.setdefault("Referrer-Policy", "no-referrer")
        response.headers.popall("Server", None)
        if strict:
            response.headers.setdefault("Strict-Transport-Security", "max-age=31536000")

    app.on_response_prepare.append(add)


def routes(dist: Path) -> Iterable[web.RouteDef]:
    """The page's routes. The one for files comes last and serves only what lies in ``dist``."""
    root = dist.resolve()

    async def page(_: web.Request) -> web.StreamResponse:
        index = root / "index.html"
        if not index.is_file():
            return web.Response(text=NOT_BUILT, status=503, content_type="text/html", headers=PAGE_HEADERS)
        return web.FileResponse(index, headers=PAGE_HEADERS)

    async def file(request: web.Request) -> web.StreamResponse:
        name = request.match_info["name"]
        path = (root / name).resolve()
        if not path.is_relative_to(root) or any(part.startswith(".") for part in path.relative_to(root).parts):
            raise NotFound("not-found", "There is nothing at this address.")
        if not path.is_file():
            raise NotFound("not-found", "There is nothing at this address.")
        if path.suffix == ".html":
            return web.FileResponse(path, headers=PAGE_HEADERS)
        kept = FOREVER if path.is_relative_to(root / "assets") else "no-cache"
        return web.FileResponse(path, headers={"Cache-Control": kept})

    return [
        web.get("/", page),
        web.get("/r/{room}", page),
        web.get("/c", page),
        web.get("/c/{conversation}", page),
        web.get("/c/{conversation}/{seq}", page),
        web.get("/i/{invitation}", page),
        *(web.get(path, page) for path in ACCOUNT_PAGES),
        web.get("/{name:(?:assets/)?[A-Za-z0-9_][A-Za-z0-9_.-]*}", file),
    ]
