"""What a text is found by: its words, folded, and pairs of characters where a script writes no spaces.

PostgreSQL's own parsers split Chinese, Japanese and Korean not at all or by a locale's rules, and trigrams of the
locale C leave them out. So texts and queries are taken apart here, in one way: NFKC, case folded, marks of Latin,
Greek and Cyrillic letters dropped ("café" is found by "cafe"); runs of letters and digits are words; runs of Han, kana
and Hangul are all their pairs, besides single characters for queries of one.
"""

from __future__ import annotations

import re
import unicodedata

WORD_MAX = 64
"""Characters of a word that count."""
WORDS_MAX = 2000
"""Different words of one message."""

_CJK = re.compile(r"[\u2e80-\u2fdf\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff]")
_RUN = re.compile(
    r"[\u2e80-\u2fdf\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff"
    r"\U00020000-\U0003ffff]+|[^\W_\u2e80-\u2fdf\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff"
    r"\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff]+"
)
_LINK = re.compile(r"https?://\S", re.IGNORECASE)


def fold(text: str) -> str:
    """One form for what means the same."""
    composed = unicodedata.normalize("NFKC", text).casefold()
    if composed.isascii():
        return composed
    decomposed = unicodedata.normalize("NFD", composed)
    kept = []
    base = ""
    for character in decomposed:
        if unicodedata.combining(character):
            # Marks of other scripts are letters of their own: a Japanese voiced sound, a Devanagari vowel.
            if base and unicodedata.name(base, "").startswith(("LATIN", "GREEK", "CYRILLIC")):
                continue
        else:
            base = character
        kept.append(character)
    return unicodedata.normalize("NFC", "".join(kept))


def words(text: str) -> list[str]:
    """The different words of a text, in order of appearance."""
    found: dict[str, None] = {}
    for run in _RUN.findall(fold(text)):
        for word in _pieces(run, singles=True):
            found[word] = None
            if len(found) >= WORDS_MAX:
                return list(found)
    return list(found)


def query(text: str) -> list[tuple[str, bool]]:
    """The words that all must be there, each with whether it may be only the beginning of one (the last of a query)."""
    runs = _RUN.findall(fold(text))
    asked: dict[tuple[str, bool], None] = {}
    for number, run in enumerate(runs):
        last = number == len(runs) - 1 and not text[-1:].isspace() and not is_cjk(run)
        for word in _pieces(run, singles=len(run) == 1):
            asked[(word, last)] = None
    return list(asked)[:50]


def is_cjk(run: str) -> bool:
    return bool(_CJK.match(run)) or run[:1] >= "\U00020000"


def has_link(text: str) -> bool:
    return _LINK.search(text) is not None


def _pieces(run: str, singles: bool) -> list[str]:
    if not is_cjk(run):
        return [run[:WORD_MAX]]
    pairs = [run[at : at + 2] for at in range(len(run) - 1)]
    return [*pairs, *(list(run) if singles else [])]
