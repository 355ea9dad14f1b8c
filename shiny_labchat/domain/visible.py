"""Which characters can be seen. Pure."""

from __future__ import annotations

import re

__all__ = ["INVISIBLE", "has_visible"]

_IGNORABLE = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3"
    "\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
"""Unicode's Default_Ignorable_Code_Point."""
_BLANK = "\u2800\ufff9-\ufffb\U00013430-\U00013442\U00016fe4\U0001d159"
"""Further characters without a shape: blanks of braille, of music and of old scripts."""

INVISIBLE = _IGNORABLE + _BLANK
"""Characters without a shape of their own, as the inside of a character class."""

_UNSEEN = "\\s\x00-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff"
_VISIBLE = re.compile(f"[^{_UNSEEN}{INVISIBLE}]")


def has_visible(text: str) -> bool:
    """Whether a text has a character that can be seen; not only spaces and invisible ones."""
    return _VISIBLE.search(text) is not None
