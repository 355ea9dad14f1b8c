"""A model that replies in a room: one conversation, whoever asks, made anew from the log."""

from __future__ import annotations

import asyncio
import logging
import random
import re
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Literal
from weakref import WeakValueDictionary

from shiny import reactive
from shiny.session import Session, session_context

from shiny_labchat import _chatlas, _commands
from shiny_labchat._blocking import contained
from shiny_labchat._domain import RoomKey
from shiny_labchat._records import Message
from shiny_labchat._retelling import Retell
from shiny_labchat._room import Room
from shiny_labchat._speaker import Speaker
from shiny_labchat._stream import MessageStream, speaking
from shiny_labchat._turns import as_stored, asked, turns_of
from shiny_labchat.store import Log

if TYPE_CHECKING:
    import chatlas

__all__ = ["Failures", "Replies", "Reply"]

logger = logging.getLogger("shiny_labchat")

Reply = Literal["always", "mention"] | Callable[[Message], bool | Awaitable[bool]]
"""To which messages a model replies; a function is asked for each."""
Failures = Literal["asker", "room"]
"""Who is told, in words, that a model could not answer."""

SORRY = "The assistant could not answer. Please try again in a moment."

_MENTION = re.compile(r"(?<!\w)@assistant\b", re.IGNORECASE)


class Replies:
    """
    Replies of a model to the messages of one session's person.

    Parameters
    ----------
    client
        A chatlas Chat: its model, system prompt and tools; its own turns are not used.
    reply
        To which messages it replies: "always", "mention" (those with "@assistant"), or a
        function of the message.
    failures
        Who is told when it cannot answer: the "asker", or the "room".
    session
        Whose app serves what UI in a reply needs.
    """

    def __init__(
        self, client: chatlas.Chat[Any, Any], reply: Reply, failures: Failures, session: Session
    ) -> None:
        if reply not in ("always", "mention") and not callable(reply):
            raise ValueError(f'reply must be "always", "mention" or a function, not {reply!r}')
        if failures not in ("asker", "room"):
            raise ValueError(f'failures must be "asker" or "room", not {failures!r}')
        self._client = client
        self._reply = reply
        self._failures: Failures = failures
        self._session = session

    async def wants(self, message: Message) -> bool:
        """Whether it replies to a message."""
        if isinstance(self._reply, str):
            return self._reply == "always" or _MENTION.search(message.content) is not None
        wants = self._reply(message)
        return wants if isinstance(wants, bool) else bool(await wants)

    async def answer(
        self, room: Room, message: Message, command: _commands.Post, retell: Retell | None = None
    ) -> str:
        """
        Reply to a message, after those that are being replied to in the room.

        Parameters
        ----------
        room, message, command
            Where, to what, and as what message.
        retell
            What is shown of what is said; None: all of it.

        Returns
        -------
        str
            The reply.
        """
        async with _turn_in(room.log, room.key):
            task = asyncio.current_task()
            assert task is not None
            async with speaking(room, command, task.cancel, retell) as speaker:
                if speaker is None:  # it was answered before
                    return ""
                try:
                    with session_context(self._session), reactive.isolate(), contained():
                        turns = await self._try(speaker, message)
                except Exception as exc:
                    await self._apologise(room, message, exc)
                    raise
                speaker.turns = as_stored(turns)
            return speaker.text

    async def _try(self, speaker: Speaker, message: Message) -> list[chatlas.Turn]:
        stream = MessageStream(speaker, self._session)
        pauses = iter(_chatlas.AGAIN)
        while True:
            heard = [each for each in await speaker.heard() if each.seq != message.seq]
            turns = turns_of(heard)
            client = _chatlas.for_one_reply(self._client, turns)
            try:
                async for chunk in _chatlas.unless_silent(
                    await client.stream_async(asked(message), content="all")
                ):
                    await stream.append(chunk)
                return client.get_turns()[len(turns) + 1 :]
            except Exception as exc:
                pause = next(pauses, None)
                if pause is None or not _chatlas.is_worth_another_try(exc):
                    raise
                logger.warning("a model failed and is asked again: %r", exc)
            await asyncio.sleep(pause * random.uniform(1.0, 1.5))
            await stream.clear()

    async def _apologise(self, room: Room, message: Message, exc: Exception) -> None:
        logger.error("a model could not answer in room %r", room.id, exc_info=exc)
        audience = [message.member] if self._failures == "asker" and message.member else None
        await room.say(_commands.Post([("text", SORRY)], "system", audience=audience))


def _turn_in(log: Log, key: RoomKey) -> asyncio.Lock:
    """Replies in a room are given one after the other, so that each knows those before it."""
    lock = _locks.get((log, key))
    if lock is None:
        lock = _locks[log, key] = asyncio.Lock()
    return lock


_locks: WeakValueDictionary[tuple[Log, RoomKey], asyncio.Lock] = WeakValueDictionary()
