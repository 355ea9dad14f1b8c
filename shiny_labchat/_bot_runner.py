"""
A bot at work: what becomes of each message that others say.

It needs no session. Messages come to it as to any callback, one after the other in each room; in
which process, and where it goes on after a restart, is the callbacks' business.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
import secrets
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from shiny_labchat import _blocking, _bot_rules, _commands
from shiny_labchat._bot_asking import Asking, Unanswered, Unasked, in_words
from shiny_labchat._bot_rules import BotSpec, Silence
from shiny_labchat._bot_streaming import speak_as_it_comes
from shiny_labchat._composing import Manner, compose
from shiny_labchat._domain import Event, Seat
from shiny_labchat._live import Live, LiveRoom
from shiny_labchat._names import resolve_pseudonym
from shiny_labchat._records import Message
from shiny_labchat._room import Room
from shiny_labchat.errors import LabChatError, Refused
from shiny_labchat.store import audit

__all__ = ["enter", "react"]

logger = logging.getLogger("shiny_labchat")

REDRAFTS = 2
"""How often a message is written anew, at most; then it is sent as it is."""
WAIT = 0.2
"""How often a bot that waits for its turn looks whether it has come, in seconds."""
FRESH = 1.0
"""What was said so many seconds ago was read at once; what is older has waited for the bot."""
_OWNER = secrets.token_hex(8)


async def enter(spec: BotSpec, room: Room) -> Seat | None:
    """Be a member of a room, shown as the bot is to be shown; None: it was removed."""
    asked = resolve_pseudonym(spec.pseudonym, spec.id)
    join = _commands.Join(
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
        if spec.disclose and state.seats[spec.id].shown is not None:
            state = (await room.submit(_commands.Disclose(spec.id))).state
    except Refused:
        return None
    return state.seat(spec.id)


async def react(spec: BotSpec, room: Room, message: Message) -> None:
    """Say something to a message of somebody else's, or nothing; either is written down."""
    if message.member in (None, spec.id) or message.audience is not None:
        return
    live = await Live.of(room.log).open(room.key)
    ears = Ears(live, spec.id)
    try:
        while live.state.seq < message.seq and await live.catch_up():
            pass
        await live.read_whole()
        seat = live.state.seat(spec.id) or await enter(spec, room)
        if seat is not None:
            await Reaction(spec, room, live, ears, seat, message).run()
    finally:
        ears.close()
        live.leave()


class Ears:
    """
    Hears what others say in a room.

    Attributes
    ----------
    moved
        Set when somebody has said something after the seq that was given to `listen`.
    """

    def __init__(self, live: LiveRoom, bot: str) -> None:
        self.moved = asyncio.Event()
        self._bot = bot
        self._newest = 0
        self._since = live.state.seq
        self.close = live.follow(self._hear)

    def listen(self, since: int) -> None:
        """Be told of what comes after a seq."""
        self._since = since
        self.moved.clear()
        if self._newest > since:
            self.moved.set()

    def _hear(self, events: Sequence[Event]) -> None:
        for event in events:
            is_talk = event.kind == "message" and "audience" not in event.data
            if is_talk and event.member != self._bot:
                self._newest = event.seq
                if event.seq > self._since:
                    self.moved.set()


def loop_time_of(message: Message) -> float:
    """When a message was there to be read, in the running event loop's time; at the latest now."""
    age = time.time() - message.at.timestamp()
    now = asyncio.get_running_loop().time()
    return now - age if 0 < age < FRESH else now


class Done(Exception):
    """There is nothing more to do about a message."""


class Reaction:
    """
    What a bot does about one message.

    Parameters
    ----------
    spec, room, live, ears, seat
        The bot, and where it is.
    message
        What somebody else has said.
    """

    def __init__(
        self, spec: BotSpec, room: Room, live: LiveRoom, ears: Ears, seat: Seat, message: Message
    ) -> None:
        self._spec = spec
        self._room = room
        self._live = live
        self._ears = ears
        self._seat = seat
        self._message = message
        self._cid = f"bot:{message.seq}"
        self._begun = loop_time_of(message)
        seed = live.state.seed if spec.seed is None else spec.seed
        self._seed = (seed, *room.key, spec.id, message.seq)
        about = seat.pseudonym, message, self._forbidden, self._random
        self._asking = Asking(room.log, room.key, spec, *about)

    async def run(self) -> None:
        """Decide, wait for a turn, and speak."""
        try:
            reason = await self._why_not()
        except Done:
            return
        if reason is not None:
            await self._say_nothing(reason, "covered" if reason == "covered" else "silent")
            return
        async with self._floor():
            reason = self._forbidden() or _bot_rules.limit_of(self._spec, self._talk())
            if reason is None:
                reason = await self._speak()
            if reason is not None:
                await self._say_nothing(reason)
            if reason in ("max_messages", "budget", "study_budget"):
                await self._end(reason)

    # ── whether ──

    async def _why_not(self) -> str | None:
        spec, message, where = self._spec, self._message, self._room.key

        def begin(conn: sa.Connection, now: int) -> tuple[bool, int]:
            is_said = audit.take_up(conn, where, spec.id, message.seq, self._cid)
            return is_said, audit.known(conn, where, spec.id)

        is_said, known = await self._room.log.write(begin)
        if is_said:
            raise Done
        if message.seq <= known:
            return "covered"
        name, talk = self._seat.pseudonym, self._talk()
        if not _bot_rules.speaks(spec.when, message, talk, name, self._random("when")):
            return "when"
        if isinstance(spec.when, Silence):
            interrupted = await self._is_interrupted(spec.when.seconds)
            self._begun = asyncio.get_running_loop().time()
            return "talk went on" if interrupted else None
        if callable(spec.when):
            try:
                return None if await self._is_wanted(spec.when) else "when"
            except Exception as exc:
                logger.exception("the function that says when bot %r speaks failed", spec.id)
                await self._say_nothing(in_words(exc), "failed")
                raise Done from exc
        return None

    async def _is_interrupted(self, seconds: float) -> bool:
        if self._public()[-1:] and self._public()[-1].seq > self._message.seq:
            return True
        self._ears.listen(self._message.seq)
        try:
            async with asyncio.timeout(self._message.at.timestamp() + seconds - time.time()):
                await self._ears.moved.wait()
                return True
        except TimeoutError:
            return False

    async def _is_wanted(self, when: Any) -> bool:
        if inspect.iscoroutinefunction(when):
            return bool(await _blocking.watched("bot's function", when, self._message))
        wanted = await _blocking.in_thread(when, self._message)
        return bool(await wanted if inspect.isawaitable(wanted) else wanted)

    def _forbidden(self) -> str | None:
        """Why the bot may not write now, or what it is shown as."""
        seat = self._live.state.seats[self._spec.id]
        code = self._live.state.silence(replace(seat, role=seat.role_for(None)))
        return None if code == "read_only" and self._is_shown() else code

    def _is_shown(self) -> bool:
        """Whether everybody may know that it is a machine."""
        return self._live.state.seats[self._spec.id].role_for(None) == "assistant"

    def _talk(self) -> _bot_rules.Talk:
        bots = frozenset(seat.member for seat in self._live.state.bots())
        return _bot_rules.talk_of(self._public(), self._spec.id, bots, self._message.seq)

    def _public(self) -> list[Message]:
        return self._live.public()

    def _random(self, *what: object) -> Any:
        return _bot_rules.generator(*self._seed, *what)

    # ── how ──

    async def _speak(self) -> str | None:
        """Say something; gives why not, if it did not come to anything."""
        spec = self._spec
        if self._streams():
            return await self._stream()
        for draft in range(REDRAFTS + 1):
            knew = self._live.state.seq
            heard = _bot_rules.as_experienced(self._public(), spec.id, self._message.seq)
            self._ears.listen(knew)
            answer: list[Any] = []

            async def ask(
                heard: Sequence[Message] = heard, knew: int = knew, answer: list[Any] = answer
            ) -> str | None:
                answer.append(await self._asking.answer(heard, knew))
                return self._as_said(answer[0].text)

            minds = spec.moved_on == "drop" or (spec.moved_on == "redraft" and draft < REDRAFTS)
            try:
                how, text = await compose(ask(), self._manner(heard, draft, minds))
            except Unasked as exc:
                return str(exc)
            except Unanswered:
                return None
            entry: int = answer[0].entry
            if how == "silent":
                await self._settle(entry, outcome="silent", reason="model")
            elif how == "written":
                await self._post(text, entry)
            else:
                outcome = "dropped" if spec.moved_on == "drop" else "redrafted"
                await self._settle(entry, outcome=outcome, reason="talk went on")
                if outcome == "redrafted":
                    self._begun = asyncio.get_running_loop().time()
                    continue
            return None
        return None

    def _as_said(self, text: str) -> str | None:
        if self._spec.when == "model" and _bot_rules.is_no_reply(text):
            return None
        longest = None if self._is_shown() else self._live.state.rules.max_length
        return _bot_rules.as_typed(text, longest, self._seat.pseudonym) or None

    def _manner(self, heard: Sequence[Message], draft: int, minds: bool) -> Manner:
        pace, own = self._spec.pace, self._spec.id
        unread = [m.content for m in heard if m.seq >= self._message.seq and m.member != own]
        reading = pace.time_to_read(unread, self._random("read", draft))
        return Manner(
            reading=reading,
            typing=lambda text: pace.time_to_type(text, self._random("type", draft)),
            type=lambda: self._live.presence.type(own),
            begun=self._begun,
            is_decided=self._spec.when != "model",
            moved=self._ears.moved if minds else None,
        )

    def _message_of(self, text: str, cid: str) -> _commands.Post:
        parts = [("markdown" if self._is_shown() else "text", text)]
        return _commands.Post(parts, "user", self._spec.id, cid=cid, hides_cid=True)

    async def _post(self, text: str, entry: int) -> None:
        try:
            came = await self._room.submit(self._message_of(text, self._cid))
        except Refused as exc:
            await self._settle(entry, outcome="dropped", reason=exc.code)
            return
        if came.is_repeat:  # a server that took this one for dead was faster
            await self._settle(entry, outcome="dropped", reason="said already")
            return
        became = came.events[0]
        await self._settle(entry, outcome="posted", posted=became.at, became=became.seq)

    def _streams(self) -> bool:
        spec = self._spec
        is_fast = spec.pace.typing is None and spec.client is not None
        return is_fast and spec.when != "model" and self._is_shown()

    async def _stream(self) -> str | None:
        """Say something as it comes, if all may know that it is a machine that speaks."""
        spec, knew = self._spec, self._live.state.seq
        heard = _bot_rules.as_experienced(self._public(), spec.id, self._message.seq)
        reading = self._manner(heard, 0, minds=False).reading
        await asyncio.sleep(self._begun + reading - asyncio.get_running_loop().time())
        post = replace(self._message_of("", self._cid), parts=(), by=self._message.member)
        return await speak_as_it_comes(self._room, post, self._asking, heard, knew)

    async def _end(self, reason: str) -> None:
        """Nothing more will be said: do what was declared for that."""
        spec = self._spec
        if spec.end == "fallback" and reason != "max_messages":
            return  # that goes on; it only could not answer this
        if spec.closing is not None and not self._has_closed():

            async def closing() -> str | None:
                return spec.closing

            self._begun = asyncio.get_running_loop().time()
            composed = await compose(closing(), self._manner((), 0, minds=False))
            await self._room.submit(self._message_of(composed.text, "bot:closing"))
        if spec.end == "leave":
            await self._room.submit(_commands.Remove(spec.id))

    def _has_closed(self) -> bool:
        said = (self._spec.id, self._spec.closing)
        return any((m.member, m.content) == said for m in self._public())

    # ── the record ──

    async def _say_nothing(self, reason: str, outcome: audit.Outcome = "silent") -> None:
        spec, seq, knew = self._spec, self._message.seq, self._live.state.seq
        where = self._room.key

        def note(conn: sa.Connection, now: int) -> None:
            audit.add(conn, now, where, spec.id, seq=seq, knew=knew, outcome=outcome, reason=reason)

        await self._room.log.write(note)

    async def _settle(self, entry: int, **fields: Any) -> None:
        await self._room.log.write(lambda conn, now: audit.settle(conn, entry, **fields))

    # ── the floor ──

    @asynccontextmanager
    async def _floor(self) -> AsyncGenerator[None]:
        """Compose when it is one's turn; see `Rules.max_composing`."""
        log, where, bot = self._room.log, self._room.key, self._spec.id

        def take(conn: sa.Connection, now: int) -> bool:
            most = self._live.state.rules.max_composing
            return audit.take_floor(conn, now, where, bot, _OWNER, most)

        while True:
            if await log.write(take):
                break
            await asyncio.sleep(WAIT)
            self._begun = asyncio.get_running_loop().time()
        keeping = asyncio.create_task(self._keep_floor())
        try:
            yield
        finally:
            keeping.cancel()
            leaving = log.write(lambda conn, now: audit.leave_floor(conn, where, bot, _OWNER))
            await asyncio.shield(leaving)

    async def _keep_floor(self) -> None:
        while True:
            await asyncio.sleep(audit.LEASE / 3e6)
            try:
                await self._room.log.write(lambda conn, now: audit.renew_floor(conn, now, _OWNER))
            except LabChatError as exc:
                logger.error("bots at work could not be noted: %s", exc)
