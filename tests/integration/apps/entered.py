"""A page that shows what its app reads; the address may name its person."""

from urllib.parse import parse_qs

from shiny import reactive
from shiny.express import render, ui
from shiny.session import require_active_session

from shiny_labchat.express import Chat


def named() -> str | None:
    """The member whom the address names; None: nobody."""
    session = require_active_session(None)
    if session.is_stub_session():
        return None
    with reactive.isolate():
        search = session.clientdata.url_search()
    return parse_qs(search.removeprefix("?")).get("member", [None])[0]


ui.page_opts(title="Entered")
chat = Chat("chat", room="page", study="tests", member=named())
chat.ui()


@render.text
def said() -> str:
    return " / ".join(message["content"] for message in chat.messages())


@render.text
def me() -> str:
    member = chat.member()
    return "nobody" if member is None else member.id
