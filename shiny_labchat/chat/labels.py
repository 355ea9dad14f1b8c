"""The words of the chat's element, which an app may replace."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import cast

from shiny_labchat.errors import SENTENCES

__all__ = ["check_labels", "known_labels"]


@cache
def known_labels() -> dict[str, frozenset[str]]:
    """
    The keys of `ui(labels=)`, with the slots that the words for them may have.

    They are those in ``www/labels.js`` and ``www/unloaded.js``, and the codes of refusals.
    """
    www = files("shiny_labchat") / "www"
    words = {code: frozenset[str]() for code in SENTENCES}
    for name in ("labels.js", "unloaded.js"):
        source = (www / name).read_text(encoding="utf-8")
        for key, text in _ENTRY.findall(_OBJECT.findall(source)[0]):
            words[key] = frozenset(_SLOT.findall(text))
    return words


_OBJECT = re.compile(r"const \w+ = \{(.*?)\n\s*\};", re.DOTALL)
_ENTRY = re.compile(r'^\s+(\w+):\s*"((?:[^"\\]|\\.)*)"', re.MULTILINE)
_SLOT = re.compile(r"\{(\w+)\}")


def check_labels(labels: object) -> None:
    """
    Check that an app replaces words that there are, by words with the same slots.

    Raises
    ------
    TypeError
        They are no mapping of texts.
    ValueError
        A key is unknown, or a text has a slot that its label does not have.
    """
    if not isinstance(labels, Mapping):
        raise TypeError(f"labels must be a dictionary of texts, not {labels!r}")
    known = known_labels()
    for key, text in cast("Mapping[object, object]", labels).items():
        if key not in known:
            raise ValueError(f"labels has no {key!r}{_instead(str(key), known)}")
        if not isinstance(text, str):
            raise TypeError(f"labels: the text for {key!r} must be text, not {text!r}")
        for slot in _SLOT.findall(text):
            if slot not in known[str(key)]:
                slots = ", ".join(f"{{{each}}}" for each in sorted(known[str(key)])) or "none"
                raise ValueError(f"labels: {text!r} has {{{slot}}}; the slots of {key!r}: {slots}")


def _instead(key: str, known: Mapping[str, object]) -> str:
    close = difflib.get_close_matches(key, known, n=1)
    return f"; did you mean {close[0]!r}?" if close else f"; it has {', '.join(sorted(known))}"
