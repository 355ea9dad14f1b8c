"""What a prompt of a bot has left when somebody's data is withdrawn. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple, cast

from shiny_labchat.domain.events import Event
from shiny_labchat.domain.messages import text_of
from shiny_labchat.domain.speakers import INDENT, LINE_BREAK, indented, named
from shiny_labchat.domain.withdrawal import Renaming

__all__ = ["Said", "blanked_prompt", "without_words_of"]

LONG = 12
"""The number of characters from which on a text is not the same as another one by chance."""

_Turn = Mapping[str, Any]


class Said(NamedTuple):
    """
    What somebody has said in a room.

    Parameters
    ----------
    texts
        All that they have written, and what the app has made of it.
    told
        The same as models are told it: with their name, and without.
    long
        Those of `told` that are long, where they may stand beside something else.
    """

    texts: frozenset[str]
    told: frozenset[str]
    long: tuple[str, ...]

    @classmethod
    def of(cls, events: Iterable[Event]) -> Said:
        """What the events of somebody say: messages, ends of streams, and messages still held."""
        texts: set[str] = set()
        told: set[str] = set()
        for event in events:
            name = event.data.get("name")
            for text in filter(None, _texts(event)):
                texts.add(text)
                told |= {*_as_told(text, name)}
        long = tuple(sorted((each for each in told if len(each) >= LONG), key=len, reverse=True))
        return cls(frozenset(texts), frozenset(told), long)

    def is_in(self, text: str) -> bool:
        """Whether a text says what they have said."""
        core = text.removeprefix("\n")
        return core in self.told or any(each in core for each in self.long)


def _texts(event: Event) -> Iterable[str | None]:
    data = event.data
    yield text_of(data.get("parts", ()))
    yield from (data.get(key) for key in ("original", "text", "transformed"))


def _as_told(text: str, name: str | None) -> Iterable[str]:
    for role in ("user", "assistant"):
        yield named(text, name, role=role, is_members=True)
    yield indented(f"[{text}]")
    yield indented(text)
    lines = LINE_BREAK.split(text)
    yield "\n".join(INDENT + line if line.startswith("[") else line for line in lines)


def without_words_of(prompt: Sequence[_Turn], said: Said, renaming: Renaming) -> list[_Turn]:
    """
    A prompt, or its new part, in which nothing is left of what somebody has said.

    It has as many turns as before, and they have as many contents: later prompts refer to these by
    their numbers.
    """
    return [_turn(turn, said, renaming) for turn in prompt]


def _turn(turn: _Turn, said: Said, renaming: Renaming) -> _Turn:
    if "seq" in turn and "member" in turn:  # a message, as functions are told
        return _message(turn, renaming)
    if turn.get("role") != "user":
        return turn
    contents = cast("list[Any]", turn.get("contents", ()))
    return {**turn, "contents": [_content(each, said) for each in contents]}


def _message(message: _Turn, renaming: Renaming) -> _Turn:
    audience = message.get("audience")
    news: dict[str, Any] = {}
    if audience is not None:
        news["audience"] = [renaming.of(each) for each in audience]
    if message["member"] == renaming.old:
        news |= {"member": renaming.new, "content": "", "author": None, "turns": []}
        news |= {"original": None, "transformed": None, "withdrawn": True}
    return {**message, **news}


def _content(content: Any, said: Said) -> Any:
    if not isinstance(content, Mapping):
        return content
    known = cast(_Turn, content)
    text = known.get("text")
    return {**known, "text": ""} if isinstance(text, str) and said.is_in(text) else known


def blanked_prompt(prompt: Sequence[_Turn]) -> list[_Turn]:
    """A prompt without anything that people have said: it is not known any more who said what."""
    return [_blank(turn) for turn in prompt]


def _blank(turn: _Turn) -> _Turn:
    if "seq" in turn and "member" in turn:
        return {"seq": turn["seq"], "role": turn.get("role"), "content": "", "withdrawn": True}
    if turn.get("role") != "user":
        return turn
    return {**turn, "contents": [{"content_type": "text", "text": ""}]}
