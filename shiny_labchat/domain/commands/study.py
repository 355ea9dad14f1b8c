"""Commands about a study and the people in it. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from shiny_labchat.domain.events import LogKey

__all__ = [
    "WITHDRAWN_BY",
    "Arrive",
    "Barrier",
    "CallLate",
    "Consent",
    "Debrief",
    "DescribeStudy",
    "Dissolve",
    "EndPerson",
    "NamePerson",
    "OfStudy",
    "Pay",
    "PayOut",
    "RecordAnswer",
    "RecordExport",
    "RemoveMember",
    "Replace",
    "SetStep",
    "SetStudyStep",
    "ShowCode",
    "ShowRoom",
    "Withdraw",
    "WithdrawnBy",
    "study_log",
]


WithdrawnBy = Literal["participant", "researcher", "retention", "ledger"]
"""
Why somebody's data was withdrawn: they asked themselves, or a programme; a date that the study has
set has come; or it had been withdrawn before the database was replaced by an older one.
"""
WITHDRAWN_BY: tuple[WithdrawnBy, ...] = get_args(WithdrawnBy)


def study_log(study: str) -> LogKey:
    """The key of a study's own log."""
    return LogKey(study, study, "study")


@dataclass(frozen=True, slots=True)
class OfStudy:
    """
    A command about a study.

    Parameters
    ----------
    study
        The study.
    also
        Further logs whose states its rule needs, from what the sender knows of them. If it needs
        others by now, the rule says so, see `MoreLogs`.
    """

    study: str
    also: tuple[LogKey, ...] = field(default=(), kw_only=True)

    @property
    def logs(self) -> tuple[LogKey, ...]:
        """The logs whose states its rule needs; the first one has the command's id."""
        return (study_log(self.study), *self.also)


@dataclass(frozen=True, slots=True)
class DescribeStudy(OfStudy):
    """
    Give settings of a study.

    `is_default`: the app's code says so; what was configured while the study was in use, stays.
    """

    seed: str
    settings: Mapping[str, Any]
    is_default: bool = True


@dataclass(frozen=True, slots=True)
class Arrive(OfStudy):
    """
    Record that a person's page has come with an open socket for the first time.

    `took_part`: they have taken part before, in a study that this one excludes.
    """

    person: str
    device: str | None = None
    language: str | None = None
    took_part: bool = False


@dataclass(frozen=True, slots=True)
class Consent(OfStudy):
    """Record a person's answer to the consent; `agrees` False: they refuse."""

    person: str
    version: str
    agrees: bool = True
    answers: Mapping[str, bool] | None = None


@dataclass(frozen=True, slots=True)
class RecordAnswer(OfStudy):
    """
    Record something about a person; the latest of a kind counts.

    `cid`: the id of the form that was sent, so that a double click is one answer. `about`: when a
    form was shown, first changed and sent. `step`: the step that is set with it. `end`: the reason
    for which their part in the study ends with it. `needed`: the inputs of the form
    that must have an answer, by their ids. `room`, or `round`: the room or the number of the
    round that it belongs to, which may be over; None: to that in which they are.
    """

    person: str
    kind: str
    value: Any
    cid: str | None = None
    about: Mapping[str, int] | None = None
    step: str | None = None
    end: str | None = None
    needed: tuple[str, ...] = ()
    room: str | None = None
    round: int | None = None

    @property
    def member(self) -> str:
        """Whose command it is, by which its id is unique."""
        return self.person


@dataclass(frozen=True, slots=True)
class SetStep(OfStudy):
    """Set the app's word for how far a person is."""

    person: str
    step: str


@dataclass(frozen=True, slots=True)
class SetStudyStep(OfStudy):
    """
    Set the app's word for how far the whole study is.

    `after`: so much later, in microseconds. It takes the place of steps that were to follow then.
    """

    step: str
    after: int = 0


@dataclass(frozen=True, slots=True)
class NamePerson(OfStudy):
    """
    Give a person the pseudonym that they have throughout the study, unless they have one.

    `name`: the one that they had so far, which they get if nobody else has it; None: they had none.
    """

    person: str
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Pay(OfStudy):
    """Pay a person an amount in whole cents; the same key is one payment."""

    person: str
    key: str
    cents: int


@dataclass(frozen=True, slots=True)
class PayOut(OfStudy):
    """Record that a person was sent an amount in whole cents; the same key is one transfer."""

    person: str
    key: str
    cents: int


@dataclass(frozen=True, slots=True)
class Debrief(OfStudy):
    """Record that a person was debriefed, and what they said to keeping their data."""

    person: str
    keep: bool | None = None


@dataclass(frozen=True, slots=True)
class ShowCode(OfStudy):
    """Record that a person was shown their code; they keep the one that they were shown first."""

    person: str
    code: str


@dataclass(frozen=True, slots=True)
class Barrier(OfStudy):
    """
    Wait until all people of a group who still take part have recorded something of a kind.

    `within`: how long those who are there wait for the others, in microseconds. The first such
    command for a room and kind sets the time. Later ones, and those after it, decide: the barrier
    is met once all have recorded it or the time is over, and then for ever. None: it sets no time,
    and decides only.
    """

    room: str
    kind: str
    within: int | None


@dataclass(frozen=True, slots=True)
class CallLate(OfStudy):
    """
    Note who was late for a barrier, which is met, as the app's function is called with them.

    Once: who has sent it, and gets an event, calls the function.
    """

    room: str
    kind: str


@dataclass(frozen=True, slots=True)
class ShowRoom(OfStudy):
    """
    Show the room of a group to its people.

    Parameters
    ----------
    room
        The room's id.
    how
        Why now: the app's functions that prepare it have "returned" or "failed"; it is "late"; or
        there are "none".
    function
        The name of the one that has returned or failed; None: it does not matter which have.
    functions
        The names of all of them: the room is shown after the last one.
    """

    room: str
    how: str
    function: str | None = None
    functions: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class EndPerson(OfStudy):
    """
    End a person's part in a study, for one of `REASONS`.

    `delete`: whether they have asked that their data be deleted; None: they were not asked.
    """

    person: str
    reason: str
    delete: bool | None = None


@dataclass(frozen=True, slots=True)
class RemoveMember(OfStudy):
    """
    Remove a member of a room; if it is that of their group, their part in the study ends, too.

    The first log is the room's, and the only one if it has not come from a lobby.
    """

    room: str
    person: str

    @property
    def logs(self) -> tuple[LogKey, ...]:
        """The logs whose states its rule needs."""
        return (LogKey(self.study, self.room), *self.also)


@dataclass(frozen=True, slots=True)
class Dissolve(OfStudy):
    """
    Dissolve a group because some of its people have gone, if its room's rules say so.

    `gone`: the ids of those who have been gone for longer than these allow. They end with "idle",
    the others with "group_dissolved". Who is done, or has completed, has not gone.
    """

    room: str
    gone: tuple[str, ...]

    @property
    def logs(self) -> tuple[LogKey, ...]:
        """The logs whose states its rule needs."""
        return (study_log(self.study), LogKey(self.study, self.room), *self.also)


@dataclass(frozen=True, slots=True)
class Replace(OfStudy):
    """
    Have a bot take the places of people of a group who have gone, if its room's rules say so.

    Their part ends with "replaced". If nobody else is left, the group is dissolved. Whose consent,
    or that of somebody else in the group, does not say that this may happen, is not replaced.

    Parameters
    ----------
    room
        The room's id.
    gone
        The ids of those who have been gone for longer than the rules allow.
    random
        Random text, from which it is drawn for how long each place stays empty.
    """

    room: str
    gone: tuple[str, ...]
    random: str

    @property
    def logs(self) -> tuple[LogKey, ...]:
        """The logs whose states its rule needs."""
        return (study_log(self.study), LogKey(self.study, self.room), *self.also)


@dataclass(frozen=True, slots=True)
class RecordExport(OfStudy):
    """
    Record that data of a study were exported, unless somebody has withdrawn theirs meanwhile.

    Parameters
    ----------
    sha256
        The hash of the export, by which its copies are known.
    upto
        The seq of the study's log up to which it was read.
    about
        What it has: its formats, rooms, and the ids of the people whose words it has.
    """

    sha256: str
    upto: int
    about: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Withdraw(OfStudy):
    """
    Withdraw all data of somebody in a study: blank it, and give them another id everywhere.

    `also` has to name all logs in which there is something of them.

    Parameters
    ----------
    person
        Their id.
    new
        The random id in its place.
    by
        Why.
    quotes
        Whether what others have quoted of them, word by word, is blanked, too.
    said
        By log, the seqs of their messages; the store says so.
    streaming
        By log, the seqs of those that still grow.
    held
        By log, the seqs of those that wait until the app has transformed them.
    heard
        By log, the ids of those who are shown any message that becomes another one, if all of
        these were heard in a network.
    exports
        The sha256 of the exports that have their words.
    """

    person: str
    new: str
    by: WithdrawnBy = "researcher"
    quotes: bool = False
    said: Mapping[LogKey, Sequence[int]] = field(default_factory=dict[LogKey, Sequence[int]])
    streaming: Mapping[LogKey, Sequence[int]] = field(default_factory=dict[LogKey, Sequence[int]])
    held: Mapping[LogKey, Sequence[int]] = field(default_factory=dict[LogKey, Sequence[int]])
    heard: Mapping[LogKey, Sequence[str]] = field(default_factory=dict[LogKey, Sequence[str]])
    exports: tuple[str, ...] = ()
