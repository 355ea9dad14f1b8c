"""
What an export does not show: the ids of people, and the words of who did not agree to share them.

Ids are replaced wherever they are data of ours: in columns and inside the JSON of events, prompts
and records. Texts that people and programmes have written stay as they are.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

import orjson

from shiny_labchat.domain.commands import REPLY, STREAM, SUBMITTED
from shiny_labchat.export.counting import counts_of, has_content

__all__ = ["Disguise"]

_WORDS = frozenset(
    {"asked", "contents", "name", "original", "parts", "pieces", "pseudonym"}
    | {"text", "transformed", "turns"}
)
"""The keys of an event's data that hold words, in which nothing is replaced."""
_OUR_IDS = re.compile(r"(?:person|visitor)-[0-9a-f]{16}")
"""Ids that this package has drawn; a programme may have put them into a name of its own."""
_OWN_CIDS = REPLY, STREAM, SUBMITTED
"""A reply's names the message that it replies to, which the table of messages has."""
_BLANK: Mapping[str, Mapping[str, Any]] = {
    "message": {"parts": []},
    "passed_over": {"error": ""},
    "recorded": {"value": None},
    "retracted": {"reason": None},
    "streamed": {"parts": []},
    "submitted": {"text": ""},
    "withheld": {"original": ""},
}
_DROPPED = (
    "deps",
    "error",
    "icon",
    "id",
    "original",
    "pieces",
    "sent",
    "transformed",
    "turns",
    "typed",
)


class Disguise:
    """
    What is shown of the people of one study.

    Parameters
    ----------
    ids
        By member, the id that stands in its place; None: ids are shown.
    shares
        Whether somebody's words may be published; None: all words are shown.
    """

    def __init__(
        self, ids: Mapping[str, str] | None = None, shares: Callable[[str], bool] | None = None
    ) -> None:
        self._ids = ids
        self._shares = shares

    @property
    def is_none(self) -> bool:
        """Whether everything is shown as it is."""
        return self._ids is None and self._shares is None

    @property
    def hides_ids(self) -> bool:
        """Whether other ids stand in place of members'."""
        return self._ids is not None

    @property
    def is_public(self) -> bool:
        """Whether words are blanked."""
        return self._shares is not None

    def shows_words(self, member: str | None) -> bool:
        """Whether the words of a member are shown; None: the programme's are."""
        return member is None or self._shares is None or self._shares(member)

    def member(self, member: str | None) -> str | None:
        """The id that is shown of a member."""
        if self._ids is None or member is None:
            return member
        return self._ids.get(member, member)

    def members(self, members: Sequence[str]) -> list[str]:
        """The ids that are shown of several members."""
        return [self.member(member) or "" for member in members]

    def name(self, name: str) -> str:
        """A name that a programme has given, such as that of a room."""
        if self._ids is None:
            return name
        ids = self._ids
        return _OUR_IDS.sub(lambda found: ids.get(found[0], found[0]), name)

    def cid(self, cid: str | None) -> str | None:
        """The id of a command: of those that a programme or a browser gave, none is shown."""
        if self.is_none or cid is None:
            return cid
        return self.name(cid) if cid.startswith(_OWN_CIDS) else None

    def value(self, value: Any) -> Any:
        """JSON values in which all that is an id is replaced."""
        if self._ids is None:
            return value
        if isinstance(value, str):
            return self._ids.get(value) or self.name(value)
        if isinstance(value, Mapping):
            given = cast("Mapping[str, Any]", value)
            return {self._key(key): self._inside(key, each) for key, each in given.items()}
        if isinstance(value, list | tuple):
            return [self.value(each) for each in cast("Sequence[Any]", value)]
        return cast("object", value)

    def _key(self, key: str) -> str:
        return key if self._ids is None else self._ids.get(key) or self.name(key)

    def _inside(self, key: str, value: Any) -> Any:
        # The "parts" of a group's people are no words.
        if key in _WORDS and isinstance(value, str | list | tuple | None):
            return cast("object", value)
        return self.value(value)

    def record(self, value: Any) -> Any:
        """What was recorded, in which all that is an id is replaced, whatever it is called."""
        if isinstance(value, Mapping):
            given = cast("Mapping[str, Any]", value)
            return {self._key(key): self.record(each) for key, each in given.items()}
        if isinstance(value, list | tuple):
            return [self.record(each) for each in cast("Sequence[Any]", value)]
        return self.value(value)

    def event(self, kind: str, author: str | None, data: Mapping[str, Any]) -> dict[str, Any]:
        """
        The data of an event.

        Parameters
        ----------
        kind
            The event's kind.
        author
            Whose words it has; None: the programme's.
        data
            Its data.
        """
        # The error of a callback may have the words of anybody.
        hides = self.is_public if kind == "passed_over" else not self.shows_words(author)
        if hides and kind in _BLANK:
            kept = {key: each for key, each in data.items() if key not in _DROPPED}
            if has_content(parts := data.get("parts", ())):
                kept["counts"] = counts_of(parts)
            data = {**kept, **_BLANK[kind]}
        if kind == "recorded":
            return {**self.value({**data, "value": None}), "value": self.record(data["value"])}
        shown = self.value(data)
        if self._ids is not None and kind == "configured" and "settings" not in data:
            shown.pop("seed", None)  # of a room: by its pseudonyms, ids could be guessed
        return shown

    def json(self, text: str | None) -> str | None:
        """JSON that is stored as text, with ids replaced."""
        return text if self._ids is None or text is None else self.text_of(orjson.loads(text))

    def text_of(self, value: Any) -> str:
        """JSON values as text, with ids replaced."""
        return orjson.dumps(self.value(value)).decode()
