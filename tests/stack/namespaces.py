"""Networks for one test: namespaces of the kernel, joined by cables of ours, gone with their last process.

As root they are made directly, as an ordinary user inside a user namespace. Addresses are those of RFC 5737, so that
nothing can leave by mistake and nothing counts as private.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path


def command(module: str, *arguments: str) -> list[str]:
    """The command line that runs a module of ours in an empty network of its own."""
    flags = "-n" if os.geteuid() == 0 else "-Urn"
    return ["unshare", flags, sys.executable, "-m", module, *arguments]


def ip(*words: str) -> None:
    """One ``ip`` command in this process's network."""
    program = shutil.which("ip", path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    assert program is not None, "the program ip (package iproute2) is needed"
    subprocess.run([program, *words], check=True)


class Neighbour:
    """A process of ours in a network of its own, joined to this one by a cable; it is told when the cable is there.

    :param address: its address with prefix length, and ``gateway`` ours on the same cable
    """

    def __init__(self, module: str, arguments: Sequence[str], name: str, address: str, gateway: str) -> None:
        words = ["unshare", "-n", sys.executable, "-m", module, *arguments]
        self.process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None and self.process.stdin is not None
        # Its first line says that it runs in its own network, which the cable's end can then be put into.
        assert self.process.stdout.readline() == "ready\n"
        ip("link", "add", name, "type", "veth", "peer", "name", "eth0", "netns", str(self.process.pid))
        ip("address", "add", gateway, "dev", name)
        ip("link", "set", name, "up")
        self.process.stdin.write(f"{address} {gateway}\n")
        self.process.stdin.flush()

    def succeeded(self) -> bool:
        """Wait for its end."""
        output, _ = self.process.communicate(timeout=60)
        sys.stdout.write(output)
        return self.process.returncode == 0


def join_network(routed: bool) -> None:
    """The neighbour's side of the cable: announce, wait, take the address."""
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    address, gateway = sys.stdin.readline().split()
    ip("link", "set", "lo", "up")
    ip("address", "add", address, "dev", "eth0")
    ip("link", "set", "eth0", "up")
    if routed:
        ip("route", "add", "default", "via", gateway.partition("/")[0])


def forbid_forwarding() -> None:
    """Packets between two cables go through programs or not at all."""
    Path("/proc/sys/net/ipv4/ip_forward").write_text("0")
