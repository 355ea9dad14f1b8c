"""
The rows of a room's messages, made of its events one by one.

The text of a stream is in the event that ends it, which comes later: the ends of the streams that
begin in a page of events are read with the page, so nothing waits for them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, cast

import orjson

from shiny_labchat.domain.commands import REPLY
from shiny_labchat.domain.messages import is_text
from shiny_labchat.domain.state import RoomState
from shiny_labchat.domain.visible import has_visible
from shiny_labchat.export.disguise import Disguise

__all__ = ["MessageRows", "Said", "kinds_in", "words_in"]

_ROLES = frozenset({"user", "assistant", "system"})
_WORD = re.compile(r"[^\W_]+")
_findall = _WORD.findall

Ends = Mapping[int, tuple[int, int, dict[str, Any]]]
"""By stream, the seq, time and data of its end."""
Calls = Mapping[int, tuple[int, int, str | None]]
"""By message, the call it comes from, what that is about, and its model."""


def words_in(text: str) -> int:
    """The number of runs of Unicode letters or digits in a text."""
    return len(_findall(text))


@dataclass(slots=True)
class Said:
    """
    What a member has said in a room.

    Parameters
    ----------
    messages, characters
        How many messages, and how many characters these have.
    first_at
        When the first one was stored, in microseconds since 1970 (UTC).
    """

    messages: int = 0
    characters: int = 0
    first_at: int = 0


class _Open(NamedTuple):
    """A stream that has not ended yet: its author and audience, and the seq of its end."""

    member: str | None
    audience: list[str] | None
    end: int


class MessageRows:
    """
    Makes the rows of the messages of one room.

    Parameters
    ----------
    study, room
        The study, and the room's id as it is shown.
    condition
        The condition in one line, and the level of each factor.
    opened
        When people could use the room first, in microseconds since 1970 (UTC); None: never.
    disguise
        What is shown of people.
    since
        Rows of messages before it are left out.
    people
        Is given the ids of the people whose words the rows have.

    Attributes
    ----------
    state
        The room's state, which whoever reads its events keeps up to date.
    parts
        By person, the part that they have in the group.
    said
        By member, what they have said; None: the programme.
    """

    def __init__(
        self,
        study: str,
        room: str,
        condition: tuple[str | None, ...],
        opened: int | None,
        disguise: Disguise,
        since: int,
        people: set[str],
    ) -> None:
        self.state = RoomState()
        self.parts: Mapping[str, str] = {}
        self.said: dict[str | None, Said] = {}
        self._head = study, room, *condition
        self._prefix = f"{study}:{room}:"
        self._opened = opened
        self._disguise = disguise
        self._since = since
        self._people = people
        self._kinds: dict[str | None, tuple[str, str]] = {None: ("programme", "programme")}
        self._last_any = self._last_public = (0, 0)
        self._last_private: dict[str, tuple[int, int]] = {}
        self._open: dict[int, _Open] = {}

    def forget_kinds(self) -> None:
        """Look again who is a person or a bot: members have come or changed."""
        self._kinds = {None: ("programme", "programme")}

    # ── events ──

    def message(
        self, seq: int, at: int, member: str | None, data: dict[str, Any], cid: str | None,
        ends: Ends, calls: Calls,
    ) -> tuple[Any, ...] | None:  # fmt: skip
        """The row of a message; None: it has none, or none that is wanted."""
        audience: list[str] | None = data.get("audience")
        before = self._last_seen(member)
        if "live" not in data:
            self._note_whole(seq, at, member, audience)
            return self._row(seq, at, member, data, data, cid, (at, None, before, None), calls)
        end = ends.get(seq)
        if end is None:
            return None
        end_seq, ended, ending = end
        how = ending["is"]
        if how == "withheld" or (how == "failed" and not _has_content(ending)):
            return None
        self._open[seq] = _Open(member, audience, end_seq)
        when = ended, at, before, None if how == "done" else how
        return self._row(seq, at, member, data, ending, cid, when, calls)

    def streamed(self, seq: int, at: int, of: int) -> None:
        """Note that a stream has ended: from then on it can be seen whole."""
        opened = self._open.get(of)
        if opened is not None and opened.end == seq:
            del self._open[of]
            self._note_whole(seq, at, opened.member, opened.audience)

    def _last_seen(self, member: str | None) -> int | None:
        """The time of the last message that a member could see."""
        if member is None:
            last = self._last_any
        else:
            last = self._last_public
            private = self._last_private.get(member)
            if private is not None and private > last:
                last = private
        return last[1] if last[0] else None

    def _note_whole(
        self, seq: int, at: int, member: str | None, audience: list[str] | None
    ) -> None:
        self._last_any = seq, at
        if audience is None:
            self._last_public = seq, at
            return
        for each in audience:
            self._last_private[each] = seq, at
        if member is not None:
            self._last_private[member] = seq, at

    # ── rows ──

    def _row(
        self,
        seq: int,
        at: int,
        member: str | None,
        data: dict[str, Any],
        content: dict[str, Any],
        cid: str | None,
        when: tuple[int, int | None, int | None, str | None],
        calls: Calls,
    ) -> tuple[Any, ...] | None:
        sent, opened, before, interrupted = when
        withdrawn = "withdrawn" in data and bool(data["withdrawn"])
        text: str | None = _text_of(content["parts"])
        characters = len(text)
        kind_true, kind_shown = self._kinds_of(member)
        if kind_true == "human" and "page" not in data and not withdrawn:
            kind_true = "programme"
        self._count(member, characters, sent)
        if sent < self._since:
            return None
        original, transformed = content.get("original") or data.get("original"), None
        transformed = data.get("transformed")
        words = len(_findall(text))
        if not self._disguise.shows_words(member):
            text = original = transformed = None
        elif characters and member is not None and kind_true != "bot":
            self._people.add(member)
        call = calls.get(seq)
        role, audience = data["role"], data.get("audience")
        opening = self._opened
        return (
            f"{self._prefix}{seq}", *self._head, seq,
            self._disguise.member(member), data.get("name"),
            None if member is None else self.parts.get(member),
            kind_true, kind_shown, role if role in _ROLES else "user",
            None if audience is None else self._audience(audience),
            text, original, transformed, withdrawn, sent, opened,
            None if opening is None else (sent - opening) // 1000,
            None if before is None else (at - before) // 1000,
            characters, words,
            *(_call_of(cid) if call is None else (call[2], call[0], call[1])),
            interrupted,
        )  # fmt: skip

    def _audience(self, audience: list[str]) -> str:
        return orjson.dumps(self._disguise.members(audience)).decode()

    def _count(self, member: str | None, characters: int, sent: int) -> None:
        said = self.said.get(member)
        if said is None:
            said = self.said[member] = Said(first_at=sent)
        said.messages += 1
        said.characters += characters

    def _kinds_of(self, member: str | None) -> tuple[str, str]:
        """Whom a member truly is, and is shown as."""
        kinds = self._kinds.get(member)
        if kinds is None:
            kinds = self._kinds[member] = kinds_in(self.state, cast(str, member))
        return kinds


def kinds_in(state: RoomState, member: str) -> tuple[str, str]:
    """Whom a member of a room truly is, and is shown as: "human" or "bot"."""
    membership = state.memberships.get(member)
    if membership is None:
        return "human", "human"
    is_shown_bot = membership.role_for(None) == "assistant"
    return "bot" if membership.is_bot else "human", "bot" if is_shown_bot else "human"


def _text_of(parts: list[Any]) -> str:
    if len(parts) == 1:
        kind, content = parts[0]
        return content if is_text(kind) else ""
    return "".join(content for kind, content in parts if is_text(kind))


def _has_content(ending: dict[str, Any]) -> bool:
    return any(not isinstance(said, str) or has_visible(said) for _, said in ending["parts"])


def _call_of(cid: str | None) -> tuple[None, None, int | None]:
    """What is known of a reply that is in no audit: a chat's model names what it replies to."""
    if cid is None or not cid.startswith(REPLY):
        return None, None, None
    _, _, of = cid.rpartition(":")
    return None, None, int(of) if of.isdecimal() else None
