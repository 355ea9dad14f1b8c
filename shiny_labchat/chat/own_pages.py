"""Whether a session's page is of this site, and how many new people it has brought."""

from __future__ import annotations

import logging
from weakref import WeakSet

from shiny.session import Session

from shiny_labchat.access.page_keys import is_page_key
from shiny_labchat.chat import elements
from shiny_labchat.chat.page import PageHello
from shiny_labchat.chat.shiny_internals import connection_of
from shiny_labchat.errors import Refused
from shiny_labchat.gateway.limits import NewPeople
from shiny_labchat.gateway.origin import check_origin
from shiny_labchat.lab.runtime import opened_logs
from shiny_labchat.store import Log

__all__ = ["count_new_person", "is_own_page"]

logger = logging.getLogger("shiny_labchat")


async def is_own_page(session: Session, hello: PageHello, log: Log, id: str) -> bool:
    """
    Whether a session's page is of this site; if it has no valid key yet, it says hello again.

    Parameters
    ----------
    session, hello
        The session, and what its page said.
    log
        The log of a lab, which has the secret that signs keys.
    id
        The id of the element that is told to fetch a key; "": the page itself is.

    Raises
    ------
    Refused
        ``origin``: the page is of another site. ``ticket``: it cannot have a key.
    """
    page = session.root_scope()
    if page in _own_pages:
        return True
    check_origin(connection_of(page).headers)
    if hello.page_key is None:
        return False
    if not hello.page_key:
        logger.error(
            "a page comes without a key: it is of an older version and must be reloaded, or a "
            "proxy does not let it fetch labchat/key, beside the page"
        )
        raise Refused("ticket")
    if not log.exists:
        await log.read(lambda conn: None)
    if not await is_page_key(opened_logs(), hello.page_key):
        await elements.tell(session, id, do="key")
        return False
    _own_pages.add(page)
    return True


def count_new_person(session: Session) -> None:
    """
    Count one new person who comes from a session's page.

    Raises
    ------
    Refused
        ``too_many_people``: too many have come from the page or its address.
    """
    page = session.root_scope()
    client = connection_of(page).client
    _new_people.come(page, client.host if client is not None else "")


_new_people = NewPeople()
_own_pages: WeakSet[Session] = WeakSet()
"""The sessions whose pages have shown that they are of this site."""
