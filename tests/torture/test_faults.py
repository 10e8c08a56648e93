"""The checker itself: it finds nothing in the history of the program as it is, and each seeded fault in its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.databases import shared_server
from tests.torture import net
from tests.torture.checker import check, lines
from tests.torture.faults import FAULTS, Fault
from tests.torture.history import Recorder, load
from tests.torture.parts import Run
from tests.torture.program import program
from tests.torture.scenario import play

pytestmark = pytest.mark.torture


@pytest.fixture(scope="module")
def dsn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with shared_server(tmp_path_factory.mktemp("torture-postgres")) as dsn:
        yield dsn


async def play_to(path: Path, dsn: str, directory: Path, patience_s: float) -> None:
    with Recorder(path) as recorder:
        async with program(dsn, directory) as running, net.session() as web:
            await play(Run(recorder, web), running, patience_s)


async def test_checker_finds_nothing_without_a_fault(dsn: str, tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    await play_to(path, dsn, tmp_path, 30.0)
    entries = load(path)
    violations = check(entries)
    assert not violations, "\n".join(lines(entries, violations))


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: f"{fault.invariant} {fault.name}")
async def test_checker_flags_the_fault(fault: Fault, dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fault.put_in(monkeypatch)
    path = tmp_path / "history.jsonl"
    await play_to(path, dsn, tmp_path, 2.0)
    violations = check(load(path))
    assert fault.invariant in {violation.invariant for violation in violations}
