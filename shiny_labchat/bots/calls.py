"""Calls of a bot's model: within budgets, with retries, each one recorded in the audit."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import aclosing, contextmanager
from typing import Any, NamedTuple

import sqlalchemy as sa

from shiny_labchat.audit import entries, spending
from shiny_labchat.audit.prompts import Base, told_of
from shiny_labchat.bots.budget import Budget
from shiny_labchat.bots.occasion import Occasion
from shiny_labchat.bots.own_words import ReplyWords
from shiny_labchat.bots.questions import FunctionQuestion, ModelQuestion, Question, orders_for
from shiny_labchat.bots.spec import BotSpec
from shiny_labchat.concurrency import retry
from shiny_labchat.domain.events import LogKey
from shiny_labchat.domain.messages import Message
from shiny_labchat.errors import StoreError
from shiny_labchat.models import exchange
from shiny_labchat.storable import storable
from shiny_labchat.store import Log

__all__ = ["Answer", "Hear", "ModelCalls", "NoReply", "NotAllowed", "ReplyDiscarded", "in_words"]

Hear = Callable[[str | None], Awaitable[None]]
"""
Receives the bot's words as they come; None: a new try begins, forget all words so far.

It raises `ReplyDiscarded` if the answer cannot be used.
"""

logger = logging.getLogger("shiny_labchat")

LONG = 120.0
"""After how many seconds without an answer the log says which bot is waiting."""


class NotAllowed(Exception):
    """No model may be asked now; the argument says why, such as "budget" or "closed"."""


class Exhausted(NotAllowed):
    """A budget is spent; the argument says which, "budget" or "study_budget"."""


class ReplyDiscarded(Exception):
    """An answer came but cannot be used; the argument says why, such as "closed"."""


class NoReply(Exception):
    """Neither the model nor the fallback has answered; the audit says why."""


class Answer(NamedTuple):
    """The bot's own words in an answer, and its entry in the audit, which has all that came."""

    text: str
    entry: int


class ModelCalls:
    """
    The calls that a bot in a room makes for one message of its own.

    Parameters
    ----------
    log, where
        The room.
    spec
        The bot.
    name, others
        Its pseudonym there, and what returns those of the others.
    occasion
        Why it may write.
    forbidden
        Returns why the bot may not write now; None: it may.
    rng
        Makes a generator of random numbers for a purpose.
    goes_on
        Whether it goes on in the place of somebody, under their name.
    long
        After how many seconds without an answer the log says which bot is waiting.

    Attributes
    ----------
    log, where, spec, occasion
        As given.
    entry
        The audit's entry of the newest call; None: there has been none.
    """

    def __init__(
        self,
        log: Log,
        where: LogKey,
        spec: BotSpec,
        name: str,
        others: Callable[[], Iterable[str]],
        occasion: Occasion,
        forbidden: Callable[[], str | None],
        rng: Callable[[str], random.Random],
        goes_on: bool = False,
        long: float = LONG,
    ) -> None:
        self.log = log
        self.where = where
        self.spec = spec
        self.occasion = occasion
        self.entry: int | None = None
        self._name = name
        self._others = others
        self._forbidden = forbidden
        self._goes_on = goes_on
        self._long = long
        self._seeds = rng("model")
        self._pauses = rng("pause")

    async def answer(self, heard: Sequence[Message], knew: int, hear: Hear | None = None) -> Answer:
        """
        Ask the model, then the fallback, and return the answer.

        Parameters
        ----------
        heard, knew
            The conversation, and the newest seq that the bot knows of.
        hear
            Receives the words as they come; None: they are not needed.

        Raises
        ------
        NotAllowed, ReplyDiscarded, NoReply
            There is no answer.
        """
        exhausted: Exhausted | None = None
        for question, is_fallback in self._questions(heard):
            if exhausted is not None and self.spec.end != "fallback":
                break
            try:
                answer = await self._try(question, is_fallback, knew, hear)
            except Exhausted as exc:
                exhausted = exc
                continue
            if answer is not None:
                return answer
        raise exhausted or NoReply

    def _questions(self, heard: Sequence[Message]) -> Iterator[tuple[Question, bool]]:
        spec = self.spec
        if spec.respond is not None:
            yield FunctionQuestion(spec.respond, heard), False
        seed = None if spec.seed is None else self._seed
        for client, is_fallback in ((spec.client, False), (spec.fallback, True)):
            if client is not None:
                names = spec.id, self._name
                goes_on_as = self._name if self._goes_on else None
                about = self.occasion.trigger == "model", self.occasion.instruction
                orders = orders_for(*about, goes_on_as)
                yield ModelQuestion(client, heard, *names, orders, seed), is_fallback

    def _seed(self) -> int:
        return self._seeds.randrange(2**31)

    async def _try(
        self, question: Question, is_fallback: bool, knew: int, hear: Hear | None
    ) -> Answer | None:
        delays = (delay * self._pauses.uniform(1.0, 1.5) for delay in question.pauses)
        async for is_last in retry(delays):
            reason = self._forbidden()
            if reason is not None:
                raise NotAllowed(reason)
            if hear is not None:
                await hear(None)
            calls = _AuditedCalls(self, is_fallback, knew, ReplyWords(self._name, self._others()))
            try:
                with self._noticed():
                    return await calls.answer(question, hear)
            except (NotAllowed, ReplyDiscarded, StoreError):
                raise
            except Exception as exc:
                bot, room = self.spec.id, self.where.id
                logger.warning(
                    "the model of bot %r failed at message %d of room %r: %r",
                    *(bot, self.occasion.seq, room, exc),
                )
                is_other = calls.entry is None  # a client that could not be made, perhaps
                is_hopeless = is_other or not question.can_go_on
                if is_last or is_hopeless or not exchange.is_worth_another_try(exc):
                    return None
        return None

    @contextmanager
    def _noticed(self) -> Generator[None]:
        """Log a warning if an answer takes long: other bots may have to wait for it."""

        def notice() -> None:
            logger.warning(
                "bot %r in room %r still waits for its model, function or tool after %.0f s, at "
                "message %d; other bots in the room may have to wait for it",
                *(self.spec.id, self.where.id, self._long, self.occasion.seq),
            )

        timer = asyncio.get_running_loop().call_later(self._long, notice)
        try:
            yield
        finally:
            timer.cancel()


class _AuditedCalls:
    """
    The calls of one try, and their rows in the audit; see `Record`.

    Each row is written before its call is made, so no call is missing, whatever happens.

    Parameters
    ----------
    calls
        The bot, the room, and the message.
    is_fallback
        Whether the fallback is asked.
    knew
        The newest seq that the bot knows of.
    words
        Takes the bot's own words from what comes.

    Attributes
    ----------
    entry
        The row of the newest call; None: no call has begun.
    """

    def __init__(self, calls: ModelCalls, is_fallback: bool, knew: int, words: ReplyWords) -> None:
        self.entry: int | None = None
        self._calls = calls
        self._is_fallback = is_fallback
        self._knew = knew
        self._words = words
        self._is_open = False
        self._first: int | None = None
        self._said: list[str] = []

    async def answer(self, question: Question, hear: Hear | None) -> Answer:
        """Ask, and record how the calls end, whatever happens."""
        answer: list[str] = []
        try:
            async with aclosing(question.pieces(self)) as pieces:
                async for piece in pieces:
                    self._first = self._first or _now()
                    self._said.append(piece or "")
                    await self._tell(self._words.add(piece), answer, hear)
            await self._tell(self._words.end(), answer, hear)
        except asyncio.CancelledError:
            if self._is_open:
                self._settle({"outcome": "interrupted"})
            raise
        except NotAllowed:
            raise  # before the next call has begun
        except ReplyDiscarded as exc:
            await self._settle({"outcome": "dropped", "reason": str(exc)})
            raise
        except Exception as exc:
            await self._fail(in_words(exc))
            raise
        assert self.entry is not None
        return Answer("".join(answer), self.entry)

    async def _tell(self, words: str, answer: list[str], hear: Hear | None) -> None:
        if words:
            answer.append(words)
            if hear is not None:
                await hear(words)

    async def begin(self, about: Mapping[str, Any]) -> None:
        calls = self._calls
        is_limited = about["is_call"] and not self._is_fallback

        told, whose = told_of(calls.log), (calls.where, calls.spec.id, self._is_fallback)
        fields = {**about, "prompt": told.prompt(whose, about["prompt"])}

        def begin(conn: sa.Connection, now: int) -> Base | str:
            """Check and record in one transaction, so a budget's last call is made only once."""
            spent_up = _spent_up(conn, calls) if is_limited else None
            return spent_up or Base(self._add(conn, now, outcome="open", asked=now, **fields), now)

        begun = await calls.log.write(begin)
        if isinstance(begun, str):
            raise Exhausted(begun)
        told.remember(whose, begun, about["prompt"])
        self.entry = calls.entry = begun.entry
        self._is_open = True
        self._first, self._said = None, []

    async def end(self, used: Mapping[str, Any]) -> None:
        if self._is_open:  # one call may end with requests for several tools
            self._first = self._first or _now()
            await self._settle(used)

    def _settle(self, fields: Mapping[str, Any]) -> asyncio.Future[None]:
        assert self.entry is not None
        self._is_open = False
        entry, reply = self.entry, storable("".join(self._said))
        known = {"reply": reply, "first": self._first, "done": _now(), **fields}
        return self._calls.log.write(lambda conn, now: entries.settle(conn, entry, **known))

    def _fail(self, reason: str) -> asyncio.Future[Any]:
        failed = {"outcome": "failed", "reason": reason}
        if self._is_open:
            return self._settle(failed)
        return self._calls.log.write(lambda conn, now: self._add(conn, now, **failed))

    def _add(self, conn: sa.Connection, now: int, **fields: Any) -> int:
        calls = self._calls
        fields |= {"seq": calls.occasion.seq, "knew": self._knew}
        fields |= {"is_fallback": self._is_fallback, "trigger": calls.occasion.trigger}
        return entries.add(conn, now, calls.where, calls.spec.id, **fields)


def _spent_up(conn: sa.Connection, calls: ModelCalls) -> str | None:
    spec, study = calls.spec, calls.where.study
    limits = (("budget", spec.budget, spec.id), ("study_budget", spec.study_budget, None))
    for name, budget, bot in limits:
        if budget != Budget():
            spent = spending.spent(conn, study, bot)
            used = spent.tokens_in, spent.tokens_out
            if budget.is_spent(spent.calls, used, spent.cost, spent.unpriced):
                return name
    return None


def in_words(exc: BaseException) -> str:
    """The text of an error, for the audit."""
    return storable(f"{type(exc).__name__}: {exc}"[:1000])


def _now() -> int:
    return time.time_ns() // 1000
