"""Messages as programmes read them, made from events. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import Any, Literal, get_args

from shiny_labchat.domain.events import Event, Part

__all__ = [
    "Message",
    "is_message",
    "is_text",
    "message_of",
    "role_of",
    "settled",
    "text_of",
    "to_datetime",
]

MessageRole = Literal["user", "assistant", "system"]
_ROLES: tuple[MessageRole, ...] = get_args(MessageRole)


def to_datetime(at: int) -> datetime:
    """An aware UTC time from microseconds since 1970, exactly."""
    seconds, micros = divmod(at, 1_000_000)
    return datetime.fromtimestamp(seconds, UTC).replace(microsecond=micros)


@dataclass(frozen=True, slots=True)
class Message(Mapping[str, Any]):
    """
    A message of a room.

    It is also a mapping of `content` and `role`, the form in which models' clients take messages.

    Parameters
    ----------
    seq
        The message's number in its room; the order for everyone.
    id
        The id it was posted with; if none, one made of `seq`.
    content
        Its text; markdown and HTML are unchanged.
    role
        "user" (a person), "assistant" (a programme) or "system" (a notice), as in shinychat.
    author
        The pseudonym or name that its author is shown with; None: the programme, unnamed.
    member
        The private id of the member who said it; None: the programme.
    at
        When the server stored it: aware, UTC, microseconds.
    audience
        The ids of the members who may see it; None: everybody.
    turns
        chatlas' turns of a model's reply, as JSON values, if the reply is more than text, such as
        tool calls.
    original
        What was written or appended, if the app's transform changed it into `content`; None: it
        was not changed.
    is_repeat
        In a callback: whether the callback was called with this message before, and failed or
        its server ended (see `Lab.on_message`).
    """

    seq: int
    id: str
    content: str
    role: MessageRole
    author: str | None
    member: str | None
    at: datetime
    audience: tuple[str, ...] | None = None
    turns: tuple[Mapping[str, Any], ...] = ()
    original: str | None = None
    is_repeat: bool = False

    def __str__(self) -> str:
        return self.content

    def is_for(self, member: str) -> bool:
        """Whether a member may see it."""
        return self.audience is None or member in self.audience or member == self.member

    def __getitem__(self, key: str) -> Any:
        """`message["content"]` or `message["role"]`, as in shinychat's dictionaries."""
        if key not in _KEYS:
            raise KeyError(key)
        return getattr(self, key)

    def __iter__(self) -> Iterator[str]:
        return iter(_KEYS)

    def __len__(self) -> int:
        return len(_KEYS)

    def as_dict(self) -> dict[str, Any]:
        """All fields as JSON values; `at` as a text in ISO 8601."""
        # `asdict` copies each value, which takes eight times as long.
        values = {name: getattr(self, name) for name in _FIELDS}
        return {**values, "at": self.at.isoformat()}


_KEYS = ("content", "role")
_FIELDS = tuple(field.name for field in fields(Message))


def message_of(event: Event) -> Message:
    """The message that a "message" event records."""
    data = event.data
    audience = data.get("audience")
    return Message(
        seq=event.seq,
        id=data.get("id") or f"m{event.seq}",
        content=text_of(data["parts"]),
        role=role_of(event),
        author=data.get("name"),
        member=event.member,
        at=to_datetime(event.at),
        audience=None if audience is None else tuple(audience),
        turns=tuple(data.get("turns", ())),
        original=data.get("original"),
    )


def role_of(event: Event) -> MessageRole:
    """
    The role of a message in a "message" event.

    A role that only a newer version knows is read as "user": models trust and obey that role
    least.
    """
    role = event.data["role"]
    return role if role in _ROLES else "user"


def text_of(parts: Iterable[Part]) -> str:
    """The text of a message's parts, in order, without a model's thinking."""
    return "".join(content for kind, content in parts if is_text(kind))


def is_text(kind: str) -> bool:
    """Whether a part of this kind is text, markdown or HTML."""
    return kind in _SAID


_SAID = ("text", "markdown", "html")


def is_message(event: Event) -> bool:
    """Whether an event is a complete message: not another kind, not a stream still open."""
    return event.kind == "message" and "live" not in event.data


def settled(opening: Event, ending: Event) -> Event:
    """The message event of an ended stream: the opening's seq, with the ending's content."""
    data = {key: value for key, value in opening.data.items() if key not in ("live", "is")}
    data |= {"parts": ending.data["parts"], "whole": ending.seq}
    for key in ("deps", "turns", "original"):
        if ending.data.get(key):
            data[key] = ending.data[key]
    if ending.data["is"] != "done":
        data["is"] = ending.data["is"]
    return opening._replace(data=data)
