"""How a group is formed: its room, its members, its condition; alone, or with its cohort. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from hashlib import blake2b
from typing import Any, NamedTuple, cast

from shiny_labchat.domain.commands import Configure, Join
from shiny_labchat.domain.commands.lobby import Advance, LobbySigns, Ready
from shiny_labchat.domain.decide.in_lobby import InLobby
from shiny_labchat.domain.decide.proposals import cell_proposed, first_round_proposed
from shiny_labchat.domain.decide.study import name_person
from shiny_labchat.domain.events import LogKey
from shiny_labchat.domain.given_network import network_of_group
from shiny_labchat.domain.grouping import (
    Draw,
    Group,
    Round,
    assign_parts,
    divide,
    draw_cell,
    draw_order,
)
from shiny_labchat.domain.lobby_settings import BY_APP
from shiny_labchat.domain.rules import Rules, is_timed
from shiny_labchat.domain.state import RoomState
from shiny_labchat.domain.study import Cohort

__all__ = ["begin_round", "form", "signs_of"]


def signs_of(command: Advance | Ready) -> LobbySigns:
    """What is known of the people, which has been read."""
    assert command.signs is not None
    return command.signs


def form(its: InLobby, match: int, people: Sequence[str], command: Advance | Ready) -> None:
    """Form the group of people who were matched; or their cohort, and its first groups."""
    draw = _drawn_cell(its, people, command)
    order = draw_order(its.seed, f"cohort {its.next_cohort}", people)
    how = _how(its, match, order, command, draw)
    if not its.settings.has_cohorts:
        room, known = its.settings.room(its.name, its.next_number), its.state.matches.get(match)
        bots = _stand_ins(its, draw.cell, people) if known and known.is_filled else ()
        _form_group(its, _drawn_group(its, room, people, draw.cell, bots), how, command.random)
        return
    first = _first_round(its, order, command)
    cohort = Cohort(
        *(its.name, its.next_cohort, tuple(order), its.settings.rounds),
        *(_least(its), draw.cell, draw.block),
    )
    begin_round(its, cohort, order, first, how, command.random)


def _drawn_cell(its: InLobby, people: Sequence[str], command: Advance | Ready) -> Draw:
    """The condition, and from what it was drawn; the app's own, where it proposes it."""
    settings, cells, counts = its.settings, its.settings.cells, its.people.cells(its.name)
    number = its.next_cohort if settings.has_cohorts else its.next_number
    draw = draw_cell(cells, map(counts.count, cells), settings.draws, its.seed, number)
    if settings.asks_cells:
        return replace(draw, cell=cell_proposed(settings, command, people))
    return draw


def _how(
    its: InLobby, match: int, order: Sequence[str], command: Advance | Ready, draw: Draw
) -> dict[str, Any]:
    """What the lobby's log has of how people were grouped; of each group, that of its people."""
    places, at, seen = its.state.places, its.decided.at, signs_of(command).seen
    return {
        "match": match,
        "seed": its.seed,
        "draw": draw.record,
        "block": draw.block,
        "waits": {person: at - places[person].since for person in order},
        "seen": {person: seen.get(person) for person in order},
    }


# ── one group ──


class _Planned(NamedTuple):
    """
    A group that is to be formed.

    Parameters
    ----------
    room
        The id of its room.
    people
        The ids of its people, in the order drawn for them.
    parts
        The part of each.
    condition
        Its condition.
    stand_ins
        The ids of the bots that fill places which are empty.
    about
        What else its events have: its cohort and round.
    """

    room: str
    people: Sequence[str]
    parts: Mapping[str, str | None]
    condition: Any
    stand_ins: Sequence[str] = ()
    about: Mapping[str, Any] = {}


def _drawn_group(
    its: InLobby, room: str, people: Sequence[str], condition: Any, bots: Sequence[str]
) -> _Planned:
    """A group whose order and parts are drawn; bots have parts, too."""
    order, seed = draw_order(its.seed, room, people), its.seed
    parts = assign_parts(its.settings.parts, draw_order(seed, room, [*people, *bots]))
    return _Planned(room, order, parts, condition, bots)


def _stand_ins(its: InLobby, condition: Any, people: Sequence[str]) -> Sequence[str]:
    """The bots that fill the places which are empty in the smallest group."""
    empty = max(0, its.settings.size.min - len(people))
    return list(its.settings.stand_ins_in(condition))[:empty]


def _form_group(its: InLobby, planned: _Planned, how: Mapping[str, Any], random: str) -> None:
    decided, room = its.decided, LogKey(its.log.study, planned.room)
    about = {
        "lobby": its.name,
        "number": its.next_number,
        "room": room.id,
        "people": list(planned.people),
        "condition": planned.condition,
        "parts": {person: part for person, part in planned.parts.items() if part is not None},
        **({"stand_ins": list(planned.stand_ins)} if planned.stand_ins else {}),
        **planned.about,
    }
    _make_room(its, room, planned, random)
    decided.add(room, "grouped", None, about)
    if is_timed(cast(RoomState, decided.now(room)).rules):
        decided.add(room, "waiting")
    decided.add(its.study, "grouped", None, about)
    of_theirs = {
        name: {person: how[name][person] for person in planned.people}
        for name in ("waits", "seen")
        if name in how
    }
    decided.add(its.log, "grouped", None, {**about, **how, **of_theirs})


def _make_room(its: InLobby, room: LogKey, planned: _Planned, random: str) -> None:
    settings = its.settings
    rules = _rules_of_group(Rules(**settings.rules)) if settings.rules else None
    seed = _drawn(random, room.id)
    everybody = [*planned.people, *planned.stand_ins]
    network = network_of_group(settings.network, everybody, planned.parts)
    made = Configure(seed, settings.title, None, rules, is_default=True, network=network)
    its.decided.run(room, made)
    for person in planned.people:
        handle, name = _drawn(random, room.id, person)[:8], _name_of(its, person)
        its.decided.run(room, Join(person, handle, pseudonym=name))


def _name_of(its: InLobby, person: str) -> str | None:
    """The pseudonym that somebody has in all groups; None: they get one in each room."""
    if its.settings.names == "room":
        return None
    known = its.people.people[person].name
    return known or name_person(its.decided, its.study.study, person)


def _rules_of_group(rules: Rules) -> Rules:
    """The rules of a group's room, whose time starts once all of its people are there."""
    must_start = rules.duration is not None and rules.starts is None
    return replace(rules, starts="all_present") if must_start else rules


def _drawn(random: str, *purpose: Any) -> str:
    """Random text for one purpose, from that of a command."""
    return blake2b("\0".join(map(str, purpose)).encode(), key=random.encode()[:64]).hexdigest()[:32]


# ── a cohort ──


def _least(its: InLobby) -> int:
    """With how many people a cohort goes on though a group is dissolved; 0: with none."""
    settings = its.settings
    if settings.short == "stand_in":
        return settings.least
    return 0 if settings.short == "end" or settings.rematches == "partners" else settings.least


def _first_round(its: InLobby, order: Sequence[str], command: Advance | Ready) -> list[Group]:
    settings = its.settings
    if settings.rematch == BY_APP:
        return first_round_proposed(settings, command, order)
    if settings.cohort is None:
        return [tuple(order)]
    drawn = Round(1, order, frozenset(order))
    how = settings.rematches, settings.size, settings.least
    return divide(drawn, *how, its.seed, its.next_cohort)


def begin_round(
    its: InLobby, cohort: Cohort, here: Sequence[str], groups: Sequence[Sequence[str]],
    how: Mapping[str, Any], random: str,
) -> None:  # fmt: skip
    """
    Form the groups of a round.

    Parameters
    ----------
    its
        The lobby.
    cohort
        The cohort, with the number of the round.
    here
        The ids of those who are in it still.
    groups
        The groups.
    how
        What the lobby's log has of how they were formed.
    random
        Random text, as of the command.
    """
    grouped = {person for group in groups for person in group}
    about = {"lobby": its.name, "cohort": cohort.number, "round": cohort.round}
    first = its.next_number
    rooms = [
        its.settings.room(its.name, first + at, cohort.number, cohort.round, at + 1)
        for at in range(len(groups))
    ]
    its.decided.need(LogKey(its.log.study, room) for room in rooms)
    begun = {
        **about,
        "rounds": cohort.rounds,
        "people": list(here),
        "missing": [person for person in here if person not in grouped],
        "least": cohort.least,
        "condition": cohort.condition,
        "block": cohort.block,
        "next_on": its.settings.next_on,
        "within": round(its.settings.within * 1e6),
        "talk": its.settings.talk,
    }
    its.decided.add(its.study, "round_begun", None, begun)
    for room, group in zip(rooms, groups, strict=True):
        planned = _group_in_round(its, cohort, room, group)._replace(about=about)
        _form_group(its, planned, how, random)


def _group_in_round(its: InLobby, cohort: Cohort, room: str, group: Sequence[str]) -> _Planned:
    """A group of a round: partners keep their order and parts, for all others they are drawn."""
    settings, condition = its.settings, cohort.condition
    bots = _stand_ins(its, condition, group) if settings.short == "stand_in" else ()
    if settings.rematch != "partners" or cohort.round == 1:
        return _drawn_group(its, room, group, condition, bots)
    people = its.people.people
    parts = {person: people[person].part for person in group}
    free = Counter(settings.parts or {}) - Counter(part for part in parts.values() if part)
    return _Planned(
        room, group, {**parts, **dict(zip(bots, free.elements(), strict=False))}, condition, bots
    )
