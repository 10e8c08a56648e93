"""The data directory: private, one server at a time, and secrets that last."""

from __future__ import annotations

import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tertulia.datadir import DataDir, DataDirError

HOLDER = """
import sys, threading
from tertulia.datadir import DataDir
directory = DataDir(sys.argv[1])
directory.lock()
print(1, flush=True)
threading.Event().wait()
"""


def test_it_is_made_private(tmp_path: Path) -> None:
    directory = DataDir(tmp_path / "a" / "b")
    assert stat.S_IMODE(directory.path.stat().st_mode) & 0o066 == 0


def test_a_secret_is_made_once_and_kept_private(tmp_path: Path) -> None:
    first = DataDir(tmp_path).secret("token-secret")
    assert len(first) == 64
    assert DataDir(tmp_path).secret("token-secret") == first
    assert stat.S_IMODE((tmp_path / "token-secret").stat().st_mode) == 0o600
    assert sorted(path.name for path in tmp_path.iterdir()) == ["token-secret"]


def test_a_damaged_secret_is_told(tmp_path: Path) -> None:
    (tmp_path / "token-secret").write_text("short")
    with pytest.raises(DataDirError, match="damaged"):
        DataDir(tmp_path).secret("token-secret")


def test_only_one_may_hold_the_lock(tmp_path: Path) -> None:
    first, second = DataDir(tmp_path), DataDir(tmp_path)
    first.lock()
    with pytest.raises(DataDirError, match="Another server"):
        second.lock()
    first.unlock()
    second.lock()
    second.unlock()


def test_kill_9_releases_the_lock(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", HOLDER, str(tmp_path)], stdout=subprocess.PIPE) as child:
        assert child.stdout is not None and child.stdout.readline()
        with pytest.raises(DataDirError, match=f"process {child.pid}"):
            DataDir(tmp_path).lock()
        child.kill()
    directory = DataDir(tmp_path)
    directory.lock()
    directory.unlock()


def test_a_file_in_its_place_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(DataDirError, match="TERTULIA_DATA_DIR"):
            DataDir(path)
