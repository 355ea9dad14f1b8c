"""
Whose turn it is in a room where only one may write at a time. Pure.

That follows from the log and the time: when a turn is over it is the next one's, whether or not
anybody has announced it. The event "turn" only says what is so anyway, or what the app wants.
"""

from __future__ import annotations

from shiny_labchat.domain.clock import SECOND, Turn
from shiny_labchat.domain.membership import Membership
from shiny_labchat.domain.state import RoomState

__all__ = ["ends_at", "next_after", "takers", "turn_at"]


def turn_at(state: RoomState, at: int) -> Turn:
    """Whose turn it is at a time, in microseconds, and since when."""
    turn = state.turn
    if state.rules.turns == "code":
        return turn if state.membership(turn.member) is not None else Turn()
    order = takers(state)
    if state.rules.turns is None or not order or not state.has_begun:
        return Turn()
    since = turn.since or state.clock.begun(state.rules)
    first = order.index(turn.member) if turn.member in order else _index_after(state, order, turn)
    if not since or len(order) == 1:
        return Turn(order[first], since)
    over = max(0, at - since) // _length(state)
    return Turn(order[(first + over) % len(order)], since + over * _length(state))


def ends_at(state: RoomState, turn: Turn) -> int | None:
    """When a turn passes on by itself, in microseconds; None: it does not."""
    if state.rules.turns != "round_robin" or not turn.since or len(takers(state)) < 2:
        return None
    return turn.since + _length(state)


def next_after(state: RoomState, member: str | None) -> str | None:
    """Who is next after a member in turn; None: nobody takes turns."""
    order = takers(state)
    if member in order:
        return order[(order.index(member) + 1) % len(order)]
    return order[_index_after(state, order, Turn(member))] if order else None


def takers(state: RoomState) -> list[str]:
    """The ids of those who take turns, in order: all who can write, and are not done."""
    if state.write is not None and "participant" not in state.write:
        return []
    return [each.member for each in state.in_order() if _can_take(state, each)]


def _can_take(state: RoomState, each: Membership) -> bool:
    return (
        each.takes_turns
        and not (each.is_removed or each.is_muted or each.member in state.done)
        and not each.has_sent_all(state.rules_of(each))
    )


def _index_after(state: RoomState, order: list[str], turn: Turn) -> int:
    """The place in the order of the first after somebody who takes no turns any more."""
    members = [each.member for each in state.in_order()]
    if turn.member not in members:
        return 0
    at = members.index(turn.member)
    later = (each for each in [*members[at:], *members[:at]] if each in order)
    return order.index(next(later))


def _length(state: RoomState) -> int:
    return round(state.rules.turn_seconds * SECOND)
