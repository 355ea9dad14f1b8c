"""What the logs of a study and of its lobbies say of its people, before any room is read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from shiny_labchat.domain.events import Event
from shiny_labchat.domain.lobby_settings import LobbySettings
from shiny_labchat.domain.settings import Settings
from shiny_labchat.domain.study import Participation, StudyState, fold_all_study
from shiny_labchat.export.source import Source
from shiny_labchat.store.exporting import LogHead

__all__ = ["LobbyFacts", "PersonFacts", "Stay", "StudyFacts", "change_of", "scan_study"]


@dataclass(slots=True)
class Stay:
    """
    Waiting in a lobby.

    Parameters
    ----------
    lobby
        The lobby's id.
    since, until
        When it began and ended, in microseconds since 1970 (UTC); None: it goes on.
    room
        The room of the group with which it ended; None: it ended otherwise.
    """

    lobby: str
    since: int
    until: int | None = None
    room: str | None = None


@dataclass(slots=True)
class PersonFacts:
    """
    What is known of somebody beyond their `Participation`.

    Parameters
    ----------
    device, language
        What their browser said when they came.
    debriefed_at, withdrew_at
        When that was, in microseconds since 1970 (UTC).
    stays
        Their waiting in lobbies, oldest first.
    started, finished
        Whether the time of the room of their last group has begun, and whether they were there to
        its end.
    """

    device: str | None = None
    language: str | None = None
    debriefed_at: int | None = None
    withdrew_at: int | None = None
    stays: list[Stay] = field(default_factory=list[Stay])
    started: bool = False
    finished: bool = False

    def stay(self, room: str | None) -> Stay | None:
        """Their waiting for a room; if there was none, or no room is given, the last one."""
        for stay in self.stays:
            if room is not None and stay.room == room:
                return stay
        return self.stays[-1] if self.stays else None


@dataclass(slots=True)
class LobbyFacts:
    """
    What is known of a lobby.

    Parameters
    ----------
    seed, settings
        Its seed, and its settings as they are.
    changes
        Each change of these: the event's time, seq and data.
    blocks
        By room, the number of the block in which the condition was drawn.
    """

    seed: str = ""
    settings: Settings = Settings()
    changes: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    blocks: dict[str, int | None] = field(default_factory=dict[str, "int | None"])


@dataclass(slots=True)
class StudyFacts:
    """
    What is known of a study.

    Parameters
    ----------
    name
        The study.
    state
        Its state.
    people
        What else is known of its people, by id.
    lobbies
        Its lobbies, by id.
    changes
        Each change of its settings: the event's time, seq and data.
    rooms
        The settings of its rooms, as they come.
    seq
        The seq up to which its log was read.
    """

    name: str
    state: StudyState = StudyState()
    people: dict[str, PersonFacts] = field(default_factory=dict[str, PersonFacts])
    lobbies: dict[str, LobbyFacts] = field(default_factory=dict[str, LobbyFacts])
    changes: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    rooms: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    seq: int = 0

    def person(self, id: str) -> PersonFacts:
        """What is known of somebody."""
        return self.people.setdefault(id, PersonFacts())

    def participation(self, id: str) -> Participation | None:
        """Somebody as the state of the study has them; None: they are not one of its people."""
        return self.state.people.get(id)

    @property
    def currency(self) -> str:
        """The currency's code."""
        return self.state.settings.get("currency") or "USD"

    def items(self) -> list[str]:
        """The ids of all items of its consents, in the order in which they were first asked."""
        found: dict[str, None] = {}
        for change in self.changes:
            settings: Mapping[str, Any] = change.get("settings", {})
            consent: Mapping[str, Any] = settings.get("consent") or {}
            found |= dict.fromkeys(consent.get("items") or ())
        for person in self.state.people.values():
            if person.consent is not None:
                found |= dict.fromkeys(person.consent.answers)
        return list(found)

    def factors(self) -> list[str]:
        """The names of all factors of its conditions."""
        settings = (LobbySettings.of(each.settings).conditions for each in self.lobbies.values())
        drawn = (group.condition for group in self.state.groups.values())
        found: dict[str, None] = {}
        for condition in (*settings, *drawn):
            if isinstance(condition, Mapping):
                found |= dict.fromkeys(map(str, cast("Mapping[Any, Any]", condition)))
        return list(found)


def scan_study(source: Source, name: str, heads: Iterable[LogHead]) -> StudyFacts:
    """Read the logs of a study and of its lobbies."""
    facts = StudyFacts(name)
    for head in heads:
        match head.key.kind:
            case "study":
                facts.seq = head.seq
                events = _noting_people(facts, source.events(head))
                facts.state = fold_all_study(StudyState(), events)
            case "lobby":
                lobby = facts.lobbies[head.key.id] = LobbyFacts()
                _scan_lobby(facts, lobby, head.key.id, source.events(head))
            case "room":
                pass
    return facts


def _noting_people(facts: StudyFacts, events: Iterable[Event]) -> Iterator[Event]:
    """The same events; what the state does not keep of them is noted."""
    for event in events:
        data = event.data
        match event.kind:
            case "configured":
                facts.changes.append(change_of(event))
            case "arrived":
                person = facts.person(event.member or "")
                person.device, person.language = data.get("device"), data.get("language")
            case "debriefed":
                facts.person(event.member or "").debriefed_at = event.at
            case "withdrawn":
                facts.person(event.member or "").withdrew_at = event.at
            case _:
                pass
        yield event


def change_of(event: Event) -> dict[str, Any]:
    """A change of settings, as ``study.json`` has it."""
    return {"seq": event.seq, "at": event.at, **event.data}


def _scan_lobby(facts: StudyFacts, lobby: LobbyFacts, id: str, events: Iterable[Event]) -> None:
    waiting: dict[str, Stay] = {}
    for event in events:
        data, member = event.data, event.member or ""
        match event.kind:
            case "configured":
                lobby.changes.append(change_of(event))
                lobby.seed = data.get("seed", lobby.seed)
                lobby.settings = lobby.settings.after(data)
            case "entered" if member not in waiting:
                stay = waiting[member] = Stay(id, event.at)
                facts.person(member).stays.append(stay)
            case "left" if member in waiting:
                waiting.pop(member).until = event.at
            case "grouped":
                lobby.blocks[data["room"]] = data.get("block")
                for each in data["people"]:
                    if (ended := waiting.pop(each, None)) is not None:
                        ended.until, ended.room = event.at, data["room"]
            case _:
                pass
