"""Fuzz target for session descriptions: ``scripts/fuzz-sdp SECONDS``.

Anything goes in; only the declared error may come out, and what is understood must survive being written, read and
answered (``properties.py``). The corpus of real offers is the seed.
"""

from __future__ import annotations

import sys

import atheris

with atheris.instrument_imports(include=["sfu.sdp"]):
    from tests.sfu.properties import check_answered, check_parsed


def one_input(data: bytes) -> None:
    """One description."""
    offer = check_parsed(data.decode("utf-8", "replace"))
    if offer is not None:
        check_answered(offer)


if __name__ == "__main__":
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()
