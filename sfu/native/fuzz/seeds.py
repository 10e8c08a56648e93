"""Writes a small seed corpus: one well-formed input of every kind that the parsers know.

python seeds.py DIRECTORY    makes DIRECTORY/<target>/<name>
"""

from __future__ import annotations

import struct
import sys
import zlib
from pathlib import Path

COOKIE = 0x2112A442


def stun(kind: int, *attributes: tuple[int, bytes]) -> bytes:
    body = b"".join(struct.pack(">HH", t, len(v)) + v + bytes(-len(v) % 4) for t, v in attributes)
    head = struct.pack(">HHI", kind, len(body) + 8, COOKIE) + bytes(range(12)) + body
    return head + struct.pack(">HHI", 0x8028, 4, zlib.crc32(head) ^ 0x5354554E)


def rtp(
    csrcs: int = 0, profile: int | None = None, extensions: bytes = b"", payload: bytes = b"", padding: int = 0
) -> bytes:
    first = 0x80 | (0x20 if padding else 0) | (0x10 if profile is not None else 0) | csrcs
    packet = struct.pack(">BBHII", first, 96, 7, 90000, 1234) + bytes(4 * csrcs)
    if profile is not None:
        packet += struct.pack(">HH", profile, len(extensions) // 4) + extensions
    return packet + payload + (bytes(padding - 1) + bytes([padding]) if padding else b"")


def rtcp(kind: int, count: int, body: bytes) -> bytes:
    return struct.pack(">BBH", 0x80 | count, kind, len(body) // 4) + body


SSRCS = struct.pack(">II", 1, 2)
REPORT = struct.pack(">IIIIII", 2, 0x10000005, 70000, 11, 22, 33)
SENDER = struct.pack(">IQIII", 1, 1 << 33, 90000, 10, 1000)
TWCC = SSRCS + struct.pack(">HHI", 65530, 30, 5 << 8 | 9)

SEEDS: dict[str, dict[str, bytes]] = {
    "stun": {
        "request": stun(0x0001, (6, b"abcd:efgh"), (0x24, bytes(4)), (0x802A, bytes(8)), (0x25, b""), (8, bytes(20))),
        "controlled": stun(0x0001, (6, b"a:b"), (0x8029, bytes(8)), (0x7F00, b"x"), (8, bytes(20))),
        "success4": stun(0x0101, (0x20, bytes([0, 1, *range(6)])), (8, bytes(20))),
        "success6": stun(0x0101, (0x20, bytes([0, 2, *range(18)])), (1, bytes([0, 1, *range(6)]))),
        "error": stun(0x0111, (9, b"\0\0\4\x57Role Conflict"), (10, bytes(4))),
    },
    "rtp": {
        "plain": rtp(payload=b"payload"),
        "one_byte": rtp(2, 0xBEDE, bytes.fromhex("10aa21bbcc0032ddeeff0000"), b"x", 3),
        "two_byte": rtp(1, 0x1000, bytes.fromhex("0101aa0002000311" + "00" * 16), b"y"),
        "vp8": rtp(payload=bytes.fromhex("90f0812345a0309d012a40016400ff00")),
        "h264_stap": rtp(payload=bytes.fromhex("7800026742000268ce")),
        "h264_fu": rtp(payload=bytes.fromhex("7c8588")),
        "red": rtp(payload=bytes.fromhex("ef1e0003ef0f00026f010203040506070809")),
        "vp9": rtp(payload=bytes.fromhex("a8812340ff00")),
    },
    "rtcp": {
        "reports": rtcp(200, 1, SENDER + REPORT) + rtcp(202, 1, bytes.fromhex("00000001010474657374" + "00" * 2)),
        "receiver": rtcp(201, 1, SSRCS[:4] + REPORT) + rtcp(203, 1, SSRCS[:4]),
        "feedback": rtcp(206, 1, SSRCS) + rtcp(206, 4, SSRCS + bytes(8)) + rtcp(205, 1, SSRCS + b"\0\1\x80\1"),
        "remb": rtcp(206, 15, SSRCS + b"REMB" + bytes([1, 0x0A, 0xFF, 0xFF]) + bytes(4)),
        "twcc_run": rtcp(205, 15, TWCC + struct.pack(">H", 0x201E) + bytes(range(30))),
        "twcc_vectors": rtcp(205, 15, TWCC + bytes.fromhex("bfff d555 c001 8000") + bytes(40)),
    },
}
# What a browser really said in a call (tests/browser/capture.py).
for target in Path(__file__).with_name("captures").iterdir():
    SEEDS[target.name] |= {f"captured-{path.name}": path.read_bytes() for path in sorted(target.iterdir())}
SEEDS["srtp"] = {
    f"{profile}_{name}": bytes([profile, 0, 77]) + packet
    for profile in range(3)
    for name, packet in {**SEEDS["rtp"], **SEEDS["rtcp"]}.items()
}


def described(*descriptors: str) -> bytes:
    """Dependency descriptors as a stream has them, the key frame's first; after each, new active targets."""
    return b"".join(bytes([len(value)]) + value + bytes([0, 0, 0, 0xFF]) for value in map(bytes.fromhex, descriptors))


SEEDS["layers"] = {
    "vp9": b"".join(
        bytes([len(value)]) + value for value in map(bytes.fromhex, ("aa812340ff18028001400101", "b8812320"))
    ),
    "l3t3_key": described(
        "fdfde89fa8161617aaaaaa00028000200002aa80a8000a000080000a8002a00028000200062affffffffffffffffffffffff"
        "fffffffffffffe013e00b2027e016604fe02ce00000000",
        "c1fde91c0000808080",
        "c5fdea1c0001008080",
        "c0fdeb1c0401810080",
        "c4fdec1c0402018100",
        "c8fded1c0402820180",
        "fffdee1c0a03028200",
        "c3fdef1c0a03830280",
        "c7fdf01c0a04038300",
    ),
    "l2t2": described(
        "fdfde89fa3187aaaf230a0a02023ffffffffffff804f802c809f8059800000",
        "c0fde91c00008080",
        "fffdea1c02010080",
        "c2fdeb1c0300006040",
        "fefdec1c06020180",
        "c1fded1c0700002020",
    ),
}
SEEDS["lite_agent"] = {
    "call": bytes.fromhex("0101" + "0400" + "8102" + "020000" + "06000400" + "0302" + "06000400" + "050106001000"),
    "stranger": bytes([0, 1, len(SEEDS["stun"]["request"])]) + SEEDS["stun"]["request"] + bytes.fromhex("0101"),
}


def main() -> None:
    root = Path(sys.argv[1])
    for target, seeds in SEEDS.items():
        directory = root / target
        directory.mkdir(parents=True, exist_ok=True)
        for name, data in seeds.items():
            (directory / name).write_bytes(data)


if __name__ == "__main__":
    main()
