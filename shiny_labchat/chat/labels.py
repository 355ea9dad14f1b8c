"""The words of the chat's element, which its lab has in its language, and an app may replace."""

from __future__ import annotations

from collections.abc import Mapping

from shiny_labchat.errors import SENTENCES
from shiny_labchat.words import ENGLISH, Words, check_texts
from shiny_labchat.words.english import ELEMENT

__all__ = ["LABELS", "element_words"]

LABELS: Mapping[str, str] = {**SENTENCES, **ELEMENT}
"""The words that `ui(labels=)` may replace: the element's own, and the sentences of refusals."""


def element_words(words: Words, labels: Mapping[str, str]) -> dict[str, str]:
    """
    What an element is to say instead of its own English words.

    Parameters
    ----------
    words
        The words of its lab.
    labels
        Those of the app for this element, by key.

    Raises
    ------
    TypeError, ValueError
        The labels are not valid, see `check_texts`.
    """
    check_texts("labels", labels, LABELS)
    return {key: words[key] for key in ELEMENT if words[key] != ENGLISH[key]} | dict(labels)
