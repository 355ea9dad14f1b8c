"""What is stored of a study, in words for the experimenter. Pure."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from textwrap import shorten
from typing import Any, cast
from urllib.parse import urlsplit

from shiny_labchat.domain.lobby_settings import BY_APP, LobbySettings
from shiny_labchat.domain.rules import Rules

__all__ = ["end_cells", "lobby_rows", "people_rows", "setting_rows"]

LONGEST = 70
"""The most characters of a text that are printed."""


def setting_rows(about: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The settings of a study, each with its value in words."""
    settings: Mapping[str, Any] = about["settings"]
    rows = [("seed", _value(about["seed"]))]
    for name, value in settings.items():
        if name == "consent":
            rows += _consent(value)
        elif name in _IN_LINE:
            rows.append((name, _IN_LINE[name](value)))
        elif name in _IN_WORDS:
            label, *words = _IN_WORDS[name]
            rows.append((label, words[not value]))
        else:
            rows.append((name, _debrief(value) if name == "debrief" else _value(value)))
    changed = (each for each in about["code"].items() if each[0] in settings)
    return rows + [(f"{name}, as the code says", _value(value)) for name, value in changed]


def _environment(value: Mapping[str, Any]) -> str:
    packages = (f"{name} {version}" for name, version in value["packages"].items() if version)
    return ", ".join([f"Python {value['python']}", *packages, f"{len(value['files'])} files"])


def _bots(value: Sequence[Mapping[str, Any]]) -> str:
    return ", ".join(bot["id"] for bot in value)


_IN_LINE: Mapping[str, Callable[[Any], str]] = {"bots": _bots, "environment": _environment}
"""How settings are printed that would be long."""

_IN_WORDS = {
    "closed": ("new people", "nobody new takes part", "may take part"),
    "deceives": ("bots", "one is shown as a person", "all are disclosed"),
    "replaces": ("who leaves", "a bot may go on in their place", "nobody goes on in their place"),
}


def _consent(consent: Mapping[str, Any]) -> list[tuple[str, str]]:
    required = consent.get("required") or ()
    rows = [("consent", f"version {consent['version']}: {_short(consent['text'])}")]
    items: Mapping[str, str] = consent.get("items") or {}
    for id, text in items.items():
        rows.append((f"consent: {id}", f"{_short(text)}{' (required)' * (id in required)}"))
    return rows


def _debrief(debrief: Mapping[str, Any]) -> str:
    asks = "; asks whether the data may be kept" if debrief.get("keep") else ""
    return f"{_short(debrief['text'])}{asks}"


def people_rows(people: Mapping[str, Any]) -> list[tuple[str, str]]:
    """How many people do what."""
    named = {"came": "came", "at_consent": "at the consent", "take_part": "take part"}
    rows = [(label, str(people[name])) for name, label in named.items()]
    return rows + [(f"ended: {reason}", str(n)) for reason, n in people["ended"].items()]


def end_cells(end: Mapping[str, Any], currency: str | None) -> list[str]:
    """An end's row: the reason, how many people, pay, code, where it leads, and the debrief."""
    cells = [end["reason"], str(end["people"])]
    if not end["is_said"]:
        return [*cells, "not said", "none", "", "by default"]
    pay = end["pay"] if end["pay"].isalpha() else f"{end['pay']} {currency or 'USD'}"
    leads_to = urlsplit(str(end["url"])).netloc if end["url"] else ""
    debrief = {None: "by default", True: "yes", False: "no"}[end["debrief"]]
    return [*cells, pay, end["code"] or "none", leads_to, debrief]


# ── lobbies ──


def lobby_rows(lobby: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """The settings of a lobby: option, value, and what else there is to say of it."""
    usual = LobbySettings()._asdict()
    rows: list[tuple[str, str, str]] = []
    for name, value in lobby["settings"].items():
        note = "default" if _plain(value) == _plain(usual[name]) else ""
        if name in lobby["code"]:
            note = f"the code says {_of_lobby(name, lobby['code'][name])}"
        rows.append((name, _of_lobby(name, value), note))
    template = LobbySettings(**lobby["settings"]).template
    return [(name, template if name == "rooms" else value, note) for name, value, note in rows]


def _plain(value: object) -> object:
    return json.loads(json.dumps(value))


SECONDS = ("settle", "max_wait", "extend", "ready", "alive", "grace", "within")
"""The options of a lobby that are times."""


def _of_lobby(name: str, value: Any) -> str:
    if value is None:
        return "none"
    match name:
        case "group_size":
            return _size(value)
        case "idle_prompt":
            return f"after {value[0]:g} s, {value[1]:g} s to answer"
        case "opens":
            return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=value)).isoformat()
        case "rules":
            return _rules(value)
        case "network" if isinstance(value, Mapping):
            return _network(cast("Mapping[str, Any]", value))
        case _ if name in SECONDS:
            return f"{value:g} s"
        case _:
            return "a function of the app" if value == BY_APP else _value(value)


def _size(size: Sequence[int]) -> str:
    least, ideal, largest = size
    return str(ideal) if least == largest else f"{least} to {largest}, ideally {ideal}"


def _network(network: Mapping[str, Any]) -> str:
    if "star" in network:
        return f"star:{network['star']}"
    return "; ".join(f"{hearer} hears {speaker}" for speaker, hearer in network["edges"])


def _rules(rules: Mapping[str, Any]) -> str:
    """The rules that are not the usual ones."""
    usual = {field: getattr(Rules(), field) for field in Rules.__dataclass_fields__}
    other = {k: v for k, v in rules.items() if _plain(v) != _plain(usual.get(k))}
    return ", ".join(f"{name}={_value(value)}" for name, value in other.items()) or "the usual ones"


# ── values ──


def _value(value: Any) -> str:
    """A JSON value as a person would write it."""
    if value is None or isinstance(value, bool):
        return {None: "none", True: "yes", False: "no"}[value]
    if isinstance(value, Mapping):
        items = cast("Mapping[str, Any]", value).items()
        return "; ".join(f"{name}: {_value(each)}" for name, each in items)
    if isinstance(value, list | tuple):
        return ", ".join(map(_value, cast("Sequence[Any]", value)))
    return f"{value:g}" if isinstance(value, float) else str(value)


def _short(text: str) -> str:
    return shorten(text, LONGEST, placeholder="…")
