"""
The state of a room, computed from its events.

A room is an append-only log of events. Its state is the fold of them: states are made by
``fold(state, event)`` only, so a restart, another process and an export have the same state. Pure:
nothing here waits, reads a clock, draws a random number or uses SQL.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from math import inf
from types import MappingProxyType
from typing import Any, NamedTuple, cast

from shiny_labchat.domain.clock import CLOCK_KINDS, Clock, Shut, Turn
from shiny_labchat.domain.counts import counted, with_one_more
from shiny_labchat.domain.events import Event, newest_about
from shiny_labchat.domain.hearing import Hearing
from shiny_labchat.domain.layers import LayeredMap
from shiny_labchat.domain.membership import ROLES, Membership, Role
from shiny_labchat.domain.network import Network
from shiny_labchat.domain.rules import (
    MUST_START,
    OF_MEMBER,
    Rules,
    are_counted,
    are_limits,
    replacing_bot,
)
from shiny_labchat.domain.stored_rules import NO_RULES, with_rules

__all__ = ["Configuration", "RoomState", "fold", "fold_all"]


@dataclass(frozen=True, slots=True)
class Configuration:
    """
    The settings of a room: as they are, or as the app's code last gave them.

    Parameters
    ----------
    title
        The title shown above the room.
    write
        The roles that may write; None: all but observers.
    rules
        The rules of the room.
    network
        Who hears whom.
    """

    title: str | None = None
    write: tuple[Role, ...] | None = None
    rules: Rules = Rules()
    network: Network = Network()


class RoomState(NamedTuple):
    """The fold of a room's log up to `seq`."""

    seq: int = 0
    title: str | None = None
    write: tuple[Role, ...] | None = None
    rules: Rules = Rules()
    unknown_rules: Mapping[str, Any] = NO_RULES
    """Rules of a newer version, and values that this version refuses; see `fold`."""
    seed: str = ""
    is_open: bool = True
    reason: str | None = None
    cleared: int = 0
    memberships: LayeredMap[str, Membership] = LayeredMap()
    special: tuple[str, ...] = ()
    """The ids of all who ever were a program, or were shown in another role than their own."""
    told: LayeredMap[str | None, int] = LayeredMap()
    """By member, the seq at which a real role was last disclosed to them; key None: to all."""
    code: Configuration = Configuration()
    """What the app's code last said of the room: by this it is seen when it says something new."""
    done: tuple[str, ...] = ()
    """The ids of the members who have said that they are done."""
    lobby: str | None = None
    """The id of the lobby in which its people were grouped; None: they were not."""
    condition: Any = None
    """What the experimenter varies, for its group."""
    stand_ins: tuple[str, ...] = ()
    """The ids of the bots that fill places of its group that were empty when it was formed."""
    is_shown: bool = True
    """Whether its people see it: not until the app has prepared it, after they were grouped."""
    prepared: Mapping[str, str] = MappingProxyType({})
    """The app's functions that have prepared it, and whether they have "returned" or "failed"."""
    clock: Clock = Clock()
    """When the time of its people has started, and what has moved its end."""
    counts_from: int = 0
    """The seq from which on messages are counted, as a rule asks how many; 0: they are not."""
    closed: int = 0
    """The seq at which it was closed; 0: it is open."""
    characters_from: int = 0
    """The seq from which on their characters are counted; 0: they are not."""
    is_limited: bool = False
    """Whether a rule of the room, or of a member, may refuse a message by the time or by others."""
    turn: Turn = Turn()
    """Whose turn it was last said to be, see `turn_at`."""
    shut: Shut = Shut()
    """Whether people can write by the clock on the wall, as it was announced last."""
    network: Network = Network()
    """Who hears whom."""
    cohort: int = 0
    """The number of the cohort of its group; 0: it has none."""
    round: int = 0
    """The number of the round for which its group was formed; 0: of none."""
    hears_from: int = 0
    """The largest `Membership.hears_from` of all who ever were members."""
    opened_at: int = 0
    """When people could use it first, or again after it was closed (microseconds); 0: not yet."""

    @property
    def configuration(self) -> Configuration:
        """The settings of the room as they are now."""
        return Configuration(self.title, self.write, self.rules, self.network)

    def membership(self, member: str | None) -> Membership | None:
        """The membership of a current member; None: was never one, or is removed."""
        membership = self.memberships.get(member) if member is not None else None
        return None if membership is None or membership.is_removed else membership

    def rules_of(self, membership: Membership) -> Rules:
        """The rules that hold for a member, as far as they may be others for each."""
        return membership.rules or self.rules

    def last_told(self, viewer: str) -> int:
        """The seq at which a real role was last disclosed to a viewer; 0: never."""
        return max(self.told.get(None, 0), self.told.get(viewer, 0))

    @property
    def hearing(self) -> Hearing:
        """Who hears whom now."""
        return Hearing(self.network, self.memberships)

    def hears(self, viewer: str, speaker: str) -> bool:
        """Whether somebody hears what somebody else says from now on, and is shown who they are."""
        return self.network.is_full or self.hearing.hears(viewer, speaker)

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
        if not self.is_shown or (self.rules.starts is not None and not self.has_begun):
            return "not_yet"
        if membership.is_muted:
            return "muted"
        role = membership.role_for(None)
        if membership.is_bot and role == "assistant":
            return None
        may = role != "observer" if self.write is None else role in self.write
        return None if may else "read_only"

    def may_speak(self, membership: Membership) -> bool:
        """Whether a member may write here, or may once it begins."""
        begun = self._replace(is_shown=True, rules=replace(self.rules, starts=None))
        return begun.silence(membership) is None

    @property
    def has_begun(self) -> bool:
        """Whether people are shown the room, and need not wait for its start."""
        must_start = self.rules.starts in MUST_START
        return self.is_shown and not (must_start and not self.clock.started)

    @property
    def deadline(self) -> int | None:
        """When the time of its people is over, see `Clock.deadline`."""
        return self.clock.deadline(self.rules)

    def is_over(self, at: int) -> bool:
        """Whether the time of its people is over at a time (microseconds)."""
        is_bounded = self.rules.duration is not None or self.rules.closes_at is not None
        return is_bounded and self.clock.is_over(self.rules, at)

    def people(self) -> list[Membership]:
        """The current members who talk here and are no programs."""
        return [each for each in self.members() if each.role == "participant" and not each.is_bot]

    def told_after(self, hearers: Collection[str] | None = None) -> int:
        """
        The seq after which models are told what was said: all who hear the reply may read it.

        `hearers`: the ids of those who hear it; None: everybody. What some have cleared from their
        own views counts, as they have heard it.
        """
        if not self.hears_from:
            return self.cleared
        some = (each for each in self.members() if hearers is None or each.member in hearers)
        return max(self.cleared, *(each.hears_from for each in some), 0)

    def floor(self, viewer: Membership) -> int:
        """The seq up to which a viewer's screen was cleared."""
        return max(self.cleared, viewer.view_from)

    def shows(self, viewer: Membership, event: Event) -> bool:
        """Whether a viewer is shown an event: a message, a stream's end, or a clearing."""
        if event.kind == "cleared":
            scope = event.data["scope"]
            return scope == "room" or (scope == "view" and event.member == viewer.member)
        return newest_about(event) > self.floor(viewer) and viewer.may_see(event)

    def bots(self) -> list[Membership]:
        """The members that are programs."""
        special = (self.memberships[member] for member in self.special)
        return [each for each in special if each.is_bot and not each.is_removed]

    def members(self) -> Iterable[Membership]:
        """The current members, in the order in which they joined."""
        return (membership for membership in self.memberships.values() if not membership.is_removed)

    def members_for(self, viewer: str | None) -> Iterable[Membership]:
        """
        The current members, in an order that does not show a viewer who is a bot.

        Bots join before all others. So if a bot is shown to the viewer as a person, even one that
        has left since, the members are in the order of their handles, which are random. So they
        are where a bot may take somebody's place, as that must change nothing. In a closed room
        they are those who were there when it was closed.
        """
        all = self.in_order(viewer)
        return filter(self._is_there if self.is_open else self._was_there, all)

    def in_order(self, viewer: str | None = None) -> Iterable[Membership]:
        """All who ever were members, in an order that does not show a viewer who is a bot."""
        members = self.memberships.values()
        special = (self.memberships[member] for member in self.special)
        are_as_shown = all(each.role_for(viewer) == each.role for each in special)
        if are_as_shown and replacing_bot(self.rules) is None:
            return members
        return sorted(members, key=lambda membership: membership.handle)

    @staticmethod
    def _is_there(membership: Membership) -> bool:
        return not membership.is_removed

    def _was_there(self, membership: Membership) -> bool:
        """Whether somebody was a member when the room was closed."""
        left = membership.left if membership.is_removed else self.seq
        return membership.joined < self.closed <= left


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
    if not changes:  # as of most messages; `_replace` takes three times as long
        return RoomState._make((event.seq, *state[1:]))
    changes["seq"] = event.seq
    return state._replace(**changes)


def fold_all(state: RoomState, events: Iterable[Event]) -> RoomState:
    """The room's state after events: what `fold` gives one by one, at a cost linear in them."""
    memberships, told = state.memberships.draft(), state.told.draft()
    state = state._replace(memberships=memberships, told=told)
    for event in events:
        state = fold(state, event)
    return state._replace(memberships=memberships.done(), told=told.done())


_Changes = dict[str, Any]


def _configured(state: RoomState, event: Event) -> _Changes:
    seed = {"seed": event.data["seed"]} if "seed" in event.data else {}
    rules, unknown = with_rules(state.rules, event.data.get("rules", {}), state.unknown_rules)
    by_code = event.data.get("code", event.data)  # an older log: only code set anything
    code_rules, _ = with_rules(state.code.rules, by_code.get("rules", {}))
    return {
        **seed,
        **_title_and_write(event.data),
        **_network(event.data),
        "rules": rules,
        "unknown_rules": unknown,
        "opened_at": state.opened_at or (event.at if state.is_shown else 0),
        "is_limited": are_limits(rules) or any(m.rules for m in state.memberships.values()),
        **_counts_begun(state, event, rules),
        "code": replace(
            state.code, **_title_and_write(by_code), rules=code_rules, **_network(by_code)
        ),
    }


def _network(given: Mapping[str, Any]) -> _Changes:
    return {"network": Network.of(given["network"])} if "network" in given else {}


def _connected(state: RoomState, event: Event) -> _Changes:
    edges = [(speaker, hearer) for speaker, hearer in event.data["edges"]]
    return {"network": state.network.changed(edges, on=event.kind == "connected")}


def _counts_begun(state: RoomState, event: Event, rules: Rules) -> _Changes:
    """From when on is counted what rules ask for, if it was not before."""
    begun: _Changes = {}
    if not state.counts_from and are_counted(rules):
        begun["counts_from"] = event.seq
    if not state.characters_from and (rules.min_characters or rules.max_characters is not None):
        begun["characters_from"] = event.seq
    return begun


def _title_and_write(given: Mapping[str, Any]) -> _Changes:
    found = {key: given[key] for key in ("title", "write") if key in given}
    if found.get("write") is not None:
        found["write"] = tuple(role for role in found["write"] if role in ROLES)
    return found


def _joined(state: RoomState, event: Event) -> _Changes:
    member = cast(str, event.member)
    known = _known_of_member(event)
    if (left := state.memberships.get(event.data.get("replaces", ""))) is not None:
        changes = _with(state, _in_place_of(left, member, known))
        if state.turn.member == left.member:
            changes["turn"] = state.turn._replace(member=member)
        return {**changes, "network": state.network.replaced(left.member, member)}
    before = state.memberships.get(member)
    kept = {name: getattr(before, name) for name in _KEPT} if before else {}
    is_person = known.get("role") == "participant" and not known.get("is_bot")
    if state.rules.history != "joined" or not is_person:
        return _with(state, Membership(member, joined=event.seq, **kept, **known))
    kept["view_from"] = kept["hears_from"] = event.seq
    changes = _with(state, Membership(member, joined=event.seq, **kept, **known))
    return {**changes, "hears_from": event.seq}


def _in_place_of(left: Membership, member: str, known: _Changes) -> Membership:
    """The membership of a program in the place of somebody: all but what they did goes on."""
    own = {"is_removed": False, "left": 0, "is_withdrawn": False}
    said = {"asked": None, "said": 0, "last_said": 0, "characters": 0, "tokens": inf, "spoke": 0}
    presence = {"presence": None, "question": 0, "answer_by": 0}
    return left._replace(member=member, **{**own, **said, **presence, **known})


_KEPT = ("view_from", "hears_from", "said", "last_said", "characters", "rules")
"""The fields of a `Membership` that somebody has again who joins again."""


def _changed(state: RoomState, event: Event) -> _Changes:
    known = _known_of_member(event)
    if "rules" not in event.data:
        return _membership_with(state, event, **known)
    given = {name: value for name, value in event.data["rules"].items() if name in OF_MEMBER}
    rules, _ = with_rules(Rules(), given)
    changes = _membership_with(state, event, **known, rules=rules)
    return {**changes, "is_limited": True, **_counts_begun(state, event, rules)} if changes else {}


def _known_of_member(event: Event) -> dict[str, Any]:
    """The fields of a member in an event, as far as this version knows them."""
    known = {key: event.data[key] for key in _OF_MEMBERS if key in event.data}
    for key in ("role", "shown"):
        if known.get(key) is not None and known[key] not in ROLES:
            known[key] = "observer"
    return known


_OF_MEMBERS = (
    "handle",
    "pseudonym",
    "role",
    "asked",
    "is_muted",
    "is_bot",
    "shown",
    "is_withdrawn",
    "replaces",
    "returns",
)
"""The fields of a `Membership` that events may set."""


def _removed(state: RoomState, event: Event) -> _Changes:
    return _membership_with(state, event, is_removed=True, left=event.seq)


def _said(state: RoomState, event: Event) -> _Changes:
    membership = state.memberships.get(event.member or "")
    if membership is None or not ("page" in event.data or membership.is_bot):  # code has no limit
        return {}
    counts = state.counts_from and event.kind == "message" and counted(membership, event)
    if counts:
        characters = bool(state.characters_from)
        membership = with_one_more(membership, event, characters=characters)
    if "submitted" in event.data or "again" in event.data:  # it was counted when it was submitted
        return _with(state, membership) if counts else {}
    left = membership.allowance(state.rules_of(membership), event.at) - 1
    if left == membership.tokens == inf:  # this room has no limit
        return _with(state, membership) if counts else {}
    return _with(state, membership._replace(tokens=left, spoke=event.at))


def _turned(state: RoomState, event: Event) -> _Changes:
    return {"turn": Turn.of(event)}


def _shut(state: RoomState, event: Event) -> _Changes:
    return {"shut": Shut(event.data["code"], event.at)}


def _opened(state: RoomState, event: Event) -> _Changes:
    begun = {"is_open": True, "reason": None, "closed": 0, "opened_at": event.at}
    return {**begun, "done": (), "turn": Turn(), **_timed(state, event)}


def _closed(state: RoomState, event: Event) -> _Changes:
    return {"is_open": False, "reason": event.data.get("reason"), "closed": event.seq}


def _grouped(state: RoomState, event: Event) -> _Changes:
    data = event.data
    return {
        "lobby": data["lobby"],
        "condition": data.get("condition"),
        "is_shown": False,
        "opened_at": 0,
        "cohort": data.get("cohort", 0),
        "round": data.get("round", 0),
        "stand_ins": tuple(data.get("stand_ins", ())),
    }


def _prepared(state: RoomState, event: Event) -> _Changes:
    return {"prepared": {**state.prepared, event.data["function"]: event.data["how"]}}


def _shown(state: RoomState, event: Event) -> _Changes:
    return {"is_shown": True, "opened_at": event.at, **_timed(state, event)}


def _timed(state: RoomState, event: Event) -> _Changes:
    return {"clock": state.clock.after(event, state.rules)}


def _done(state: RoomState, event: Event) -> _Changes:
    return {"done": (*state.done, event.member)}


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
        changes = _with(state, membership._replace(shown=None, known_to=()))
    else:
        changes = _with(state, membership._replace(known_to=(*membership.known_to, *to)))
    whom = [None] if to is None else to
    told = state.told
    for viewer in whom:
        told = told.changed(viewer, event.seq)
    return {**changes, "told": told}


def _present(state: RoomState, event: Event) -> _Changes:
    return _membership_with(state, event, presence=event.data["state"])


def _asked(state: RoomState, event: Event) -> _Changes:
    answer_by = event.at + event.data["within"]
    return _membership_with(state, event, question=event.seq, answer_by=answer_by)


def _answered(state: RoomState, event: Event) -> _Changes:
    membership = state.memberships.get(event.member or "")
    if membership is None or membership.question != event.data["of"]:
        return {}
    return _with(state, membership._replace(question=0, answer_by=0))


def _membership_with(state: RoomState, event: Event, **changes: Any) -> _Changes:
    membership = state.memberships.get(event.member or "")
    return {} if membership is None else _with(state, membership._replace(**changes))


def _with(state: RoomState, membership: Membership) -> _Changes:
    member = membership.member
    changes: _Changes = {"memberships": state.memberships.changed(member, membership)}
    is_special = membership.is_bot or membership.shown is not None
    if is_special and member not in state.special:
        changes["special"] = (*state.special, member)
    return changes


_FOLDS: dict[str, Callable[[RoomState, Event], _Changes]] = {
    **dict.fromkeys(CLOCK_KINDS, _timed),
    "changed": _changed,
    "cleared": _cleared,
    "closed": _closed,
    "configured": _configured,
    "connected": _connected,
    "disclosed": _disclosed,
    "disconnected": _connected,
    "done": _done,
    "grouped": _grouped,
    "hours": _shut,
    "joined": _joined,
    "message": _said,
    "opened": _opened,
    "prepared": _prepared,
    "presence": _present,
    "presence_asked": _asked,
    "presence_confirmed": _answered,
    "presence_unanswered": _answered,
    "removed": _removed,
    "shown": _shown,
    "submitted": _said,
    "turn": _turned,
}
