"""
The reaction of a bot to a message: decide whether to reply, wait for a turn, compose, post.

It needs no session. Messages reach it as they reach any callback, one after the other in each
room; `callbacks` decides in which process, and where it continues after a restart.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
import secrets
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from shiny_labchat import concurrency
from shiny_labchat.audit import entries
from shiny_labchat.blocking import watched
from shiny_labchat.bots import queue
from shiny_labchat.bots.calls import ModelCalls, NoReply, NotAllowed, in_words
from shiny_labchat.bots.delivery import ComposedReply, ComposingPlan, compose, stream_reply
from shiny_labchat.bots.hearing import cid_of, counts_of, is_heard, seed_of, silence_at_once
from shiny_labchat.bots.listener import RoomListener
from shiny_labchat.bots.pace import as_typed, generator
from shiny_labchat.bots.queue import ComposingTurn, composing_turn
from shiny_labchat.bots.reply_hearers import hearers_of_reply, is_heard_by_anybody
from shiny_labchat.bots.spec import BotSpec, limit_of
from shiny_labchat.bots.waiting import until_it_may_write
from shiny_labchat.bots.when import Silence, Talk, as_experienced, is_no_reply, talk_of
from shiny_labchat.callbacks.skipping import Complete
from shiny_labchat.domain import commands
from shiny_labchat.domain.limits import longest, may_type, silence_at
from shiny_labchat.domain.membership import Membership
from shiny_labchat.domain.messages import Message
from shiny_labchat.domain.pseudonyms import resolve_pseudonym
from shiny_labchat.domain.speakers import UNNAMED
from shiny_labchat.domain.state import RoomState
from shiny_labchat.domain.visible import has_visible
from shiny_labchat.errors import Refused
from shiny_labchat.lab.room import Room
from shiny_labchat.lab.runtime import Runtime
from shiny_labchat.live.room import LiveRoom
from shiny_labchat.store import Outcome

__all__ = ["enter", "react"]

logger = logging.getLogger("shiny_labchat")

REDRAFTS = 2
"""The most times that a message is written anew; then it is sent as it is."""
READ_AT_ONCE_WITHIN = 1.0
"""A message at most this old, in seconds, was read when it was posted; an older one is read now."""


async def enter(spec: BotSpec, room: Room) -> Membership | None:
    """Join a room, shown as the bot is to be shown; None: the bot may not be there."""
    try:
        asked = resolve_pseudonym(spec.pseudonym, spec.id)
    except Exception:
        logger.exception(
            "bot %r is not in room %r: its pseudonym function failed; correct it",
            *(spec.id, room.id),
        )
        return None
    join = commands.Join(
        spec.id,
        secrets.token_hex(4),
        "assistant",
        asked,
        by_page=True,
        is_bot=True,
        shown=None if spec.disclose else "participant",
    )
    try:
        state = (await room.submit(join)).state
        if spec.disclose and state.memberships[spec.id].shown is not None:
            state = (await room.submit(commands.Disclose(spec.id))).state
    except Refused as exc:
        if exc.code == "taken":
            logger.error(
                "bot %r is not in room %r: a member who is not a bot has this id there; "
                "give the bot another id",
                *(spec.id, room.id),
            )
        return None
    return state.membership(spec.id)


async def react(spec: BotSpec, room: Room, message: Message) -> None:
    """Reply to a message of another member, or decide not to; both are recorded."""
    if not is_heard(spec, message):
        return
    live = await Runtime.of(room.log).live.open(room.key)
    listener = RoomListener(room.log, live, spec.id)
    try:
        begun = await _begin(spec, room, message)
        if begun.is_over:
            return
        while live.state.seq < begun.seq and await live.catch_up():
            pass
        membership = live.state.membership(spec.id)
        if membership is None or not membership.is_bot:
            membership = await enter(spec, room)
        if membership is not None:
            await Reaction(spec, room, live, listener, membership, message, begun).run()
    finally:
        listener.close()
        live.leave()


async def _begin(spec: BotSpec, room: Room, message: Message) -> entries.Begun:
    about = room.key, spec.id, message.seq, cid_of(message.seq)

    def look(conn: sa.Connection) -> entries.Begun | None:
        has_place = queue.has_place(conn, room.key, spec.id)
        return None if has_place else entries.begun(conn, *about)

    def begin(conn: sa.Connection, now: int) -> entries.Begun:
        queue.leave(conn, room.key, spec.id)
        return entries.take_up(conn, *about)

    return await room.log.read(look) or await room.log.write(begin)


class Reaction:
    """
    The reaction of a bot to one message.

    Parameters
    ----------
    spec, room, live, listener, membership
        The bot, its room, and its membership there.
    message, begun
        Another member's message, and what the audit knows of it.
    """

    def __init__(
        self,
        spec: BotSpec,
        room: Room,
        live: LiveRoom,
        listener: RoomListener,
        membership: Membership,
        message: Message,
        begun: entries.Begun,
    ) -> None:
        self._spec = spec
        self._room = room
        self._live = live
        self._listener = listener
        self._membership = membership
        self._message = message
        self._known = begun.known
        self._whole = begun.seq
        self._at_most: Sequence[str] | None = None
        loop = asyncio.get_running_loop()
        age = time.time() - begun.at / 1e6
        self._said = loop.time() - max(0.0, age)
        self._begun = self._said if age < READ_AT_ONCE_WITHIN else loop.time()
        self._seed = seed_of(spec, live.state, room.key, message.seq)
        about = membership.pseudonym, self._others, message, self._forbidden, self._random
        goes_on = membership.replaces is not None
        self._calls = ModelCalls(room.log, room.key, spec, *about, goes_on=goes_on)

    async def run(self) -> None:
        """Decide whether to reply, wait for a turn, and reply."""
        why_not = await self._why_not()
        if why_not is not None:
            await self._say_nothing(*why_not)
            return
        await until_it_may_write(self._live, self._spec.id)
        await self._live.read_whole()
        async with composing_turn(self._room, self._live, self._spec.id) as turn:
            reason = await self._speak(turn)
            if reason is not None:
                await self._give_up(reason)

    # ── whether ──

    async def _why_not(self) -> tuple[entries.Outcome, str] | None:
        spec, message, heard = self._spec, self._message, Complete(self._message, self._whole)
        [count] = await counts_of(spec, self._room, self._live.state, [heard.at])
        state, membership = self._live.state, self._membership_in(self._live.state)
        why_not = silence_at_once(
            spec, self._room.key, state, membership, heard, self._known, count
        )
        if why_not is not None:
            return why_not
        if isinstance(spec.when, Silence):
            is_quiet = await self._listener.is_quiet(self._whole, self._said + spec.when.seconds)
            self._begun = asyncio.get_running_loop().time()
            return None if is_quiet else ("silent", "talk went on")
        if callable(spec.when):
            try:
                return None if await self._is_wanted(spec.when) else ("silent", "when")
            except Exception as exc:
                logger.exception(
                    "the function when= of bot %r failed at message %d of room %r",
                    *(spec.id, message.seq, self._room.id),
                )
                return "failed", in_words(exc)
        return None

    async def _is_wanted(self, when: Any) -> bool:
        if inspect.iscoroutinefunction(when):
            return bool(await watched("bot's function", when, self._message))
        wanted = await concurrency.in_thread(when, self._message)
        return bool(await wanted if inspect.isawaitable(wanted) else wanted)

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
        if self._message.seq in self._live.whole.retracted:
            return "retracted"
        return "cleared" if self._message.seq <= self._live.state.cleared else None

    def _hearers(self) -> list[str] | None:
        """Those who are to hear the reply; None: everybody."""
        state = self._live.state
        if state.membership(self._spec.id) is None:
            return None
        return hearers_of_reply(state, self._spec.id, self._message)

    async def _hindrance(self, turn: ComposingTurn) -> str | None:
        """Why the bot must say nothing now: it may not write, or a limit is reached."""
        while True:
            talk = self._talk()
            reason = self._forbidden() or limit_of(self._spec, talk)
            in_a_row = talk.in_a_row + turn.unsaid(self._conversation(0))
            is_sure = limit_of(self._spec, talk._replace(in_a_row=in_a_row)) is None
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

    def _talk(self) -> Talk:
        bots = frozenset(membership.member for membership in self._live.state.bots())
        return talk_of(self._conversation(0), self._spec.id, bots)

    def _conversation(self, after: int) -> tuple[Message, ...]:
        """What was said after a seq to everybody, or to the bot through the room's network."""
        hearing, bot = self._live.state.hearing, self._spec.id
        own = hearing.same_place(bot) if bot in hearing.memberships else (bot,)
        return self._live.whole.common(after, [own])

    def _others(self) -> set[str]:
        """The names of all others who are or were in the room, or have written there."""
        there = self._live.state.memberships.values()
        names = {each.pseudonym for each in there if each.member != self._spec.id}
        said = self._conversation(self._live.state.cleared)
        return {*names, UNNAMED, *(message.author for message in said if message.author)}

    def _random(self, *what: object) -> Any:
        return generator(*self._seed, *what)

    # ── how ──

    async def _speak(self, turn: ComposingTurn) -> str | None:
        """Compose and post a reply; return the reason if a limit or rule prevented it."""
        spec = self._spec
        for draft in range(REDRAFTS + 1):
            if (reason := await self._hindrance(turn)) is not None:
                return reason
            try:
                if self._streams():
                    return await self._stream()
                minds = spec.moved_on == "drop" or (spec.moved_on == "redraft" and draft < REDRAFTS)
                composed = await self._compose(draft, minds)
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

    async def _compose(self, draft: int, minds: bool) -> ComposedReply:
        knew = self._live.state.seq
        known, unread = self._heard()
        self._listener.listen(knew)

        async def ask() -> tuple[str | None, int]:
            answer = await self._calls.answer(self._still([*known, *unread]), knew)
            return self._as_said(answer.text), answer.entry

        return await compose(ask(), self._plan(unread, draft, minds))

    def _heard(self) -> tuple[list[Message], list[Message]]:
        whole, state = self._live.whole, self._live.state
        self._at_most = self._hearers()
        readers = [state.hearing.same_place(each) for each in self._at_most or ()]
        talk = whole.common(state.cleared, readers) if readers else whole.public(state.cleared)
        return as_experienced(talk, self._spec.id, self._whole, whole.ends)

    def _still(self, heard: Sequence[Message]) -> list[Message]:
        """Those of some messages that were not retracted meanwhile."""
        retracted = self._live.whole.retracted
        return [message for message in heard if message.seq not in retracted]

    def _as_said(self, text: str) -> str | None:
        if self._spec.when == "model" and is_no_reply(text):
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
            is_decided=self._spec.when != "model",
            moved=self._listener.moved if minds else None,
        )

    def _type(self) -> None:
        state, to = self._live.state, self._at_most
        if to is not None and state.network.is_full:  # then all would see it
            return
        if may_type(state, self._membership_in(state), _now()):  # as with people
            self._live.presence.type(self._spec.id, to=to)

    async def _deliver(self, composed: ComposedReply) -> None:
        if composed.how == "silent":
            await self._settle(composed.entry, outcome="silent", reason="model")
            return
        if self._is_gone() == "retracted":
            await self._settle(composed.entry, outcome="dropped", reason="retracted")
            return
        try:
            outcome = await self._post(composed.text, cid_of(self._message.seq))
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
        is_fast = spec.pace.typing is None and spec.client is not None
        return is_fast and spec.when != "model" and self._is_shown()

    async def _stream(self) -> str | None:
        """Stream a reply; only for a bot that is shown as an assistant."""
        knew = self._live.state.seq
        known, unread = self._heard()
        reading = self._plan(unread, 0, minds=False).reading
        await asyncio.sleep(self._begun + reading - asyncio.get_running_loop().time())
        post = self._message_of("", cid_of(self._message.seq))
        post = replace(post, parts=(), by=self._message.member, hides_composing=False)
        heard = self._still([*known, *unread])
        return await stream_reply(self._room, post, self._calls, heard, knew)

    # ── when it is enough ──

    async def _give_up(self, reason: str) -> None:
        """Record why nothing is said; if the bot has reached its end, do what `end` says."""
        spec = self._spec
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
        if any((m.member, m.content) == said for m in self._conversation(0)):
            return

        async def closing() -> tuple[str, int]:
            return words, 0

        self._begun = asyncio.get_running_loop().time()
        self._at_most = None
        composed = await compose(closing(), self._plan((), 0, minds=False))
        try:
            await self._post(composed.text, "bot:closing")
        except Refused as exc:
            bot, room = self._spec.id, self._room.id
            logger.warning("bot %r could not post its closing in room %r: %s", bot, room, exc)

    # ── the record ──

    async def _say_nothing(self, outcome: entries.Outcome, reason: str) -> None:
        bot, seq, knew = self._spec.id, self._message.seq, self._live.state.seq
        fields: dict[str, Any] = {"seq": seq, "knew": knew, "outcome": outcome, "reason": reason}
        where = self._room.key
        await self._room.log.write(lambda conn, now: entries.add(conn, now, where, bot, **fields))

    async def _settle(self, entry: int, **fields: Any) -> None:
        await self._room.log.write(lambda conn, now: entries.settle(conn, entry, **fields))


def _now() -> int:
    return time.time_ns() // 1000
