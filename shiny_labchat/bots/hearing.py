"""The messages to which a bot says nothing, as far as that is certain at once."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

import sqlalchemy as sa

from shiny_labchat.audit import entries
from shiny_labchat.bots import queue
from shiny_labchat.bots.counts import since_own
from shiny_labchat.bots.pace import generator
from shiny_labchat.bots.spec import BotSpec
from shiny_labchat.bots.when import At, BeforeClose, Every, later_conditions, met_at_once
from shiny_labchat.callbacks.skipping import Complete, Skipped
from shiny_labchat.domain.events import LogKey
from shiny_labchat.domain.membership import Membership
from shiny_labchat.domain.messages import Message
from shiny_labchat.domain.state import RoomState
from shiny_labchat.lab.bot_registry import cid_of
from shiny_labchat.lab.room import Room
from shiny_labchat.lab.runtime import Runtime

__all__ = ["counts_of", "is_heard", "seed_of", "silence_at_once", "skip"]


def is_heard(spec: BotSpec, message: Message) -> bool:
    """Whether a bot may react to a message of another member: one that is not made private."""
    if message.member in (None, spec.id):
        return False
    is_heard = message.audience is None or (message.by_network and message.is_for(spec.id))
    return is_heard and not all(isinstance(each, At | BeforeClose) for each in spec.when)


def seed_of(spec: BotSpec, state: RoomState, room: LogKey, seq: int) -> tuple[object, ...]:
    """What a bot's random numbers about a message depend on."""
    return (state.seed if spec.seed is None else spec.seed, room.study, room.id, spec.id, seq)


async def counts_of(
    spec: BotSpec, room: Room, state: RoomState, upto: Sequence[int]
) -> Sequence[int]:
    """The messages of others since the bot's last one, up to some seqs; 0s if it does not count."""
    if not any(isinstance(each, Every) for each in spec.when) or not upto:
        return [0] * len(upto)
    return await since_own(room.log, room.key, state.seed, spec.id, upto)


def silence_at_once(
    spec: BotSpec,
    room: LogKey,
    state: RoomState,
    membership: Membership,
    heard: Complete,
    known: int,
    since_own: int,
) -> tuple[entries.Outcome, str] | None:
    """
    Why a bot says nothing to a message, as the audit has it; None: that is not certain at once.

    Parameters
    ----------
    spec, room, state, membership
        The bot, the room, and the bot's membership there.
    heard
        The message.
    known
        The newest event that the bot knew of when it wrote its posted messages.
    since_own
        The messages of others since its last one, this one included.
    """
    if heard.at <= known:
        return "covered", "covered"
    if heard.message.seq <= state.cleared:
        return "silent", "cleared"
    rng = generator(*seed_of(spec, state, room, heard.message.seq), "when")
    name, later = membership.pseudonym, later_conditions(spec.when)
    if met_at_once(spec.when, heard.message, since_own, name, rng) is None:
        if not later:
            return "silent", "when"
        if any(each != "model" for each in later):
            return None  # it may write by the time that this is decided
    code = state.silence(membership)
    return None if code is None else ("silent", code)


# ── without reacting ──


class _Known(NamedTuple):
    past: entries.Past
    has_turn: bool


async def skip(
    spec: BotSpec, room: Room, messages: Sequence[Complete], state: RoomState | None
) -> Skipped:
    """Decide to how many of the next messages a bot does not react, see `Skip`."""
    heard = [each for each in messages if is_heard(spec, each.message)]
    if not heard:
        return Skipped(len(messages), _nothing)
    state = await _state_of(room, heard[-1].at) if state is None else state
    membership = state.membership(spec.id)
    silences: list[tuple[int, entries.Outcome, str]] = []
    if membership is not None and membership.is_bot:
        silences = await _silences(spec, room, state, membership, heard)
    number = len(messages)
    if len(silences) < len(heard):
        number = messages.index(heard[len(silences)])
    return Skipped(number, partial(_record, room.key, spec.id, state.seq, silences))


async def _silences(
    spec: BotSpec, room: Room, state: RoomState, membership: Membership, heard: Sequence[Complete]
) -> list[tuple[int, entries.Outcome, str]]:
    """The first messages to which the bot says nothing, and why."""
    cids = {each.message.seq: cid_of(each.message.seq) for each in heard}

    def read(conn: sa.Connection) -> _Known:
        past = entries.past(conn, room.key, spec.id, cids)
        return _Known(past, queue.has_place(conn, room.key, spec.id))

    (known, begun, is_open), has_turn = await room.log.read(read)
    if is_open or has_turn:  # an ended server has left work: who reacts next puts it in order
        return []
    counts = await counts_of(spec, room, state, [each.at for each in heard])
    silences: list[tuple[int, entries.Outcome, str]] = []
    for each, count in zip(heard, counts, strict=True):
        why = silence_at_once(spec, room.key, state, membership, each, known, count)
        if why is None or each.message.seq in begun:
            break
        silences.append((each.message.seq, *why))
    return silences


async def _state_of(room: Room, upto: int) -> RoomState:
    """A state of the room at a seq, or later."""
    live = await Runtime.of(room.log).live.open(room.key)
    try:
        while live.state.seq < upto and await live.catch_up():
            pass
        return live.state
    finally:
        live.leave()


def _nothing(conn: sa.Connection, now: int) -> None:
    """There is nothing to record."""


def _record(
    room: LogKey,
    bot: str,
    knew: int,
    silences: Sequence[tuple[int, entries.Outcome, str]],
    conn: sa.Connection,
    now: int,
) -> None:
    for seq, outcome, reason in silences:
        entries.add(conn, now, room, bot, seq=seq, knew=knew, outcome=outcome, reason=reason)
