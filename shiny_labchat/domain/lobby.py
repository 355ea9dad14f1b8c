"""
The state of a lobby, computed from the events of its log: who waits there, and since when.

Pure; states are made by ``fold_lobby(state, event)`` only, as those of rooms are.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

from shiny_labchat.domain.events import Event
from shiny_labchat.domain.layers import LayeredMap
from shiny_labchat.domain.settings import Settings

__all__ = ["LobbyState", "Match", "Place", "fold_all_lobby", "fold_lobby"]

Status = Literal["naming", "waiting", "matched", "missed", "grouped", "left"]
"""
Of a person in a lobby.

"naming": they are asked for their pseudonym, and do not wait yet. "missed": they did not answer the
ready check, and are asked again.
"""


class Place(NamedTuple):
    """
    A person's place in a lobby.

    Parameters
    ----------
    person
        Their id.
    since
        When they began to wait, in microseconds since 1970 (UTC).
    status
        What they do there.
    match
        The number of the match in whose ready check they are; 0: in none.
    missed
        How often they did not answer a ready check.
    extended
        How often they have chosen to wait longer.
    prompted
        Until when they are asked whether they are still there; None: they are not asked.
    requeued
        Whether they wait at the front as somebody else did not answer a ready check of theirs.
    confirmed
        When they last answered that, in microseconds since 1970 (UTC); 0: never.
    """

    person: str
    since: int
    status: Status = "waiting"
    match: int = 0
    missed: int = 0
    extended: int = 0
    prompted: int | None = None
    requeued: bool = False
    confirmed: int = 0


class Match(NamedTuple):
    """
    People who may become a group, and are asked whether they are ready.

    Parameters
    ----------
    number
        The number of the match in its lobby.
    people
        Their ids.
    until
        Until when they may answer, in microseconds since 1970 (UTC).
    ready
        The ids of those who have answered.
    is_filled
        Whether bots fill the places that are empty.
    """

    number: int
    people: tuple[str, ...]
    until: int
    ready: frozenset[str] = frozenset()
    is_filled: bool = False

    @property
    def are_all_ready(self) -> bool:
        """Whether all have answered."""
        return self.ready == frozenset(self.people)


_NO_MATCHES: Mapping[int, Match] = MappingProxyType({})


class LobbyState(NamedTuple):
    """The fold of a lobby's log up to `seq`."""

    seq: int = 0
    seed: str = ""
    settings: Settings = Settings()
    places: LayeredMap[str, Place] = LayeredMap()
    queue: tuple[str, ...] = ()
    """The ids of the people who wait, the front first."""
    missed: tuple[str, ...] = ()
    """The ids of those who are asked whether they wait again."""
    matches: Mapping[int, Match] = _NO_MATCHES
    """The ready checks that are under way, by number."""
    number: int = 0
    """The number of the last match."""

    def here(self) -> tuple[str, ...]:
        """The ids of those who wait, or are asked whether they wait again."""
        return *self.queue, *self.missed

    def waits_since(self, person: str, at: int) -> int:
        """When a person began to wait; who does not wait begins at a time."""
        place = self.places.get(person)
        return at if place is None or place.status == "left" else place.since

    def is_in(self, person: str) -> bool:
        """Whether a person has a place, or had one and was grouped."""
        place = self.places.get(person)
        return place is not None and place.status != "left"


# ── fold ─────────────────────────────────────────────────────────────────────────────────────


def fold_lobby(state: LobbyState, event: Event) -> LobbyState:
    """
    The lobby's state after `event`.

    What this version does not know of an event is ignored, and kept by the log, as in rooms.
    """
    step = _FOLDS.get(event.kind)
    changes = step(state, event) if step is not None else {}
    return state._replace(seq=event.seq, **changes)


def fold_all_lobby(state: LobbyState, events: Iterable[Event]) -> LobbyState:
    """The lobby's state after events."""
    places = state.places.draft()
    state = state._replace(places=places)
    for event in events:
        state = fold_lobby(state, event)
    return state._replace(places=places.done())


_Changes = dict[str, Any]


def _configured(state: LobbyState, event: Event) -> _Changes:
    return {
        "seed": event.data.get("seed", state.seed),
        "settings": state.settings.after(event.data),
    }


def _name_asked(state: LobbyState, event: Event) -> _Changes:
    assert event.member is not None
    return _with(state, Place(event.member, event.at, "naming"))


def _entered(state: LobbyState, event: Event) -> _Changes:
    assert event.member is not None
    before = state.places.get(event.member) or Place(event.member, event.at)
    place = Place(event.member, event.at, missed=before.missed, extended=before.extended)
    gone = [place.person]
    queue = (*_without(state.queue, gone), place.person)
    return {**_with(state, place), "queue": queue, "missed": _without(state.missed, gone)}


def _idle_prompt(state: LobbyState, event: Event) -> _Changes:
    return _place_with(state, event, prompted=event.data["until"])


def _idle_confirmed(state: LobbyState, event: Event) -> _Changes:
    return _place_with(state, event, prompted=None, confirmed=event.at)


def _extended(state: LobbyState, event: Event) -> _Changes:
    place = state.places.get(event.member or "")
    return {} if place is None else _with(state, place._replace(extended=place.extended + 1))


def _matched(state: LobbyState, event: Event) -> _Changes:
    data = event.data
    about = data["number"], tuple(data["people"]), data["until"]
    match = Match(*about, is_filled=data.get("filled", False))
    places = _all_with(state, match.people, status="matched", match=match.number, prompted=None)
    return {
        "places": places,
        "queue": _without(state.queue, match.people),
        "matches": {**state.matches, match.number: match},
        "number": match.number,
    }


def _ready(state: LobbyState, event: Event) -> _Changes:
    match = state.matches.get(event.data["number"])
    if match is None or event.member is None:
        return {}
    match = match._replace(ready=match.ready | {event.member})
    return {"matches": {**state.matches, match.number: match}}


def _not_ready(state: LobbyState, event: Event) -> _Changes:
    place = state.places.get(event.member or "")
    if place is None:
        return {}
    place = place._replace(status="missed", match=0, missed=place.missed + 1)
    return {**_with(state, place), "missed": (*state.missed, place.person)}


def _requeued(state: LobbyState, event: Event) -> _Changes:
    """Put the others of a match to the front, in the order in which they began to wait."""
    number, people = event.data["number"], event.data["people"]
    places = _all_with(state, people, status="waiting", match=0, requeued=True)
    front = sorted(people, key=lambda person: places[person].since)
    return {
        "places": places,
        "queue": (*front, *_without(state.queue, people)),
        "matches": {n: match for n, match in state.matches.items() if n != number},
    }


def _grouped(state: LobbyState, event: Event) -> _Changes:
    people, number = event.data["people"], event.data.get("match", 0)
    return {
        "places": _all_with(state, people, status="grouped", match=0, prompted=None),
        "queue": _without(state.queue, people),
        "matches": {n: match for n, match in state.matches.items() if n != number},
    }


def _left(state: LobbyState, event: Event) -> _Changes:
    changes, gone = _place_with(state, event, status="left", match=0, prompted=None), [event.member]
    return {
        **changes,
        "queue": _without(state.queue, gone),
        "missed": _without(state.missed, gone),
    }


def _without(queue: tuple[str, ...], people: Collection[str | None]) -> tuple[str, ...]:
    gone = frozenset(people)
    return tuple(person for person in queue if person not in gone)


def _all_with(state: LobbyState, people: Iterable[str], **changes: Any) -> LayeredMap[str, Place]:
    places = state.places
    for person in people:
        places = places.changed(person, places[person]._replace(**changes))
    return places


def _place_with(state: LobbyState, event: Event, **changes: Any) -> _Changes:
    place = state.places.get(event.member or "")
    return {} if place is None else _with(state, place._replace(**changes))


def _with(state: LobbyState, place: Place) -> _Changes:
    return {"places": state.places.changed(place.person, place)}


_FOLDS = {
    "configured": _configured,
    "entered": _entered,
    "extended": _extended,
    "grouped": _grouped,
    "idle_confirmed": _idle_confirmed,
    "idle_prompt": _idle_prompt,
    "left": _left,
    "matched": _matched,
    "name_asked": _name_asked,
    "not_ready": _not_ready,
    "ready": _ready,
    "requeued": _requeued,
}
