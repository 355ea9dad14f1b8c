"""What a study keeps of people, until when, and what stays of it after a withdrawal. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, cast

from shiny_labchat.domain.ended import params_in
from shiny_labchat.domain.study import StudyState

__all__ = ["FOREVER", "Kept", "kept_of"]

FOREVER = "no day is set"


class Kept(NamedTuple):
    """
    Something that a study keeps of people.

    Parameters
    ----------
    what
        What it is, such as "messages".
    fields
        What there is of it.
    number
        How many there are now; None: they are not counted.
    until
        The last day on which it is kept.
    withdrawn
        What is left of it when somebody withdraws.
    """

    what: str
    fields: tuple[str, ...]
    number: int | None
    until: str
    withdrawn: str


_GONE = "nothing"


def kept_of(
    state: StudyState,
    counts: Mapping[tuple[str, str], int],
    recruited: int,
    seen: int,
    prompts: int,
    typed: int = 0,
) -> list[Kept]:
    """
    All that a study keeps of people.

    Parameters
    ----------
    state
        The study.
    counts
        By the kind of the log and of the event, how many events it has.
    recruited
        Of how many people it is kept what their recruiters said.
    seen
        Of how many people it is kept when their pages last answered.
    prompts
        How many calls of models and functions are on record.
    typed
        Of how many messages it is kept how they were written.
    """
    retain: Mapping[str, str | None] = state.settings.get("retain") or {}
    ids, words = retain.get("ids") or FOREVER, retain.get("words") or FOREVER
    params = params_in(state.settings)

    def of_log(log: str, *kinds: str) -> int:
        return sum(counts.get((log, kind), 0) for kind in kinds)

    recorded = "kind", "fields as the app says"
    presence = "presence", "presence_asked", "presence_confirmed", "presence_unanswered"
    return [
        Kept("what recruiters say", params or ("nothing",), recruited, ids,
             "nothing, once they are paid"),
        Kept("keyed hashes of that", ("by which people are known again",), recruited, ids,
             "they stay, so that nobody takes part again"),
        Kept("people", ("random id", "arrival", "device", "language", "step", "end", "code"),
             len(state.people), words, "a new random id, times, the end"),
        Kept("consent", ("version", "items", "time"), of_log("study", "consented"), words,
             "all of it, under the new id"),
        *_answers(state, words),
        Kept("records of rooms", recorded, of_log("room", "recorded"), words, _GONE),
        Kept("messages", ("text", "text before the app changed it", "time", "who may see it"),
             of_log("room", "message"), words, "time, role and order"),
        Kept("how messages were written",
             ("time until the first key", "time of writing", "numbers of pauses, keys, deletions",
              "characters pasted", "times at another window", "times between keys"),
             typed, words, _GONE),
        Kept("withheld messages", ("text", "why"), of_log("room", "withheld"), words, _GONE),
        Kept("members of rooms", ("pseudonym", "role"), of_log("room", "joined"), words,
             "role and time"),
        Kept("calls of bots' models", ("prompt, with what people have written", "reply", "times"),
             prompts, words, "others' turns, and times"),
        Kept("presence", ("here, idle, away or gone", "time"), of_log("room", *presence), words,
             "times, under the new id"),
        Kept("pages that are open", ("when one last answered",), seen, words, _GONE),
        Kept("payments", ("key", "amount", "time"), of_log("study", "paid", "paid_out"), words,
             "amount and time"),
        Kept("links, browsers, bookmarks", ("SHA-256 of a random text",), None, words, _GONE),
    ]  # fmt: skip


def _answers(state: StudyState, words: str) -> list[Kept]:
    """One row for each kind of answers, with the fields that people have filled in."""
    fields: dict[str, dict[str, None]] = {}
    numbers: dict[str, int] = {}
    for person in state.people.values():
        for kind, value in person.data.items():
            fields.setdefault(kind, {}).update(dict.fromkeys(_names_in(value)))
            numbers[kind] = numbers.get(kind, 0) + 1
    return [
        Kept(f"answers: {kind}", tuple(names), numbers[kind], words, _GONE)
        for kind, names in fields.items()
    ]


def _names_in(value: object) -> Iterable[str]:
    return map(str, cast("Mapping[Any, Any]", value)) if isinstance(value, Mapping) else ("value",)
