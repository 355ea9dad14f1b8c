"""Replies of a model in a room: one conversation for all, rebuilt from the log each time."""

from __future__ import annotations

import asyncio
import logging
import random
import re
from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import TYPE_CHECKING, Literal, get_args

from shiny import reactive
from shiny.session import Session, session_context

from shiny_labchat.arguments import check_choice, check_client, check_function
from shiny_labchat.blocking import watched
from shiny_labchat.chat.reply_queue import reply_turn
from shiny_labchat.chat.streams import MessageStream, streaming
from shiny_labchat.concurrency import contained, retry
from shiny_labchat.domain import commands
from shiny_labchat.domain.commands import REPLY
from shiny_labchat.domain.mentions import is_mentioned
from shiny_labchat.domain.messages import Message, as_transformed, is_instruction
from shiny_labchat.lab.room import Room
from shiny_labchat.lab.runtime import Runtime, words_of
from shiny_labchat.lab.stream import RoomStream
from shiny_labchat.models.client import ModelClient, used_for_one_reply
from shiny_labchat.models.exchange import RETRY_DELAYS, Exchange, is_worth_another_try
from shiny_labchat.models.turns import alternating, as_stored, turns_of
from shiny_labchat.streams.transformed import StreamTransform

if TYPE_CHECKING:
    import chatlas

__all__ = ["Failures", "Replies", "Reply", "known_to", "reply_id"]

logger = logging.getLogger("shiny_labchat")

Reply = Literal["always", "mention"] | Callable[[Message], bool | Awaitable[bool]]
"""To which messages a model replies; a function is called for each."""
Failures = Literal["asker", "room"]
"""Who is told when a model could not answer."""

BY_HAND = """\
@chat.on_user_submit
async def reply(text: str):
    await chat.append_message_stream(MODEL.stream(text))"""
"""What an app writes to have a model reply that is no chatlas Chat."""

MENTIONED = "assistant"
"""The name by which people ask a model to reply, after "@"."""
_REPLY_ID = re.compile(rf"{REPLY}.*:(\d+)")


class Replies:
    """
    Replies of a model to the messages of one session's person.

    Parameters
    ----------
    client
        A chatlas Chat or its like: its model, system prompt and tools; its own turns are not used.
    reply
        To which messages it replies: "always", "mention" (those with "@assistant"), or a
        function of the message.
    failures
        Who is told when it cannot answer: the "asker", or the "room".
    session
        The session whose app serves the dependencies of UI in a reply.
    """

    def __init__(
        self, client: ModelClient, reply: Reply, failures: Failures, session: Session
    ) -> None:
        check_client("client", client, instead=BY_HAND)
        if callable(reply):
            check_function("reply", reply, "message")
        else:
            check_choice("reply", reply, ("always", "mention"), also="a function")
        check_choice("failures", failures, get_args(Failures))
        self._client = client
        self._reply = reply
        self._failures: Failures = failures
        self._session = session

    async def wants(self, message: Message) -> bool:
        """Whether the model replies to a message."""
        if isinstance(self._reply, str):
            is_asked = is_mentioned(message.content, MENTIONED, needs_at=True)
            return self._reply == "always" or is_asked
        return bool(await watched("reply function", self._reply, message))

    async def answer(
        self,
        chat: object,
        room: Room,
        message: Message,
        command: commands.Post,
        transform: StreamTransform | None = None,
    ) -> str:
        """
        Reply to a message, after earlier messages in the room that wait for a reply.

        Parameters
        ----------
        chat, room, message, command
            The chat, the room, the message to reply to, and the command that posts the reply.
        transform
            Changes the text before it is shown; None: it is shown as it is.

        Returns
        -------
        str
            The reply.
        """
        async with reply_turn(room, message.seq) as others:
            if await _is_retracted(room, message):
                return ""
            task = asyncio.current_task()
            assert task is not None
            async with streaming(chat, room, command, task.cancel, transform) as stream:
                if stream is None:  # it was answered before
                    return ""
                await others.ended(before=stream.seq)
                try:
                    with session_context(self._session), reactive.isolate(), contained():
                        turns = await self._try(stream, message)
                except Exception as exc:
                    await self._apologise(room, message, exc)
                    raise
                stream.turns = as_stored(turns)
            return stream.text

    async def _try(self, stream: RoomStream, message: Message) -> list[chatlas.Turn]:
        from chatlas import ContentToolResult

        # Messages right before it are part of the question, so that turns alternate.
        known = [as_transformed(each) for each in known_to(await stream.heard(), message)]
        heard = [*known, message]
        orders = [each.content for each in heard if is_instruction(each)]
        said = (each for each in heard if not is_instruction(each))
        *before, question = alternating(turns_of(said))
        exchange = Exchange(before, *question.contents)
        message_stream: MessageStream | None = None
        async for is_last in retry(delay * random.uniform(1.0, 1.5) for delay in RETRY_DELAYS):
            if message_stream is not None:
                await message_stream.clear()
            message_stream = MessageStream(stream, self._session)
            try:
                async with (
                    used_for_one_reply(self._client, orders) as client,
                    aclosing(exchange.ask(client)) as chunks,
                ):
                    async for chunk in chunks:
                        await message_stream.append(chunk)
                        if isinstance(chunk, ContentToolResult):
                            # What was said up to a tool's result stays when a later try clears.
                            message_stream = MessageStream(stream, self._session)
                return exchange.answer
            except Exception as exc:
                is_hopeless = not exchange.can_go_on or not is_worth_another_try(exc)
                if is_last or is_hopeless:
                    raise
                logger.warning(
                    "the model failed at message %d; it is asked again: %r",
                    *(message.seq, exc),
                )
        raise AssertionError("the last try returns or raises")

    async def _apologise(self, room: Room, message: Message, exc: Exception) -> None:
        logger.error(
            "a model could not answer message %d of room %r", message.seq, room.id, exc_info=exc
        )
        audience = [message.member] if self._failures == "asker" and message.member else None
        is_for_hearers = audience is None and message.by_network
        words = words_of(room.log, room.study)["reply_failed"]
        told = message.heard_by if is_for_hearers else audience
        notice = commands.Post([("text", words)], "system", audience=told)
        await room.say(replace(notice, by_network=is_for_hearers))


# ── who asks at the same time ────────────────────────────────────────────────────────────────


def reply_id(chat: str, message: Message) -> str:
    """The id of a chat's reply to a message, so that there is only one."""
    return f"{REPLY}{chat}:{message.seq}"


async def _is_retracted(room: Room, message: Message) -> bool:
    """Whether a message was retracted while it waited for its reply."""
    live = Runtime.of(room.log).live.opened(room.key)
    return live is not None and message.seq in (await live.read()).retracted


def known_to(heard: Sequence[Message], message: Message) -> list[Message]:
    """
    The messages that a model is sent before the message that it is to reply to.

    These are all messages before it, and the model's replies since; and the later messages that
    the model has replied to already. Later messages without a reply are sent with the next
    question: if they were sent now, the message would seem to come after them.
    """
    replied = {each.seq: int(found[1]) for each in heard if (found := _reply_to(each))}
    since = {*replied, *replied.values()} - {message.seq}
    since -= {seq for seq, to in replied.items() if to == message.seq}  # another model's
    return [each for each in heard if each.seq < message.seq or each.seq in since]


def _reply_to(message: Message) -> re.Match[str] | None:
    return _REPLY_ID.fullmatch(message.id) if message.role == "assistant" else None
