"""The torture run in small: some seconds of it with few clients, everything in it once, and its verdict."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.torture.checker import check, lines
from tests.torture.history import Recorder, load
from tests.torture.run import Torture

pytestmark = pytest.mark.torture


@pytest.mark.timeout(300)
async def test_short_run_keeps_every_promise(tmp_path: Path) -> None:
    torture = Torture(tmp_path, minutes=0.2, rate=20, rooms=1, seed=7, clients=20)
    history = tmp_path / "history.jsonl"
    with Recorder(history, keep=False) as recorder:
        run = await torture.play(recorder)
    assert run.counts.acknowledged > 0
    assert torture.storm is not None
    assert torture.storm.synced == 20
    entries = load(history)
    assert [entry.what for entry in entries if entry.kind == "rule" and entry.what in ("backup", "restored")] == [
        "backup",
        "restored",
    ]
    violations = check(entries)
    assert not violations, "\n".join(lines(entries, violations))
