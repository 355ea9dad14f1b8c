"""
The rows of a room's messages, made of its events one by one.

The text of a stream is in the event that ends it, which comes later: the ends of the streams that
begin in a page of events are read with the page, so nothing waits for them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import orjson

from shiny_labchat.domain.commands import REPLY
from shiny_labchat.domain.state import RoomState
from shiny_labchat.domain.telemetry import BOUNDS, RHYTHM
from shiny_labchat.export.counting import count_words, has_content, text_of
from shiny_labchat.export.disguise import Disguise

__all__ = ["MessageRows", "Said", "kinds_in"]

_ROLES = frozenset({"user", "assistant", "system"})

Ends = Mapping[int, tuple[int, int, dict[str, Any]]]
"""By stream, the seq, time and data of its end."""
Calls = Mapping[int, tuple[int, int, str | None]]
"""By message, the call it comes from, what that is about, and its model."""


@dataclass(slots=True)
class Said:
    """
    What a member has said in a room.

    Parameters
    ----------
    messages, characters
        How many messages, and how many characters these have.
    first_at
        When the first one was stored, in microseconds since 1970 (UTC); 0: there was none.
    """

    messages: int = 0
    characters: int = 0
    first_at: int = 0


class _Author(NamedTuple):
    """What the rows of an author's messages have in common, and what they have said."""

    shown: str | None
    part: str | None
    kind_true: str
    kind_shown: str
    shows_words: bool
    said: Said


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
    labels
        The round and the cohort of its group, the condition in one line, and the level of each
        factor.
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
        labels: tuple[str | int | None, ...],
        opened: int | None,
        disguise: Disguise,
        since: int,
        people: set[str],
    ) -> None:
        self.state = RoomState()
        self.parts: Mapping[str, str] = {}
        self.said: dict[str | None, Said] = {}
        self._head = study, room, *labels
        self._prefix = f"{study}:{room}:"
        self._opened = opened
        self._disguise = disguise
        self._since = since
        self._people = people
        self._authors: dict[str | None, _Author] = {}
        self._last_any = self._last_public = (0, 0)
        self._last_private: dict[str, tuple[int, int]] = {}
        self._open: dict[int, _Open] = {}

    def forget_authors(self) -> None:
        """Look again who is a person or a bot: members have come or changed."""
        self._authors.clear()

    # ── events ──

    def message(
        self, seq: int, at: int, member: str | None, data: dict[str, Any], cid: str | None,
        ends: Ends, calls: Calls,
    ) -> tuple[Any, ...] | None:  # fmt: skip
        """The row of a message; None: it has none, or none that is wanted."""
        if member is None:
            last = self._last_any
        elif member in self._last_private:
            last = max(self._last_public, self._last_private[member])
        else:
            last = self._last_public
        since_before = (at - last[1]) // 1000 if last[0] else None
        audience: list[str] | None = data.get("audience")
        if "live" not in data:
            self._note_whole(seq, at, member, audience)
            when = at, None, since_before, None
            return self._row(seq, member, data, data, when, cid, calls.get(seq))
        end = ends.get(seq)
        if end is None:
            return None
        end_seq, ended, ending = end
        how = ending["is"]
        if how == "withheld" or (how == "failed" and not _has_content(ending)):
            return None
        self._open[seq] = _Open(member, audience, end_seq)
        when = ended, at, since_before, None if how == "done" else how
        return self._row(seq, member, data, ending, when, cid, calls.get(seq))

    def streamed(self, seq: int, at: int, of: int) -> None:
        """Note that a stream has ended: from then on it can be seen whole."""
        opened = self._open.get(of)
        if opened is not None and opened.end == seq:
            del self._open[of]
            self._note_whole(seq, at, opened.member, opened.audience)

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
        self, seq: int, member: str | None, data: dict[str, Any], content: dict[str, Any],
        when: tuple[int, int | None, int | None, str | None], cid: str | None,
        call: tuple[int, int, str | None] | None,
    ) -> tuple[Any, ...] | None:  # fmt: skip
        author = self._authors.get(member) or self._author(member)
        shown, part, kind_true, kind_shown, shows_words, said = author
        sent, opened, since_before, interrupted = when
        parts, withdrawn = content["parts"], "withdrawn" in data
        # Nearly all messages have one part, which is text.
        text = parts[0][1] if len(parts) == 1 and parts[0][0] == "text" else text_of(parts)
        characters, words = len(text), count_words(text)
        if not characters and "counts" in content:  # imported, and its words were not public
            characters, words = content["counts"]
        said.messages += 1
        said.characters += characters
        said.first_at = said.first_at or sent
        if sent < self._since:
            return None
        if shows_words and characters and member is not None and kind_true == "human":
            self._people.add(member)
        if kind_true == "human" and "page" not in data and not withdrawn:
            kind_true = "programme"
        role, audience, start = data["role"], data.get("audience"), self._opened
        model, number, trigger = _call_of(cid) if call is None else (call[2], call[0], call[1])
        return (
            f"{self._prefix}{seq}", *self._head, seq, shown, data.get("name"), part,
            kind_true, kind_shown, role if role in _ROLES else "user",
            None if audience is None or "by_network" in data else self._ids(audience),
            None if audience is None else self._heard_by(audience, member),
            text if shows_words else None,
            content.get("original") or data.get("original") if shows_words else None,
            data.get("transformed") if shows_words else None,
            "retracted" in data, withdrawn, sent, opened,
            None if start is None else (sent - start) // 1000, since_before,
            *_typed(data if shows_words else {}),
            characters, words, model, number, trigger, interrupted,
        )  # fmt: skip

    def _heard_by(self, audience: list[str], author: str | None) -> str:
        if author is not None and author not in audience:
            return self._ids([author, *audience])
        return self._ids(audience)

    def _ids(self, audience: list[str]) -> str:
        return orjson.dumps(self._disguise.members(audience)).decode()

    def _author(self, member: str | None) -> _Author:
        said = self.said.setdefault(member, Said())
        kinds = "programme", "programme"
        if member is not None:
            kinds = kinds_in(self.state, member)
        author = self._authors[member] = _Author(
            self._disguise.member(member),
            None if member is None else self.parts.get(member),
            *kinds,
            self._disguise.shows_words(member),
            said,
        )
        return author


def kinds_in(state: RoomState, member: str) -> tuple[str, str]:
    """Whom a member of a room truly is, and is shown as: "human" or "bot"."""
    membership = state.memberships.get(member)
    if membership is None:
        return "human", "human"
    is_shown_bot = membership.role_for(None) == "assistant"
    return "bot" if membership.is_bot else "human", "bot" if is_shown_bot else "human"


def _typed(data: Mapping[str, Any]) -> tuple[Any, ...]:
    """How a message was written, as far as that is known."""
    typed: Mapping[str, Any] | None = data.get("typed")
    if typed is None:
        return _NOT_COUNTED
    rhythm = typed.get(RHYTHM)
    times = None if rhythm is None else orjson.dumps(rhythm).decode()
    return *(typed.get(name) for name in BOUNDS), times


_NOT_COUNTED = (None,) * (len(BOUNDS) + 1)
_NO_CALL = None, None, None


def _has_content(ending: dict[str, Any]) -> bool:
    return "counts" in ending or has_content(ending["parts"])


def _call_of(cid: str | None) -> tuple[str | None, int | None, int | None]:
    """What is known of a reply that is in no audit: a chat's model names what it replies to."""
    if cid is None or not cid.startswith(REPLY):
        return _NO_CALL
    _, _, of = cid.rpartition(":")
    return None, None, int(of) if of.isdecimal() else None
