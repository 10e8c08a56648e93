"""``docs/reliability.md`` is true: fifteen promises, each with a judge, a fault and a test that is there."""

from __future__ import annotations

import re
from pathlib import Path

from tests.torture.checker import INVARIANTS
from tests.torture.faults import FAULTS

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "reliability.md").read_text()


def test_every_promise_has_a_judge_a_fault_and_a_row() -> None:
    promises = list(range(1, 16))
    assert sorted(INVARIANTS) == promises
    assert sorted(fault.invariant for fault in FAULTS) == promises
    assert [int(number) for number in re.findall(r"^\| (\d+) \|", PAGE, re.MULTILINE)] == promises


def test_every_test_that_is_named_is_there() -> None:
    named = re.findall(r"`(test_\w+\.py)::(test_\w+)`", PAGE)
    assert len(named) >= 14
    for file, name in named:
        [path] = list((ROOT / "tests").rglob(file))
        assert f"def {name}(" in path.read_text(), f"{file}::{name}"


def test_every_file_that_is_linked_is_there() -> None:
    for link in re.findall(r"\]\(([^)#]+)\)", PAGE):
        assert (ROOT / "docs" / link).exists(), link
