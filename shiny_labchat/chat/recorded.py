"""Reactive reads of what was recorded about the people of a room."""

from __future__ import annotations

from functools import cached_property

from shiny_labchat.arguments import as_id, check_choice, check_function, check_number
from shiny_labchat.chat.barriers import Barriers, OnLate
from shiny_labchat.chat.base import ChatBase
from shiny_labchat.chat.session_logs import session_log
from shiny_labchat.domain.commands.study import study_log
from shiny_labchat.domain.records import Record, records_in
from shiny_labchat.study.person import Person

__all__ = ["Recorded"]


class Recorded(ChatBase):
    """The part of a :class:`Chat` that reads what was recorded about its people."""

    @cached_property
    def _barriers(self) -> Barriers:
        return Barriers(self._session)

    def person(self) -> Person | None:
        """
        Reactively read the person in front of this page, in the study of the room.

        Returns
        -------
        Person or None
            None before it is known who they are, before they have consented, if the study asks for
            that, and where the app has no :class:`~shiny_labchat.Study`. It never waits.
        """
        known = self._placements.person()
        return None if known is None else known.person()

    def all_have(self, kind: str, within: float = 120, on_late: OnLate = "end") -> bool:
        """
        Reactively read whether all people of the group have recorded something.

        The first page that waits sets the time: that of somebody who has recorded it. What is
        decided is the same on all pages, and stays so: once it is True, it is never False again.
        It never waits itself.

        Parameters
        ----------
        kind
            The kind of what they record, such as the kind of a form.
        within
            How long to wait for the others, in seconds.
        on_late
            What becomes of those who have not recorded it in time: their part in the study ends
            with the reason "idle" ("end"), or they go on as well ("without"). Or a function that is
            called once with each of them, a :class:`~shiny_labchat.Person`, async or not: it may
            record something in their place, or return "end".

        Returns
        -------
        bool
            True once everybody who still takes part has recorded it, or the time is over.
        """
        check_number("within", within, least=0)
        if callable(on_late):
            check_function("on_late", on_late, "person")
        else:
            check_choice("on_late", on_late, ("end", "without"), also="a function")
        room = self._placements.room()
        if room is None or self._session.is_stub_session():
            return False
        person = self._placements.person()
        me = None if person is None else person.id
        return self._barriers.is_met(room, as_id("kind", kind), within, on_late, me)

    def records(self, kind: str | None = None, mine: bool = False) -> tuple[Record, ...]:
        """
        Reactively read what was last recorded about the people of the room's group.

        Those who have left before the end are not among them. In rounds, of what is recorded in
        rounds, only what was in this one.

        Parameters
        ----------
        kind
            Only records of this kind, such as a form's; None: of all kinds.
        mine
            Whether to read only those about this session's person.

        Returns
        -------
        tuple of Record
            Each with `member` (an id, which other people must not be shown), `kind`, `data` (of a
            form, the answers by the ids of its inputs) and `at`. Empty before there is a group.
        """
        room = self._placements.room()
        if room is None or self._session.is_stub_session():
            return ()
        log = session_log(self._session, room.log, study_log(room.study))
        found = log.read(lambda state: tuple(records_in(state, room.id, kind))) or ()
        person = self._placements.person()
        me = person.id if mine and person is not None else None
        return tuple(each for each in found if not mine or each.member == me)
