"""
One browser's socket to a study, after admission.

It is open as long as the page is, whether the page draws the study or not: who has no open socket
waits nowhere. One task reads, the other sends what is owed whenever there is something new: the
screen if it is another one, and answers to what the person has done.
"""

from __future__ import annotations

import asyncio
import logging
import time

from starlette.types import Receive, Send
from starlette.websockets import WebSocketDisconnect

from shiny_labchat import metrics, protocol, study_protocol
from shiny_labchat.access.recruits import Standing, act_again, standing
from shiny_labchat.access.revoking import Source
from shiny_labchat.access.tickets import StudyEntry, enter_study
from shiny_labchat.concurrency import Tasks, first_of
from shiny_labchat.domain.commands import ShowCode
from shiny_labchat.domain.presence import Signs
from shiny_labchat.domain.screen_parts import Screen
from shiny_labchat.errors import BadFrame, LabChatError, Refused, StoreError
from shiny_labchat.gateway.actions import OLDER_MAY, command_for
from shiny_labchat.gateway.limits import Allowance, TokenBucket
from shiny_labchat.gateway.socket import text_of_frame
from shiny_labchat.gateway.study_view import StudyView
from shiny_labchat.live.heard import now
from shiny_labchat.live.rooms import LiveRooms
from shiny_labchat.store import Person
from shiny_labchat.words import Words

__all__ = ["StudySocket"]

logger = logging.getLogger("shiny_labchat")

FRAMES = Allowance(burst=50, rate=10)
"""Frames of one socket that are read; more are read later, not dropped."""
IN_FLIGHT = 8
"""Actions of one socket that may wait to be stored; at this limit reading pauses."""
REPLIES = 16
"""Replies of one socket that may wait to be sent; above this limit reading pauses."""


class StudySocket:
    """
    One open socket of a person's page.

    Parameters
    ----------
    receive, send
        The accepted websocket, as ASGI functions.
    entry
        What its token lets it do.
    live
        What is live of its lab in this event loop.
    words
        The words of its lab.

    Raises
    ------
    Refused
        ``revoked``: the token by which its page was let in was revoked.
    """

    def __init__(
        self, receive: Receive, send: Send, entry: StudyEntry, live: LiveRooms, words: Words
    ) -> None:
        self._receive = receive
        self._transmit = send
        self._entry = entry
        self._live = live
        self._words = words
        self._standing = Standing(True, entry.generation, entry.generation)
        self._due = asyncio.Event()
        self._view = StudyView(entry, live, words, self._due.set)
        self._shown: Screen | None = None
        self._is_noting = False
        self._replies: list[str] = []
        self._replied = asyncio.Event()
        self._doing = asyncio.Semaphore(IN_FLIGHT)
        self._tasks = Tasks(f"a page of study {entry.study!r}")
        self._given_up: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._frames = TokenBucket(FRAMES, asyncio.get_running_loop().time())

    async def serve(self) -> None:
        """Send the welcome, then read and send until the browser leaves or is refused."""
        try:
            await self._view.open()
            await self._learn_now()
            self._live.people.come(self)
            await first_of(self._given_up, self._read(), self._send_all())
        finally:
            self._live.people.go(self)
            self._view.close()

    def give_up(self, code: str = "too_many_tabs") -> None:
        """End the socket: its person has opened too many newer ones, or the `code` says why."""
        if not self._given_up.done():
            self._given_up.set_exception(Refused(code))

    # ── as a page of a person, see `live.people.StudyPage` ──

    @property
    def person(self) -> Person:
        """Whose page it is."""
        return Person(self._entry.study, self._entry.person)

    @property
    def id(self) -> str:
        """The page's id."""
        return self._entry.page

    @property
    def source(self) -> Source | None:
        """The token by which it was let in."""
        return self._entry.source

    @property
    def generation(self) -> int:
        """The number of its browser among the person's."""
        return self._standing.generation

    @property
    def is_newest(self) -> bool:
        """Whether its browser is the person's newest, which acts."""
        return self._standing.is_newest

    @property
    def alive(self) -> float:
        """How long it may be silent until its person counts as gone, in seconds."""
        return self._view.alive

    def ping(self) -> None:
        """Ask the page whether it is alive; it answers, if it is, whenever it can."""
        if protocol.ping() not in self._replies:
            self._reply(protocol.ping())

    def learn(self, standing: Standing) -> None:
        """Learn what it may do now."""
        if not standing.is_valid:
            self.give_up("revoked")
        if standing != self._standing:
            self._standing = standing
            self._due.set()

    async def _learn_now(self) -> None:
        entry = self._entry
        who = entry.study, entry.person, entry.source, entry.generation
        self.learn(await entry.log.read(lambda conn: standing(conn, *who)))

    # ── sending ──

    async def _send_all(self) -> None:
        await self._send(study_protocol.welcome(self._entry.resume, self._words))
        self._due.set()
        while True:
            await self._due.wait()
            self._due.clear()
            for frames in protocol.together(await self._owed()):
                await self._send(frames)
            if (code := self._view.new_code) is not None and not self._is_noting:
                self._is_noting = True
                self._tasks.spawn(self._note_code(code))

    async def _note_code(self, code: str) -> None:
        """Have stored that the person has been shown their code; it stays theirs."""
        entry = self._entry
        try:
            await entry.log.submit_together(ShowCode(entry.study, entry.person, code))
        except LabChatError as exc:  # the next screen that is sent tries again
            logger.error(
                "study %r: that somebody was shown a code is not stored: %s", entry.study, exc
            )
        finally:
            self._is_noting = False

    async def _owed(self) -> list[str]:
        """The screen if it is another one, and replies, which come after what they are about."""
        if self._view.is_gone:
            await self._become()
        screen, owed = await self._view.look(is_newest=self._standing.is_newest), list[str]()
        if screen != self._shown:
            self._shown = screen
            owed.append(study_protocol.screen(screen.data(time.time_ns() // 1000)))
        owed += self._replies
        self._replies.clear()
        self._replied.set()
        return owed

    async def _become(self) -> None:
        """Go on with the id that the person has now, as their data was withdrawn."""
        people, before = self._live.people, self._entry
        entry = await enter_study([before.log], before.resume, is_resume=True)
        if self._entry is not before:
            return
        people.go(self)
        if entry.person != before.person:
            self._live.forget(self.person)
        self._entry = entry
        self._view.become(entry)
        people.come(self)

    def _reply(self, frame: str) -> None:
        self._replies.append(frame)
        self._due.set()

    async def _send(self, frames: str) -> None:
        try:
            await self._transmit({"type": "websocket.send", "text": frames})
        except (RuntimeError, OSError) as exc:  # raised by servers when a socket is closed
            raise WebSocketDisconnect(1006) from exc

    # ── reading ──

    async def _read(self) -> None:
        while True:
            frame = study_protocol.decode(await text_of_frame(self._receive))
            await self._pace()
            while len(self._replies) > REPLIES:  # the browser asks, but does not read
                self._replied.clear()
                await self._replied.wait()
            match frame:
                case study_protocol.Do():
                    self._note(Signs(now(), 0, now()))
                    await self._doing.acquire()
                    self._tasks.spawn(self._do(frame))
                case protocol.Pong():
                    visible, active = (now() - ms * 1000 for ms in (frame.hidden, frame.quiet))
                    self._note(Signs(now(), visible, active))
                case protocol.Check():
                    self._reply(protocol.checked())
                case protocol.Hello():
                    raise BadFrame("bad_frame", "only the first frame may be a hello")

    async def _pace(self) -> None:
        at = asyncio.get_running_loop().time()
        self._frames.take(at)
        if (left := self._frames.left(at)) < 0:
            await asyncio.sleep(-left / FRAMES.rate)

    def _note(self, signs: Signs) -> None:
        self._live.people.note(self, signs)

    # ── what the person does ──

    async def _do(self, frame: study_protocol.Do) -> None:
        """Have what they do stored, and tell them so, or why not."""
        try:
            if not self._standing.is_newest and frame.action not in OLDER_MAY:
                say = self._words["other_window"]
                return self._reply(protocol.refused(frame.cid, "other_window", say))
            await self._store(frame)
        except (Refused, StoreError) as exc:
            metrics.refused("action", exc.code)
            logger.warning("study %r refused %r: %s", self._entry.study, frame.action, exc.code)
            self._reply(protocol.refused(frame.cid, exc.code, self._words.refusal(exc)))
        except Exception:
            logger.exception("study %r could not store %r", self._entry.study, frame.action)
            say = self._words["store_broken"]
            self._reply(protocol.refused(frame.cid, "store_broken", say))
        else:
            self._reply(study_protocol.did(frame.cid))
        finally:
            self._doing.release()

    async def _store(self, frame: study_protocol.Do) -> None:
        entry = self._entry
        if frame.action == "here":
            who = entry.study, entry.person, entry.source, self.generation
            self.learn(await act_again(entry.log, *who))
            return self._live.people.judge(self.person)
        try:
            await self._submit(frame)
        except Refused as exc:
            if exc.code not in ("not_in_study", "removed"):
                raise
            await self._become()  # another process has withdrawn their data just now
            await self._submit(frame)

    async def _submit(self, frame: study_protocol.Do) -> None:
        entry, screen = self._entry, self._view.screen
        command = command_for(frame, entry.study, entry.person, screen, self._view.lobby)
        if command is not None:
            await entry.log.submit_together(command)
