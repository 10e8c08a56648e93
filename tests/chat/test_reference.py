"""docs/protocol.md says what the code does, and every error code that can be raised is listed with its meaning."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tertulia import catalogue, errors, reference
from tertulia.frames import Notice

ROOT = Path(__file__).resolve().parents[2]
RAISED = {cls.__name__ for cls in errors.TertuliaError.__subclasses__()} | {"TertuliaError"}


def sources() -> Iterator[tuple[str, ast.Module]]:
    for package in ("tertulia", "accounts", "chat", "signaling", "sfu", "turn"):
        for path in sorted((ROOT / package).rglob("*.py")):
            yield path.name, ast.parse(path.read_text(encoding="utf-8"))


def raised() -> set[str]:
    """The first argument of every error made anywhere, where it is a constant."""
    return {
        node.args[0].value
        for _, module in sources()
        for node in ast.walk(module)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and (node.func.id in RAISED or node.func.id in ("UnsupportedMediaType", "PreconditionFailed"))
        and node.args
        and isinstance(node.args[0], ast.Constant)
        and isinstance(node.args[0].value, str)
    }


def test_committed_tables_are_current() -> None:
    page = reference.TARGET.read_text(encoding="utf-8")
    assert page == reference.fill(page), "run `python -m tertulia.reference` and commit docs/protocol.md"
    for name in reference.TABLES:
        assert f"<!-- table: {name} -->" in page


def test_every_code_that_is_raised_is_listed() -> None:
    assert len(raised()) > 20, "the search finds the codes"
    assert raised() <= errors.CODES.keys()


def test_every_listed_code_is_used() -> None:
    used = {
        node.value
        for name, module in sources()
        if name != "errors.py"
        for node in ast.walk(module)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    assert errors.CODES.keys() - used <= {"internal"}


def test_links_of_the_page_lead_somewhere() -> None:
    page = reference.TARGET.read_text(encoding="utf-8")
    headings = {
        re.sub(r"[^a-z0-9 -]", "", line.lstrip("# ").lower()).replace(" ", "-")
        for line in page.splitlines()
        if line.startswith("#")
    }
    assert set(re.findall(r"\]\(#([a-z0-9-]+)\)", page)) <= headings


def test_what_both_ends_name_is_in_the_catalogue() -> None:
    for channel in ("control", "chat"):
        assert catalogue.CHANNEL_REQUESTS[channel] <= catalogue.REQUESTS.keys()
        assert catalogue.CHANNEL_NOTICES[channel] <= catalogue.NOTICES.keys()
    assert not catalogue.REQUESTS.keys() & catalogue.NOTICES.keys()


def test_notice_is_the_same_payload_on_every_door() -> None:
    notice = Notice("tips", catalogue.Tips([catalogue.Position("c", 1, "00000000")]))
    payload = notice.json.decode()
    assert notice.envelope.decode() == f'{{"t":"tips","d":{payload}}}'
    assert notice.packet[2:] == f'42["tips",{payload}]'.encode()
