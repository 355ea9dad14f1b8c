"""Mentions of a name in what people write, in all scripts. Pure."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from shiny_labchat.domain.visible import INVISIBLE

__all__ = ["is_mentioned"]

_CODE = re.compile(
    r"(?:\A|\n)[ \t>]*(?P<fence>`{3,}|~{3,})(?:(?!\n[ \t>]*(?P=fence)).)*(?:\n[ \t>]*(?P=fence)|\Z)"
    r"|(?<!`)(?P<ticks>`+)(?!`)(?:(?!\n[ \t]*\n).)+?(?<!`)(?P=ticks)(?!`)",
    re.DOTALL,
)
"""Code as in markdown: in fences, or between backticks in one paragraph."""
_BESIDE_ADDRESS = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\ua4cf\uac00-\ud7af\uf900-\ufaff"
    "\uff00-\uffef\U00020000-\U0003ffff"
)
"""Characters of writing that stands beside an address without a space."""
_HOST = r"(?:[a-z0-9\u00c0-\u024f-]+\.)+[a-z\u00c0-\u024f]{2,}"
_IN_PATH = rf"[^\s<>\"`{_BESIDE_ADDRESS}]"
_ADDRESS = re.compile(
    rf"(?:(?<![a-z0-9+.-])[a-z][a-z0-9+.-]*://|mailto:|www\.){_IN_PATH}+"
    rf"|(?<![a-z0-9\u00c0-\u024f.-]){_HOST}(?::\d+)?/{_IN_PATH}*"
    rf"|(?<![a-z0-9\u00c0-\u024f._%+-])[a-z0-9\u00c0-\u024f._%+-]+[@\uff20]{_HOST}",
    re.IGNORECASE,
)
"""Addresses of pages, with their scheme or a path, and of e-mail."""
_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u0f00-\u0fff\u1000-\u109f\u1780-\u17ff\u1950-\u19df\u1a20-\u1aaf\u2e80-\u303f"
    "\u3040-\u30ff\u3100-\u312f\u31a0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\ua980-\ua9df\uaa60-\uaadf"
    "\uf900-\ufaff\U00016fe0-\U00018dff\U0001aff0-\U0001b16f\U00020000-\U0003ffff]"
)
"""Letters of scripts that put no spaces between words: Chinese, Japanese, Thai, Khmer, ..."""
_HANGUL = re.compile("[\u1100-\u11ff\u3130-\u318f\ua960-\ua97f\uac00-\ud7ff]")
"""Korean puts spaces, but writes particles directly after a name."""
_NO_SHAPE = re.compile(f"[{INVISIBLE}]")


def is_mentioned(text: str, name: str, *, needs_at: bool = False) -> bool:
    """
    Whether a text mentions a name, in capitals or not; not in code, or in an address.

    Parameters
    ----------
    text
        What somebody has written.
    name
        The name, of one or more words.
    needs_at
        Whether it counts only after "@".
    """
    text = _read(_ADDRESS.sub(" ", _CODE.sub(" ", text)))
    found = _pattern_of(name).finditer(text)
    return any(_stands_alone(text, match, needs_at) for match in found)


@lru_cache(maxsize=1_024)
def _pattern_of(name: str) -> re.Pattern[str]:
    words = r"\s+".join(map(re.escape, _read(name).split()))
    # A lookahead, so that a name is found in all places, even in those that overlap.
    return re.compile(f"(?=({words}))" if words else "(?!)")


def _read(text: str) -> str:
    """A text as it looks: the same letters are the same characters."""
    spaced = text.replace("\u200b", " ")  # stands between words where no space is written
    return unicodedata.normalize("NFKC", _NO_SHAPE.sub("", spaced)).casefold()


def _stands_alone(text: str, match: re.Match[str], needs_at: bool) -> bool:
    begin, end = match.span(1)
    has_at = text[begin - 1 : begin] == "@"
    first = "a" if has_at else text[begin]  # a letter before "@" makes it an address
    before = text[max(0, begin - 1 - has_at) : begin - has_at]
    if (needs_at and not has_at) or re.match(r"@\w", text[end : end + 2]):
        return False
    return _is_border(before, first) and _is_border(text[end : end + 1], text[end - 1], True)


def _is_border(beside: str, edge: str, is_after: bool = False) -> bool:
    """Whether a name may begin or end between its own character and the one beside it."""
    if is_after and unicodedata.category(beside or " ")[0] == "M":  # on the name's last letter
        return False
    if _HANGUL.match(beside) and (is_after or not _HANGUL.match(edge)):
        return True
    return not _is_letter(beside) or not _is_letter(edge) or bool(_UNSPACED.match(beside))


def _is_letter(character: str) -> bool:
    return character == "_" or unicodedata.category(character or " ")[0] in "LNM"
