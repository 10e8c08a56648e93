"""The committed TypeScript types are those the catalogue describes."""

from __future__ import annotations

from tertulia import catalogue, typescript


def test_committed_types_are_current() -> None:
    committed = typescript.TARGET.read_text(encoding="utf-8")
    assert committed == typescript.generate(), (
        "run `python -m tertulia.typescript` and commit web/client/src/catalogue.ts"
    )


def test_requests_may_leave_out_what_answers_hold() -> None:
    text = typescript.generate()
    assert "tag: string | null;" in text, "a position read from an answer always has its tag"
    assert "tag?: string | null;" in text, "a position written by the client may leave it out"


def test_event_maps_name_every_event_once() -> None:
    text = typescript.generate()
    for event in catalogue.REQUESTS:
        assert text.count(f"  {typescript.key(event)}: {{ request:") == 1
