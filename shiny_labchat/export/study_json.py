"""``study.json``: all settings as the log has them, and each change of any with its time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

from shiny_labchat.domain.settings import Settings
from shiny_labchat.domain.state import RoomState
from shiny_labchat.export.disguise import Disguise
from shiny_labchat.export.facts import StudyFacts
from shiny_labchat.export.times import as_iso

__all__ = ["room_settings", "study_json"]


def study_json(studies: Iterable[tuple[StudyFacts, Disguise]]) -> dict[str, Any]:
    """What ``study.json`` says of some studies, with what is shown of their people."""
    return {"studies": [_study(facts, disguise) for facts, disguise in studies]}


def _study(facts: StudyFacts, disguise: Disguise) -> dict[str, Any]:
    return {
        "study": facts.name,
        "seed": facts.state.seed or None,
        **_settings(facts.state.settings, disguise),
        "changes": _changes(map(disguise.value, facts.changes)),
        "lobbies": [
            {
                "lobby": disguise.name(id),
                "seed": lobby.seed or None,
                **_settings(lobby.settings, disguise),
                "changes": _changes(map(disguise.value, lobby.changes)),
            }
            for id, lobby in facts.lobbies.items()
        ],
        "rooms": facts.rooms,
    }


def _settings(settings: Settings, disguise: Disguise) -> dict[str, Any]:
    """Settings as they are, and those of which the app's code says something else."""
    differs = {
        name: value
        for name, value in settings.code.items()
        if name not in settings.now or settings.now[name] != value
    }
    return {
        "settings": disguise.value(dict(settings.now)),
        "code_says": disguise.value(differs),
    }


def _changes(changes: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [{**change, "at": as_iso(change["at"])} for change in changes]


def room_settings(
    room: str, state: RoomState, changes: Iterable[Mapping[str, Any]], disguise: Disguise
) -> dict[str, Any]:
    """What ``study.json`` says of a room; by the seed of its pseudonyms, ids could be guessed."""
    hides_seed = disguise.hides_ids
    if hides_seed:
        changes = [{k: v for k, v in change.items() if k != "seed"} for change in changes]
    return {
        "room": room,
        "seed": None if hides_seed else state.seed or None,
        "title": disguise.value(state.title),
        "write": state.write,
        "rules": {**asdict(state.rules), **state.unknown_rules},
        "changes": _changes(map(disguise.value, changes)),
    }
