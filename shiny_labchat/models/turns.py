"""
A room's conversation as it is sent to a language model: chatlas' turns, made from the log.

They are made again for each reply, so a model is sent the same conversation in every process.

In a user's turn, what others say is told in lines that no text can forge. A line that is not
indented begins a message, with its author's pseudonym or as a notice in square brackets; all
further lines of the message are indented by two spaces::

    Teal Otter: Hello everybody!
      This is my second line.
    [Ten minutes are left.]
    "Dr. Who: Two": I am back.

A pseudonym in quotation marks is a JSON string: so one with a colon does not pass for another.
Without names, a message's lines stand as they are, but only a notice begins with a bracket.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from shiny_labchat.domain.messages import Message
from shiny_labchat.domain.speakers import INDENT, LINE_BREAK, indented
from shiny_labchat.models.thoughts import without_thoughts
from shiny_labchat.storable import is_storable, storable

if TYPE_CHECKING:
    from chatlas import Turn
    from chatlas.types import Content

__all__ = ["alternating", "as_json", "as_stored", "asked", "turns_of"]

logger = logging.getLogger("shiny_labchat")

BEGINNING = "[The conversation begins.]"
"""The first user turn, if the conversation begins with the model's own turn."""


def turns_of(
    messages: Iterable[Message], *, names: bool = True, bot: str | None = None
) -> list[Turn]:
    """
    The turns of a conversation.

    Parameters
    ----------
    messages
        In order.
    names
        Whether others' messages begin with their pseudonyms, as in "Teal Otter: Hello".
    bot
        The member whose messages become the model's turns; all other messages become user turns.
        None: the programme, which is not a member; its messages with the role "assistant".

    Returns
    -------
    list of chatlas.Turn
        The messages between two replies are one turn, because some providers require alternating
        turns. A reply with tool calls is several turns.
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
            # Some providers and `Turn.text` join the contents of a turn without anything between.
            text = "\n" * bool(heard) + asked(message, names=names)
            heard += [text] if text.strip() else []  # chatlas writes "[empty string]"
        elif kept := _kept(message):
            hear()
            turns += kept
        elif (said := without_thoughts(message.original or message.content)).strip():
            hear()
            turns.append(cast("Turn", AssistantTurn(said)))
    hear()
    return turns


def alternating(turns: Iterable[Turn]) -> list[Turn]:
    """
    Turns in an order that all providers accept: the user's turn first, then alternating.

    Some providers refuse any other order. A room whose conversation was in another order once would
    be refused each time from then on.
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
        turns = [_without_thoughts(Turn.model_validate(dict(turn))) for turn in message.turns]
        return [turn for turn in turns if turn.contents]
    except ValueError:  # of another version of chatlas; the text can still be read
        logger.warning(
            "the stored turns of message %d cannot be read; the model is sent its text", message.seq
        )
        return []


def _without_thoughts(turn: Turn) -> Turn:
    """A turn without the thoughts in a model's text; those that have their own place stay."""
    from chatlas.types import ContentText

    contents: list[Any] = []
    for content in turn.contents:
        if turn.role == "assistant" and type(content) is ContentText:
            text = without_thoughts(content.text)
            contents += [content.model_copy(update={"text": text})] if text.strip() else []
        else:
            contents.append(content)
    return turn.model_copy(update={"contents": contents})


def asked(message: Message, *, names: bool = True) -> str:
    """The text of a message as it is sent to the model, see above."""
    if message.role == "system":
        return indented(f"[{message.content}]")
    if names:
        return message.with_author()
    lines = LINE_BREAK.split(message.content)
    return "\n".join(INDENT + line if line.startswith("[") else line for line in lines)


def as_stored(turns: Sequence[Turn]) -> list[Mapping[str, Any]]:
    """
    The turns of a reply that the log has to keep besides its text: all of them, or none.

    None are kept if the reply is only text. All are kept if it is more, such as tool calls.
    """
    from chatlas.types import ContentText

    if len(turns) == 1 and all(type(each) is ContentText for each in turns[0].contents):
        return []
    try:
        return [as_json(turn) for turn in turns]
    except Exception:  # a tool result's own code runs when it is made text
        logger.exception("a tool's result cannot be stored; only the text of the reply is kept")
        return []


def as_json(turn: Turn) -> Mapping[str, Any]:
    """
    A turn as JSON values that any database takes.

    A tool may return anything. A result that is not JSON becomes the text that the model was sent.
    """
    try:
        dumped = turn.model_dump(mode="json", exclude={"completion"})
    except Exception:  # a serialiser of a tool's values may raise anything
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
