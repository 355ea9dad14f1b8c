"""The settings of a room in the app's code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shiny_labchat.domain.membership import Role
from shiny_labchat.domain.network import Network
from shiny_labchat.domain.rules import Rules, replacing_bot
from shiny_labchat.domain.state import Configuration

__all__ = ["Settings", "check_rules", "without_effect"]


@dataclass(frozen=True, slots=True)
class Settings:
    """
    The settings of a room in the app's code; None leaves the room's own.

    Parameters
    ----------
    title
        The title shown above the room.
    rules
        The rules of the room.
    write
        The roles that may write.
    network
        Who hears whom.
    """

    title: str | None = None
    rules: Rules | None = None
    write: tuple[Role, ...] | None = None
    network: Network | None = None


def check_rules(rules: Rules, now: Rules | None = None) -> None:
    """
    Check that rules can be those of a room.

    Parameters
    ----------
    rules
        The rules.
    now
        Those that the room has, of which the bot may stay that takes places there; None: there is
        none.

    Raises
    ------
    ValueError
        A bot would take places in a room in which it cannot.
    """
    bot = replacing_bot(rules)
    if bot is not None and (now is None or replacing_bot(now) != bot):
        raise ValueError(
            f"on_gone is {rules.on_gone!r}, but a bot goes on in somebody's place only in "
            "the groups of a study: give these rules to a Lobby"
        )


def without_effect(code: Mapping[str, Any], now: Configuration) -> dict[str, Any]:
    """What a room has instead of that which its code says anew; each rule by itself."""
    has = {"title": now.title, "write": now.write, "network": now.network.form}
    said = {name: value for name, value in code.items() if name != "rules"}
    found = {name: has[name] for name in said if has[name] != said[name]}
    rules = code.get("rules", {})
    return found | {
        name: getattr(now.rules, name) for name in rules if getattr(now.rules, name) != rules[name]
    }
