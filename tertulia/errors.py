"""What can go wrong, as a small tree with stable codes.

    TertuliaError            the caller's fault or an expected condition; safe to show
    ├── BadRequest     400   malformed or out of bounds
    ├── Unauthorized   401   no credentials, or bad or expired ones
    ├── Forbidden      403   known, but not allowed
    ├── NotFound       404   no such thing, or not visible to the asker
    ├── Conflict       409   contradicts what is already there
    ├── TooLarge       413   a frame, text or offer over its limit
    ├── RateLimited    429   slow down
    └── Unavailable    503   full, draining, or a part is down

Every other exception is a bug of ours: doors answer it with ``internal`` and log it, and none of its text
reaches the peer. ``code`` is part of the public interface and never changes its meaning.
"""

from __future__ import annotations

from typing import ClassVar


class TertuliaError(Exception):
    """An error that a client may see.

    :param code: stable, lower-case, words joined by ``-`` (``room-not-found``)
    :param message: one sentence for people, which says what to do where that is known
    :param field: the offending field of the request, if there is one
    """

    status: ClassVar[int] = 500

    def __init__(self, code: str, message: str, field: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.field = field

    def to_dict(self) -> dict[str, str]:
        """The ``error`` object of HTTP answers, acknowledgements and data channel frames."""
        body = {"code": self.code, "message": self.message}
        if self.field is not None:
            body["field"] = self.field
        return body


class BadRequest(TertuliaError):
    status = 400


class Unauthorized(TertuliaError):
    status = 401


class Forbidden(TertuliaError):
    status = 403


class NotFound(TertuliaError):
    status = 404


class Conflict(TertuliaError):
    status = 409


class TooLarge(TertuliaError):
    status = 413


class RateLimited(TertuliaError):
    status = 429


class Unavailable(TertuliaError):
    status = 503


def to_client(error: BaseException) -> dict[str, str]:
    """Map any exception to the ``error`` object a client may see; unknown ones become ``internal``."""
    if isinstance(error, TertuliaError):
        return error.to_dict()
    return {"code": "internal", "message": "Something went wrong on the server."}
