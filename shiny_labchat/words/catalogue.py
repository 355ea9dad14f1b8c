"""The catalogue of words, and the words of one lab: a language, and texts that replace some."""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import cast

from shiny_labchat.errors import DETAILS, BadFrame, Refused, StoreError
from shiny_labchat.words import english, german

__all__ = ["CATALOGUE", "ENGLISH", "Words", "check_texts", "slots_of"]

CATALOGUE: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {"en": MappingProxyType(english.WORDS), "de": MappingProxyType(german.WORDS)}
)
"""All words that participants read, by language and key."""

_SLOT = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class Words:
    """
    The words that the participants of a lab read.

    Parameters
    ----------
    language
        A language of the catalogue.
    texts
        Replacements for single words, by key. What is in neither is English.

    Raises
    ------
    TypeError
        `texts` is no mapping of texts.
    ValueError
        The language or a key is unknown, or a text has a slot that the original does not have.
    """

    language: str = "en"
    texts: Mapping[str, str] = field(default_factory=dict[str, str])
    _by_key: Mapping[str, str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.language not in CATALOGUE:
            known = " or ".join(f'"{language}"' for language in sorted(CATALOGUE))
            raise ValueError(
                f"language must be {known}, not {self.language!r}; for another one, replace the "
                "words with texts="
            )
        check_texts("texts", self.texts, CATALOGUE["en"])
        by_key = {**CATALOGUE["en"], **CATALOGUE[self.language], **self.texts}
        object.__setattr__(self, "_by_key", by_key)

    def __getitem__(self, key: str) -> str:
        return self._by_key[key]

    def replaced(self, language: str | None, texts: Mapping[str, str] | None) -> Words:
        """
        These words, with others for some of them.

        Parameters
        ----------
        language
            Another language; what was replaced in this one counts there no more. None: the same.
        texts
            Replacements for single words, by key; None: no more than these have.

        Raises
        ------
        TypeError, ValueError
            As for `Words` itself.
        """
        language = self.language if language is None else language
        added: Mapping[str, str] = {} if texts is None else texts
        check_texts("texts", added, CATALOGUE["en"])
        is_same = language == self.language
        return Words(language, {**self.texts, **added} if is_same else added)

    def filled(self, key: str, **values: object) -> str:
        """The words for a key, with values in the place of its slots."""
        return _SLOT.sub(lambda slot: str(values[slot[1]]), self[key])

    def counted(self, key: str, n: int, **values: object) -> str:
        """The words for one, or for `n`: those for the key and "_one" or "_many"."""
        return self.filled(f"{key}_{'one' if n == 1 else 'many'}", n=n, **values)

    def duration(self, seconds: float) -> str:
        """A time in words, rounded up: in seconds below two minutes, else in minutes."""
        n = math.ceil(seconds)
        if n % 60 and n < 120:
            return self.counted("time.seconds", n)
        return self.counted("time.minutes", math.ceil(n / 60))

    def refusal(self, error: Refused | StoreError | BadFrame) -> str:
        """The sentence for an error that a person is told of, with its detail."""
        detail = error.detail if isinstance(error, Refused) else ""
        if isinstance(error, Refused) and detail in DETAILS:
            detail = self.filled(detail, **error.values)
        return f"{self[error.code]} {detail}".strip()


def slots_of(text: str) -> frozenset[str]:
    """The names of the slots in a text."""
    return frozenset(_SLOT.findall(text))


def check_texts(what: str, texts: object, known: Mapping[str, str]) -> None:
    """
    Check that an argument replaces words that there are, by words with the same slots.

    Parameters
    ----------
    what, texts
        The argument's name and its value.
    known
        The words that it may replace.

    Raises
    ------
    TypeError
        It is no mapping of texts.
    ValueError
        A key is unknown, or a text has a slot that the original does not have.
    """
    if not isinstance(texts, Mapping):
        raise TypeError(f"{what} must be a dictionary of texts, not {texts!r}")
    for key, text in cast("Mapping[object, object]", texts).items():
        if key not in known:
            raise ValueError(f"{what} has no {key!r}{_instead(str(key), known)}")
        if not isinstance(text, str):
            raise TypeError(f"{what}: the text for {key!r} must be text, not {text!r}")
        slots = slots_of(known[str(key)])
        for slot in sorted(slots_of(text) - slots):
            there_are = ", ".join(f"{{{each}}}" for each in sorted(slots)) or "none"
            raise ValueError(f"{what}: {text!r} has {{{slot}}}; the slots of {key!r}: {there_are}")


def _instead(key: str, known: Mapping[str, object]) -> str:
    close = difflib.get_close_matches(key, known, n=1)
    return f"; did you mean {close[0]!r}?" if close else f"; it has {', '.join(sorted(known))}"


ENGLISH = Words()
"""The words of a lab that says nothing else."""
