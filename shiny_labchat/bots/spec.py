"""The settings of a bot, as its parts need them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from shiny_labchat.bots.budget import Budget
from shiny_labchat.bots.pace import Pace
from shiny_labchat.bots.tally import Tally
from shiny_labchat.bots.when import Condition, Respond
from shiny_labchat.domain.pseudonyms import Pseudonym

__all__ = ["BotSpec", "MovedOn", "WhenSpent", "limit_of"]

MovedOn = Literal["send", "redraft", "drop"]

WhenSpent = Literal["silent", "leave", "fallback"]


@dataclass(frozen=True, slots=True, eq=False)
class BotSpec:
    """The settings of a bot, see :class:`Bot`."""

    id: str
    client: Callable[[], Any] | None
    respond: Respond | None
    pseudonym: Pseudonym
    disclose: bool
    when: tuple[Condition, ...]
    pace: Pace
    seed: int | None
    moved_on: MovedOn
    max_messages: int | None
    max_share: float | None
    max_in_a_row: int | None
    budget: Budget
    study_budget: Budget
    end: WhenSpent
    closing: str | None
    fallback: Callable[[], Any] | None
    shadow: bool = False


def limit_of(spec: BotSpec, tally: Tally) -> str | None:
    """The limit that forbids a bot one more message; None: no limit does."""
    if spec.max_messages is not None and tally.own >= spec.max_messages:
        return "max_messages"
    if spec.max_in_a_row is not None and tally.in_a_row >= spec.max_in_a_row:
        return "max_in_a_row"
    if spec.max_share is not None and tally.own + 1 > spec.max_share * (tally.all + 1):
        return "max_share"
    return None
