"""The rules for a lobby and the people who wait in it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

from shiny_labchat.domain import pseudonyms
from shiny_labchat.domain.commands.lobby import (
    Advance,
    Confirm,
    DescribeLobby,
    EnterLobby,
    LobbySigns,
    Ready,
    TakeName,
    WaitLonger,
    lobby_log,
)
from shiny_labchat.domain.decide.forming import form, signs_of
from shiny_labchat.domain.decide.in_lobby import InLobby
from shiny_labchat.domain.decide.leaving import leave_lobby, requeue_others
from shiny_labchat.domain.decide.proposals import groups_proposed, steps_proposed
from shiny_labchat.domain.decide.study import person_in, study_in
from shiny_labchat.domain.decide.together import Decided, RuleTogether
from shiny_labchat.domain.events import LogKey
from shiny_labchat.domain.grouping import Waiting, check_groups, propose, spread
from shiny_labchat.domain.lobby import LobbyState, Match, Place
from shiny_labchat.domain.lobby_settings import BY_APP
from shiny_labchat.domain.logs import States
from shiny_labchat.errors import Refused

__all__ = ["RULES"]

FIXED = ("group_size", "conditions", "cohort", "rounds", "rematch")
"""The settings of a lobby that cannot change once its study has people."""
LONGEST_NAME = 30
"""Longest pseudonym that somebody can choose, in characters."""
SECOND = 1_000_000
"""Microseconds."""


def _describe(states: States, command: DescribeLobby, at: int) -> Decided:
    decided = Decided(states, at)
    log = lobby_log(command.study, command.lobby)
    state = cast(LobbyState, decided.now(log))
    settings, given = state.settings, command.settings
    change = settings.described(given) if command.is_default else settings.configured(given)
    if study_in(states, command.study).people.size:
        settings.check_fixed(change, FIXED)
    if change or state.seq == 0:
        seed = {"seed": command.seed} if state.seq == 0 else {}
        decided.add(log, "configured", None, {**seed, **change.data})
    return decided


def _enter(states: States, command: EnterLobby, at: int) -> Decided:
    its = _Lobby.of(states, command, at)
    person = person_in(its.people, command.person)
    is_asked = its.settings.names == "ask" and not person.chose_name
    place = its.state.places.get(command.person)
    if place is not None and place.status not in ("left", "missed"):
        if place.status != "naming" or is_asked:
            return its.decided
    if its.is_full(command.person):
        return its.decided
    if person.lobby != command.lobby:
        its.decided.add(its.study, "entered", command.person, {"lobby": command.lobby})
    its.decided.add(its.log, "name_asked" if is_asked else "entered", command.person)
    return its.decided


def _take_name(states: States, command: TakeName, at: int) -> Decided:
    its = _Lobby.of(states, command, at)
    person = person_in(its.people, command.person)
    place = its.state.places.get(command.person)
    if place is None or place.status != "naming":
        return its.decided
    if not person.chose_name:
        name = _as_name(command.name, its.people.names(but=command.person))
        its.decided.add(its.study, "named", command.person, {"name": name, "chosen": True})
    if not its.is_full(command.person):
        its.decided.add(its.log, "entered", command.person)
    return its.decided


def _as_name(given: str, taken: Sequence[str]) -> str:
    """A name as somebody has typed it; refused if it is none, or if others have it."""
    name = pseudonyms.plain(given)
    # What stands for a number in a template would be replaced.
    if not 0 < len(name) <= LONGEST_NAME or "{n}" in name:
        raise Refused("bad_name")
    if not pseudonyms.fits(name, taken):
        raise Refused("name_taken")
    return name


def _wait_longer(states: States, command: WaitLonger, at: int) -> Decided:
    its = _Lobby.of(states, command, at)
    if its.place(command.person).extended >= its.settings.extends:
        raise Refused("no_longer", member=command.person)
    its.decided.add(its.log, "extended", command.person)
    return its.decided


def _confirm(states: States, command: Confirm, at: int) -> Decided:
    its = _Lobby.of(states, command, at)
    if its.place(command.person).prompted is not None:
        its.decided.add(its.log, "idle_confirmed", command.person)
    return its.decided


def _ready(states: States, command: Ready, at: int) -> Decided:
    its = _Lobby.of(states, command, at)
    match = its.state.matches.get(command.match)
    if match is None or command.person not in match.people or at > match.until:
        raise Refused("too_late", member=command.person)
    if command.person not in match.ready:
        its.decided.add(its.log, "ready", command.person, {"number": match.number})
    if its.state.matches[match.number].are_all_ready and not its.settings.asks:
        signs = signs_of(
            command
        )  # who answers is there, though they may not have been asked lately
        seen = {**signs.seen, command.person: at}
        its.conclude(match.number, replace(command, signs=replace(signs, seen=seen)))
    return its.decided


def _advance(states: States, command: Advance, at: int) -> Decided:
    its = _Lobby.of(states, command, at)
    for match in list(its.state.matches.values()):
        if at > match.until or match.are_all_ready:
            its.conclude(match.number, command)
    for person in its.state.here():
        its.attend(person, command)
    its.match(command)
    return its.decided


@dataclass(frozen=True, slots=True)
class _Lobby(InLobby):
    """A lobby, and the people who wait in it."""

    def place(self, person: str) -> Place:
        """The place of somebody who is in the lobby."""
        place = self.state.places.get(person)
        if place is None or place.status in ("naming", "grouped", "left"):
            raise Refused("not_waiting", member=person)
        return place

    def is_full(self, person: str) -> bool:
        """Whether there is no place for somebody; then their part in the study ends."""
        free = self._free_places()
        if free is None or free > 0:
            return False
        self.decided.add(self.log, "full", person)
        self.end(person, "full")
        return True

    def _free_places(self) -> int | None:
        """How many more people may have a place; None: there is no limit."""
        if self.settings.capacity is None:
            return None
        taken = sum(each.status not in ("naming", "left") for each in self.state.places.values())
        return max(0, self.settings.capacity - taken)

    # ── those whose time is over ──

    def attend(self, person: str, command: Advance) -> None:
        """Ask or end somebody who does not answer, has gone, or has waited long enough."""
        at, settings, place = self.decided.at, self.settings, self.state.places[person]
        # What was done for those before may have matched or ended this person.
        if place.status not in ("waiting", "missed"):
            return
        if place.prompted is not None and at > place.prompted:
            self.end(place.person, "idle")
        elif at > self.deadline(place):
            self._time_out(place, command)
        elif at - self._last_seen(place, signs_of(command)) > settings.grace * SECOND:
            leave_lobby(self.decided, self.log, place.person, "gone")
        elif self._seems_idle(place, signs_of(command)):
            assert settings.idle_prompt is not None
            until = at + int(settings.idle_prompt[1] * SECOND)
            self.decided.add(self.log, "idle_prompt", place.person, {"until": until})

    def deadline(self, place: Place) -> int:
        """Until when somebody waits at most."""
        return self.settings.deadline(place.since, place.extended)

    def _last_seen(self, place: Place, signs: LobbySigns) -> int:
        """When somebody was last here, as far as anybody has asked."""
        return max(signs.seen.get(place.person, place.since), signs.asked_since)

    def _seems_idle(self, place: Place, signs: LobbySigns) -> bool:
        idle = signs.idle.get(place.person)
        if self.settings.idle_prompt is None or idle is None or place.prompted is not None:
            return False
        since = max(idle, place.since, place.confirmed)
        return self.decided.at - since > self.settings.idle_prompt[0] * SECOND

    def _time_out(self, place: Place, command: Advance) -> None:
        is_missed = place.status == "missed"
        steps = [] if is_missed else steps_proposed(self.settings, command, place.person)
        self.decided.add(self.log, "timeout", place.person)
        for step in steps:
            if step in ("smaller", "stand_ins"):
                if self._match_with_others(place.person, command, is_filled=step == "stand_ins"):
                    return
            elif step == "wait":
                self.decided.add(self.log, "extended", place.person)
                return
            else:
                self.end(place.person, "lobby_timeout" if step == "leave" else step)
                return
        self.end(place.person, "not_ready" if is_missed else "lobby_timeout")

    def _match_with_others(self, person: str, command: Advance, *, is_filled: bool) -> bool:
        """
        Match somebody with whoever else is there; whether there are enough.

        `is_filled`: bots fill the places that are empty.
        """
        here, settings = self._alive(signs_of(command)), self.settings
        most = settings.most_of(len(here))
        others = [each for each in here if each != person][: max(0, most - 1)]
        people = [each for each in here if each == person or each in others]
        least = settings.size.min - settings.fills if is_filled else 2
        if person not in here or len(people) < least or frozenset(people) in command.held:
            return False
        self._match_people(people, command, is_filled=is_filled)
        return True

    # ── matching ──

    def match(self, command: Advance) -> None:
        """Match those who are there, as far as they make groups."""
        opens = self.settings.opens
        if opens is not None and self.decided.at < opens:
            return
        for people in self._proposed(command):
            if frozenset(people) not in command.held:
                self._match_people(people, command)

    def _proposed(self, command: Advance) -> Sequence[Sequence[str]]:
        settings, number = self.settings, self.next_number
        here = self._alive(signs_of(command))
        if command.everyone:
            here += self._elsewhere(signs_of(command))
        at, state = self.decided.at, self.state
        waiting = [Waiting(person, state.waits_since(person, at)) for person in here]
        is_on = settings.start == "auto" or command.leftover is not None
        if settings.pick == BY_APP and is_on:
            groups = groups_proposed(command, here, settings.matched.min)
            return check_groups([list(each) for each in groups], waiting, settings.matched)
        met = {person: self.people.met(person) for person in here} if settings.avoid else {}
        if command.leftover is not None:
            how = settings.matched, command.leftover, self.seed, number
            return spread(here, *how, avoid=settings.avoids, met=met).groups
        if not is_on:
            return ()
        return propose(
            *(waiting, settings.matched),
            pick=settings.picks,
            batch=settings.batch,
            avoid=settings.avoids,
            met=met,
            settle=settings.settle,
            now=self.decided.at,
            seed=self.seed,
            number=number,
        )

    def _alive(self, signs: LobbySigns) -> list[str]:
        """Those in the queue who are there, the front first."""
        state = self.state
        asked = (person for person in state.queue if state.places[person].prompted is None)
        return self._seen(asked, signs)

    def _elsewhere(self, signs: LobbySigns) -> list[str]:
        """Those who take part in the study and are there, but have no place here."""
        places, settings = self.state.places, self.settings
        free = self._free_places()
        out = (
            each.person
            for each in self.people.present()
            if (each.person not in places or places[each.person].status in ("left", "missed"))
            and (settings.names != "ask" or each.chose_name)
        )
        return self._seen(out, signs)[:free]

    def _seen(self, people: Iterable[str], signs: LobbySigns) -> list[str]:
        oldest = self.decided.at - int(self.settings.alive * SECOND)
        return [person for person in people if signs.seen.get(person, 0) >= oldest]

    def _bring(self, person: str) -> None:
        """Have somebody wait here who does not, wherever else in the study they are."""
        place, other = self.state.places.get(person), self.people.people[person].lobby
        if place is not None and place.status == "waiting":
            return
        if other != self.name:
            if other is not None:
                self._leave_other(lobby_log(self.study.study, other), person)
            self.decided.add(self.study, "entered", person, {"lobby": self.name})
        self.decided.add(self.log, "entered", person)

    def _leave_other(self, lobby: LogKey, person: str) -> None:
        place = cast(LobbyState, self.decided.now(lobby)).places.get(person)
        if place is not None and place.status != "grouped":
            leave_lobby(self.decided, lobby, person, "moved")

    def _match_people(
        self, people: Sequence[str], command: Advance, *, is_filled: bool = False
    ) -> None:
        for person in people:
            self._bring(person)
        number, at = self.state.number + 1, self.decided.at
        until = at + int((self.settings.ready or 0) * SECOND)
        data: dict[str, Any] = {"number": number, "people": list(people), "until": until}
        data |= {"filled": True} if is_filled else {}
        self.decided.add(self.log, "matched", None, data)
        if self.settings.ready is None:
            form(self, number, people, command)

    def conclude(self, number: int, command: Advance | Ready) -> None:
        """Group those of a ready check if all are ready and there; else send them back."""
        match = self.state.matches[number]
        oldest = self.decided.at - int(self.settings.alive * SECOND)
        seen = signs_of(command).seen
        there = [each for each in match.people if seen.get(each, 0) >= oldest]
        ready = [each for each in there if each in match.ready]
        if len(ready) == len(match.people):
            self._group_if_possible(match, command)
            return
        missing = [each for each in match.people if each not in ready]
        for person in missing:
            self._miss(person, number)
        requeue_others(self.decided, self.log, number)

    def _group_if_possible(self, match: Match, command: Advance | Ready) -> None:
        """Group people; if their condition is not known in time, they go on waiting."""
        is_held = isinstance(command, Advance) and frozenset(match.people) in command.held
        if not is_held:
            form(self, match.number, match.people, command)
        elif self.decided.at > match.until:
            requeue_others(self.decided, self.log, match.number)

    def _miss(self, person: str, number: int) -> None:
        self.decided.add(self.log, "not_ready", person, {"number": number})
        if self.state.places[person].missed > 1:
            self.end(person, "not_ready")


RULES: dict[type, RuleTogether] = {
    Advance: _advance,
    Confirm: _confirm,
    DescribeLobby: _describe,
    EnterLobby: _enter,
    Ready: _ready,
    TakeName: _take_name,
    WaitLonger: _wait_longer,
}
