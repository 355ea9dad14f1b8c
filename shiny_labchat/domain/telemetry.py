"""How people write their messages: what pages count, and which of it a room asks for. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal, get_args

from shiny_labchat.domain.rules import Rules, Telemetry

__all__ = ["BOUNDS", "MOST_TIMES", "RHYTHM", "Asked", "asked_of", "told_in_consent", "wanted"]

Asked = Literal["counts", "rhythm", "pasted"]
"""What a room asks of pages: all counts; these and the rhythm; only what was pasted."""

RHYTHM = "rhythm"
"""The times between keys, in milliseconds."""
MOST_TIMES = 5_000
"""Most times of a rhythm; those of further keys are left out."""
_LONGEST = 10**12
_MOST = 10**6

BOUNDS: Mapping[str, int] = {
    **dict.fromkeys(("first_key_ms", "typing_ms"), _LONGEST),
    **dict.fromkeys(("pauses", "keystrokes", "deletions", "pasted_chars", "focus_losses"), _MOST),
}
"""The counts of a message, and the largest value of each."""


def asked_of(rules: Rules) -> Asked | None:
    """What pages are to send with each message; None: nothing of it."""
    if rules.telemetry != "off":
        return rules.telemetry
    return None if rules.paste == "allow" else "pasted"


def wanted(rules: Rules, sent: Mapping[str, Any]) -> dict[str, Any]:
    """What is kept of what a page has sent with a message: no more than its room asks for."""
    match asked_of(rules):
        case "rhythm":
            return dict(sent)
        case "counts":
            return {name: value for name, value in sent.items() if name in BOUNDS}
        case "pasted" if "pasted_chars" in sent:
            return {"pasted_chars": sent["pasted_chars"]}
        case _:
            return {}


def told_in_consent(rules: Iterable[Mapping[str, Any]]) -> list[str]:
    """
    The keys of the sentences that the consent has to say, by the rules of a study's lobbies.

    Where lobbies differ, what most is recorded is said.
    """
    of_lobbies = [*rules]
    telemetry = _last("telemetry", get_args(Telemetry), of_lobbies)
    if telemetry != "off":
        return [f"consent.telemetry.{telemetry}"]
    paste = _last("paste", ("allow", "mark"), of_lobbies)
    return [] if paste == "allow" else ["consent.paste"]


def _last(name: str, order: tuple[str, ...], rules: Iterable[Mapping[str, Any]]) -> str:
    """The last value in an order that some rules have; the first, if they do not say."""
    values = [str(each.get(name, order[0])) for each in rules]
    return max((each for each in values if each in order), key=order.index, default=order[0])
