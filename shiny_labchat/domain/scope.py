"""The rooms that a callback is for. Pure."""

from __future__ import annotations

import json
from dataclasses import dataclass
from fnmatch import fnmatchcase

from shiny_labchat.domain.events import LogKey

__all__ = ["Scope"]


@dataclass(frozen=True, slots=True)
class Scope:
    """
    A set of rooms of a lab.

    Parameters
    ----------
    parts
        Keys of rooms, and ids or globs such as ``"group-*"``.
    study
        The study whose rooms ids and globs match; None: they match rooms of any study.
    """

    parts: tuple[str | LogKey, ...]
    study: str | None = None

    @property
    def room(self) -> LogKey | None:
        """The key of the only room; None: there may be several rooms."""
        only = self.parts[0] if len(self.parts) == 1 else None
        return only if isinstance(only, LogKey) else None

    @property
    def ids(self) -> frozenset[str] | None:
        """The ids that its rooms may have, in any study; None: it has globs, so any id."""
        ids = frozenset(part.id if isinstance(part, LogKey) else part for part in self.parts)
        globs = [part for part in self.parts if isinstance(part, str) and set(part) & set("*?[")]
        return None if globs else ids

    @property
    def name(self) -> str:
        """Its name in the database."""
        of_study = [] if self.study is None else [{"study": self.study}]
        return json.dumps([*sorted(self.parts, key=str), *of_study], ensure_ascii=False)

    @property
    def shown(self) -> list[str]:
        """Its ids and globs, in order."""
        return sorted(part.id if isinstance(part, LogKey) else part for part in self.parts)

    def covers(self, room: LogKey) -> bool:
        """Whether a room belongs to the scope."""
        return any(
            part == room if isinstance(part, LogKey) else self._matches(part, room)
            for part in self.parts
        )

    def may_be_in(self, study: str) -> bool:
        """Whether rooms of a study may belong to it."""
        return any(
            part.study == study if isinstance(part, LogKey) else self.study in (None, study)
            for part in self.parts
        )

    def _matches(self, part: str, room: LogKey) -> bool:
        if self.study is not None and room.study != self.study:
            return False
        return part == room.id or fnmatchcase(room.id, part)
