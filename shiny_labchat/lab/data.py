"""The facet of a lab that has to do with its data: what is on record, exports, withdrawals."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Literal, Protocol

from shiny_labchat.arguments import StudyLike, as_id, check_choice
from shiny_labchat.audit.entries import AuditEntry, written
from shiny_labchat.domain.events import LogKey
from shiny_labchat.export.order import Exported, Progress
from shiny_labchat.lab import exporting
from shiny_labchat.lab.room import Room
from shiny_labchat.lab.withdrawing import Withdrawal, withdraw
from shiny_labchat.store import Log

__all__ = ["Data"]


class WithId(Protocol):
    """Somebody with an id: a `Person` or a `Member`."""

    @property
    def id(self) -> str:
        """Their id."""
        ...


Identified = str | WithId


class Data(ABC):
    """A facet of :class:`Lab`; its attributes are described there."""

    _log: Log

    @abstractmethod
    def _named(self, study: StudyLike | None) -> str | None: ...

    @abstractmethod
    def _part(self, room: object) -> str | LogKey: ...

    async def audit(self, study: StudyLike | None = None) -> list[AuditEntry]:
        """
        Read the audit: bots' calls to models, and why bots said nothing.

        Parameters
        ----------
        study
            The study; None: all studies.

        Returns
        -------
        list of AuditEntry
            The entries, in the order in which they were begun.
        """
        name = self._named(study)
        return await self._log.read(lambda conn: written(conn, name))

    async def export(
        self,
        folder: str | Path,
        *,
        study: StudyLike | None = None,
        rooms: Sequence[str | Room] | None = None,
        formats: Sequence[str] = ("csv",),
        anonymise: bool = False,
        public: bool = False,
        new_ids: bool = False,
        since: datetime | str | None = None,
        progress: Progress | None = None,
    ) -> Exported:
        """
        Export the data as files.

        They are tables, all settings, and a codebook that explains every column. It may run while
        people talk: it has what was there when it began. The same log gives the same files, byte
        for byte. That it was made, and whose words it has, is in the study's log.

        Parameters
        ----------
        folder
            Where to. It must be empty, not there, or hold an export, which is replaced once the new
            one is whole.
        study
            Only this study; None: all.
        rooms
            Only these rooms, or rooms with these ids, and the people in them; None: all.
        formats
            Of "csv", "jsonl" and "parquet" any.
        anonymise
            Whether random ids stand in place of members' ids. They are drawn once, so that exports
            of the same study can be joined.
        public
            Whether the words of those are left out who did not agree to the item "share" of the
            consent.
        new_ids
            Whether the random ids are drawn for this export alone, so that it cannot be joined with
            others.
        since
            Only what was sent since then: a datetime with a time zone, or such a text. A table
            ``changes`` then says which earlier rows were withdrawn.
        progress
            Called now and then with two numbers: how many events were read, and how many there are.

        Returns
        -------
        Exported
            The folder, its sha256, and how many rows each table has.

        Raises
        ------
        NotAnExport
            The folder has files that no export has written.
        ImportError
            A format needs a package that is not installed.
        TypeError, ValueError
            An argument is not valid, or there is no such study or room.
        """
        name = self._named(study)
        for each in () if rooms is None or isinstance(rooms, str | Room) else rooms:
            self._part(each)
        order = exporting.as_order(
            *(name, rooms, formats),
            **{"anonymise": anonymise, "public": public, "new_ids": new_ids},
            since=since,
        )
        return await exporting.export(self._log, folder, order, progress)

    async def withdraw(
        self,
        person: Identified,
        *,
        study: StudyLike | None = None,
        quotes: Literal["blank"] | None = None,
    ) -> Withdrawal:
        """
        Withdraw all data of somebody: blank it, and give them another id everywhere.

        Their messages stay as empty ones, so that the order and times of a conversation can still
        be seen. Everything else that they have said or that was said of them to a model is deleted:
        their answers, their names, what their recruiter said of them (but only once they are paid).
        Who takes part ends with the reason ``"withdrew"``. It cannot be undone: a ledger beside the
        database has it blanked again in every backup that is restored.

        Parameters
        ----------
        person
            A :class:`Person`, a :class:`Member`, or the id of one: a person's id is that of the
            member in rooms.
        study
            Only in this study. None: that of the person, and for an id in all studies.
        quotes
            ``"blank"``: also blank 30 or more characters in a row that others, or bots, have
            quoted of them. Else what others have said stays as it is.

        Returns
        -------
        Withdrawal
            Their new id, and what could not be reached: `exports` that were taken before, which
            have to be destroyed, and `is_clean`, whether nothing is left in the database's files.

        Raises
        ------
        LabChatError
            Nobody has this id, or a bot has it.
        """
        check_choice("quotes", quotes, ("blank", None))
        id = as_id("person", getattr(person, "id", person))
        name = self._named(study) or _study_of(person)
        return await withdraw(self._log, id, name, quotes=quotes is not None)


def _study_of(person: object) -> str | None:
    """The name of the study in which somebody is a person; None: it is not known."""
    return getattr(getattr(person, "person", person), "study", None)
