"""A bot's question until it is answered: within budgets, tried again, each call in the audit."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple

import sqlalchemy as sa

from shiny_labchat import _chatlas
from shiny_labchat._bot_rules import BotSpec, Budget, generator
from shiny_labchat._bot_voice import FunctionVoice, ModelVoice, Question, Voice
from shiny_labchat._domain import RoomKey
from shiny_labchat._records import Message
from shiny_labchat.store import Log, audit

__all__ = ["Answer", "Asking", "Exhausted", "Hear", "Unanswered"]

Hear = Callable[[str | None], Awaitable[None]]
"""Is given the pieces of an answer as they come; None: all before is void, it is asked anew."""

logger = logging.getLogger("shiny_labchat")


class Exhausted(Exception):
    """Nothing is left of a budget; the argument says of which: "budget" or "study_budget"."""


class Unanswered(Exception):
    """Neither the model nor the fallback has answered; the audit says why."""


class Answer(NamedTuple):
    """What was answered, and the entry of the audit that says so."""

    text: str
    entry: int


class Asking:
    """
    Asks in the name of a bot in a room, about one message.

    Parameters
    ----------
    log, where
        The room.
    spec
        The bot.
    name
        Its pseudonym there.
    message
        The message that it reacts to.
    """

    def __init__(
        self, log: Log, where: RoomKey, spec: BotSpec, name: str, message: Message
    ) -> None:
        self._log = log
        self._where = where
        self._spec = spec
        self._name = name
        self._message = message

    async def answer(self, heard: Sequence[Message], knew: int, hear: Hear | None = None) -> Answer:
        """
        What the bot says to a conversation that it knows up to a seq.

        Parameters
        ----------
        heard, knew
            The conversation.
        hear
            Is told as it comes; None: nobody is.

        Raises
        ------
        Exhausted, Unanswered
            There is no answer.
        """
        budget: Exhausted | None = None
        for voice, is_fallback in self._voices(knew):
            if budget is not None and self._spec.end != "fallback":
                break
            try:
                answer = await self._try(voice, is_fallback, heard, knew, hear)
            except Exhausted as exc:
                budget = exc
                continue
            if answer is not None:
                return answer
        raise budget or Unanswered

    def _voices(self, knew: int) -> list[tuple[Voice, bool]]:
        spec = self._spec
        rng = generator(spec.seed or 0, *self._where, spec.id, knew, "model")

        def seed() -> int:
            return rng.randrange(2**31)

        voices: list[tuple[Voice, bool]] = []
        if spec.respond is not None:
            voices.append((FunctionVoice(spec.respond), False))
        for client, is_fallback in ((spec.client, False), (spec.fallback, True)):
            if client is not None:
                seeds = None if spec.seed is None else seed
                voices.append((ModelVoice(client, spec.when == "model", seeds), is_fallback))
        return voices

    async def _try(
        self,
        voice: Voice,
        is_fallback: bool,
        heard: Sequence[Message],
        knew: int,
        hear: Hear | None,
    ) -> Answer | None:
        pauses = iter(voice.pauses)
        while True:
            question = await voice.question(heard, self._spec.id, self._name)
            entry = await self._begin(question, is_fallback, knew)
            try:
                return Answer(await self._ask(question, entry, is_fallback, knew, hear), entry)
            except Exception as exc:
                bot, room = self._spec.id, self._where.id
                logger.warning("the model of bot %r in room %r has failed: %r", bot, room, exc)
                pause = next(pauses, None)
                if pause is None or not _chatlas.is_worth_another_try(exc):
                    return None
            await asyncio.sleep(pause * random.uniform(1.0, 1.5))
            if hear is not None:
                await hear(None)

    async def _begin(self, question: Question, is_fallback: bool, knew: int) -> int:
        """Write down that it is asked, if a budget has anything left; both in one transaction."""
        spec, where, about = self._spec, self._where, question.about

        def begin(conn: sa.Connection, now: int) -> int | str:
            if not is_fallback:
                for name, budget, bot in (
                    ("budget", spec.budget, spec.id),
                    ("study_budget", spec.study_budget, None),
                ):
                    if budget != Budget() and _is_spent(conn, budget, where.study, bot):
                        return name
            fields = {"seq": self._message.seq, "knew": knew, "asked": now, **about}
            fields |= {"outcome": "open", "is_call": True, "is_fallback": is_fallback}
            return audit.add(conn, now, where, spec.id, **fields)

        begun = await self._log.write(begin)
        if isinstance(begun, str):
            raise Exhausted(begun)
        return begun

    async def _ask(
        self,
        question: Question,
        entry: int,
        is_fallback: bool,
        knew: int,
        hear: Hear | None,
    ) -> str:
        first: int | None = None
        said: list[str] = []
        try:
            async for piece in question.pieces():
                first = first or _now()
                if piece is not None:
                    said.append(piece)
                    if hear is not None:
                        await hear(piece)
        except BaseException as exc:
            stopped = isinstance(exc, asyncio.CancelledError)
            how = "interrupted" if stopped else "failed"
            reason = None if stopped else _in_words(exc)
            self._note(question, entry, is_fallback, knew, first, said, how, reason)
            raise
        await self._note(question, entry, is_fallback, knew, first, said, "open", None)
        return "".join(said)

    def _note(
        self,
        question: Question,
        entry: int,
        is_fallback: bool,
        knew: int,
        first: int | None,
        said: Sequence[str],
        outcome: str,
        reason: str | None,
    ) -> asyncio.Future[None]:
        """Write down what has come of the question: of all calls that it took."""
        done, calls = _now(), question.used()
        *earlier, final = [*calls, {}] if outcome != "open" or not calls else calls
        last = {"outcome": outcome, "reason": reason, "first": first, "done": done}
        last |= {**final, "reply": _storable("".join(said))}
        common = {"seq": self._message.seq, "knew": knew, "is_call": True, "outcome": "tool"}
        common |= {key: about for key, about in question.about.items() if key != "prompt"}
        common |= {"is_fallback": is_fallback, "done": done}

        def note(conn: sa.Connection, now: int) -> None:
            for used in earlier:
                used["reply"] = _storable(used["reply"])
                audit.add(conn, now, self._where, self._spec.id, **{**common, **used})
            audit.settle(conn, entry, **last)

        return self._log.write(note)


def _is_spent(conn: sa.Connection, budget: Budget, study: str, bot: str | None) -> bool:
    spent = audit.spent(conn, study, bot)
    used = spent.tokens_in, spent.tokens_out
    return budget.is_spent(spent.calls, used, spent.cost, spent.unpriced)


def _in_words(exc: BaseException) -> str:
    return _storable(f"{type(exc).__name__}: {exc}"[:1000])


def _storable(text: str) -> str:
    return text.encode("utf-8", "replace").decode().replace("\0", "")


def _now() -> int:
    return time.time_ns() // 1000
