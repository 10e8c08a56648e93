"""Names of every script are taken as people write them; what would only deceive is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tertulia.errors import BadRequest
from tertulia.names import read_name


@pytest.mark.parametrize(
    "name",
    [
        "Ada Lovelace",
        "علی\u200cرضا",  # Persian: without the non-joiner it is another word
        "क्\u200dषमा",  # Hindi: the joiner keeps the half letter
        "Zoë O’Brien-Łukasz",
        "山田太郎",
        "👩\u200d💻 Mo",
        "👩🏽\u200d❤️\u200d👨🏿",
        "🏳️\u200d🌈",
        "🙂\u200d↔️",
        "🏴\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f",
        "<script>alert(1)</script>",  # text like any other
        "",
    ],
)
def test_names_are_taken_as_they_are_written(name: str) -> None:
    assert read_name(name) == name


def test_every_space_becomes_a_plain_one() -> None:
    assert read_name("\u3000山田\u3000太郎\u00a0") == "山田 太郎"


@pytest.mark.parametrize(
    "name",
    [
        "Ad\u200da",  # a joiner between letters that do not join
        "Ad\u200ca",
        "\u200dAda",
        "👩\u200d",
        "علی\u200d",
        "Ada\u202egnp.exe",  # what follows would be read backwards
        "Ada\u2066x\u2069",
        "\u200eAda",
        "Ad\u200ba",
        "Ada\ufeff",
        "A\u00adda",
        "Ada\x00",
        "Ada\n",
        "Ada\x1b[31m",
        "Ada\u2028",
        "Ada\ud800",
        "Ada\ue000",
        "Ada\U000e0061",  # a tag without a flag
    ],
)
def test_what_is_not_seen_is_refused(name: str) -> None:
    with pytest.raises(BadRequest) as refused:
        read_name(f"x{name}x")
    assert refused.value.code == "body-invalid"
    assert refused.value.field == "name"


@given(st.text())
def test_a_name_that_was_taken_is_taken_again_and_can_be_stored(text: str) -> None:
    try:
        name = read_name(text)
    except BadRequest:
        return
    assert read_name(name) == name
    assert "\x00" not in name
    name.encode()
