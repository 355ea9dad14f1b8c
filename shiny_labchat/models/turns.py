"""
A room's conversation as a language model is told it: chatlas' turns, made from the log.

They are made anew for each reply, so whoever asks, in whatever process, the model is told the
same.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from shiny_labchat.domain.messages import Message
from shiny_labchat.storable import is_storable, storable

if TYPE_CHECKING:
    from chatlas import Turn
    from chatlas.types import Content

__all__ = ["alternating", "as_json", "as_stored", "asked", "turns_of"]

logger = logging.getLogger("shiny_labchat")

BEGINNING = "[The conversation begins.]"
"""What a model is told first, where it has itself said the first thing."""
UNNAMED = "Assistant"
"""Who says, to a bot, what a programme says; people see the same."""


def turns_of(
    messages: Iterable[Message], *, names: bool = True, bot: str | None = None
) -> list[Turn]:
    """
    The turns that a conversation amounts to.

    Parameters
    ----------
    messages
        In order.
    names
        Whether what others said is told with their pseudonyms, as "Teal Otter: Hello".
    bot
        The member whose side it is told from; what it said are the model's turns, all else is
        told to it. None: the programme, which is no member; what it said in the role "assistant".

    Returns
    -------
    list of chatlas.Turn
        What is said between two replies is one turn, as some providers want them to alternate. A
        reply with tool calls is as many turns as it took.
    """
    from chatlas import AssistantTurn, UserTurn

    turns: list[Turn] = []
    heard: list[str] = []

    def hear() -> None:
        if heard:
            turns.append(UserTurn(list(heard)))
            heard.clear()

    for message in messages:
        if message.member != bot or (bot is None and message.role != "assistant"):
            heard.append(asked(message, names=names))
        elif kept := _kept(message):
            hear()
            turns += kept
        elif (said := message.original or message.content).strip():
            hear()
            turns.append(cast("Turn", AssistantTurn(said)))
    hear()
    return turns


def alternating(turns: Iterable[Turn]) -> list[Turn]:
    """
    The same, as all providers take it: the user's turn first, and never two of one side in a row.

    Some refuse everything else, and the conversation of a room that had it once would stay refused.
    """
    from chatlas import UserTurn

    told: list[Turn] = []
    for turn in turns:
        if not told and turn.role == "assistant":
            told.append(UserTurn(BEGINNING))
        if told and told[-1].role == turn.role:
            both = [*told[-1].contents, *turn.contents]
            told[-1] = told[-1].model_copy(update={"contents": both})
        else:
            told.append(turn)
    return told


def _kept(message: Message) -> list[Turn]:
    from chatlas import Turn

    try:
        return [Turn.model_validate(dict(turn)) for turn in message.turns]
    except ValueError:  # of another version of chatlas: the text of it is there, too
        logger.warning("the turns of message %d cannot be read; its text is told", message.seq)
        return []


def asked(message: Message, *, names: bool = True) -> str:
    """A message as it is told to the model."""
    if message.role == "system":
        return f"[{message.content}]"
    author = message.author or (UNNAMED if message.role == "assistant" else None)
    return f"{author}: {message.content}" if names and author else message.content


def as_stored(turns: Sequence[Turn]) -> list[Mapping[str, Any]]:
    """
    What the log must keep of a reply's turns beside the text of it: all of them, or nothing.

    The text alone is enough unless there is more to it, such as tool calls.
    """
    from chatlas.types import ContentText

    if len(turns) == 1 and all(type(each) is ContentText for each in turns[0].contents):
        return []
    try:
        return [as_json(turn) for turn in turns]
    except Exception:  # its own code runs when it is asked for its text
        logger.exception("what tools have given cannot be kept; the text of the reply is")
        return []


def as_json(turn: Turn) -> Mapping[str, Any]:
    """
    A turn as JSON values that any database takes.

    A tool may give anything: what is no JSON is the text that the model was told.
    """
    try:
        dumped = turn.model_dump(mode="json", exclude={"completion"})
    except Exception:  # whatever the serialisers of its values raise
        contents = [_as_told(content) for content in turn.contents]
        told = turn.model_copy(update={"contents": contents})
        dumped = told.model_dump(mode="json", exclude={"completion"})
    return dumped if is_storable(dumped) else storable(dumped)


def _as_told(content: Content) -> Content:
    from chatlas.types import ContentToolResult

    if not isinstance(content, ContentToolResult):
        return content
    told = {"value": str(content.get_model_value()), "extra": None}
    return content.model_copy(update=told)
