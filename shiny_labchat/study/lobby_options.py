"""What an app says of a lobby, checked, as JSON values."""

from __future__ import annotations

import glob
import string
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, cast

from shiny_labchat.arguments import as_id, check_choice, check_count, check_function, check_number
from shiny_labchat.domain.given_network import as_group_network
from shiny_labchat.domain.grouping import GroupSize, cells, check_parts
from shiny_labchat.domain.lobby_settings import BY_APP
from shiny_labchat.domain.rules import Rules
from shiny_labchat.study.round_options import check_rounds

__all__ = ["Functions", "checked", "rooms_glob"]

LEAST_ALIVE = 5
"""Shortest time within which a page must have answered, in seconds: it is asked twice in it."""


@dataclass(frozen=True, slots=True)
class Functions:
    """
    The app's functions that propose something for a lobby; None: there is none.

    Parameters
    ----------
    pick
        Takes the people who wait; returns groups of them.
    conditions
        Takes the people of a group; returns its condition.
    balance
        Takes the people of a group, and the conditions with the number of groups in each; returns
        one of the conditions.
    on_timeout
        Each takes a person; see `Lobby`.
    rematch
        Takes the number of a round, the people of a cohort, and whom each has met; returns groups.
    """

    pick: Callable[..., Any] | None = None
    conditions: Callable[..., Any] | None = None
    balance: Callable[..., Any] | None = None
    on_timeout: Sequence[Callable[..., Any]] = ()
    rematch: Callable[..., Any] | None = None


def checked(given: Mapping[str, Any]) -> tuple[dict[str, Any], Functions]:
    """
    Check the arguments of a lobby that are stored; return them as JSON values, and the functions.

    Parameters
    ----------
    given
        The arguments, by name.
    """
    size = GroupSize.of(given["group_size"])
    functions = Functions(
        pick=_function("pick", given["pick"], "waiting"),
        conditions=_function("conditions", given["conditions"], "people"),
        balance=_function("balance", given["balance"], "people", "counts"),
        on_timeout=[fn for fn in _steps(given["on_timeout"]) if callable(fn)],
        rematch=_function("rematch", given["rematch"], "round", "people", "met"),
    )
    _check_grouping(given, size, functions)
    check_rounds(given, size)
    _check_times(given)
    _check_choices(given)
    return {
        **_plain(given),
        "group_size": list(size),
        "pick": _or_app(given["pick"]),
        "conditions": _or_app(given["conditions"]),
        "balance": _or_app(given["balance"]),
        "on_timeout": [_or_app(each) for each in given["on_timeout"]],
        "opens": _opens(given["opens"]),
        "rooms": _rooms(given["rooms"], given["cohort"] is not None or given["rounds"] > 1),
        "rematch": _or_app(given["rematch"]),
        "next_on": None if given["next_on"] is None else as_id("next_on", given["next_on"]),
        "rules": _rules(given["rules"]),
        "network": as_group_network(given["network"], given["parts"], size.max),
        "title": None if given["title"] is None else as_id("title", given["title"]),
        "idle_prompt": None if given["idle_prompt"] is None else list(given["idle_prompt"]),
    }, functions


_PLAIN = (
    *("settle", "batch", "capacity", "start", "count", "parts", "avoid", "max_wait", "extends"),
    *("extend", "ready", "on_not_ready", "alive", "grace", "sound", "blink_title", "show_count"),
    *("show_wait", "names", "identity", "cohort", "rounds", "within", "short"),
)
"""The arguments that are stored as they are given."""


def _plain(given: Mapping[str, Any]) -> dict[str, Any]:
    plain = {name: given[name] for name in _PLAIN}
    return {**plain, "parts": None if given["parts"] is None else dict(given["parts"])}


def _or_app(value: Any) -> Any:
    return BY_APP if callable(value) else value


def _function(what: str, value: object, *takes: str) -> Callable[..., Any] | None:
    if not callable(value):
        return None
    check_function(what, value, *takes)
    return value


# ── groups ──


def _check_grouping(given: Mapping[str, Any], size: GroupSize, functions: Functions) -> None:
    if functions.pick is None:
        check_choice("pick", given["pick"], ("arrival", "random"), also="a function")
    elif given["batch"] is not None:
        raise ValueError("batch cannot be given where pick is a function, which sees who waits")
    check_count("batch", given["batch"], size.min, or_none=True)
    conditions = given["conditions"]
    if functions.conditions is None:
        cells(conditions)
    if functions.balance is None:
        check_choice("balance", given["balance"], ("block", "rotate", "random"), also="a function")
    elif conditions is None or functions.conditions is not None:
        raise ValueError("balance can be a function only where conditions names the conditions")
    check_choice("count", given["count"], ("running",))
    check_parts(given["parts"], size)
    check_choice("avoid", given["avoid"], ("prefer", "never", None))
    check_choice("start", given["start"], ("auto", "code"))
    check_count("capacity", given["capacity"], 1, or_none=True)


# ── times ──


def _check_times(given: Mapping[str, Any]) -> None:
    check_number("settle", given["settle"], least=0)
    check_number("max_wait", given["max_wait"], above=0)
    check_count("extends", given["extends"], 0)
    check_number("extend", given["extend"], above=0)
    check_number("ready", given["ready"], above=0, or_none=True)
    check_number("alive", given["alive"], least=LEAST_ALIVE)
    check_number("grace", given["grace"], least=given["alive"])
    prompt = given["idle_prompt"]
    if prompt is None:
        return
    if not isinstance(prompt, list | tuple) or len(cast("Sequence[object]", prompt)) != 2:
        raise TypeError(
            "idle_prompt must be two numbers, such as (120, 15): the seconds after which somebody "
            f"is asked, and those they have to answer; or None, not {prompt!r}"
        )
    for seconds in cast("Sequence[object]", prompt):
        check_number("idle_prompt", seconds, above=0)


def _opens(opens: object) -> int | None:
    """When it opens, in microseconds since 1970 (UTC)."""
    if opens is None:
        return None
    time = datetime.fromisoformat(opens) if isinstance(opens, str) else opens
    if not isinstance(time, datetime):
        raise TypeError(f"opens must be a datetime with a time zone, or None, not {opens!r}")
    if time.tzinfo is None:
        raise ValueError(f"opens must have a time zone, such as timezone.utc, but is {opens!r}")
    return round(time.timestamp() * 1e6)


def _steps(on_timeout: object) -> Sequence[Any]:
    if isinstance(on_timeout, str) or not isinstance(on_timeout, Sequence):
        raise TypeError(
            f"on_timeout must be a list, such as ['smaller', 'leave'], not {on_timeout!r}"
        )
    steps = cast("Sequence[Any]", on_timeout)
    for step in steps:
        if callable(step):
            check_function("on_timeout", step, "person")
        else:
            check_choice("on_timeout", step, ("smaller", "stand_ins", "leave"), also="a function")
    if "leave" in steps[:-1]:
        raise ValueError(f"'leave' must come last in on_timeout, not as in {on_timeout!r}")
    return steps


# ── the rest ──


def _check_choices(given: Mapping[str, Any]) -> None:
    check_choice("on_not_ready", given["on_not_ready"], ("requeue_others",))
    check_choice("names", given["names"], ("room", "study", "ask"))
    check_choice("identity", given["identity"], ("browser", "tab", "link"))
    for name in ("sound", "blink_title", "show_count", "show_wait"):
        check_choice(name, given[name], (True, False))


def _rules(rules: object) -> dict[str, Any] | None:
    if rules is None:
        return None
    if not isinstance(rules, Rules):
        raise TypeError(f"rules must be Rules, such as Rules(max_length=500), not {rules!r}")
    return {
        name: list(cast("Sequence[Any]", value)) if isinstance(value, tuple) else value
        for name, value in asdict(rules).items()
    }


def _rooms(template: object, has_rounds: bool) -> str | None:
    """The template of the rooms' ids, which must differ from group to group."""
    if template is None:
        return None
    text = as_id("rooms", template)
    try:
        names = [name for _, name, _, _ in string.Formatter().parse(text) if name is not None]
    except ValueError as exc:
        raise ValueError(f"rooms must be a text such as 'pair-{{n}}', not {text!r}: {exc}") from exc
    known = {"n", "lobby", *(("cohort", "round") if has_rounds else ())}
    if not set(names) <= known or "n" not in names:
        raise ValueError(
            "rooms must have {n}, the number of the group, and may have "
            f"{_others_of(known)}, as in 'pair-{{n}}', but is {text!r}"
        )
    return text


def _others_of(known: set[str]) -> str:
    return " and ".join(f"{{{name}}}" for name in sorted(known - {"n"}, reverse=True))


def rooms_glob(template: str | None, lobby: str) -> str:
    """A glob that all ids of a lobby's rooms match."""
    literal = glob.escape(template or "{lobby}-{n}")
    return literal.format(lobby=glob.escape(lobby), n="*", cohort="*", round="*")
