"""NAT traversal with Debian's coturn, started from the configuration that our settings make, in networks of its own."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.stack import namespaces

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.stack
@pytest.mark.parametrize("scene", ["call", "refusals"])
def test_coturn_from_our_settings(scene: str, tmp_path: Path) -> None:
    """``call``: a client without any route to the media server sees and is seen, through the relay alone.
    ``refusals``: private peers (403), expired and forged credentials (401)."""
    command = namespaces.command("tests.stack.turn_scene", scene, str(tmp_path))
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=110, check=False)
    log = tmp_path / "coturn.log"
    assert done.returncode == 0, done.stdout + done.stderr + (log.read_text()[-3000:] if log.exists() else "")
