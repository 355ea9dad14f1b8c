"""
Admission of pages: a browser asks through Shiny, and its session decides on person and room.

It runs outside Shiny's reactive lock, so that a slow disk does not delay other sessions.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, cast
from urllib.parse import parse_qs

from shiny import reactive
from shiny.module import ResolvedId
from shiny.reactive._reactives import Effect_
from shiny.session import Session
from shiny.types import SilentException

from shiny_labchat import metrics
from shiny_labchat.access import tickets
from shiny_labchat.access.bookmarks import browser_of
from shiny_labchat.access.identity import identify, invitation
from shiny_labchat.access.names import person_pseudonym, study_pseudonym
from shiny_labchat.access.revoking import Source
from shiny_labchat.chat import elements, install
from shiny_labchat.chat.bookmarks import Bookmark
from shiny_labchat.chat.own_pages import count_new_person, is_own_page
from shiny_labchat.chat.page import INVITE, PAGE_HELLO, LostSession, PageHello
from shiny_labchat.chat.placement import Placement
from shiny_labchat.concurrency import Tasks
from shiny_labchat.domain.events import Event
from shiny_labchat.domain.members import is_sent_away
from shiny_labchat.domain.membership import Role
from shiny_labchat.domain.pseudonyms import resolve_pseudonym
from shiny_labchat.errors import Refused, StoreError
from shiny_labchat.lab.lab import Lab
from shiny_labchat.lab.room import Room
from shiny_labchat.lab.runtime import Runtime
from shiny_labchat.live.room import LiveRoom
from shiny_labchat.store import Grant

__all__ = ["Admission"]

logger = logging.getLogger("shiny_labchat")


class Admission:
    """
    Admission of one session's page to one chat's room, repeated when person or room changes.

    A page is admitted as soon as it has said hello, whether the chat's element is drawn or not; an
    element that is drawn later gets its ticket then.

    Parameters
    ----------
    session
        The session.
    id
        The chat's id in the page.
    placement
        Reactive: returns which room the page is to be in, and as whom.
    lab
        The lab whose database has the browsers' keys.
    tasks
        The chat's background tasks.
    admitted
        Called with the room, the live room (the function called must leave it later), the page's
        id, and where the page was when it lost an earlier session.
    left
        Called when the page must wait, or is refused.
    told
        Returns what else to tell the page when it is admitted.
    waits
        Returns whether the app transforms the page's messages before anybody sees them.
    recall
        Called to look up the bookmark that the page was opened with.

    Attributes
    ----------
    member
        The id of the page's person; None: it has not been admitted.
    browser
        The browser's key, as bookmarks know it.
    refused
        The code of why the page was refused; None: it was not.
    is_decided
        Whether it is known who the person is and in which room, or that there is no room.
    """

    def __init__(
        self,
        session: Session,
        id: ResolvedId,
        placement: Callable[[], Placement],
        lab: Lab,
        tasks: Tasks,
        admitted: Callable[[Room, LiveRoom, str, LostSession | None], Awaitable[None]],
        left: Callable[[], None],
        told: Callable[[], dict[str, Any]],
        waits: Callable[[], bool],
        recall: Callable[[], Awaitable[None]],
    ) -> None:
        self.member: str | None = None
        self.browser: str | None = None
        self.refused: str | None = None
        self.is_decided = session.is_stub_session()
        self._session = session
        self._id = id
        self._placement = placement
        self._lab = lab
        self._tasks = tasks
        self._admitted = admitted
        self._left = left
        self._told = told
        self._waits = waits
        self._recall = recall
        self._asked: tuple[PageHello, Placement] | None = None
        self._said: object = None
        self._been: set[str] = set()
        self._is_drawn = False
        self._query = ""
        self._stop_hoping: Callable[[], None] | None = None
        self._stop_watching: Callable[[], None] | None = None
        self._admitting: asyncio.Task[None] | None = None
        self._effect: Effect_ | None = None
        if not session.is_stub_session():
            install.ensure_route(session)
            lab.log.serve()
            self._listen()

    def _listen(self) -> None:
        root = self._session.root_scope()
        of_element, of_page = (
            root.input[ResolvedId(name)] for name in (f"{self._id}_hello", PAGE_HELLO)
        )
        elements.serve(self._session, str(self._id))

        # Runs right after Shiny has restored a bookmark, and before the app's own effects.
        @reactive.effect(priority=999_999)
        def meet() -> None:
            is_drawn = of_element.is_set()
            said = of_element() if is_drawn else of_page()
            asks, self._said = said is not self._said, said
            hello = PageHello.of(said)
            try:
                placement = self._placement()
            except SilentException:
                placement = Placement(None, (False, None), None, None, False, "browser")
            with reactive.isolate():
                query = root.clientdata.url_search()
            self._answer(hello, placement, query, is_drawn, asks=asks)

        self._effect = meet

    def _answer(
        self, hello: PageHello, placement: Placement, query: str, is_drawn: bool, *, asks: bool
    ) -> None:
        is_same = self._asked == (hello, placement) and self._is_drawn == is_drawn
        if is_same and not asks and self.member is not None:
            return  # something was read anew, and the page is where it belongs
        if self._admitting is not None and not self._admitting.done():
            # A page that lost its session asks twice: when it begins, and with its waiting inputs.
            if is_same:
                return
            self._admitting.cancel()
        if str(self._id) in hello.others:
            words = self._lab.words
            self._tasks.spawn(elements.report_foreign(self._session, str(self._id), words))
        self._asked, self._query, self._is_drawn = (hello, placement), query, is_drawn
        self._admitting = self._tasks.spawn(self._admit(hello, placement, query))

    def renew(self) -> None:
        """Admit an admitted page again, because its ticket must say something else now."""
        if self._asked is None or self._effect is None:
            return
        if self._admitting is not None and not self._admitting.done():
            self._admitting.cancel()
        self._admitting = self._tasks.spawn(self._admit(*self._asked, self._query))

    def stop(self) -> bool:
        """Stop admitting; return False if it had stopped before."""
        if self._effect is None:
            return False
        self._effect.destroy()
        self._effect = None
        if self._admitting is not None:
            self._admitting.cancel()
        self._give_up_hope()
        self._watch_no_more()
        return True

    async def stopped(self) -> None:
        """Wait until an admission that was under way has ended."""
        if self._admitting is not None:
            await asyncio.wait([self._admitting])

    def destroy(self) -> bool:
        """Stop admitting, and tell the page; return False if it had stopped before."""
        is_new = self.stop()
        if is_new:
            self._tasks.spawn(self._tell(do="left"))
        return is_new

    @property
    def is_over(self) -> bool:
        """Whether the page was admitted, and admission has stopped since."""
        return self.member is not None and self._effect is None

    # ── admission ──

    async def _admit(self, hello: PageHello, placement: Placement, query: str) -> None:
        says_who, who = placement.member
        bookmark = placement.bookmark
        self._give_up_hope()
        try:
            if not await is_own_page(self._session, hello, self._lab.log, str(self._id)):
                return
            if bookmark is not None and not bookmark.is_known:
                await self._recall()  # invalidates `placement`, so this runs again
            elif says_who and who is None:
                await self._wait()
            elif not says_who and placement.person is not None and placement.person.id is None:
                await self._wait_for_person(placement.person.is_decided)
            elif placement.room is not None:
                await self._let_in(placement.room, hello, placement, query)
            elif bookmark is not None and bookmark.seat is None:
                code = "revoked" if bookmark.is_revoked else "no_room"
                raise Refused(code, detail="anew.detail")
            else:
                await self._wait()
        except (Refused, StoreError) as exc:
            why = exc if isinstance(exc, StoreError) else exc.code  # no id stands in the log
            metrics.refused("page", exc.code)
            logger.warning("chat %r refused a page: %s", str(self._id), why)
            again = isinstance(exc, StoreError) or exc.code == "too_many_people"
            await self._refuse(exc, again=again)
        except Exception:
            logger.exception("chat %r could not let a page in", str(self._id))
            await self._refuse(Refused("failed"), again=False)

    async def _wait(self) -> None:
        self.is_decided = True
        self._nowhere(None)
        await self._tell(do="wait")

    async def _wait_for_person(self, is_decided: bool) -> None:
        """Wait until it is known who the study's person is; or for ever, if they are nobody."""
        if is_decided:
            await self._wait()

    async def _refuse(self, error: Refused | StoreError, again: bool) -> None:
        self.is_decided = self.is_decided or not again
        self._nowhere(error.code)
        say = self._lab.words.refusal(error)
        await self._tell(do="refuse", code=error.code, say=say, again=again)

    async def _let_in(self, room: Room, hello: PageHello, placement: Placement, query: str) -> None:
        room.log.serve()  # a function of the app's may give a room of another lab
        if not room.log.exists:  # it is there from the first page on, also if nobody is let in
            await room.log.read(lambda conn: None)
        page = f"{hello.page}/{self._id}"  # two chats of a page may be in one room
        key = hello.keys.get("tab" if placement.identity == "tab" else "browser")
        self.browser = key and browser_of(key)
        grant, source = await self._who(room, hello, placement, query)
        if placement.join:
            await room.join(
                grant.member,
                await self._pseudonym(room, grant, placement),
                placement.role or cast("Role | None", grant.role),
            )
        live = await self._open(room, grant.member)
        try:
            ticket = await self._ticket(room, grant.member, page, placement, source)
        except BaseException:
            live.leave()
            raise
        # The handle tells the page whether it is the same person in the same room as before.
        who = live.state.memberships[grant.member].handle
        self.member, self.refused = grant.member, None
        self.is_decided = True
        lost = hello.lost if hello.lost and hello.lost.who == who else None
        self._watch(live, grant.member, source)
        await self._admitted(room, live, page, lost)
        if ticket is not None:
            await self._tell(do="admit", ticket=ticket, who=who, **self._told())

    async def _ticket(
        self, room: Room, member: str, page: str, placement: Placement, source: Source | None
    ) -> str | None:
        """A ticket for the chat's element; None: it is not drawn."""
        if not self._is_drawn:
            return None
        return await tickets.ticket(
            *(room.log, room.key, member, page),
            waits=self._waits(),
            shows_observers=placement.show_observers,
            source=source,
        )

    def _watch(self, live: LiveRoom, member: str, source: Source | None) -> None:
        """Send the page away when the token by which it was let in is revoked."""
        self._watch_no_more()
        if source is None:
            return

        def look(events: Sequence[Event]) -> None:
            if any(is_sent_away(event, member, source.kind) for event in events):
                self._tasks.spawn(self._refuse(Refused("revoked"), again=False))

        self._stop_watching = live.follow_revoked(member, look)

    def _watch_no_more(self) -> None:
        stop, self._stop_watching = self._stop_watching, None
        if stop is not None:
            stop()

    async def _pseudonym(self, room: Room, grant: Grant, placement: Placement) -> str | None:
        """The pseudonym that the person gets if they are no member yet; None: a generated one."""
        given = resolve_pseudonym(placement.pseudonym, grant.member) or grant.pseudonym
        if given is None and placement.names == "study":
            person = (await room.study_state()).people.get(grant.member)
            if person is None:
                return await study_pseudonym(room.log, room.study, grant.member)
            if person.name is None:
                return await person_pseudonym(room.log, room.study, grant.member)
            return person.name
        return given

    async def _open(self, room: Room, member: str) -> LiveRoom:
        live = await Runtime.of(room.log).live.open(room.key)
        try:
            if live.state.membership(member) is None:
                await live.catch_up()
            membership = live.state.memberships.get(member)
            if membership is None or membership.is_removed:
                self._hope(live, member)
                raise Refused("not_member" if membership is None else "removed", room.id)
        except BaseException:
            live.leave()
            raise
        return live

    def _hope(self, live: LiveRoom, member: str) -> None:
        """Admit a refused page when its person becomes a member."""
        live.users += 1

        def look(events: Sequence[Event]) -> None:
            if any(event.kind == "joined" and event.member == member for event in events):
                self.renew()

        unfollow = live.follow(look)

        def stop() -> None:
            unfollow()
            live.leave()

        self._stop_hoping = stop

    def _give_up_hope(self) -> None:
        stop, self._stop_hoping = self._stop_hoping, None
        if stop is not None:
            stop()

    async def _who(
        self, room: Room, hello: PageHello, placement: Placement, query: str
    ) -> tuple[Grant, Source | None]:
        """Who the person is, and by which token; None: the app says who."""
        says_who, who = placement.member
        if says_who and who is not None:
            if self._been and who not in self._been:  # the page has them made, one by one
                count_new_person(self._session)
            self._been.add(who)
            return Grant(who), None
        link = parse_qs(query.removeprefix("?")).get(INVITE, [""])[-1]
        invited = await self._invited(room, link)
        if invited is not None:
            return invited, Source.of("invite", link)
        person = placement.person
        if person is not None and person.id is not None:
            return Grant(person.id), person.source
        bookmark = placement.bookmark
        member = bookmark and bookmark.member_for(room, self.browser)
        if bookmark is not None and member is not None:
            is_there = room.log is self._lab.log  # where bookmarks are
            return Grant(member), Source.of("seat", bookmark.token) if is_there else None
        key = hello.keys.get(placement.identity)
        if key is None:
            raise Refused("not_invited", room.id)
        member = await identify(room.log, key, lambda: count_new_person(self._session))
        await self._check_link(room, member, bookmark)
        return Grant(member), Source.of("browser", key)

    async def _check_link(self, room: Room, member: str, bookmark: Bookmark | None) -> None:
        """Refuse a newcomer who has the bookmark of a member who was removed since."""
        seat = bookmark and bookmark.seat
        if seat is None or seat.room != room.key or seat.member == member:
            return
        state = await room.state()
        if state.membership(seat.member) is None and member not in state.memberships:
            raise Refused("link_over", room.id)

    async def _invited(self, room: Room, link: str) -> Grant | None:
        grant = await invitation(room.log, link) if link else None
        if grant is None:
            return None
        if grant.room is not None:
            return grant if grant.room == room.key else None
        return grant if grant.study in (None, room.study) else None

    def _nowhere(self, code: str | None) -> None:
        self.member = None
        self.refused = code
        self._watch_no_more()
        self._left()

    async def _tell(self, **message: object) -> None:
        await elements.tell(self._session, str(self._id), **message)
