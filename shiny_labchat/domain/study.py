"""
The state of a study, computed from the events of its log: its settings, and the people in it.

Pure; states are made by ``fold(state, event)`` only, as those of rooms are.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from shiny_labchat.domain.events import Event
from shiny_labchat.domain.layers import LayeredMap
from shiny_labchat.domain.settings import Settings
from shiny_labchat.domain.steps import Steps

__all__ = [
    "Barrier",
    "Cohort",
    "ConsentGiven",
    "Ended",
    "Group",
    "Participation",
    "Recorded",
    "StudyState",
    "fold_all_study",
    "fold_study",
]

_NOTHING: Mapping[str, Any] = MappingProxyType({})


class ConsentGiven(NamedTuple):
    """
    A person's consent.

    Parameters
    ----------
    version
        The version of the text that they have agreed to.
    answers
        What they answered to each item.
    at
        When, in microseconds since 1970 (UTC).
    replacement
        Whether they have read that a program may go on in the place of somebody.
    """

    version: str
    answers: Mapping[str, bool]
    at: int
    replacement: bool = False


class Ended(NamedTuple):
    """
    How and when a person left the study.

    Parameters
    ----------
    reason
        One of `REASONS`.
    at
        When, in microseconds since 1970 (UTC).
    delete
        Whether they have asked that their data be deleted; None: they were not asked then.
    """

    reason: str
    at: int
    delete: bool | None = None


class Participation(NamedTuple):
    """
    A person in a study, as the log describes them.

    Parameters
    ----------
    person
        Their random id, which is their member id in rooms.
    arrived
        When their page first had a socket, in microseconds since 1970 (UTC).
    consent
        Their consent; None: they have given none.
    lobby
        The id of the lobby that they have entered last.
    rooms
        The ids of the rooms in which their groups were, the last one last.
    condition, part
        Those of their last group.
    step
        The word that the app has set for how far they are.
    data
        By kind, the latest of what was recorded about them.
    recorded
        By kind, when that was, in microseconds since 1970 (UTC).
    paid
        By key, their payments in cents.
    paid_out
        By key, what the experimenter has sent them of these, in cents.
    ended
        How they left; None: they take part.
    is_debriefed
        Whether they have been shown the debrief.
    keep
        What they said there to whether their data may be kept; None: nothing.
    code
        The code that they have been shown at their end, which is theirs from then on; None: none.
    name
        The pseudonym that they have in all groups of the study; None: another one in each.
    chose_name
        Whether they have chosen it themselves.
    withdrawn
        By what their data was withdrawn, one of `WithdrawnBy`; None: it was not.
    withdrawn_at
        When, in microseconds since 1970 (UTC); 0: it was not.
    """

    person: str
    arrived: int
    consent: ConsentGiven | None = None
    lobby: str | None = None
    rooms: tuple[str, ...] = ()
    condition: Any = None
    part: str | None = None
    step: str | None = None
    data: Mapping[str, Any] = _NOTHING
    recorded: Mapping[str, int] = _NOTHING
    paid: Mapping[str, int] = _NOTHING
    paid_out: Mapping[str, int] = _NOTHING
    ended: Ended | None = None
    is_debriefed: bool = False
    keep: bool | None = None
    code: str | None = None
    name: str | None = None
    chose_name: bool = False
    withdrawn: str | None = None
    withdrawn_at: int = 0

    @property
    def wants_withdrawal(self) -> bool:
        """Whether they have asked that their data be deleted, or not be kept, and it still is."""
        asks = (self.ended is not None and self.ended.delete) or self.keep is False
        return asks and self.withdrawn is None

    @property
    def room(self) -> str | None:
        """The id of the room of their last group; None: they have had none."""
        return self.rooms[-1] if self.rooms else None


class Group(NamedTuple):
    """
    People who were grouped in a lobby.

    Parameters
    ----------
    lobby, number
        The lobby, and the number of the group in it: 1, 2, 3, ...
    room
        The id of their room.
    people
        The ids of the people, in the order drawn for them.
    condition
        What the experimenter varies, for this group.
    parts
        By person, the part they have.
    dissolved
        Why the group was dissolved; None: it was not.
    at
        When it was formed, in microseconds since 1970 (UTC).
    is_shown
        Whether its people see their room.
    cohort, round
        The numbers of its cohort and of the round; 0: it has none.
    """

    lobby: str
    number: int
    room: str
    people: tuple[str, ...]
    condition: Any = None
    parts: Mapping[str, str] = _NOTHING
    dissolved: str | None = None
    at: int = 0
    is_shown: bool = False
    cohort: int = 0
    round: int = 0


class Cohort(NamedTuple):
    """
    People who were brought together in a lobby, and are grouped among themselves round by round.

    Parameters
    ----------
    lobby, number
        The lobby, and the number of the cohort in it: 1, 2, 3, ...
    people
        The ids of all who were ever in it, in the order drawn for them.
    rounds
        How many rounds there are.
    least
        With how many people at least it goes on where a group is dissolved; 0: with none.
    condition, block
        What the experimenter varies, for this cohort, and the block in which it was drawn.
    round
        The number of the round, from 1.
    rooms
        The ids of the rooms of the round's groups.
    out
        The ids of those who have no group in this round.
    sat
        By id, in how many rounds somebody had no group, this one included.
    next_on
        What each records to end the round; None: nothing.
    within, talk
        How long the first who has recorded it waits for the others, and how long they may talk
        before that, both in microseconds.
    until
        Until when they wait, in microseconds since 1970 (UTC); None: nobody has recorded it yet.
    """

    lobby: str
    number: int
    people: tuple[str, ...]
    rounds: int
    least: int = 0
    condition: Any = None
    block: int | None = None
    round: int = 1
    rooms: tuple[str, ...] = ()
    out: tuple[str, ...] = ()
    sat: Mapping[str, int] = _NOTHING
    next_on: str | None = None
    within: int = 0
    talk: int = 0
    until: int | None = None


class Recorded(NamedTuple):
    """
    What was recorded about a person in a round.

    Parameters
    ----------
    value
        What it was.
    at
        When, in microseconds since 1970 (UTC).
    """

    value: Any
    at: int


class Barrier(NamedTuple):
    """
    Waiting of a group until all have recorded something.

    Parameters
    ----------
    until
        Until when those who are there wait for the others, in microseconds since 1970 (UTC).
    met
        The ids of the people with whom it was met; None: they wait.
    late
        The ids of those with whom the app's function was called, as they were late; None: it was
        not called.
    met_at
        When it was met, in microseconds since 1970 (UTC); 0: it was not.
    """

    until: int
    met: tuple[str, ...] | None = None
    late: tuple[str, ...] | None = None
    met_at: int = 0


class StudyState(NamedTuple):
    """The fold of a study's log up to `seq`."""

    seq: int = 0
    seed: str = ""
    settings: Settings = Settings()
    people: LayeredMap[str, Participation] = LayeredMap()
    groups: LayeredMap[str, Group] = LayeredMap()
    """By the id of their room."""
    numbers: Mapping[str, int] = _NOTHING
    """By lobby, the number of its last group."""
    barriers: LayeredMap[tuple[str, str], Barrier] = LayeredMap()
    """By room and kind."""
    cohorts: LayeredMap[tuple[str, int], Cohort] = LayeredMap()
    """By lobby and number."""
    recorded: LayeredMap[str, Mapping[str, Mapping[str, Recorded]]] = LayeredMap()
    """By the room of a round, by person and kind: what was recorded in it."""
    steps: Steps = Steps()
    """The step of the whole study."""
    last_withdrawn: int = 0
    """The seq at which somebody has last withdrawn their data; 0: nobody has."""

    def met(self, person: str) -> set[str]:
        """The people with whom somebody was in a group of this study."""
        rooms = self.people[person].rooms if person in self.people else ()
        return {other for room in rooms for other in self.groups[room].people} - {person}

    def names(self, but: str | None = None) -> list[str]:
        """The pseudonyms that people, `but` one, have throughout the study."""
        people = (each for each in self.people.values() if each.person != but)
        return [each.name for each in people if each.name is not None]

    def present(self) -> list[Participation]:
        """The people who take part: who have consented, if they are asked, and have not ended."""
        asks = self.settings.get("consent") is not None
        people = self.people.values()
        return [each for each in people if each.ended is None and (each.consent or not asks)]

    def taking_part(self, room: str) -> list[Participation]:
        """The people of a group who have not ended, in the order drawn for them."""
        group = self.groups.get(room)
        people = (self.people[person] for person in group.people) if group is not None else ()
        return [each for each in people if each.ended is None]

    def awaited(self, room: str, kind: str) -> tuple[list[str], bool]:
        """
        Who of a group has recorded something of a kind, and whether nobody else is waited for.

        Who has completed the study is not waited for, but counts if they have recorded it before.
        """
        group = self.groups.get(room)
        people = [self.people[each] for each in group.people] if group is not None else []
        there = [each for each in people if each.ended is None or each.ended.reason == "complete"]
        have = [each.person for each in there if self.has_recorded(room, each, kind)]
        waited = (each for each in people if each.ended is None)
        return have, all(self.has_recorded(room, each, kind) for each in waited)

    def has_recorded(self, room: str, person: Participation, kind: str) -> bool:
        """Whether somebody has recorded something of a kind, in a round: in this one."""
        return kind in self.data_in(room, person)

    def data_in(self, room: str, person: Participation) -> Mapping[str, Any]:
        """
        What was recorded about somebody of a group, by kind.

        In a round, of what is recorded in rounds, only what was in this one.
        """
        if room not in self.recorded and not self.groups[room].cohort:
            return person.data
        now = self.recorded.get(room, _NOTHING).get(person.person, _NOTHING)
        in_rounds = (self.recorded.get(each, _NOTHING) for each in person.rooms)
        others = {kind for each in in_rounds for kind in each.get(person.person, ())}
        before = {kind: value for kind, value in person.data.items() if kind not in others}
        return {**before, **{kind: each.value for kind, each in now.items()}}

    def recorded_at(self, room: str, person: Participation, kind: str) -> int:
        """When that was, in microseconds since 1970 (UTC)."""
        now = self.recorded.get(room, _NOTHING).get(person.person, _NOTHING)
        return now[kind].at if kind in now else person.recorded[kind]

    def late(self, room: str, kind: str) -> list[str]:
        """Who of a group takes part, but was not waited for any more when a barrier was met."""
        barrier = self.barriers.get((room, kind))
        if barrier is None or barrier.met is None:
            return []
        people = (each.person for each in self.taking_part(room))
        return [each for each in people if each not in barrier.met]

    def awaits(self, person: str) -> list[Barrier]:
        """Where somebody waits for their group, or has waited: those whose kinds they recorded."""
        known = self.people.get(person)
        if known is None or known.room is None or not self.barriers.size:
            return []
        kinds = self.data_in(known.room, known)
        found = (self.barriers.get((known.room, kind)) for kind in kinds)
        return [each for each in found if each is not None]

    def cells(self, lobby: str) -> list[Any]:
        """The conditions of the groups, or cohorts, of a lobby that were not dissolved."""
        groups = (each for each in self.groups.values() if each.lobby == lobby and not each.cohort)
        cohorts = (each for each in self.cohorts.values() if each.lobby == lobby)
        return [
            *(each.condition for each in groups if each.dissolved is None),
            *(each.condition for each in cohorts if not self._is_dissolved(each)),
        ]

    # ── rounds ──

    def cohort_of(self, person: str) -> Cohort | None:
        """The cohort in which somebody was last; None: in none."""
        known = self.people.get(person)
        group = None if known is None or known.room is None else self.groups.get(known.room)
        return None if group is None else self.cohorts.get((group.lobby, group.cohort))

    def still_in(self, cohort: Cohort) -> list[str]:
        """The ids of those of a cohort who take part, in the order drawn for them."""
        return [each for each in cohort.people if self.people[each].ended is None]

    def _is_dissolved(self, cohort: Cohort) -> bool:
        are_all = all(self.groups[room].dissolved is not None for room in cohort.rooms)
        return are_all and not self.still_in(cohort)


# ── fold ─────────────────────────────────────────────────────────────────────────────────────


def fold_study(state: StudyState, event: Event) -> StudyState:
    """
    The study's state after `event`.

    What this version does not know of an event is ignored, and kept by the log, as in rooms.
    """
    step = _FOLDS.get(event.kind)
    changes = step(state, event) if step is not None else {}
    return state._replace(seq=event.seq, **changes)


def fold_all_study(state: StudyState, events: Iterable[Event]) -> StudyState:
    """The study's state after events, at a cost linear in them."""
    drafts = {name: getattr(state, name).draft() for name in _MAPS}
    state = state._replace(**drafts)
    for event in events:
        state = fold_study(state, event)
    return state._replace(**{name: getattr(state, name).done() for name in _MAPS})


_MAPS = ("people", "groups", "barriers", "cohorts", "recorded")
_Changes = dict[str, Any]


def _configured(state: StudyState, event: Event) -> _Changes:
    return {
        "seed": event.data.get("seed", state.seed),
        "settings": state.settings.after(event.data),
    }


def _arrived(state: StudyState, event: Event) -> _Changes:
    assert event.member is not None
    return _with(state, Participation(event.member, event.at))


def _consented(state: StudyState, event: Event) -> _Changes:
    told = event.data.get("replacement", False)
    consent = ConsentGiven(event.data["version"], event.data.get("answers", {}), event.at, told)
    return _person_with(state, event, consent=consent)


def _entered(state: StudyState, event: Event) -> _Changes:
    return _person_with(state, event, lobby=event.data["lobby"])


def _recorded(state: StudyState, event: Event) -> _Changes:
    person = state.people.get(event.member or "")
    if person is None or event.data.get("withdrawn"):
        return {}
    kind: str = event.data["kind"]
    data = {**person.data, kind: event.data["value"]}
    recorded = {**person.recorded, kind: event.at}
    changes = _with(state, person._replace(data=data, recorded=recorded))
    room = _round_room(state, person, event) if state.cohorts.size else None
    if room is None:
        return changes
    known = state.recorded.get(room, _NOTHING)
    theirs = {**known.get(person.person, _NOTHING), kind: Recorded(data[kind], event.at)}
    recorded = state.recorded.changed(room, {**known, person.person: theirs})
    return {**changes, "recorded": recorded, **_waiting_since(state, state.groups[room], event)}


def _waiting_since(state: StudyState, group: Group, event: Event) -> _Changes:
    """Until when a cohort waits, if the first one of it has ended the round now."""
    key = group.lobby, group.cohort
    cohort = state.cohorts[key]
    is_first = cohort.until is None and group.room in cohort.rooms
    if not is_first or event.data["kind"] != cohort.next_on:
        return {}
    until = max(event.at, group.at + cohort.talk) + cohort.within
    return {"cohorts": state.cohorts.changed(key, cohort._replace(until=until))}


def _round_room(state: StudyState, person: Participation, event: Event) -> str | None:
    """The room of the round in which something was recorded; None: it was in none."""
    if "room" in event.data:
        return event.data["room"]
    cohort = state.cohort_of(person.person)
    return person.room if cohort is not None and person.room in cohort.rooms else None


def _stepped(state: StudyState, event: Event) -> _Changes:
    return _person_with(state, event, step=event.data["step"])


def _step_set(state: StudyState, event: Event) -> _Changes:
    step, since = event.data["step"], event.data["since"]
    return {"steps": state.steps.with_step(step, since, event.at)}


def _paid(state: StudyState, event: Event) -> _Changes:
    person = state.people.get(event.member or "")
    return {} if person is None else _person_with(state, event, paid=_with_sum(person.paid, event))


def _paid_out(state: StudyState, event: Event) -> _Changes:
    person = state.people.get(event.member or "")
    if person is None:
        return {}
    return _person_with(state, event, paid_out=_with_sum(person.paid_out, event))


def _with_sum(sums: Mapping[str, int], event: Event) -> Mapping[str, int]:
    return {**sums, event.data["key"]: event.data["cents"]}


def _ended(state: StudyState, event: Event) -> _Changes:
    ended = Ended(event.data["reason"], event.at, event.data.get("delete"))
    return _person_with(state, event, ended=ended)


def _debriefed(state: StudyState, event: Event) -> _Changes:
    return _person_with(state, event, is_debriefed=True, keep=event.data.get("keep"))


def _code_shown(state: StudyState, event: Event) -> _Changes:
    return _person_with(state, event, code=event.data["code"])


def _named(state: StudyState, event: Event) -> _Changes:
    chosen = event.data.get("chosen", False)
    return _person_with(state, event, name=event.data["name"], chose_name=chosen)


def _withdrawn(state: StudyState, event: Event) -> _Changes:
    changes = _person_with(state, event, withdrawn=event.data["by"], withdrawn_at=event.at)
    return {**changes, "last_withdrawn": event.seq}


def _grouped(state: StudyState, event: Event) -> _Changes:
    data = event.data
    parts: Mapping[str, str] = data.get("parts", {})
    group = Group(
        *(data["lobby"], data["number"], data["room"], tuple(data["people"])),
        *(data.get("condition"), parts),
        at=event.at,
        cohort=data.get("cohort", 0),
        round=data.get("round", 0),
    )
    people = state.people
    for each in group.people:
        person = people[each]
        people = people.changed(
            each,
            person._replace(
                rooms=(*person.rooms, group.room), condition=group.condition, part=parts.get(each)
            ),
        )
    return {
        "people": people,
        "groups": state.groups.changed(group.room, group),
        "numbers": {**state.numbers, group.lobby: group.number},
        **_with_room(state, group),
    }


def _with_room(state: StudyState, group: Group) -> _Changes:
    key = group.lobby, group.cohort
    cohort = state.cohorts.get(key) if group.cohort else None
    if cohort is None:
        return {}
    cohort = cohort._replace(rooms=(*cohort.rooms, group.room))
    return {"cohorts": state.cohorts.changed(key, cohort)}


def _round_begun(state: StudyState, event: Event) -> _Changes:
    data, out = event.data, tuple(event.data.get("missing", ()))
    key = data["lobby"], data["cohort"]
    cohort = state.cohorts.get(key)
    if cohort is None:
        people, rounds = tuple(data["people"]), data["rounds"]
        about = data.get("least", 0), data.get("condition"), data.get("block")
        cohort = Cohort(*key, people, rounds, *about)
    sat = {**cohort.sat, **{each: cohort.sat.get(each, 0) + 1 for each in out}}
    waits = {name: data.get(name, 0) for name in ("within", "talk")}
    cohort = cohort._replace(
        round=data["round"],
        rooms=(),
        out=out,
        sat=sat,
        next_on=data.get("next_on"),
        until=None,
        **waits,
    )
    return {"cohorts": state.cohorts.changed(key, cohort)}


def _dissolved(state: StudyState, event: Event) -> _Changes:
    group = state.groups.get(event.data["room"])
    if group is None:
        return {}
    group = group._replace(dissolved=event.data.get("reason", ""))
    return {"groups": state.groups.changed(group.room, group)}


def _shown(state: StudyState, event: Event) -> _Changes:
    group = state.groups.get(event.data["room"])
    if group is None:
        return {}
    return {"groups": state.groups.changed(group.room, group._replace(is_shown=True))}


def _barrier(state: StudyState, event: Event) -> _Changes:
    key = event.data["room"], event.data["kind"]
    barrier = Barrier(event.data["until"])
    return {"barriers": state.barriers.changed(key, barrier)}


def _barrier_met(state: StudyState, event: Event) -> _Changes:
    key = event.data["room"], event.data["kind"]
    before = state.barriers.get(key) or Barrier(event.at)
    met = tuple(event.data["people"])
    return {"barriers": state.barriers.changed(key, before._replace(met=met, met_at=event.at))}


def _late_called(state: StudyState, event: Event) -> _Changes:
    key = event.data["room"], event.data["kind"]
    barrier = state.barriers.get(key)
    if barrier is None:
        return {}
    late = tuple(event.data["people"])
    return {"barriers": state.barriers.changed(key, barrier._replace(late=late))}


def _person_with(state: StudyState, event: Event, **changes: Any) -> _Changes:
    person = state.people.get(event.member or "")
    return {} if person is None else _with(state, person._replace(**changes))


def _with(state: StudyState, person: Participation) -> _Changes:
    return {"people": state.people.changed(person.person, person)}


_FOLDS = {
    "arrived": _arrived,
    "barrier": _barrier,
    "barrier_met": _barrier_met,
    "code_shown": _code_shown,
    "configured": _configured,
    "consented": _consented,
    "debriefed": _debriefed,
    "dissolved": _dissolved,
    "ended": _ended,
    "entered": _entered,
    "grouped": _grouped,
    "late_called": _late_called,
    "named": _named,
    "paid": _paid,
    "paid_out": _paid_out,
    "recorded": _recorded,
    "round_begun": _round_begun,
    "shown": _shown,
    "step_set": _step_set,
    "stepped": _stepped,
    "withdrawn": _withdrawn,
}
