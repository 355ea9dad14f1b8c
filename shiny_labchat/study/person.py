"""The people of a study, for programmes and app code."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Protocol

from shiny_labchat.arguments import as_id
from shiny_labchat.domain.commands import EndPerson, Pay, RecordAnswer, SetStep, StudyCommand
from shiny_labchat.domain.ends import as_cents, check_reason
from shiny_labchat.domain.members import Member
from shiny_labchat.domain.messages import to_datetime
from shiny_labchat.domain.study import Participation

__all__ = ["OfStudy", "Participant", "Person"]


class OfStudy(Protocol):
    """The interface of a study that its people use."""

    @property
    def name(self) -> str:
        """Its name."""
        ...

    async def submit(self, command: StudyCommand) -> object:
        """Have a command decided and stored."""
        ...


@dataclass(frozen=True, slots=True)
class Person:
    """
    Somebody in a study, as they were when this was read.

    Parameters
    ----------
    id
        Their random id in the study, by which rooms know them as a member. Never shown to
        participants.
    arrived
        When their page first came to the study: aware, UTC.
    condition
        What the experimenter varies, for their group; None: they were in none yet.
    part
        Their part in it; None: there are no parts.
    room
        The id of the room of their last group; None: they were in none yet.
    params
        What their recruiter said of them, by parameter. It is a claim: see
        :meth:`Study.people`.
    step
        The app's word for how far they are, see :meth:`set_step`.
    data
        By kind, the latest of what was recorded about them, in whichever round: of a form, its
        answers by the ids of its inputs.
    paid
        By key, what they were paid, in units of the study's currency.
    consent
        What they answered to each item of the consent; None: they have given none.
    ended
        The reason for which they have left the study, such as ``"complete"``; None: they take
        part.
    name
        The pseudonym that they have in all rooms of the study that use it, see :class:`Lobby` and
        :class:`Chat`, `names`; None: they have none yet.
    """

    id: str
    arrived: datetime
    condition: Any = None
    part: Any = None
    room: str | None = None
    params: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    step: str | None = None
    data: Mapping[str, Any] = field(default_factory=dict[str, Any], repr=False)
    paid: Mapping[str, Decimal] = field(default_factory=dict[str, Decimal], repr=False)
    consent: Mapping[str, bool] | None = None
    ended: str | None = None
    name: str | None = None
    _study: OfStudy | None = field(default=None, repr=False, compare=False)
    _of_round: str | None = field(default=None, repr=False, compare=False)

    @classmethod
    def of(
        cls, study: OfStudy, known: Participation, params: Mapping[str, str] | None = None
    ) -> Person:
        """A person as the study's log describes them; for this package."""
        return cls(
            known.person,
            to_datetime(known.arrived),
            known.condition,
            known.part,
            known.room,
            params or {},
            known.step,
            known.data,
            {key: Decimal(cents).scaleb(-2) for key, cents in known.paid.items()},
            None if known.consent is None else known.consent.answers,
            None if known.ended is None else known.ended.reason,
            known.name or None,  # of who has withdrawn, it is blank
            study,
        )

    def __hash__(self) -> int:
        return hash(self.id)

    @property
    def study(self) -> str:
        """The name of their study."""
        return self._name

    async def set_step(self, step: str) -> None:
        """
        Set the app's word for how far they are, such as ``"survey"``.

        It is on record, and survives a reload and a restart.

        Raises
        ------
        Refused
            They have ended, or have given no consent.
        """
        await self._submit(SetStep(self._name, self.id, as_id("step", step)))

    async def record(self, kind: str, data: Any) -> None:
        """
        Record something about them; the latest of a kind counts, and all are on record.

        Parameters
        ----------
        kind
            Its kind, such as ``"choice"``.
        data
            Any value that JSON can hold.

        Raises
        ------
        TypeError, ValueError
            `data` cannot be written as JSON.
        Refused
            They have ended, or have given no consent.
        """
        # What is kept in memory must be what is on disk, whatever becomes of the app's own object.
        value = json.loads(json.dumps(data, allow_nan=False))
        kind, room = as_id("kind", kind), self._of_round
        await self._submit(RecordAnswer(self._name, self.id, kind, value, room=room))

    async def pay(self, key: str, amount: float | Decimal) -> None:
        """
        Pay them an amount on top of what their end pays.

        It is noted here, and shown to them at the end; the money is sent with the recruiter's
        means, see ``labchat pay``.

        Parameters
        ----------
        key
            A name for this payment. Paying the same key again is the same payment.
        amount
            In units of the study's currency, with at most two decimals.

        Raises
        ------
        TypeError, ValueError
            The amount is no number, or has more than two decimals.
        Refused
            ``paid``: another amount was paid with this key.
        """
        cents = as_cents("amount", amount)
        await self._submit(Pay(self._name, self.id, as_id("key", key), cents))

    async def end(self, reason: str) -> None:
        """
        End their part in the study; who has ended already keeps their end.

        Parameters
        ----------
        reason
            Such as ``"complete"``, ``"screened_out"`` or ``"removed"``; the documentation lists
            all.

        Raises
        ------
        ValueError
            There is no such reason.
        """
        check_reason("reason", reason)
        await self._submit(EndPerson(self._name, self.id, reason))

    @property
    def _name(self) -> str:
        assert self._study is not None
        return self._study.name

    async def _submit(self, command: StudyCommand) -> None:
        assert self._study is not None
        await self._study.submit(command)


@dataclass(frozen=True, slots=True)
class Participant(Member):
    """
    A member of a room who is a person of its study.

    Functions that are called for a group get its people as these.

    Parameters
    ----------
    person
        The person, as they were when the function was called.
    """

    person: Person | None = field(default=None, compare=False)

    @classmethod
    def from_person(cls, member: Member, person: Person) -> Participant:
        """A member with the person that they are; for this package."""
        seen = member.id, member.pseudonym, member.role, member.own, member.is_muted
        return cls(*seen, person=person)

    @property
    def condition(self) -> Any:
        """What the experimenter varies, for their group."""
        return self._person.condition

    @property
    def part(self) -> str | None:
        """Their part in the group; None: there are no parts."""
        return self._person.part

    @property
    def data(self) -> Mapping[str, Any]:
        """
        By kind, the latest of what was recorded about them.

        In rounds, of what is recorded in rounds, only what was in the one of the room.
        """
        return self._person.data

    async def record(self, kind: str, data: Any) -> None:
        """Record something about them; see :meth:`Person.record`."""
        await self._person.record(kind, data)

    async def pay(self, key: str, amount: float | Decimal) -> None:
        """Pay them an amount; see :meth:`Person.pay`."""
        await self._person.pay(key, amount)

    async def end(self, reason: str) -> None:
        """End their part in the study; see :meth:`Person.end`."""
        await self._person.end(reason)

    @property
    def _person(self) -> Person:
        assert self.person is not None
        return self.person
