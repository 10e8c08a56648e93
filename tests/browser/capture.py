"""Records what Chromium really says in a call, as seeds for the fuzzers: ``python -m tests.browser.capture``.

RTP and RTCP come decrypted out of the browser itself (its field trial WebRTC-Debugging-RtpDump prints every packet),
STUN from the forwarder in front of the server. Of each kind of packet the smallest is kept. The people in the call are
synthetic.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
import stat
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from playwright.async_api import async_playwright

from tertulia.forwarder import Forwarder
from tests.browser.measure import make_room
from tests.browser.people import CHROMIUM, FLAGS, Camera, enter
from tests.server import Server, free_port

TARGET = Path(__file__).resolve().parents[2] / "sfu" / "native" / "fuzz" / "captures"
MOST_BYTES = 600
LONGER_THAN_HEADERS = 12

_DUMP = re.compile(r"^[IO] [\d:.]+ 0000 ([0-9a-f ]+?) # RTP_DUMP", re.MULTILINE)


def packets(log: str) -> Iterator[bytes]:
    """Every packet of a log."""
    for match in _DUMP.finditer(log):
        yield bytes.fromhex(match[1])


def is_rtcp(packet: bytes) -> bool:
    """RFC 5761, section 4."""
    return 192 <= packet[1] <= 223


def kind_of_rtp(packet: bytes) -> tuple[object, ...]:
    """Payload type, marker, CSRC, the ids of its header extensions, and how its payload begins."""
    csrc = packet[0] & 0x0F
    at = 12 + 4 * csrc
    extensions: list[int] = []
    if packet[0] & 0x10:
        words = int.from_bytes(packet[at + 2 : at + 4])
        extensions = _extension_ids(packet[at : at + 2], packet[at + 4 : at + 4 + 4 * words])
        at += 4 + 4 * words
    return packet[1] & 0x7F, packet[1] >> 7, csrc, *extensions, packet[at] >> 4 if at < len(packet) else None


def _extension_ids(profile: bytes, block: bytes) -> list[int]:
    found, at = [], 0
    while at < len(block):
        if block[at] == 0:
            at += 1
        elif profile == b"\xbe\xde":
            found.append(block[at] >> 4)
            at += 2 + (block[at] & 0x0F)
        else:
            found.append(block[at])
            at += 2 + (block[at + 1] if at + 1 < len(block) else 0)
    return found


def kind_of_rtcp(packet: bytes) -> tuple[object, ...]:
    """Types and counts of a compound's packets."""
    kinds: list[tuple[int, int]] = []
    at = 0
    while at + 4 <= len(packet):
        kinds.append((packet[at + 1], packet[at] & 0x1F))
        at += 4 + 4 * int.from_bytes(packet[at + 2 : at + 4])
    return tuple(kinds)


def kind_of_stun(packet: bytes) -> tuple[object, ...]:
    """Type and attributes."""
    kinds = [int.from_bytes(packet[0:2])]
    at = 20
    while at + 4 <= len(packet):
        kinds.append(int.from_bytes(packet[at : at + 2]))
        at += 4 + (int.from_bytes(packet[at + 2 : at + 4]) + 3) // 4 * 4
    return tuple(kinds)


def smallest(found: Iterable[bytes], kind: Callable[[bytes], tuple[object, ...]]) -> list[bytes]:
    """One packet of each kind."""
    best: dict[tuple[object, ...], bytes] = {}
    for packet in found:
        if LONGER_THAN_HEADERS < len(packet) <= MOST_BYTES:
            key = kind(packet)
            if key not in best or len(packet) < len(best[key]):
                best[key] = packet
    return list(best.values())


async def record(seconds: float) -> tuple[list[bytes], list[bytes]]:
    """A call of two with a shared screen: (RTP and RTCP, STUN)."""
    stun: list[bytes] = []
    with tempfile.TemporaryDirectory(prefix="tertulia-capture-") as name:
        directory = Path(name)
        log = directory / "browser.log"
        media_port = free_port()
        with Forwarder(("127.0.0.1", media_port), tap=lambda datagram: _keep_stun(datagram, stun)) as forwarder:
            environment = {
                "TERTULIA_MEDIA_ADDRESSES": "127.0.0.1",
                "TERTULIA_MEDIA_ADVERTISED_PORT": str(forwarder.port),
            }
            with Server(directory, environment, media_port) as server:
                await _call(server.url, _wrapped(directory, log), seconds)
        return list(packets(log.read_text(errors="replace"))), stun


async def _call(url: str, program: Path, seconds: float) -> None:
    arguments = [
        *FLAGS,
        "--enable-logging=stderr",
        "--v=0",
        "--vmodule=*/webrtc/*=4",
        "--force-fieldtrials=WebRTC-Debugging-RtpDump/Enabled/",
    ]
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=str(program), headless=True, args=arguments)
        room = make_room(url)
        camera = Camera(noise=0.05)
        ana = await enter(browser, url, room, "Ana", 1, 450.0, camera=camera)
        ben = await enter(browser, url, room, "Ben", 2, 600.0, camera=camera)
        await asyncio.gather(ana.sees(ben), ben.sees(ana))
        await ben.page.get_by_test_id("share-screen").click()
        await ana.sees(ben, "screen")
        await asyncio.sleep(seconds)
        await browser.close()


def _wrapped(directory: Path, log: Path) -> Path:
    """Chromium with its messages in a file: those of its renderers go nowhere else."""
    program = directory / "chromium"
    program.write_text(f'#!/bin/sh\nexec {CHROMIUM} "$@" 2>>{log}\n')
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return program


def _keep_stun(datagram: bytes, found: list[bytes]) -> None:
    if len(datagram) >= 20 and datagram[0] < 4 and len(found) < 5_000:
        found.append(datagram)


def main() -> None:
    """Record and replace the captures."""
    media, stun = asyncio.run(record(8.0))
    chosen = {
        "rtp": smallest((packet for packet in media if not is_rtcp(packet)), kind_of_rtp),
        "rtcp": smallest((packet for packet in media if is_rtcp(packet)), kind_of_rtcp),
        "stun": smallest(stun, kind_of_stun),
    }
    for target, kept in chosen.items():
        directory = TARGET / target
        directory.mkdir(parents=True, exist_ok=True)
        for old in directory.iterdir():
            os.unlink(old)
        for packet in kept:
            (directory / hashlib.sha256(packet).hexdigest()[:12]).write_bytes(packet)
        sys.stdout.write(f"{target}: {len(kept)} of {len(media) + len(stun)} packets\n")


if __name__ == "__main__":
    main()
