"""Fuzz target for session descriptions: ``scripts/fuzz-sdp SECONDS``.

Anything goes in; only the declared error may come out, and what is understood must survive being written, read and
answered (``properties.py``). The corpus of real offers is the seed. With ``TERTULIA_PLANTED_BUG=1`` the answer takes
over simulcast encodings that the offer did not declare, to see that the fuzzer would notice.
"""

from __future__ import annotations

import os
import sys

import atheris

# An editable install brings an importer of its own, which atheris cannot instrument; the sources are in the path.
sys.meta_path[:] = [finder for finder in sys.meta_path if not type(finder).__module__.startswith("_editable")]

with atheris.instrument_imports(include=["sfu.sdp"]):
    from sfu.sdp import plan
    from sfu.sdp.types import Rid, Section
    from tests.sfu.properties import check_answered, check_parsed


def careless_rids(_: object, section: Section) -> tuple[Rid, ...]:
    """The planted bug."""
    return tuple(Rid(stream[0].removeprefix("~"), "recv") for stream in section.simulcast_send)


def one_input(data: bytes) -> None:
    """One description."""
    offer = check_parsed(data.decode("utf-8", "replace"))
    if offer is not None:
        check_answered(offer)


if __name__ == "__main__":
    if os.environ.get("TERTULIA_PLANTED_BUG") == "1":
        setattr(plan._Builder, "_rids", careless_rids)  # noqa: B010 - mypy refuses the plain assignment
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()
