"""The rows of members and of rooms, and the flow of people, once all rooms were read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from shiny_labchat.domain.ended import bonus, condition_text
from shiny_labchat.domain.ends import REASONS
from shiny_labchat.domain.lobby_settings import LobbySettings
from shiny_labchat.domain.membership import Membership
from shiny_labchat.domain.study import Participation
from shiny_labchat.export.conditions import levels_of, round_of
from shiny_labchat.export.disguise import Disguise
from shiny_labchat.export.facts import PersonFacts, StudyFacts
from shiny_labchat.export.messages import MessageRows, Said, kinds_in
from shiny_labchat.export.room_walk import RoomFacts
from shiny_labchat.export.study_walk import end_pay

__all__ = ["MemberRows", "flow_rows", "note_progress", "room_row"]

SECOND = 1e6
"""Microseconds."""


class MemberRows:
    """
    Makes the rows of members, room by room.

    Parameters
    ----------
    study
        The study.
    disguise
        What is shown of people.
    factors, items
        The factors of all conditions, and the items of all consents.
    """

    def __init__(
        self, study: StudyFacts, disguise: Disguise, factors: Sequence[str], items: Sequence[str]
    ) -> None:
        self._study = study
        self._disguise = disguise
        self._factors = factors
        self._items = items
        self._made: list[tuple[str, tuple[bool, int], list[Any]]] = []

    def add_room(self, room: str, facts: RoomFacts, made: MessageRows) -> None:
        """Make the rows of a room's members."""
        spoken = sum(said.characters for member, said in made.said.items() if member is not None)
        for membership in facts.state.memberships.values():
            said = made.said.get(membership.member) or Said()
            share = said.characters / spoken if spoken else None
            self._add(room, membership, facts, said, share)

    def _add(
        self, room: str, membership: Membership, facts: RoomFacts, said: Said, share: float | None
    ) -> None:
        member = membership.member
        joined, shown = facts.joined.get(member), facts.opened
        seated = None if shown is None or joined is None else max(shown, joined)
        connection = facts.connections.get(member)
        group = facts.group.get("people", ())
        in_room = {
            "part": self._disguise.value(
                facts.group.get("parts", {}).get(membership.replaces or member)
            ),
            "pseudonym": membership.pseudonym,
            "kinds": kinds_in(facts.state, member),
            "role": membership.role,
            "joined": joined,
            "left": facts.left.get(member),
            "grouped": self._grouped_at(room) if member in group else None,
            "seated": seated,
            "first": said.first_at or None,
            "gate": facts.gate.get(member),
            "done": facts.done.get(member),
            "replaces": None
            if membership.replaces is None
            else self._disguise.member(membership.replaces),
            "replaced": _replaced_at(facts, member),
            "said": (said.messages, said.characters, share),
            "connection": (None, None, None)
            if connection is None
            else (
                *(connection.connected / SECOND, connection.hidden / SECOND),
                connection.disconnects,
            ),
        }
        person = self._study.participation(member)
        is_of_last_group = person is not None and person.room == room
        row = self._row(member, room, self._disguise.value(facts.condition), in_room)
        self._made.append((member, (is_of_last_group, joined or 0), row))

    def _grouped_at(self, room: str) -> int | None:
        group = self._study.state.groups.get(room)
        return None if group is None else group.at

    def add_others(self, people: Iterable[str]) -> None:
        """Make a row of each person who has no room."""
        known = {member for member, _, _ in self._made}
        for person in people:
            if person not in known:
                self._made.append((person, (False, 0), self._row(person, None, None, _NO_ROOM)))

    def _row(
        self, member: str, room: str | None, condition: Any, in_room: Mapping[str, Any]
    ) -> list[Any]:
        study, disguise = self._study, self._disguise
        person, more = study.participation(member), study.people.get(member) or PersonFacts()
        stay, consent = more.stay(room), person.consent if person else None
        waited = None if stay is None or stay.until is None else stay.until - stay.since
        ended = person.ended if person else None
        answers: Mapping[str, bool] = consent.answers if consent else {}
        return [
            study.name, None if room is None else disguise.name(room),
            *round_of(None if room is None else study.state.groups.get(room)),
            disguise.member(member), False,
            condition_text(condition), *levels_of(condition, self._factors),
            in_room["part"], in_room["pseudonym"], *in_room["kinds"], in_room["role"],
            in_room["joined"], in_room["left"], person.arrived if person else None,
            consent.at if consent else None, consent.version if consent else None,
            *(answers.get(item) for item in self._items),
            disguise.name(stay.lobby) if stay else None, stay.since if stay else None,
            None if waited is None else waited / SECOND,
            in_room["grouped"], in_room["seated"], in_room["first"], in_room["gate"],
            in_room["done"], in_room["replaces"], in_room["replaced"],
            ended.at if ended else None, ended.reason if ended else None,
            end_pay(study, ended.reason) if ended else None,
            bonus(person) / 100 if person else None, *in_room["said"], *in_room["connection"],
            more.debriefed_at, person.keep if person else None, more.withdrew_at,
            disguise.value(person.step) if person else None, more.device, more.language,
        ]  # fmt: skip

    def rows(self) -> list[list[Any]]:
        """All rows; of each person one says that it is their last one, and has their condition."""
        last: dict[str, tuple[tuple[bool, int], list[Any]]] = {}
        for member, rank, row in self._made:
            if member not in last or rank >= last[member][0]:
                last[member] = rank, row
        for _, row in last.values():
            row[_IS_LAST] = True
        return [row for _, _, row in self._made]


_IS_LAST = 5
_NO_ROOM: Mapping[str, Any] = {
    **dict.fromkeys(("part", "pseudonym", "role", "joined", "left", "grouped", "seated")),
    **dict.fromkeys(("first", "gate", "done", "replaces", "replaced")),
    "kinds": ("human", None),
    "said": (None, None, None),
    "connection": (None, None, None),
}


def _replaced_at(facts: RoomFacts, member: str) -> int | None:
    """When a bot took somebody's place: it became a member then."""
    places = facts.state.memberships.values()
    bots = (each.member for each in places if each.replaces == member)
    return next((facts.joined[bot] for bot in bots), None)


def room_row(
    study: StudyFacts, room: str, facts: RoomFacts, made: MessageRows, factors: Sequence[str],
    disguise: Disguise,
) -> tuple[Any, ...]:  # fmt: skip
    """
    The row of a room.

    Parameters
    ----------
    study
        Its study.
    room
        Its id, as it is shown.
    facts, made
        What is known of it, and of its messages.
    factors
        The factors of all conditions.
    disguise
        What is shown of people.
    """
    state, group = facts.state, facts.group
    everybody = list(state.memberships.values())
    lobby = study.lobbies.get(group.get("lobby", ""))
    planned = None if lobby is None else LobbySettings.of(lobby.settings).size.ideal
    people = [each for each in everybody if not each.is_bot and each.role == "participant"]
    condition = disguise.value(facts.condition)
    return (
        study.name, room, *round_of(study.state.groups.get(group.get("room", ""))),
        condition_text(condition),
        *levels_of(condition, factors), disguise.value(state.title),
        disguise.name(group["lobby"]) if group else None, group.get("number"),
        None if lobby is None else lobby.blocks.get(group.get("room", "")), planned,
        len(people), sum(each.is_bot for each in everybody),
        facts.opened, facts.started, facts.closed, disguise.value(state.reason),
        sum(said.messages for said in made.said.values()),
        sum(said.characters for said in made.said.values()),
    )  # fmt: skip


# ── flow ─────────────────────────────────────────────────────────────────────────────────────


def note_progress(study: StudyFacts, room: str, facts: RoomFacts) -> None:
    """Note how far people have come in a room, if it is that of their last group."""
    there = facts.closed is not None and facts.state.reason != "group_dissolved"
    for person in facts.group.get("people", ()):
        participation = study.participation(person)
        if participation is not None and participation.room not in (None, room):
            continue  # they are counted under the condition of their last group
        known = study.person(person)
        known.started = known.started or facts.has_begun
        was_there = there and person not in facts.left
        if facts.has_begun and (was_there or person in facts.done):
            known.finished = True


def flow_rows(
    study: StudyFacts, people: Iterable[str], disguise: Disguise
) -> list[tuple[Any, ...]]:
    """The rows of the flow of some people: by condition, how many have come how far."""
    counts: dict[str, Counter[str]] = {}
    for id in people:
        person = study.participation(id)
        if person is not None:
            condition = condition_text(disguise.value(person.condition))
            steps = counts.setdefault(condition or "", Counter())
            steps.update(_steps_of(person, study.people.get(id) or PersonFacts()))
    known = dict.fromkeys(f"end_{reason}" for reason in REASONS)
    others = dict.fromkeys(step for steps in counts.values() for step in steps)
    ends = [step for step in known | others if step.startswith("end_")]
    return [
        (study.name, condition, step, counts[condition][step])
        for condition in sorted(counts)
        for step in (*_STEPS, *ends, "still_inside")
    ]


_STEPS = ("arrived", "consented", "waited", "grouped", "started", "finished")


def _steps_of(person: Participation, more: PersonFacts) -> Iterable[str]:
    came = {
        "arrived": True,
        "consented": person.consent is not None,
        "waited": bool(more.stays),
        "grouped": bool(person.rooms),
        "started": more.started,
        "finished": bool(person.rooms) and (more.finished or _has_completed(person)),
    }
    yield from (step for step, has_come in came.items() if has_come)
    yield "still_inside" if person.ended is None else f"end_{person.ended.reason}"


def _has_completed(person: Participation) -> bool:
    return person.ended is not None and person.ended.reason == "complete"
