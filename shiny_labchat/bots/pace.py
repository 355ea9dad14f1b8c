"""How fast a bot reads and types."""

from __future__ import annotations

import math
import random
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["JITTER", "READING_SPEED", "TYPING_SPEED", "Pace", "as_typed", "due", "generator"]

READING_SPEED = 238.0
"""Words per minute that adults read silently (non-fiction): Brysbaert 2019."""

TYPING_SPEED = 52.0
"""Words of five characters per minute that people type on keyboards: Dhakal et al. 2018."""

JITTER = 0.2
"""Standard deviation of the logarithm of a time; our choice."""

_CHARACTERS_PER_WORD = 5


def generator(*what: object) -> random.Random:
    """A generator of random numbers for one purpose: same arguments, same numbers."""
    return random.Random("\0".join(map(str, what)))


@dataclass(frozen=True, slots=True)
class Pace:
    """
    How fast somebody reads and types.

    Parameters
    ----------
    reading
        Words per minute; None: at once.
    typing
        Words of five characters per minute; None: at once.
    jitter
        Standard deviation of the logarithm of a time; its mean is kept.
    """

    reading: float | None = READING_SPEED
    typing: float | None = TYPING_SPEED
    jitter: float = JITTER

    def time_to_read(self, texts: Sequence[str], rng: random.Random) -> float:
        """Seconds to read texts."""
        if self.reading is None:
            return 0.0
        return sum(len(text.split()) for text in texts) * 60 / self.reading * self._factor(rng)

    def time_to_type(self, text: str, rng: random.Random) -> float:
        """Seconds to type a text."""
        if self.typing is None:
            return 0.0
        return len(text) / _CHARACTERS_PER_WORD * 60 / self.typing * self._factor(rng)

    def _factor(self, rng: random.Random) -> float:
        return math.exp(rng.gauss(-(self.jitter**2) / 2, self.jitter))


def due(begun: float, answered: float, reading: float, typing: float) -> float:
    """
    When to send a message, in seconds of the clock that `begun` and `answered` are from.

    That is when reading and typing are done or when the model has answered, whichever is later:
    the model works during the time in which the bot reads and types.
    """
    return max(answered, begun + reading + typing)


def as_typed(text: str, longest: int | None) -> str:
    """A model's text as a person could have typed it."""
    text = "".join(c for c in text if c in "\n\t" or unicodedata.category(c) not in ("Cc", "Cs"))
    return text.strip()[:longest].rstrip()
