"""What there is to say of a study, for the experimenter: settings, lobbies, people and ends."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, cast

from shiny_labchat.domain.commands.lobby import lobby_log
from shiny_labchat.domain.ended import condition_text, ends_in, in_units, unsaid_ends
from shiny_labchat.domain.ends import REASONS, UNPAID, End
from shiny_labchat.domain.lobby import LobbyState
from shiny_labchat.domain.lobby_settings import LobbySettings
from shiny_labchat.domain.settings import Settings
from shiny_labchat.domain.study import Group, Participation, StudyState
from shiny_labchat.lab.runtime import Runtime
from shiny_labchat.store import lobbies
from shiny_labchat.study.study import Study

__all__ = ["NOT_SHOWN", "overview", "people_of"]

NOT_SHOWN = ("ends", "has_lobby", "seed")
"""Settings of a study that the overview has elsewhere."""


async def overview(study: Study) -> dict[str, Any]:
    """
    A study as it is now, as JSON values.

    Returns
    -------
    dict
        ``study``, ``seed``, ``settings`` (and ``code``: what the app's code says of those that were
        changed since), ``people`` (see `people_of`), ``ends``, ``unsaid`` (the reasons to which
        people have come, or may come, and which have no end), ``lobbies`` and ``conditions``.
    """
    state = await study.state()
    waited = await study.log.read(lambda conn: lobbies(conn, study.name))
    logs = Runtime.of(study.log).live.logs
    found = {id: cast(LobbyState, await logs.read(lobby_log(study.name, id))) for id in waited}
    settings = _settings(state.settings)
    return {
        "study": study.name,
        "seed": state.settings.get("seed") or state.seed,
        "settings": {name: settings[name] for name in settings if name not in NOT_SHOWN},
        "code": _changed(state.settings),
        "people": people_of(state),
        "ends": (ends := _ends(state)),
        "unsaid": _unsaid(state, ends),
        "lobbies": [_lobby(id, lobby) for id, lobby in found.items()],
        "conditions": [row for id, lobby in found.items() for row in _conditions(state, id, lobby)],
    }


def _settings(settings: Settings) -> dict[str, Any]:
    return {name: settings.now[name] for name in sorted(settings.now)}


def _changed(settings: Settings) -> dict[str, Any]:
    """What the code says of settings that were changed while the study was in use."""
    now = settings.now
    return {name: said for name, said in sorted(settings.code.items()) if now.get(name) != said}


def people_of(state: StudyState) -> dict[str, Any]:
    """
    How many people of a study do what.

    Returns
    -------
    dict
        ``came``: all; ``at_consent``: they have not answered yet; ``take_part``; and ``ended``, by
        reason.
    """
    people = state.people.values()
    asked = state.settings.get("consent") is not None
    here = [each for each in people if each.ended is None]
    at_consent = sum(asked and each.consent is None for each in here)
    return {
        "came": len(people),
        "at_consent": at_consent,
        "take_part": len(here) - at_consent,
        "ended": dict(_reasons(people).most_common()),
    }


def _reasons(people: Iterable[Participation]) -> Counter[str]:
    return Counter(each.ended.reason for each in people if each.ended is not None)


# ── ends ──


def _ends(state: StudyState) -> list[dict[str, Any]]:
    """Each reason that has an end, to which people have come, or may come without one."""
    ends, reached = ends_in(state.settings), _reasons(state.people.values())
    known = {*ends, *reached, *unsaid_ends(state.settings.now)}
    order = [*(each for each in REASONS if each in known), *sorted(known - {*REASONS})]
    return [_end(reason, reached[reason], ends.get(reason)) for reason in order]


def _unsaid(state: StudyState, ends: Iterable[Mapping[str, Any]]) -> list[str]:
    """The reasons of which a study with ends says nothing, though people may be due something."""
    if not state.settings.get("ends"):
        return []
    return [each["reason"] for each in ends if not (each["is_said"] or each["reason"] in UNPAID)]


def _end(reason: str, people: int, end: End | None) -> dict[str, Any]:
    said = {} if end is None else {"code": end.code, "url": end.url, "text": end.text}
    if end is not None:
        said |= {"pay": end.pay if end.cents is None else in_units(end.cents)}
        said |= {"debrief": end.debrief}
    return {"reason": reason, "people": people, "is_said": end is not None, **said}


# ── lobbies and conditions ──


def _lobby(id: str, lobby: LobbyState) -> dict[str, Any]:
    statuses = Counter(place.status for place in lobby.places.values())
    return {
        "lobby": id,
        "settings": LobbySettings.of(lobby.settings)._asdict(),
        "code": _changed(lobby.settings),
        "waiting": statuses["waiting"] + statuses["matched"] + statuses["missed"],
        "grouped": statuses["grouped"],
    }


def _conditions(state: StudyState, id: str, lobby: LobbyState) -> list[dict[str, Any]]:
    """By condition, its groups and what their people do; also those that have no group yet."""
    cells = LobbySettings.of(lobby.settings).cells
    groups: dict[str, list[Group]] = {condition_text(cell) or "": [] for cell in cells}
    for group in state.groups.values():
        if group.lobby == id:
            groups.setdefault(condition_text(group.condition) or "", []).append(group)
    known = {text: some for text, some in groups.items() if text or some or len(groups) == 1}
    return [_condition(state, id, text, some) for text, some in known.items()]


def _condition(state: StudyState, lobby: str, text: str, groups: list[Group]) -> dict[str, Any]:
    ids = dict.fromkeys(each for group in groups for each in group.people)  # once for all rounds
    people = [state.people[each] for each in ids]
    reasons = _reasons(people)
    return {
        "lobby": lobby,
        "condition": text,
        "groups": len(groups),
        "dissolved": sum(group.dissolved is not None for group in groups),
        "people": len(people),
        "take_part": len(people) - reasons.total(),
        "complete": reasons["complete"],
        "ended_otherwise": reasons.total() - reasons["complete"],
    }
