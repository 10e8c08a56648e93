"""DTLS for one session: aiortc's transport, with the SRTP keys handed to the core.

What differs from the stock transport, and why:

* The keys go to the core, which alone touches media. ``SRTP_AEAD_AES_128_GCM`` is preferred (stock asks for 256 bits,
  which costs more and protects no better here).
* One certificate and one ``SSL.Context`` a process: a context a session costs 30 KiB and half a millisecond more.
* Outgoing bytes are split at DTLS records and packed into datagrams of at most 1,200 bytes. Stock reads one chunk of
  1,500 bytes, which cuts a record in two, or leaves one behind.
* A datagram may hold several records (RFC 6347, section 4.1.1); all of them are read.
* What a peer sends cannot hurt anybody else: any failure while reading it ends this session, in one place.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Final

import structlog
from aiortc.rtcdtlstransport import (
    SRTP_AEAD_AES_128_GCM,
    SRTP_AEAD_AES_256_GCM,
    SRTP_AES128_CM_SHA1_80,
    RTCCertificate,
    RTCDtlsFingerprint,
    RTCDtlsParameters,
    RTCDtlsTransport,
    SRTPProtectionProfile,
    State,
)
from OpenSSL import SSL

from sfu.sdp.types import Fingerprint
from sfu.transport.ice import CoreIce

log = structlog.get_logger(__name__)

DATAGRAM_MAX: Final = 1_200
RECORD_HEADER: Final = 13  # RFC 6347, section 4.1: type, version, epoch, sequence number, length
DTLS_1_2: Final = 0xFEFD
RECORD_BYTES_MAX: Final = 16_384 + 2_048

# IANA "DTLS-SRTP Protection Profiles", in the order of our preference.
PROFILES: Final[tuple[tuple[SRTPProtectionProfile, int], ...]] = (
    (SRTP_AEAD_AES_128_GCM, 7),
    (SRTP_AEAD_AES_256_GCM, 8),
    (SRTP_AES128_CM_SHA1_80, 1),
)

KeysHandler = Callable[[int, bytes, bytes], None]
"""(profile id, key||salt to send with, key||salt to receive with)"""


class Certificate(RTCCertificate):
    """The process's certificate, with one SSL context for all sessions."""

    _context: SSL.Context | None = None

    def _create_ssl_context(self, srtp_profiles: list[SRTPProtectionProfile]) -> SSL.Context:
        if self._context is None:
            context = super()._create_ssl_context(srtp_profiles)
            # The splitting of records below knows the headers of DTLS 1.2 (RFC 6347), not those of 1.3.
            context.set_max_proto_version(DTLS_1_2)
            # The path's MTU is not asked of the kernel (there is no socket here) but set for each connection.
            context.set_options(SSL.OP_NO_QUERY_MTU)
            self._context = context
        return self._context

    @property
    def fingerprint(self) -> Fingerprint:
        """SHA-256, as the answer states it."""
        found = next(item for item in self.getFingerprints() if item.algorithm == "sha-256")
        return Fingerprint(found.algorithm, found.value)


class DtlsTransport(RTCDtlsTransport):
    """The server's end. ``on_keys`` is called once, when the handshake is done and the peer's certificate matched."""

    def __init__(self, ice: CoreIce, certificate: Certificate, on_keys: KeysHandler) -> None:
        super().__init__(ice, [certificate])  # type: ignore[arg-type]  # the duck-typed transport is the point
        self._srtp_profiles = [profile for profile, _ in PROFILES]
        self._on_keys = on_keys
        self._settled = False
        self._set_role("server")

    async def accept(self, fingerprints: tuple[Fingerprint, ...]) -> bool:
        """Run the handshake. Returns whether it succeeded."""
        remote = RTCDtlsParameters([RTCDtlsFingerprint(item.algorithm, item.value) for item in fingerprints])
        await self.start(remote)
        return self._state == State.CONNECTED

    @property
    def connected(self) -> bool:
        return self._state == State.CONNECTED

    @property
    def _tls(self) -> SSL.Connection:
        assert self._ssl is not None, "start() makes it before anything reads or writes"
        return self._ssl

    async def _do_handshake(self) -> None:
        self._tls.set_ciphertext_mtu(DATAGRAM_MAX)
        try:
            await super()._do_handshake()
            if self._state == State.CONNECTING:
                await self._write_ssl()
        except ConnectionError:
            self._set_state(State.FAILED)

    def _setup_srtp(self) -> None:
        # RFC 5764, section 4.2. Stock makes pylibsrtp sessions here; ours live in the core.
        chosen = self._tls.get_selected_srtp_profile()
        for profile, number in PROFILES:
            if profile.openssl_profile == chosen:
                material = self._tls.export_keying_material(
                    b"EXTRACTOR-dtls_srtp", 2 * (profile.key_length + profile.salt_length)
                )
                client, server = profile.get_key_and_salt(material, 0), profile.get_key_and_salt(material, 1)
                self._on_keys(number, server, client)
                return
        self._set_state(State.FAILED)

    async def _recv_next(self) -> None:
        timeout = None
        if not self._settled:
            timeout = self._tls.DTLSv1_get_timeout()
            self._settled = timeout is None and self.encrypted
        try:
            async with asyncio.timeout(timeout):
                datagram = await self.transport._recv()
        except TimeoutError:
            self._tls.DTLSv1_handle_timeout()
            await self._write_ssl()
            return
        # RFC 7983: the core passes 20 to 63 up; anything else would be a mistake of ours and is ignored.
        if not datagram or not 20 <= datagram[0] <= 63:
            return
        self._tls.bio_write(datagram)
        if not self.encrypted:
            return  # the handshake's own loop reads it
        for data in self._read_records():
            if data is None:
                raise ConnectionError("closed by the peer")
            if self._data_receiver is not None:
                await self._handle(data)
        await self._write_ssl()

    def _read_records(self) -> Iterator[bytes | None]:
        """Everything that can be read now; None at the peer's close_notify."""
        while True:
            try:
                data = self._tls.recv(RECORD_BYTES_MAX)
            except SSL.ZeroReturnError:
                yield None
                return
            except SSL.Error:  # nothing (more) to read, or a record that does not authenticate
                return
            yield data

    async def _handle(self, data: bytes) -> None:
        """Give one message to SCTP; whatever it does to aiortc's parser ends this session and no other."""
        assert self._data_receiver is not None
        try:
            await self._data_receiver._handle_data(data)
        except ConnectionError:
            raise
        except Exception as error:
            # Malformed chunks raise IndexError, AssertionError, UnicodeDecodeError, struct.error, KeyError ...
            log.info("data channel input refused", error=type(error).__name__)
            raise ConnectionError("malformed data") from error

    async def _send_data(self, data: bytes) -> None:
        # Stock raises here, in tasks that nobody awaits (timers, flushes); after the end there is nothing to do.
        if self._state == State.CONNECTED:
            self._tls.send(data)
            await self._write_ssl()

    async def _write_ssl(self) -> None:
        pending = bytearray()
        while True:
            try:
                pending += self._tls.bio_read(65_536)
            except SSL.Error:
                break
        for datagram in pack(bytes(pending)):
            await self.transport._send(datagram)


def pack(data: bytes) -> Iterator[bytes]:
    """Whole DTLS records, packed into datagrams of at most 1,200 bytes."""
    start = position = 0
    while position < len(data):
        length = RECORD_HEADER + int.from_bytes(data[position + 11 : position + 13], "big")
        if position > start and position + length - start > DATAGRAM_MAX:
            yield data[start:position]
            start = position
        position += length
    if start < len(data):
        yield data[start:]
