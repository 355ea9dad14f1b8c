"""
The state of a room, computed from its events.

A room is an append-only log of events. Its state is the fold of them: states are made by
``fold(state, event)`` only, so a restart, another process and an export have the same state. Pure:
nothing here waits, reads a clock, draws a random number or uses SQL.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Literal, NamedTuple, cast

from shiny_labchat.domain.events import Event
from shiny_labchat.domain.rules import CLOCK_SLACK, Rules

__all__ = ["ROLES", "Membership", "Role", "RoomState", "fold"]

Role = Literal["participant", "observer", "experimenter", "assistant"]
ROLES: tuple[Role, ...] = ("participant", "observer", "experimenter", "assistant")


_NO_MEMBERSHIPS: Mapping[str, Membership] = MappingProxyType({})
_NOBODY: Mapping[str | None, int] = MappingProxyType({})
_NO_RULES: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Membership:
    """
    A member of a room, as the log describes them.

    Parameters
    ----------
    member
        The member's private id; never leaves the server.
    handle
        The random id that browsers know the member by, different in every room.
    pseudonym, role
        What others are shown.
    asked
        The pseudonym or template that was asked for; None: generated.
    tokens, spoke
        The token bucket: the messages left in it at the time `spoke` (microseconds).
    view_from
        The seq up to which the member cleared their own view.
    is_bot
        Whether it is a program that this package runs; it is always present.
    shown
        The role that others are shown in place of the real one; None: the real one.
    known_to
        The ids of the members who are shown the real role in any case.
    """

    member: str
    handle: str
    pseudonym: str
    role: Role
    joined: int
    asked: str | None = None
    is_muted: bool = False
    is_removed: bool = False
    tokens: float = float("inf")
    spoke: int = 0
    view_from: int = 0
    is_bot: bool = False
    shown: Role | None = None
    known_to: tuple[str, ...] = ()

    def role_for(self, viewer: str | None) -> Role:
        """The role that a viewer is shown; viewer None: nothing was disclosed to them."""
        if self.shown is None or viewer in self.known_to:
            return self.role
        return self.shown

    def is_hidden_from(self, viewer: str | None) -> bool:
        """Whether a participant is not shown this member, where observers are not shown."""
        return self.role_for(viewer) == "observer" and self.member != viewer

    def sees_observers(self, shown: bool) -> bool:
        """Whether this member is shown observers; `shown`: the app shows them to participants."""
        return shown or self.role != "participant"

    def may_see(self, event: Event) -> bool:
        """Whether this member may see a message (others than messages are never shown)."""
        audience = event.data.get("audience")
        return audience is None or self.member in audience or event.member == self.member

    def allowance(self, rules: Rules, at: int) -> float:
        """The number of messages the member may send at the time `at` (microseconds)."""
        if rules.rate is None:
            return float("inf")
        if at < self.spoke - CLOCK_SLACK:  # the server's clock was set back
            return max(1.0, self.tokens)
        earned = max(0, at - self.spoke) / 1e6 * rules.rate
        return min(float(rules.burst), self.tokens + earned)


class RoomState(NamedTuple):
    """The fold of a room's log up to `seq`."""

    seq: int = 0
    title: str | None = None
    write: tuple[Role, ...] | None = None
    rules: Rules = Rules()
    unknown_rules: Mapping[str, Any] = _NO_RULES
    """Rules of a newer version, and values that this version refuses; see `fold`."""
    seed: str = ""
    is_open: bool = True
    reason: str | None = None
    cleared: int = 0
    memberships: Mapping[str, Membership] = _NO_MEMBERSHIPS
    told: Mapping[str | None, int] = _NOBODY
    """By member, the seq at which a real role was last disclosed to them; key None: to all."""

    def membership(self, member: str | None) -> Membership | None:
        """The membership of a current member; None: was never one, or is removed."""
        membership = self.memberships.get(member) if member is not None else None
        return None if membership is None or membership.is_removed else membership

    def last_told(self, viewer: str) -> int:
        """The seq at which a real role was last disclosed to a viewer; 0: never."""
        return max(self.told.get(None, 0), self.told.get(viewer, 0))

    def silence(self, membership: Membership) -> str | None:
        """
        The code of why a member may not write now; None: they may.

        A bot has the rights of the role that others are shown: one that is shown as a participant
        may not write where participants may not. One that is shown as an assistant may write
        whatever roles `write` lists.
        """
        if membership.is_removed:
            return "removed"
        if not self.is_open:
            return "closed"
        if membership.is_muted:
            return "muted"
        role = membership.role_for(None)
        if membership.is_bot and role == "assistant":
            return None
        may = role != "observer" if self.write is None else role in self.write
        return None if may else "read_only"

    def floor(self, viewer: Membership) -> int:
        """The seq up to which a viewer's screen was cleared."""
        return max(self.cleared, viewer.view_from)

    def shows(self, viewer: Membership, event: Event) -> bool:
        """Whether a viewer is shown an event: a message, a stream's end, or a clearing."""
        if event.kind == "cleared":
            scope = event.data["scope"]
            return scope == "room" or (scope == "view" and event.member == viewer.member)
        if event.kind == "streamed":  # viewers share its frame, whatever each has cleared
            return viewer.may_see(event)
        return event.seq > self.floor(viewer) and viewer.may_see(event)

    def bots(self) -> list[Membership]:
        """The members that are programs."""
        return [membership for membership in self.members() if membership.is_bot]

    def members(self) -> Iterable[Membership]:
        """The current members, in the order in which they joined."""
        return (membership for membership in self.memberships.values() if not membership.is_removed)

    def members_for(self, viewer: str | None) -> Iterable[Membership]:
        """
        The current members, in an order that does not show a viewer who is a bot.

        Bots join before all others. So if a bot is shown to the viewer as a person, even one that
        has left since, the members are in the order of their handles, which are random.
        """
        if all(
            membership.role_for(viewer) == membership.role
            for membership in self.memberships.values()
        ):
            return self.members()
        return sorted(self.members(), key=lambda membership: membership.handle)


# ── fold ─────────────────────────────────────────────────────────────────────────────────────


def fold(state: RoomState, event: Event) -> RoomState:
    """
    The room's state after `event`.

    A newer version may write to the same log. What this version does not know is ignored, but not
    lost: the events keep it.

    * An unknown kind of event changes only `seq`; an unknown key of its data changes nothing.
    * An unknown rule goes into `unknown_rules`, as does a value that `Rules` refuses: in `rules`,
      that rule stays what it was before. A rule that an event does not name stays, too.
    * An unknown role of a member is taken as "observer", which is the role with the fewest
      rights. In `write` it is left out: no member has it here.
    """
    step = _FOLDS.get(event.kind)
    changes = step(state, event) if step is not None else {}
    return state._replace(seq=event.seq, **changes)


_Changes = dict[str, Any]


def _configured(state: RoomState, event: Event) -> _Changes:
    changes = {key: event.data[key] for key in ("seed", "title", "write") if key in event.data}
    if changes.get("write") is not None:
        changes["write"] = tuple(role for role in changes["write"] if role in ROLES)
    return {**changes, **_with_rules(state, event.data.get("rules", {}))}


def _with_rules(state: RoomState, given: Mapping[str, Any]) -> _Changes:
    rules, unknown = state.rules, dict(state.unknown_rules)
    for name, value in given.items():
        try:
            rules = replace(rules, **{name: value})
        except (TypeError, ValueError):  # there is no such rule here, or it refuses the value
            unknown[name] = value
        else:
            unknown.pop(name, None)
    return {"rules": rules, "unknown_rules": unknown}


def _joined(state: RoomState, event: Event) -> _Changes:
    member = cast(str, event.member)
    before = state.memberships.get(member)
    view_from = before.view_from if before else 0
    known = _known_of_member(event)
    return _with(state, Membership(member, joined=event.seq, view_from=view_from, **known))


def _changed(state: RoomState, event: Event) -> _Changes:
    return _membership_with(state, event, **_known_of_member(event))


def _known_of_member(event: Event) -> dict[str, Any]:
    """The fields of a member in an event, as far as this version knows them."""
    known = {key: event.data[key] for key in _OF_MEMBERS if key in event.data}
    for key in ("role", "shown"):
        if known.get(key) is not None and known[key] not in ROLES:
            known[key] = "observer"
    return known


_OF_MEMBERS = ("handle", "pseudonym", "role", "asked", "is_muted", "is_bot", "shown")
"""The fields of a `Membership` that events may set."""


def _removed(state: RoomState, event: Event) -> _Changes:
    return _membership_with(state, event, is_removed=True)


def _said(state: RoomState, event: Event) -> _Changes:
    membership = state.memberships.get(event.member or "")
    if membership is None or not ("page" in event.data or membership.is_bot):  # code has no limit
        return {}
    if "submitted" in event.data or "again" in event.data:  # it was counted when it was submitted
        return {}
    left = membership.allowance(state.rules, event.at) - 1
    if left == membership.tokens == float("inf"):  # this room has no limit
        return {}
    return _with(state, replace(membership, tokens=left, spoke=event.at))


def _opened(state: RoomState, event: Event) -> _Changes:
    return {"is_open": True, "reason": None}


def _closed(state: RoomState, event: Event) -> _Changes:
    return {"is_open": False, "reason": event.data.get("reason")}


def _cleared(state: RoomState, event: Event) -> _Changes:
    match event.data["scope"]:
        case "room":
            return {"cleared": event.seq}
        case "view":
            return _membership_with(state, event, view_from=event.seq)
        case _:  # of a newer version: this one does not know what it clears
            return {}


def _disclosed(state: RoomState, event: Event) -> _Changes:
    membership = state.memberships.get(event.member or "")
    if membership is None:
        return {}
    to: list[str] | None = event.data["to"]
    if to is None:
        changes = _with(state, replace(membership, shown=None, known_to=()))
    else:
        changes = _with(state, replace(membership, known_to=(*membership.known_to, *to)))
    whom = [None] if to is None else to
    return {**changes, "told": {**state.told, **dict.fromkeys(whom, event.seq)}}


def _membership_with(state: RoomState, event: Event, **changes: Any) -> _Changes:
    membership = state.memberships.get(event.member or "")
    return {} if membership is None else _with(state, replace(membership, **changes))


def _with(state: RoomState, membership: Membership) -> _Changes:
    return {"memberships": {**state.memberships, membership.member: membership}}


_FOLDS = {
    "changed": _changed,
    "cleared": _cleared,
    "closed": _closed,
    "configured": _configured,
    "disclosed": _disclosed,
    "joined": _joined,
    "message": _said,
    "opened": _opened,
    "removed": _removed,
    "submitted": _said,
}
