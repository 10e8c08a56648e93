"""What is said of a body or a frame that is not what the catalogue describes, the same at every door."""

from __future__ import annotations

import re

import msgspec

from tertulia.errors import BadRequest, TertuliaError, TooLarge

_FIELD = re.compile(r" - at `(?:key in )?\$\.?([^`]*)`$")
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]|\xed[\xa0-\xbf]")


def unfit(error: msgspec.ValidationError, code: str) -> TertuliaError:
    """JSON of another shape: BadRequest ``code`` naming the field; the bounds of a message's text have codes of
    their own."""
    # msgspec's text names types and places, and at most an unknown name of the sender's own.
    text = str(error)
    found = _FIELD.search(text)
    field = found.group(1) if found and found.group(1) else None
    about = _FIELD.sub("", text)
    if field == "body.text" and " length <= " in about:
        return TooLarge("text-too-long", f"A message holds at most {about.rpartition(' ')[2]} characters.", field)
    if field == "body.text" and " length >= " in about:
        return BadRequest("text-blank", "The message is empty.", field)
    return BadRequest(code, about + ".", field)


def no_json(data: bytes | str | msgspec.Raw, code: str, what: str) -> BadRequest:
    """No JSON at all, or text with half a character in it (a lone surrogate), which UTF-8 does not have."""
    if _SURROGATE.search(data.encode("utf-8", "surrogatepass") if isinstance(data, str) else bytes(data)):
        return BadRequest("text-invalid", "The text holds characters that cannot be stored.")
    return BadRequest(code, f"The {what} is not JSON.")
