"""
The reaction of a bot to a message: decide whether to reply, wait for a turn, compose, post.

It needs no session. Messages reach it as they reach any callback, one after the other in each
room, and so do moments at which it is to write; `callbacks` decides in which process, and where it
continues after a restart.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from shiny_labchat.audit import entries
from shiny_labchat.bots import queue
from shiny_labchat.bots.calls import ModelCalls, NoReply, NotAllowed
from shiny_labchat.bots.conversation import heard_by, heard_by_all
from shiny_labchat.bots.deciding import Hearing, decide
from shiny_labchat.bots.delivery import ComposedReply, ComposingPlan, compose, stream_reply
from shiny_labchat.bots.entering import enter, imagined
from shiny_labchat.bots.hearing import is_heard, seed_of
from shiny_labchat.bots.listener import RoomListener
from shiny_labchat.bots.occasion import Occasion
from shiny_labchat.bots.pace import as_typed, generator
from shiny_labchat.bots.queue import ComposingTurn, composing_turn
from shiny_labchat.bots.reply_hearers import hearers_of_reply, is_heard_by_anybody
from shiny_labchat.bots.spec import BotSpec, limit_of
from shiny_labchat.bots.tally import Tally, as_experienced, tally_of
from shiny_labchat.bots.waiting import until_it_may_write
from shiny_labchat.bots.when import is_no_reply
from shiny_labchat.callbacks.skipping import Complete
from shiny_labchat.domain import commands
from shiny_labchat.domain.events import Event
from shiny_labchat.domain.limits import longest, may_type, silence_at
from shiny_labchat.domain.membership import Membership
from shiny_labchat.domain.messages import Message
from shiny_labchat.domain.speakers import UNNAMED
from shiny_labchat.domain.state import RoomState
from shiny_labchat.domain.visible import has_visible
from shiny_labchat.errors import Refused
from shiny_labchat.lab.room import Room
from shiny_labchat.lab.runtime import Runtime
from shiny_labchat.live.room import LiveRoom
from shiny_labchat.store import Outcome

__all__ = ["act", "react"]

logger = logging.getLogger("shiny_labchat")

REDRAFTS = 2
"""The most times that a message is written anew; then it is sent as it is."""
READ_AT_ONCE_WITHIN = 1.0
"""A message at most this old, in seconds, was read when it was posted; an older one is read now."""


async def react(spec: BotSpec, room: Room, message: Message) -> None:
    """Reply to a message of another member, or decide not to; both are recorded."""
    if is_heard(spec, message):
        await _react(spec, room, Occasion.of_message(message))


async def act(spec: BotSpec, room: Room, trigger: Event) -> None:
    """Write a message, as a moment has come or the app asks; what becomes of it is recorded."""
    await _react(spec, room, Occasion.of_trigger(trigger))


async def _react(spec: BotSpec, room: Room, occasion: Occasion) -> None:
    live = await Runtime.of(room.log).live.open(room.key)
    listener = RoomListener(room.log, live, spec.id)
    try:
        begun = await _begin(spec, room, occasion)
        if begun.is_over:
            return
        while live.state.seq < begun.seq and await live.catch_up():
            pass
        membership = await _membership_of(spec, room, live)
        if membership is not None:
            shadows = await _shadows(spec, room)
            about = spec, room, live, listener, membership, occasion, begun
            await Reaction(*about, shadows).run()
    finally:
        listener.close()
        live.leave()


async def _membership_of(spec: BotSpec, room: Room, live: LiveRoom) -> Membership | None:
    if spec.shadow:
        return imagined(spec, room, live.state)
    membership = live.state.membership(spec.id)
    if membership is None or not membership.is_bot:
        membership = await enter(spec, room)
    return membership


async def _shadows(spec: BotSpec, room: Room) -> Sequence[int]:
    if not spec.shadow:
        return ()
    return await room.log.read(lambda conn: entries.shadows(conn, room.key, spec.id))


async def _begin(spec: BotSpec, room: Room, occasion: Occasion) -> entries.Begun:
    about = room.key, spec.id, occasion.seq, occasion.cid

    def look(conn: sa.Connection) -> entries.Begun | None:
        has_place = queue.has_place(conn, room.key, spec.id)
        return None if has_place else entries.begun(conn, *about)

    def begin(conn: sa.Connection, now: int) -> entries.Begun:
        queue.leave(conn, room.key, spec.id)
        return entries.take_up(conn, *about)

    return await room.log.read(look) or await room.log.write(begin)


class Reaction:
    """
    The reaction of a bot to one message, or to a moment.

    Parameters
    ----------
    spec, room, live, listener, membership
        The bot, its room, and its membership there.
    occasion, begun
        Why it may write, and what the audit knows of that.
    shadows
        When it would have written, if it says nothing, in microseconds since 1970 (UTC).
    """

    def __init__(
        self,
        spec: BotSpec,
        room: Room,
        live: LiveRoom,
        listener: RoomListener,
        membership: Membership,
        occasion: Occasion,
        begun: entries.Begun,
        shadows: Sequence[int],
    ) -> None:
        self._spec = spec
        self._room = room
        self._live = live
        self._listener = listener
        self._membership = membership
        self._occasion = occasion
        self._shadows = shadows
        self._known = begun.known
        self._whole = begun.seq
        self._at_most: Sequence[str] | None = None
        self._types_to: Sequence[str] | None = None
        loop = asyncio.get_running_loop()
        age = time.time() - begun.at / 1e6
        self._said = loop.time() - max(0.0, age)
        self._begun = self._said if age < READ_AT_ONCE_WITHIN else loop.time()
        self._seed = seed_of(spec, live.state, room.key, occasion.seq)

    async def run(self) -> None:
        """Decide whether to reply, wait for a turn, and reply."""
        message = self._occasion.message
        if message is not None and not await self._is_wanted(message):
            return
        if not self._spec.shadow:
            await until_it_may_write(self._live, self._spec.id)
        about = self._membership.pseudonym, self._others, self._occasion
        calls = ModelCalls(
            *(self._room.log, self._room.key, self._spec, *about, self._forbidden, self._random),
            goes_on=self._membership.replaces is not None,
        )
        await self._live.read_whole()
        async with self._turn() as turn:
            reason = await self._speak(turn, calls)
            if reason is not None:
                await self._give_up(reason)

    @asynccontextmanager
    async def _turn(self) -> AsyncGenerator[ComposingTurn | None]:
        """The bot's turn to compose; None: it says nothing, so others need not wait for it."""
        if self._spec.shadow:
            yield None
            return
        async with composing_turn(self._room, self._live, self._spec.id) as turn:
            yield turn

    # ── whether ──

    async def _is_wanted(self, message: Message) -> bool:
        """Whether it replies to a message; if not, that is recorded."""
        membership = self._membership_in(self._live.state)
        heard = Hearing(Complete(message, self._whole), self._said, self._known, self._shadows)
        about = self._spec, self._room, self._live, self._listener, membership
        trigger, why_not, has_waited = await decide(*about, heard)
        if why_not is not None:
            await self._say_nothing(*why_not)
            return False
        self._occasion = replace(self._occasion, trigger=trigger)
        if has_waited:
            self._begun = asyncio.get_running_loop().time()
        return True

    def _forbidden(self) -> str | None:
        """Why the bot may not write now; None: it may."""
        state = self._live.state
        code = silence_at(state, self._membership_in(state), _now()) or self._is_gone()
        if code is not None:
            return code
        hearers = self._hearers()
        return None if is_heard_by_anybody(state, self._spec.id, hearers) else "unheard"

    def _is_gone(self) -> str | None:
        """Why its message is not to be answered any more; None: it is still there."""
        message, live = self._occasion.message, self._live
        if message is None:
            return None
        if message.seq in live.whole.retracted:
            return "retracted"
        return "cleared" if message.seq <= live.state.cleared else None

    def _hearers(self) -> list[str] | None:
        """Those who are to hear the reply; None: everybody."""
        state = self._live.state
        if state.membership(self._spec.id) is None:
            return None
        return hearers_of_reply(state, self._spec.id, self._occasion.message)

    async def _hindrance(self, turn: ComposingTurn | None) -> str | None:
        """Why the bot must say nothing now: it may not write, or a limit is reached."""
        while True:
            tally = self._tally()
            reason = self._forbidden() or limit_of(self._spec, tally)
            if turn is None:
                return reason
            in_a_row = tally.in_a_row + turn.unsaid(heard_by(self._live, self._spec.id))
            is_sure = limit_of(self._spec, tally._replace(in_a_row=in_a_row)) is None
            if turn.was_awaited:
                self._begun = asyncio.get_running_loop().time()
            if reason is not None or is_sure:
                return reason
            await turn.wait()  # others' messages, once posted, may reach the limit
            await turn.has_come()

    def _membership_in(self, state: RoomState) -> Membership:
        return state.memberships.get(self._spec.id, self._membership)

    def _is_shown(self) -> bool:
        """Whether the bot is shown as an assistant."""
        return self._membership_in(self._live.state).role_for(None) == "assistant"

    def _tally(self) -> Tally:
        bots = frozenset(membership.member for membership in self._live.state.bots())
        tally = tally_of(heard_by(self._live, self._spec.id), self._spec.id, bots)
        unsaid = len(self._shadows)
        return tally._replace(own=tally.own + unsaid, all=tally.all + unsaid)

    def _others(self) -> set[str]:
        """The names of all others who are or were in the room, or have written there."""
        there = self._live.state.memberships.values()
        names = {each.pseudonym for each in there if each.member != self._spec.id}
        said = heard_by(self._live, self._spec.id, self._live.state.cleared)
        return {*names, UNNAMED, *(message.author for message in said if message.author)}

    def _random(self, *what: object) -> Any:
        return generator(*self._seed, *what)

    # ── how ──

    async def _speak(self, turn: ComposingTurn | None, calls: ModelCalls) -> str | None:
        """Compose and post a reply; return the reason if a limit or rule prevented it."""
        spec = self._spec
        for draft in range(REDRAFTS + 1):
            if (reason := await self._hindrance(turn)) is not None:
                return reason
            try:
                if self._streams():
                    return await self._stream(calls)
                composed = await self._compose(calls, draft, self._minds(draft))
            except NotAllowed as exc:
                return str(exc)
            except NoReply:
                return None
            if composed.how != "moved":
                await self._deliver(composed)
                return None
            outcome = "dropped" if spec.moved_on == "drop" else "redrafted"
            await self._settle(composed.entry, outcome=outcome, reason="talk went on")
            if outcome == "dropped":
                return None
            self._begun = asyncio.get_running_loop().time()
        return None

    def _minds(self, draft: int) -> bool:
        """Whether it matters if others write meanwhile; what it writes by itself is not dropped."""
        if self._spec.moved_on == "drop":
            return self._occasion.message is not None
        return self._spec.moved_on == "redraft" and draft < REDRAFTS

    async def _compose(self, calls: ModelCalls, draft: int, minds: bool) -> ComposedReply:
        knew = self._live.state.seq
        known, unread = self._heard()
        self._listener.listen(knew)

        async def ask() -> tuple[str | None, int]:
            answer = await calls.answer(self._still([*known, *unread]), knew)
            return self._as_said(answer.text), answer.entry

        return await compose(ask(), self._plan(unread, draft, minds))

    def _heard(self) -> tuple[list[Message], list[Message]]:
        state = self._live.state
        self._at_most = self._types_to = self._hearers()
        talk = heard_by_all(self._live, self._at_most)
        if self._at_most is None and state.rules.history == "joined":
            self._at_most = state.hearing.taking_part()  # who comes meanwhile has not heard it
        return as_experienced(talk, self._spec.id, self._whole, self._live.whole.ends)

    def _still(self, heard: Sequence[Message]) -> list[Message]:
        """Those of some messages that were not retracted meanwhile."""
        retracted = self._live.whole.retracted
        return [message for message in heard if message.seq not in retracted]

    def _as_said(self, text: str) -> str | None:
        if self._may_decline and is_no_reply(text):
            return None
        state = self._live.state
        most = None if self._is_shown() else longest(state, self._membership_in(state))
        typed = as_typed(text, most)
        return typed if has_visible(typed) else None

    def _plan(self, unread: Sequence[Message], draft: int, minds: bool) -> ComposingPlan:
        pace, texts = self._spec.pace, [message.content for message in unread]
        return ComposingPlan(
            reading=pace.time_to_read(texts, self._random("read", draft)),
            typing=lambda text: pace.time_to_type(text, self._random("type", draft)),
            type=self._type,
            begun=self._begun,
            is_decided=not self._may_decline,
            moved=self._listener.moved if minds else None,
        )

    @property
    def _may_decline(self) -> bool:
        """Whether the model may decide to say nothing."""
        return self._occasion.trigger == "model"

    def _type(self) -> None:
        state, to = self._live.state, self._types_to
        if self._spec.shadow or (to is not None and state.network.is_full):  # all would see it
            return
        if may_type(state, self._membership_in(state), _now()):  # as with people
            self._live.presence.type(self._spec.id, to=to)

    async def _deliver(self, composed: ComposedReply) -> None:
        if composed.how == "silent":
            await self._settle(composed.entry, outcome="silent", reason="model")
            return
        if self._spec.shadow:
            await self._settle(composed.entry, outcome="shadow")
            return
        if self._is_gone() == "retracted":
            await self._settle(composed.entry, outcome="dropped", reason="retracted")
            return
        try:
            outcome = await self._post(composed.text, self._occasion.cid)
        except Refused as exc:
            await self._settle(composed.entry, outcome="dropped", reason=exc.code)
            return
        if outcome.is_repeat:  # another process took over, and has posted it
            await self._settle(composed.entry, outcome="dropped", reason="said already")
            return
        became = outcome.of_message
        fields = {"outcome": "posted", "posted": became.at, "became": became.seq}
        await self._settle(composed.entry, **fields)

    async def _post(self, text: str, cid: str) -> Outcome:
        """Post; a bot shown as a participant keeps to the rate limit, and waits for it."""
        while True:
            try:
                return await self._room.submit(self._message_of(text, cid))
            except Refused as exc:
                rate = self._live.state.rules.rate
                if exc.code != "too_fast" or rate is None:
                    raise
            await asyncio.sleep(1 / rate)

    def _message_of(self, text: str, cid: str) -> commands.Post:
        is_shown = self._is_shown()
        return commands.Post(
            [("markdown" if is_shown else "text", text)],
            "user",
            self._spec.id,
            cid=cid,
            at_most=self._at_most,
            hides_cid=True,
            hides_composing=self._live.whole.waits and not is_shown,
        )

    def _streams(self) -> bool:
        spec = self._spec
        is_fast = spec.pace.typing is None and spec.client is not None and not spec.shadow
        return is_fast and not self._may_decline and self._is_shown()

    async def _stream(self, calls: ModelCalls) -> str | None:
        """Stream a reply; only for a bot that is shown as an assistant."""
        knew = self._live.state.seq
        known, unread = self._heard()
        reading = self._plan(unread, 0, minds=False).reading
        await asyncio.sleep(self._begun + reading - asyncio.get_running_loop().time())
        message, post = self._occasion.message, self._message_of("", self._occasion.cid)
        by = None if message is None else message.member
        post = replace(post, parts=(), by=by, hides_composing=False)
        return await stream_reply(self._room, post, calls, self._still([*known, *unread]), knew)

    # ── when it is enough ──

    async def _give_up(self, reason: str) -> None:
        """Record why nothing is said; if the bot has reached its end, do what `end` says."""
        spec = self._spec
        if spec.shadow:
            await self._say_nothing("silent", reason)
            return
        is_end = reason == "max_messages"
        if reason in ("budget", "study_budget"):
            is_end = spec.end != "fallback"  # it continues, and only could not answer this message
        if is_end and spec.closing is not None:
            await self._close(spec.closing)
        await self._say_nothing("silent", reason)
        if is_end and spec.end == "leave":
            await self._room.submit(commands.Remove(spec.id))

    async def _close(self, words: str) -> None:
        said = (self._spec.id, words)
        if any((m.member, m.content) == said for m in heard_by(self._live, self._spec.id)):
            return

        async def closing() -> tuple[str, int]:
            return words, 0

        self._begun = asyncio.get_running_loop().time()
        self._at_most = self._types_to = None
        composed = await compose(closing(), self._plan((), 0, minds=False))
        try:
            await self._post(composed.text, "bot:closing")
        except Refused as exc:
            bot, room = self._spec.id, self._room.id
            logger.warning("bot %r could not post its closing in room %r: %s", bot, room, exc)

    # ── the record ──

    async def _say_nothing(self, outcome: entries.Outcome, reason: str) -> None:
        bot, where, occasion = self._spec.id, self._room.key, self._occasion
        fields: dict[str, Any] = {"seq": occasion.seq, "knew": self._live.state.seq}
        fields |= {"outcome": outcome, "reason": reason, "trigger": occasion.trigger}
        await self._room.log.write(lambda conn, now: entries.add(conn, now, where, bot, **fields))

    async def _settle(self, entry: int, **fields: Any) -> None:
        await self._room.log.write(lambda conn, now: entries.settle(conn, entry, **fields))


def _now() -> int:
    return time.time_ns() // 1000
