"""``tertulia robot``: bring a robot to a room of any server, making room and token as any guest would."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import aiohttp
import jwt

from sfu import robot


class VisitError(Exception):
    """The robot cannot come in; the text is one sentence that says what to do."""


async def stay(url: str, room: str, token: str, name: str, say: Callable[[str], None]) -> None:
    """Be in the room until cancelled. Without ``room`` one is made, without ``token`` a guest's is asked for."""
    url = url.rstrip("/")
    if token and not room:
        try:
            room = str(jwt.decode(token, options={"verify_signature": False})["room"])
        except (jwt.InvalidTokenError, KeyError) as error:
            raise VisitError("That is no room token; make one with `tertulia token`.") from error
    try:
        async with aiohttp.ClientSession() as http:
            if not room:
                room = str((await _post(http, f"{url}/rooms", {"name": name}))["id"])
            if not token:
                token = str((await _post(http, f"{url}/rooms/{room}/tokens", {"name": name}))["token"])
    except aiohttp.ClientError as error:
        raise VisitError(f"There is no server at {url}; start one with `make run`, or name it with --url.") from error
    say(f"{name} is in {url}/r/{room} until Ctrl-C.")
    try:
        await robot.run(url, room, token)
    except robot.Refused as error:
        raise VisitError(f"The server does not let the robot in: {error}") from error


async def _post(http: aiohttp.ClientSession, url: str, body: dict[str, str]) -> dict[str, Any]:
    async with http.post(url, json=body) as answer:
        content: dict[str, Any] = await answer.json()
        if answer.status >= 400:
            raise VisitError(f"The server refuses: {content['error']['message']}")
        return content
