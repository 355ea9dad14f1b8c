"""The arrival of a page's person in a study: by a personal link, a recruiter's words, or a key."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import parse_qs

from shiny_labchat.access.identity import invitation
from shiny_labchat.access.recruits import browser_token
from shiny_labchat.access.revoking import Source
from shiny_labchat.chat.page import INVITE
from shiny_labchat.domain.commands import Arrive
from shiny_labchat.domain.membership import Role
from shiny_labchat.errors import Refused
from shiny_labchat.store import Grant, arrival_of
from shiny_labchat.study.study import Study

__all__ = ["Arrival", "Coming", "Identity", "arrive"]

Identity = Literal["browser", "tab", "link"]
"""How a study knows people again, see :class:`~shiny_labchat.Lobby`."""


@dataclass(frozen=True, slots=True)
class Coming:
    """
    What a page says of itself when it comes to a study.

    Parameters
    ----------
    query
        What its address says after the question mark.
    keys
        The random keys of its "browser" and "tab".
    headers
        The headers of its request, in lower case.
    """

    query: str
    keys: Mapping[str, str]
    headers: Mapping[str, str]

    @property
    def said(self) -> dict[str, str | None]:
        """What the address says, by name; of several values the last one."""
        found = parse_qs(self.query.removeprefix("?"), max_num_fields=MAX_FIELDS)
        return {name: values[-1] for name, values in found.items()}

    @property
    def language(self) -> str | None:
        """The language that the browser asks for first, such as ``"de-CH"``."""
        first = re.match(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,4}", self._header("accept-language"))
        return first and first.group()

    @property
    def device(self) -> str:
        """What the browser says that it runs on: a phone, a tablet or a computer."""
        agent = self._header("user-agent")
        if re.search(r"iPad|Tablet|Android(?!.*Mobile)", agent):
            return "tablet"
        return "phone" if re.search(r"Mobi|iPhone", agent) else "computer"

    def _header(self, name: str) -> str:
        return self.headers.get(name, "")


STAFF: tuple[Role, ...] = ("experimenter", "observer", "assistant")
"""The roles of personal links for those who are no people of the study."""
MAX_FIELDS = 100
"""The most parameters that an address may have."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """
    Who a page's person is in a study.

    Parameters
    ----------
    person
        Their id.
    generation
        The number of the page's browser among those of the person.
    source
        The token by which the page was let in.
    params
        What their recruiter said of them.
    role
        That of their personal link, if they run the study and are none of its people; else None.
    """

    person: str
    generation: int
    source: Source
    params: Mapping[str, str] = field(default_factory=dict[str, str])
    role: Role | None = None


async def arrive(
    study: Study, coming: Coming, identity: Identity, count_new: Callable[[], None]
) -> Arrival:
    """
    Have a page's person arrive in a study; whoever has arrived before is known again.

    Who has a personal link with a role for those who run the study does not become one of its
    people.

    Parameters
    ----------
    study, coming
        The study, and the page.
    identity
        How the study knows people again.
    count_new
        Called before there is a new person; it may refuse them.

    Raises
    ------
    Refused
        ``not_invited``: there is no personal link, and people come by such a link only.
        ``revoked``: what let the page in was revoked.
    """
    link = coming.said.get(INVITE) or ""
    grant = await _invited(study, link)
    if grant is not None:
        role = await _arrive_by_link(study, coming, grant)
        return Arrival(grant.member, 1, Source.of("invite", link), role=role)
    key = coming.keys.get(identity)
    if key is None:
        raise Refused("not_invited")
    arrived = await study.arrive(
        *(coming.said, key),
        device=coming.device,
        language=coming.language,
        count_new=count_new,
    )
    known = await study.log.read(lambda conn: arrival_of(conn, study.name, arrived.person))
    params = {} if known is None else known.params or {}
    source = Source.of("browser", browser_token(study.name, key))
    return Arrival(arrived.person, arrived.generation, source, params)


async def _invited(study: Study, link: str) -> Grant | None:
    """Whom a personal link stands for in a study; None: it is no link of the study's."""
    grant = await invitation(study.log, link) if link else None
    if grant is None or grant.room is not None or grant.study not in (None, study.name):
        return None
    return grant


async def _arrive_by_link(study: Study, coming: Coming, grant: Grant) -> Role | None:
    """Have whom a link stands for arrive; their role, if they are none of the study's people."""
    await study.describe()
    if grant.member in (await study.state()).people:
        return None
    if grant.role in STAFF:
        return grant.role
    await study.submit(Arrive(study.name, grant.member, coming.device, coming.language))
    return None
