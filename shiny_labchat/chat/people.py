"""The people of studies in front of sessions' pages, for the chats of the same pages."""

from __future__ import annotations

from typing import NamedTuple, Protocol

from shiny.session import Session, get_current_session

from shiny_labchat.access.revoking import Source
from shiny_labchat.chat.per_session import PerSession
from shiny_labchat.domain.membership import Role
from shiny_labchat.lab.lab import Lab
from shiny_labchat.lab.runtime import words_of
from shiny_labchat.store import Log
from shiny_labchat.study.person import Person
from shiny_labchat.words import Words

__all__ = [
    "Identified",
    "SessionPerson",
    "has_people",
    "only_person",
    "person_of",
    "register_person",
    "words_here",
]


class Identified(NamedTuple):
    """
    Who a page's person is in the rooms of a study.

    Parameters
    ----------
    is_decided
        Whether it is known who they are, or that they are nobody there.
    id
        Their id; None: it is not known yet, they do not take part yet, or any more.
    source
        The token by which the page was let in.
    role
        Their role, if they run the study and are none of its people; else None.
    """

    is_decided: bool
    id: str | None = None
    source: Source | None = None
    role: Role | None = None


class SessionPerson(Protocol):
    """The person of one study in front of a session's page; all reads are reactive, none waits."""

    @property
    def is_wanted(self) -> bool:
        """Whether the app has drawn the study for the page, or asked who its person is."""
        ...

    @property
    def identified(self) -> Identified:
        """Who they are in rooms, as far as that is known."""
        ...

    @property
    def id(self) -> str | None:
        """Their id, whether they take part or not; None: it is not known."""
        ...

    @property
    def ended(self) -> str | None:
        """Why they have left the study; None: they have not, as far as is known."""
        ...

    def person(self) -> Person | None:
        """The person, for the app; None before it is known who they are, and before consent."""
        ...


def register_person(session: Session, log: Log, study: str, person: SessionPerson) -> None:
    """Note who is the person of a study in front of a session's page."""
    _people.keep(session, (log, study), person)


def person_of(session: Session, log: Log, study: str) -> SessionPerson | None:
    """The person of a study in front of a session's page; None: the app has no such study."""
    return _people.of(session).get((log, study))


def has_people(session: Session) -> bool:
    """Whether the app has a study in a session's page."""
    return bool(_people.of(session))


def only_person(session: Session) -> SessionPerson | None:
    """
    The person in front of a session's page, if the app has one study there; else None.

    One that is drawn counts rather than others that are only made.
    """
    known = list(_people.of(session).values())
    found = [each for each in known if each.is_wanted] if len(known) > 1 else known
    return found[0] if len(found) == 1 else None


def words_here(lab: Lab, study: str | None = None) -> Words:
    """The words of a study; None: of the only one that the app has in its page, or of the lab."""
    session = get_current_session()
    if study is None and session is not None:
        names = [name for log, name in _people.of(session) if log == lab.log]
        study = names[0] if len(names) == 1 else None
    return words_of(lab.log, study)


_people: PerSession[tuple[Log, str], SessionPerson] = PerSession()
"""The people in front of a session's page, by lab and study."""
