"""A study in front of one session's page: who the person is, and what the study knows of them."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from contextvars import Context
from typing import TypeVar

from shiny import reactive
from shiny.module import ResolvedId
from shiny.reactive._reactives import Effect_
from shiny.session import Session, get_current_session

from shiny_labchat import metrics
from shiny_labchat.access import tickets
from shiny_labchat.access.recruits import Admitted
from shiny_labchat.chat import elements, install
from shiny_labchat.chat.own_pages import count_new_person, is_own_page
from shiny_labchat.chat.page import PAGE_HELLO, PageHello
from shiny_labchat.chat.people import Identified, register_person
from shiny_labchat.chat.per_session import PerSession
from shiny_labchat.chat.session_logs import session_log
from shiny_labchat.chat.shiny_internals import connection_of, flush_soon
from shiny_labchat.concurrency import Tasks
from shiny_labchat.domain.commands.study import study_log
from shiny_labchat.domain.membership import Role
from shiny_labchat.domain.study import Participation, StudyState
from shiny_labchat.errors import Refused, StoreError
from shiny_labchat.lab.runtime import Runtime
from shiny_labchat.lobby.arrival import Arrival, Coming, Identity, arrive
from shiny_labchat.lobby.forms import Forms
from shiny_labchat.store import Log
from shiny_labchat.study.person import Person
from shiny_labchat.study.study import Study

__all__ = ["StudySession", "found_session", "known_session", "study_session"]

logger = logging.getLogger("shiny_labchat")

T = TypeVar("T")

RETRY_DELAY = 5.0
"""Pause before a page that could not arrive is tried again, in seconds."""
MISSING = {
    "no_debrief": "a bot that is not disclosed may speak to its people, and nobody tells them "
    "afterwards. Call study.debrief(...), or say in Study(debriefed=...) how they are told",
    "no_replacement": "a bot may go on in the place of somebody who leaves, and the consent does "
    "not say so. Call study.consent(..., replacement=True)",
}
"""What is missing in a study that nobody can come to, by the code that pages are refused with."""


class StudySession:
    """
    One study in front of one session's page.

    The person arrives once the app draws something of the study for them, or asks who they are, and
    the page has said hello over its socket. A page that is only fetched, as by a preview of a link,
    does nothing, and neither does a study that the app only makes.

    Parameters
    ----------
    session
        The session of the whole page.
    study
        The study, as the app's code has made it last.

    Attributes
    ----------
    study
        As given; replaced by a later one of the same name.
    session
        As given.
    params
        What the person's recruiter said of them; empty before it is known.
    lobby
        The id of the lobby whose screens the page shows; None: it has none.
    identity
        How the study knows people again.
    forms
        The forms that the app has drawn.
    """

    def __init__(self, session: Session, study: Study) -> None:
        self.study = study
        self.session = session
        self.params: Mapping[str, str] = {}
        self.lobby: str | None = None
        self.identity: Identity = "browser"
        self._known: reactive.Value[Identified] = reactive.Value(
            Identified(is_decided=session.is_stub_session()), name="identified"
        )
        self._log = session_log(session, study.log, study_log(study.name))
        self.forms = Forms(
            *(session, study.name, lambda: self.id),
            submit=lambda command: self.study.submit(command),
            words=lambda: self.study.words,
        )
        self._is_wanted: reactive.Value[bool] = reactive.Value(False, name="is_wanted")
        self._is_older: reactive.Value[bool] = reactive.Value(False, name="is_older")
        self._is_open: reactive.Value[bool] = reactive.Value(False, name="is_open")
        self._unfollow: Callable[[], None] | None = None
        self._tasks = Tasks(f"study {study.name!r}")
        self._arriving: asyncio.Task[None] | None = None
        self._coming: tuple[PageHello, str] | None = None
        register_person(session, study.log, study.name, self)

    def want(self) -> None:
        """Have the page's person arrive, as the app draws the study for them or reads who it is."""
        with reactive.isolate():
            if self._is_wanted() or self.session.is_stub_session():
                return
        self._is_wanted.set(True)
        install.ensure_route(self.session)
        self.study.log.serve()
        elements.have_page_say_hello(self.session)
        self.session.allow_reconnect("force")
        self.session.on_ended(self._stop)
        self._listen()

    # ── reactive reads ──

    @property
    def is_wanted(self) -> bool:
        """Whether the app has drawn the study for this page, or asked who its person is."""
        return self._is_wanted()

    @property
    def identified(self) -> Identified:
        """Who the person is in rooms: nobody before they take part, and once they have ended."""
        self.want()
        known = self._known()
        if known.id is None or known.role or (self.takes_part() and self.ended is None):
            return known
        return Identified(self._is_read())

    @property
    def id(self) -> str | None:
        """Their id; None: it is not known."""
        return self._known().id

    @property
    def ended(self) -> str | None:
        """Why they have left the study; None: they have not, as far as is known."""
        known = self.participation()
        return None if known is None or known.ended is None else known.ended.reason

    def participation(self) -> Participation | None:
        """
        The person, as the study's log describes them; None before they have arrived.

        Also None while they take part in another browser, which they have come with later.
        """
        self.want()
        id = self.id
        known = None if id is None else self.read(lambda state: state.people.get(id))
        is_elsewhere = known is not None and known.ended is None and self._is_older()
        return None if is_elsewhere else known

    def takes_part(self) -> bool:
        """Whether they have arrived and have consented, if they are asked; ended or not."""
        known = self.participation()
        if known is None:
            return False
        return known.consent is not None or not self.read(_asks_consent)

    def _is_read(self) -> bool:
        """Whether the study's log has been read, with the person in it."""
        return self.participation() is not None

    def person(self) -> Person | None:
        """The person, for the app; None before it is known who they are, and before consent."""
        known = self.participation()
        if known is None or not self.takes_part():
            return None
        return Person.of(self.study, known, self.params)

    def round_now(self) -> int:
        """The number of the person's round as it is now, not reactive; 0: they are in none."""
        with reactive.isolate():
            id = self.id
            found = None if id is None else self.read(lambda state: state.cohort_of(id))
        return 0 if found is None else found.round

    def role(self) -> Role | None:
        """The role of whoever is in front of the page; None before it is known."""
        self.want()
        found = self._known().role
        return found or (None if self.participation() is None else "participant")

    def step(self) -> str | None:
        """The step of the whole study; None: none was set, or it is not known."""
        return self.read(lambda state: state.steps.now(time.time_ns() // 1000))

    def is_here(self) -> bool:
        """Whether the page has its socket to the study open: only then it can be asked."""
        return self._is_open()

    def read(self, select: Callable[[StudyState], T]) -> T | None:
        """Something of the study's state; None before it is known."""
        return self._log.read(select)

    # ── arriving ──

    def _listen(self) -> None:
        said = self.session.input[ResolvedId(PAGE_HELLO)]

        # Before the app's own effects, as the admission of chats.
        @reactive.effect(priority=999_999, session=self.session)
        def meet() -> None:
            hello = PageHello.of(said())
            with reactive.isolate():
                query = self.session.clientdata.url_search()
            self._begin(hello, query)

        self._effects = meet, self._follow_withdrawal()

    def _follow_withdrawal(self) -> Effect_:
        """Learn who the person is now when their data was withdrawn: they have another id then."""
        was_there: set[str] = set()

        @reactive.effect(priority=999_998, session=self.session)
        def look() -> None:
            id = self.id
            if id is None or (is_there := self.read(lambda state: id in state.people)) is None:
                return
            if is_there:
                was_there.add(id)
            elif id in was_there and self._coming is not None:
                was_there.clear()
                self._begin(*self._coming)

        return look

    def _begin(self, hello: PageHello, query: str) -> None:
        if self._arriving is not None:
            self._arriving.cancel()
        self._coming = hello, query
        headers = connection_of(self.session).headers
        coming = Coming(query, hello.keys, headers)
        self._arriving = self._tasks.spawn(self._come(hello, coming), context=Context())

    async def _come(self, hello: PageHello, coming: Coming) -> None:
        while True:
            try:
                await self._arrive(hello, coming)
            except (Refused, StoreError) as exc:
                self._report(exc)
                again = isinstance(exc, StoreError) or exc.code == "too_many_people"
                await self._refuse(exc, again)
                if not again:
                    return
                await asyncio.sleep(RETRY_DELAY)
            except Exception:
                logger.exception("study %r could not let a page in", self.study.name)
                return await self._refuse(Refused("failed"), again=False)
            else:
                return

    def _report(self, error: Refused | StoreError) -> None:
        """Have the server's log say why nobody came, and what to do if the study is not ready."""
        metrics.refused("page", error.code)
        missing = MISSING.get(error.code)
        if missing is not None:
            logger.error("study %r lets nobody in (%s): %s", self.study.name, error.code, missing)
        else:
            why = error if isinstance(error, StoreError) else error.code  # no id is in the log
            logger.warning("study %r refused a page: %s", self.study.name, why)

    async def _arrive(self, hello: PageHello, coming: Coming) -> None:
        study, page = self.study, self.session
        if not await is_own_page(page, hello, study.log, ""):
            return
        arrival = await arrive(study, coming, self.identity, lambda: count_new_person(page))
        self.params = arrival.params
        self._decide(Identified(True, arrival.person, arrival.source, arrival.role))
        if arrival.role is not None:  # there is nothing that the study asks them, or shows them
            return
        self._follow(hello.page, arrival)
        await self._tell(ticket=await self._ticket(hello, arrival), returns=True)

    def _follow(self, page: str, arrival: Arrival) -> None:
        """Learn when the page opens its socket to the study, and when it closes it."""
        self._unfollow_page()
        people, name = Runtime.of(self.study.log).live.people, self.study.name
        admitted = Admitted(name, arrival.person, arrival.source, arrival.generation)

        def look() -> None:
            self._is_open.set(people.has_page(name, page))
            self._is_older.set(people.is_older(name, page))
            flush_soon(self.session)

        self._unfollow = people.follow(page, admitted, look)
        look()

    def _unfollow_page(self) -> None:
        unfollow, self._unfollow = self._unfollow, None
        if unfollow is not None:
            unfollow()

    async def _ticket(self, hello: PageHello, arrival: Arrival) -> str:
        return await tickets.study_ticket(
            *(self.study.log, self.study.name, arrival.person, hello.page),
            generation=arrival.generation,
            lobby=self.lobby,
            source=arrival.source,
        )

    async def _refuse(self, error: Refused | StoreError, again: bool) -> None:
        if not again:
            self._decide(Identified(True))
        say = self.study.words.refusal(error)
        await self._tell(code=error.code, say=say, again=again)

    def _decide(self, known: Identified) -> None:
        self._known.set(known)
        flush_soon(self.session)

    async def _tell(self, **message: object) -> None:
        await elements.tell(self.session, "", do="study", study=self.study.name, **message)

    def _stop(self) -> None:
        for effect in self._effects:
            effect.destroy()
        self._unfollow_page()
        if self._arriving is not None:
            self._arriving.cancel()


def _asks_consent(state: StudyState) -> bool:
    return state.settings.get("consent") is not None


def study_session(study: Study, *, is_by_name: bool = False) -> StudySession | None:
    """
    A study in the current session; None: no session is running.

    `is_by_name`: the app's code names the study only, so one that says more is kept.
    """
    session = get_current_session()
    if session is None:
        return None
    key = study.log, study.name
    known = _sessions.of(session).get(key)
    if known is None:
        known = _sessions.keep(session, key, StudySession(session.root_scope(), study))
    elif not is_by_name:
        known.study = study
    return known


def found_session(log: Log, name: str) -> StudySession | None:
    """A study that the current session has, by its lab and name; None: it has not."""
    session = get_current_session()
    return None if session is None else _sessions.of(session).get((log, name))


def known_session(study: Study) -> StudySession:
    """
    A study in the current session.

    Raises
    ------
    RuntimeError
        No session is running.
    """
    found = study_session(study, is_by_name=True)
    if found is None:
        raise RuntimeError(
            f"{study!r} is read outside a session; call this in a reactive function, an output or "
            "a page of Shiny Express. Programmes have await study.people()"
        )
    return found


_sessions: PerSession[tuple[Log, str], StudySession] = PerSession()
"""The studies in front of a session's page, by lab and name."""
