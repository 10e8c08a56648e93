"""Time-limited TURN credentials, which coturn checks with nothing but a shared secret.

The scheme of draft-uberti-behave-turn-rest-00, which coturn calls ``use-auth-secret``: the user name is
``<expiry>:<identity>``, the expiry in seconds since 1970, and the password is the base64 of HMAC-SHA1 over the user
name. Who holds a credential can relay until it expires, so it is given only to the holder of a room token and is short.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import time

from tertulia.catalogue import IceServer
from tertulia.settings import Settings


def user_name(identity: str, expires_at: int) -> str:
    """The user name that expires at ``expires_at`` (seconds since 1970). coturn reads up to the first colon."""
    return f"{expires_at}:{identity}"


def password(secret: str, username: str) -> str:
    """The password that belongs to ``username``."""
    return base64.b64encode(hmac.digest(secret.encode(), username.encode(), hashlib.sha1)).decode()


def ice_servers(settings: Settings, identity: str, now: float | None = None) -> list[IceServer]:
    """What a client's ``RTCPeerConnection`` is given: the configured servers with a credential made now."""
    if not settings.turn_urls:
        return []
    turn = [url for url in settings.turn_urls if url.startswith("turn")]
    stun = [url for url in settings.turn_urls if not url.startswith("turn")]
    servers = [IceServer(urls=stun)] if stun else []
    if turn:
        moment = time.time() if now is None else now
        username = user_name(identity, int(moment) + settings.turn_ttl_s)
        servers.append(IceServer(urls=turn, username=username, credential=password(settings.turn_secret, username)))
    return servers
