"""What tests need to be a client of the core by hand: a UDP socket, checks, SRTP."""

from __future__ import annotations

import asyncio
import secrets
import socket
from collections.abc import Callable
from dataclasses import dataclass

from aioice import stun
from pylibsrtp import Policy, Session

from sfu.core import IceCredentials
from tests.waiting import until

HOST = {socket.AF_INET: "127.0.0.1", socket.AF_INET6: "::1"}


@dataclass(frozen=True)
class MediaSettings:
    """Just what the core asks of the settings: any port, one address of each family."""

    media_port: int = 0
    media_bind: tuple[str, ...] = ("127.0.0.1", "::1")


def make_credentials() -> IceCredentials:
    return IceCredentials(secrets.token_hex(4), secrets.token_hex(16), secrets.token_hex(4), secrets.token_hex(16))


class Socket(asyncio.DatagramProtocol):
    """A client's UDP socket; what arrives is kept until somebody asks for it."""

    transport: asyncio.DatagramTransport

    def __init__(self) -> None:
        self.received: list[bytes] = []

    def datagram_received(self, data: bytes, addr: object) -> None:
        self.received.append(data)

    def send(self, data: bytes) -> None:
        self.transport.sendto(data)

    @property
    def address(self) -> tuple[str, int]:
        host, port = self.transport.get_extra_info("sockname")[:2]
        return host, port

    async def next(self, matches: Callable[[bytes], bool]) -> bytes:
        """The next datagram that matches; those before it are thrown away."""
        await until(lambda: any(matches(data) for data in self.received))
        while not matches(data := self.received.pop(0)):
            pass
        return data

    @classmethod
    async def open(cls, port: int, family: socket.AddressFamily = socket.AF_INET) -> Socket:
        loop = asyncio.get_running_loop()
        transport, protocol = await loop.create_datagram_endpoint(cls, remote_addr=(HOST[family], port), family=family)
        protocol.transport = transport
        return protocol


def is_stun(data: bytes) -> bool:
    return data[0] < 4


def is_dtls(data: bytes) -> bool:
    return 20 <= data[0] < 64


def is_rtp(data: bytes) -> bool:
    return 128 <= data[0] < 192 and not 192 <= data[1] <= 223


def is_rtcp(data: bytes) -> bool:
    return 128 <= data[0] < 192 and 192 <= data[1] <= 223


def check(ice: IceCredentials, *, password: str | None = None, nominate: bool = True) -> stun.Message:
    """A controlling agent's Binding request (RFC 8445, section 7.2.2)."""
    message = stun.Message(message_method=stun.Method.BINDING, message_class=stun.Class.REQUEST)
    message.attributes["USERNAME"] = f"{ice.local_ufrag}:{ice.remote_ufrag}"
    message.attributes["PRIORITY"] = 12345
    message.attributes["ICE-CONTROLLING"] = 77
    if nominate:
        message.attributes["USE-CANDIDATE"] = None
    message.add_message_integrity((password or ice.local_pwd).encode())
    return message


def authentic(data: bytes, password: str) -> stun.Message:
    """A STUN message whose integrity under this password is asserted."""
    message = stun.parse_message(data)
    assert message.check_message_integrity(password.encode())
    return message


def answer(request: bytes, ice: IceCredentials, address: tuple[str, int]) -> bytes:
    """The client's answer to the core's own question, which proves its address."""
    question = authentic(request, ice.remote_pwd)
    message = stun.Message(
        message_method=stun.Method.BINDING,
        message_class=stun.Class.RESPONSE,
        transaction_id=question.transaction_id,
    )
    message.attributes["XOR-MAPPED-ADDRESS"] = address
    message.add_message_integrity(ice.remote_pwd.encode())
    return bytes(message)


SRTP_PROFILES = {
    1: (Policy.SRTP_PROFILE_AES128_CM_SHA1_80, 30),
    7: (Policy.SRTP_PROFILE_AEAD_AES_128_GCM, 28),
    8: (Policy.SRTP_PROFILE_AEAD_AES_256_GCM, 44),
}
"""IANA number -> (pylibsrtp's name, bytes of key and salt)."""


class Srtp:
    """The client's end of a session's SRTP, by libsrtp; ``send_key`` and ``receive_key`` are the core's."""

    def __init__(self, profile: int) -> None:
        name, size = SRTP_PROFILES[profile]
        self.profile = profile
        self.send_key = secrets.token_bytes(size)
        self.receive_key = secrets.token_bytes(size)
        self._out = Session(Policy(self.receive_key, Policy.SSRC_ANY_OUTBOUND, srtp_profile=name))
        self._in = Session(Policy(self.send_key, Policy.SSRC_ANY_INBOUND, srtp_profile=name))

    def protect(self, packet: bytes) -> bytes:
        return self._out.protect(packet)

    def protect_rtcp(self, packet: bytes) -> bytes:
        return self._out.protect_rtcp(packet)

    def unprotect(self, packet: bytes) -> bytes:
        return self._in.unprotect(packet)

    def unprotect_rtcp(self, packet: bytes) -> bytes:
        return self._in.unprotect_rtcp(packet)
