"""The elements of chats in a page, and whether the page's session has a Chat for each."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from weakref import WeakKeyDictionary, WeakSet

from htmltools import TagList
from shiny import reactive, ui
from shiny.bookmark import serializer_unserializable
from shiny.input_handler import input_handlers
from shiny.module import ResolvedId
from shiny.session import Session

from shiny_labchat.chat.assets import element_dependency, renderer
from shiny_labchat.chat.page import PAGE_HELLO
from shiny_labchat.concurrency import Tasks
from shiny_labchat.lab.runtime import words_of
from shiny_labchat.words import Words

__all__ = ["have_page_say_hello", "report_foreign", "serve", "tell"]

logger = logging.getLogger("shiny_labchat")

CHAT_COMES_WITHIN = 3.0
"""How long after an element its Chat may be made before that is an error, in seconds."""


def serve(session: Session, id: str) -> None:
    """Note that a session has a Chat with this id; let its page say hello if it has not."""
    root = session.root_scope()
    _keep_out_of_bookmarks(root, id)
    _served.setdefault(root, set()).add(id)
    have_page_say_hello(root)


def have_page_say_hello(root: Session) -> None:
    """Give the page of a session the script by which it says hello, if it has not said so."""
    with reactive.isolate():
        if root.input[ResolvedId(PAGE_HELLO)].is_set():
            return
    # The page is of `ui.page_html`, or its app was made before this package was imported.
    script = TagList(element_dependency())
    ui.insert_ui(script, selector="body", where="beforeEnd", immediate=True, session=root)


async def tell(session: Session, id: str, **message: object) -> None:
    """Send the element of a chat a message."""
    try:
        await session.root_scope().send_custom_message("labchat", {"id": id, **message})
    except Exception:
        logger.debug("chat %r: a page closed before it was told", id, exc_info=True)


async def report_foreign(session: Session, id: str, words: Words) -> None:
    """Report that the page has shinychat's element for a Chat."""
    logger.error(
        "chat %r is a Chat of shiny_labchat, but its page has shinychat's chat_ui(): import "
        "chat_ui from shiny_labchat, too; in Shiny Express, call chat.ui()",
        id,
    )
    await tell(session, id, do="mismatch", say=words["no_element"])


@input_handlers.add("shiny_labchat.hello", force=True)
def _hear(value: object, name: ResolvedId, session: Session) -> object:
    root, id = session.root_scope(), name.removesuffix("_hello")
    _keep_out_of_bookmarks(root, id)  # it holds the browser's keys, even before there is a Chat
    if root not in _offered:
        _offered.add(root)
        _tasks.spawn(_offer_renderer(root))
    if id not in _served.setdefault(root, set()):
        _tasks.spawn(_check_served(root, id))
    return value


@input_handlers.add("shiny_labchat.page", force=True)
def _hear_page(value: object, name: ResolvedId, session: Session) -> object:
    return value


async def _offer_renderer(root: Session) -> None:
    """Tell a page what to load to render markdown; it does so when it has some, or is idle."""
    try:
        await root.send_custom_message("labchat_renderer", {"deps": renderer(root)})
    except Exception:
        logger.debug("a page closed before it was told of the renderer", exc_info=True)


async def _check_served(root: Session, id: str) -> None:
    """Report an element that no Chat serves, as when only its own import was changed."""
    await asyncio.sleep(CHAT_COMES_WITHIN)
    if id in _served.get(root, ()) or root._is_closed():  # pyright: ignore[reportPrivateUsage]
        return
    ids = sorted(_served.get(root, ()))
    there = f"it has one with the id {_listed(ids)}" if ids else "it has none at all"
    logger.error(
        "the page has the element of chat %r, but its session has no Chat of shiny_labchat with "
        "this id: %s. Write Chat(%r) in the server function (in Shiny Express, in the app), where "
        "Chat is imported from shiny_labchat (in Shiny Express, from shiny_labchat.express)",
        *(id, there, id),
    )
    say = f"{words_of(None)['no_chat']} (The server has no Chat with the id {id!r}; {there}.)"
    await tell(root, id, do="refuse", code="no_chat", say=say)


@input_handlers.add("shiny_labchat.twice", force=True)
def _hear_twice(value: object, name: ResolvedId, session: Session) -> object:
    logger.error(
        "the page has the element of chat %r twice, and the second one does not work: give each "
        "chat of a page an id of its own, and draw it once",
        str(value)[:200],
    )
    return value


def _listed(ids: Sequence[str]) -> str:
    return " and one with ".join(map(repr, ids))


def _keep_out_of_bookmarks(root: Session, id: str) -> None:
    # As Shiny does with passwords; `bookmark.exclude` is left to the app, for its own inputs.
    for name in (f"{id}_hello", f"{id}_user_input"):
        root.input.set_serializer(name, serializer_unserializable)


_served: WeakKeyDictionary[Session, set[str]] = WeakKeyDictionary()
"""By session, the ids of the chats that it has, or had, a Chat for."""

_offered: WeakSet[Session] = WeakSet()
"""The sessions whose pages know what to load to render markdown."""

_tasks = Tasks("elements")
