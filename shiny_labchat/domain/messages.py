"""Messages as programmes read them, made from events. Pure."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, NamedTuple, cast, get_args

from shiny_labchat.domain.events import Event, LogKey, Part
from shiny_labchat.domain.speakers import named
from shiny_labchat.domain.untracked import untracked
from shiny_labchat.domain.visible import has_visible

__all__ = [
    "Message",
    "MessageText",
    "Wording",
    "as_transformed",
    "as_worded",
    "is_for_models",
    "is_ignored",
    "is_instruction",
    "is_message",
    "is_retracted",
    "is_said_to",
    "is_text",
    "is_void",
    "message_of",
    "role_of",
    "settled",
    "text_of",
    "to_datetime",
    "was_said",
]

MessageRole = Literal["user", "assistant", "system"]
_ROLES: tuple[MessageRole, ...] = get_args(MessageRole)


def to_datetime(at: int) -> datetime:
    """An aware UTC time from microseconds since 1970, exactly."""
    return _EPOCH + timedelta(microseconds=at)


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Message(dict[str, Any]):
    """
    A message of a room.

    It is a dictionary of `content` and `role`, the form in which models' clients take messages,
    and has all the rest as attributes. It is shared by all sessions, so it cannot be changed; its
    copies are plain dictionaries. Two messages are equal if they are the same message of a room. A
    message equals another dictionary with the same `content` and `role`.

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
        What was appended, if the app's transform changed it into `content`; None: it was not
        changed.
    transformed
        What the app's transform made of a person's message, for the app and its model, while
        people see `content`; None: it made nothing.
    by_network
        Whether `audience` are those who heard it in the network of the room, its author among
        them; if not, the app has named them.
    withdrawn
        Whether its author has withdrawn their data: then its `content` is empty, and `author` None.
    is_repeat
        In a callback: whether the callback was called with this message before, and failed or
        its server ended (see `Lab.on_message`).
    room
        The key of its room: the study, and the room's id in it.
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
    room: LogKey | None = None
    transformed: str | None = None
    withdrawn: bool = False
    by_network: bool = False

    def __post_init__(self) -> None:
        dict.update(self, content=self.content, role=self.role)  # pyright: ignore[reportUnknownMemberType]

    @property
    def heard_by(self) -> tuple[str, ...] | None:
        """The ids of the members who may see it, its author among them; None: everybody."""
        if self.audience is None:
            return None
        author = () if self.member is None else (self.member,)
        return tuple(dict.fromkeys((*self.audience, *author)))

    def is_for(self, member: str) -> bool:
        """Whether a member may see it."""
        return self.audience is None or member in self.audience or member == self.member

    def with_author(self) -> str:
        """
        The text as a model is told who says it: ``"Teal Otter: Hello"``.

        Further lines are indented by two spaces, so that no text passes for another person's.
        """
        is_members = self.member is not None
        return named(self.content, self.author, role=self.role, is_members=is_members)

    def as_dict(self) -> dict[str, Any]:
        """All fields but `room`, as JSON values; `at` as a text in ISO 8601."""
        # `asdict` copies each value, which takes eight times as long.
        values = {name: getattr(self, name) for name in _FIELDS if name != "room"}
        return {**values, "at": self.at.isoformat(), "turns": list(self.turns)}

    # ── as a dictionary ──

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Message):
            return (self.room, self.seq) == (other.room, other.seq)
        if isinstance(other, Mapping):
            return dict(self) == dict(cast("Mapping[object, object]", other))
        return NotImplemented

    def __ne__(self, other: object) -> bool:  # a dictionary has its own
        return not self == other

    def __hash__(self) -> int:  # pyright: ignore[reportIncompatibleVariableOverride]
        return hash((self.room, self.seq))

    def __reduce__(self) -> tuple[Any, ...]:
        return Message, tuple(getattr(self, name) for name in _FIELDS)

    def __copy__(self) -> dict[str, Any]:
        return dict(self)

    def __deepcopy__(self, memo: object) -> dict[str, Any]:
        return dict(self)

    def _refuse(self, *_: object, **__: object) -> Any:
        """Raise TypeError: a message is not changed."""
        raise TypeError(
            "a Message is shared by all sessions and cannot be changed; "
            "change a copy of it: dict(message)"
        )

    __setitem__ = __delitem__ = __ior__ = _refuse
    clear = pop = popitem = setdefault = update = cast(Any, _refuse)


_FIELDS = tuple(field.name for field in fields(Message))


class MessageText(str):
    """
    The text of a message, as callbacks and handlers get it, with its attributes.

    Attributes
    ----------
    message
        The message.
    """

    __slots__ = ("message",)

    message: Message

    def __new__(cls, message: Message) -> MessageText:
        """The text of `message`."""
        self = super().__new__(cls, message.content)
        self.message = message
        return self

    def __getattr__(self, name: str) -> Any:
        # Only called for a name that `str` does not have.
        if name not in _OF_TEXT:
            raise AttributeError(f"a message has no attribute {name!r}")
        return getattr(self.message, name)

    def __reduce__(self) -> tuple[Any, ...]:
        return MessageText, (self.message,)

    def __deepcopy__(self, memo: object) -> MessageText:
        return self


_OF_TEXT = (*_FIELDS, "as_dict", "heard_by", "is_for", "with_author")


def message_of(event: Event, room: LogKey | None = None) -> Message:
    """The message that a "message" event of a room records."""
    data = event.data
    audience = data.get("audience")
    return untracked(
        Message(
            seq=event.seq,
            id=data.get("id") or f"m{event.seq}",
            content=text_of(data["parts"]),
            role=role_of(event),
            author=_shared(data.get("name")),
            member=_shared(event.member),
            at=to_datetime(event.at),
            audience=None if audience is None else tuple(audience),
            turns=tuple(data.get("turns", ())),
            original=data.get("original"),
            room=room,
            transformed=data.get("transformed"),
            withdrawn=data.get("withdrawn", False),
            by_network="by_network" in data,
        )
    )


def _shared(name: str | None) -> str | None:
    """A name that all messages with it share: there are few, and many messages."""
    return None if name is None else sys.intern(str(name))


def as_transformed(message: Message) -> Message:
    """The message with the text that the app's transform made of it, if it made one."""
    if message.transformed is None:
        return message
    return untracked(replace(message, content=message.transformed))


class Wording(NamedTuple):
    """
    Which text messages have, if the app's transforms have changed it.

    Parameters
    ----------
    users
        Whether people's messages have the text that a transform made of them for the app; if not,
        the text that they wrote.
    programmes
        Whether other messages have the text that a transform made of them for people; if not, the
        text that was appended.
    """

    users: bool = True
    programmes: bool = False


def as_worded(message: Message, wording: Wording) -> Message:
    """The message with the text that a wording asks for."""
    if wording.users if message.role == "user" else wording.programmes:
        return as_transformed(message)
    if message.original is None:  # an older version changed people's words, too
        return message
    return untracked(replace(message, content=message.original))


def is_ignored(event: Event) -> bool:
    """Whether the app's transform has said that the app does not handle a person's message."""
    return "transformed" in event.data and event.data["transformed"] is None


def role_of(event: Event) -> MessageRole:
    """
    The role of a message in a "message" event.

    A role that only a newer version knows is read as "user": models trust and obey that role
    least.
    """
    role = event.data["role"]
    return _ROLES[_ROLES.index(role)] if role in _ROLES else "user"


def is_instruction(message: Message) -> bool:
    """Whether a message is an instruction of the app to its model, which nobody is shown."""
    return message.role == "system" and message.audience == ()


def is_for_models(message: Message) -> bool:
    """Whether a model is told a message: what everybody may see, and instructions."""
    if message.withdrawn:
        return False
    return message.audience is None or is_instruction(message)


def text_of(parts: Iterable[Part]) -> str:
    """The text of a message's parts, in order, without a model's thinking."""
    return "".join(content for kind, content in parts if is_text(kind))


def is_said_to(data: Mapping[str, Any], member: str) -> bool:
    """Whether a message with this data was said to everybody, or heard in a network by somebody."""
    if "audience" not in data:
        return True
    return "by_network" in data and member in data["audience"]


def is_text(kind: str) -> bool:
    """Whether a part of this kind is text, markdown or HTML."""
    return kind in _SAID


_SAID = ("text", "markdown", "trusted", "html")


def is_message(event: Event) -> bool:
    """Whether an event is a complete message: not another kind, not a stream still open."""
    return event.kind == "message" and "live" not in event.data


def was_said(event: Event) -> bool:
    """
    Whether a complete message, or an ended stream, is a message.

    It is none if it was withheld or retracted, or is void.
    """
    is_withheld = event.data.get("is") == "withheld"
    return not (is_withheld or is_retracted(event) or is_void(event))


def is_retracted(event: Event) -> bool:
    """Whether a message, or the end of a stream, was retracted: then nobody is shown it."""
    return "retracted" in event.data


def is_void(event: Event) -> bool:
    """Whether this is a stream that failed before its first word: it leaves nothing in a room."""
    parts: Iterable[Part] = event.data.get("parts", ())
    return event.data.get("is") == "failed" and not any(map(_has_content, parts))


def _has_content(part: Part) -> bool:
    return not isinstance(part[1], str) or has_visible(part[1])


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
