"""
A room's conversation as a language model is told it: chatlas' turns, made from the log.

They are made anew for each reply, so whoever asks, in whatever process, the model is told the
same.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from shiny_labchat._records import Message

if TYPE_CHECKING:
    from chatlas import Turn

__all__ = ["as_stored", "asked", "turns_of"]


def turns_of(messages: Iterable[Message], *, names: bool = True) -> list[Turn]:
    """
    The turns that a conversation amounts to.

    Parameters
    ----------
    messages
        In order. Those of the role "assistant" are the model's, all others are told to it.
    names
        Whether what people said is told with their pseudonyms, as "Teal Otter: Hello".

    Returns
    -------
    list of chatlas.Turn
        What is said between two replies is one turn, as some providers want them to alternate. A
        reply with tool calls is as many turns as it took.
    """
    from chatlas import AssistantTurn, Turn, UserTurn

    turns: list[Turn] = []
    heard: list[str] = []

    def hear() -> None:
        if heard:
            turns.append(UserTurn(list(heard)))
            heard.clear()

    for message in messages:
        if message.role != "assistant":
            heard.append(asked(message, names=names))
        elif message.turns:
            hear()
            turns += [Turn.model_validate(dict(turn)) for turn in message.turns]
        elif said := message.original or message.content:
            hear()
            turns.append(cast("Turn", AssistantTurn(said)))
    hear()
    return turns


def asked(message: Message, *, names: bool = True) -> str:
    """A message as it is told to the model."""
    if message.role == "system":
        return f"[{message.content}]"
    named = names and message.author
    return f"{message.author}: {message.content}" if named else message.content


def as_stored(turns: Sequence[Turn]) -> list[Mapping[str, Any]]:
    """
    What the log must keep of a reply's turns beside the text of it: all of them, or nothing.

    The text alone is enough unless there is more to it, such as tool calls.
    """
    from chatlas.types import ContentText

    plain = len(turns) == 1 and all(type(each) is ContentText for each in turns[0].contents)
    return [] if plain else [turn.model_dump(mode="json", exclude={"completion"}) for turn in turns]
