"""Whether a bot replies to a message of another member."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Sequence
from typing import Any, NamedTuple

from shiny_labchat import concurrency
from shiny_labchat.audit import entries
from shiny_labchat.blocking import watched
from shiny_labchat.bots.calls import in_words
from shiny_labchat.bots.conversation import heard_by
from shiny_labchat.bots.hearing import counts_of, seed_of, silence_at_once
from shiny_labchat.bots.listener import RoomListener
from shiny_labchat.bots.pace import generator
from shiny_labchat.bots.spec import BotSpec
from shiny_labchat.bots.talk import Talk
from shiny_labchat.bots.when import (
    Silence,
    Unequal,
    later_conditions,
    met_at_once,
    name_of,
    takes_talk,
)
from shiny_labchat.callbacks.skipping import Complete
from shiny_labchat.domain.members import Member
from shiny_labchat.domain.membership import Membership
from shiny_labchat.domain.messages import Message, to_datetime
from shiny_labchat.domain.shares import places_in, speakers_in
from shiny_labchat.lab.room import Room
from shiny_labchat.live.room import LiveRoom

__all__ = ["Decision", "Hearing", "decide"]

logger = logging.getLogger("shiny_labchat")


class Decision(NamedTuple):
    """
    Whether a bot replies to a message.

    Parameters
    ----------
    trigger
        The name of the condition that was met; None: none was.
    why_not
        If it does not: the outcome and the reason, as the audit has them.
    has_waited
        Whether it has waited until nobody wrote.
    """

    trigger: str | None = None
    why_not: tuple[entries.Outcome, str] | None = None
    has_waited: bool = False


class Hearing(NamedTuple):
    """
    A message that a bot hears.

    Parameters
    ----------
    message
        The message, and the seq at which it was complete.
    since
        When that was, as a moment of the running event loop's clock.
    known
        The newest event that the bot knew of when it wrote its posted messages.
    shadows
        When a bot that says nothing would have written, in microseconds since 1970 (UTC).
    """

    message: Complete
    since: float
    known: int
    shadows: Sequence[int]


async def decide(
    spec: BotSpec,
    room: Room,
    live: LiveRoom,
    listener: RoomListener,
    membership: Membership,
    heard: Hearing,
) -> Decision:
    """
    Decide whether a bot replies to a message.

    Parameters
    ----------
    spec, room, live, listener, membership
        The bot, its room, and its membership there.
    heard
        The message.
    """
    message, whole = heard.message
    [count] = await counts_of(spec, room, live.state, [whole])
    about = spec, room.key, live.state, membership, heard.message, heard.known, count
    why_not = silence_at_once(*about)
    if why_not is not None:
        return Decision(why_not=why_not)
    rng = generator(*seed_of(spec, live.state, room.key, message.seq), "when")
    met = met_at_once(spec.when, message, count, membership.pseudonym, rng)
    if met is not None:
        return Decision(name_of(met))
    for each in later_conditions(spec.when):
        try:
            if each == "model" or await _is_met(each, spec, live, listener, heard):
                return Decision(name_of(each), has_waited=isinstance(each, Silence))
        except Exception as exc:
            if not callable(each):
                raise
            logger.exception(
                "the function when= of bot %r failed at message %d of room %r",
                *(spec.id, message.seq, room.id),
            )
            return Decision(why_not=("failed", in_words(exc)))
    waits = any(isinstance(each, Silence) for each in spec.when)
    return Decision(why_not=("silent", "talk went on" if waits else "when"))


async def _is_met(
    condition: Any, spec: BotSpec, live: LiveRoom, listener: RoomListener, heard: Hearing
) -> bool:
    if isinstance(condition, Silence):
        return await listener.is_quiet(heard.message.at, heard.since + condition.seconds)
    if isinstance(condition, Unequal):
        await live.read_whole()
        talk = _talk_of(live, spec.id, heard.message)
        own = [message.at.timestamp() for message in talk.messages if message.member == spec.id]
        wrote = max([*own, *(at / 1e6 for at in heard.shadows)], default=None)
        return condition.is_met(talk, spec.id, wrote)
    given: tuple[Any, ...] = (heard.message.message,)
    if takes_talk(condition):
        await live.read_whole()
        given = *given, _talk_of(live, spec.id, heard.message)
    if inspect.iscoroutinefunction(condition):
        return bool(await watched("bot's function", condition, *given))
    wanted = await concurrency.in_thread(condition, *given)
    return bool(await wanted if inspect.isawaitable(wanted) else wanted)


def _talk_of(live: LiveRoom, bot: str, heard: Complete) -> Talk:
    message, ends, state = heard.message, live.whole.ends, live.state
    heard_ids = state.hearing.heard_by(bot)
    before = [
        each
        for each in heard_by(live, bot)
        if each.seq != message.seq and ends.get(each.seq, each.seq) < heard.at
    ]
    members = (each for each in state.members() if heard_ids is None or each.member in heard_ids)
    speakers = (each for each in speakers_in(state) if heard_ids is None or each in heard_ids)
    deadline = state.deadline
    return Talk(
        (*before, message),
        tuple(map(Member.of, members)),
        tuple(speakers),
        _seconds_between(before, message),
        None if deadline is None else to_datetime(deadline),
        places_in(state),
    )


def _seconds_between(before: Sequence[Message], message: Message) -> float:
    if not before:
        return 0.0
    return max(0.0, (message.at - before[-1].at).total_seconds())
