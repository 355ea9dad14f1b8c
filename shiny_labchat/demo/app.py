"""The demo's pages: two people side by side, one on a phone, and one who opened the link."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import segno
from htmltools import HTML, HTMLDependency, Tag
from shiny import App, Inputs, Outputs, Session, reactive, ui
from starlette.requests import Request

from shiny_labchat.chat.chat import Chat
from shiny_labchat.chat.ui import chat_ui
from shiny_labchat.demo import offline
from shiny_labchat.lab.lab import Lab
from shiny_labchat.urls import has

if TYPE_CHECKING:
    import chatlas

__all__ = ["make_app"]

STUDY = "demo"
ROOM = "demo"
PEOPLE = ("left", "right")
GUEST = "guest"
JOIN = "join"
"""The query parameter of the link for one more person."""
ALONE = "alone"
"""The query parameter of a page that has no room for two people."""


def make_app(
    lab: Lab, link: str, *, is_local: bool, client: chatlas.Chat[Any, Any] | None = None
) -> App:
    """
    The demo as a Shiny app.

    Parameters
    ----------
    lab
        The lab of the demo's room.
    link
        The address at which other people reach the demo.
    is_local
        Whether only this computer can reach it.
    client
        The model that replies to "@assistant"; None: a script replies.
    """
    room = lab.room(ROOM, study=STUDY, title="One room")

    address = f"{link}?{JOIN}"

    def page(request: Request) -> Tag:
        if JOIN in request.query_params:
            return _page(_one_person(), fills_phone=True)
        if ALONE in request.query_params:
            return _page(_alone_words(address, is_local), _one_person(), fills_phone=True)
        return _page(_LEAVE_IF_NARROW, _words(lab, address, is_local), _two_people())

    def server(input: Inputs, output: Outputs, session: Session) -> None:
        people = PEOPLE if _shows_two(session) else (GUEST,)
        identity = "tab" if people == PEOPLE else "browser"
        for person in people:
            _answering(
                Chat(person, room=room, lab=lab, identity=identity, client=client, reply="mention"),
                is_offline=client is None,
            )

    return App(page, server)


def _shows_two(session: Session) -> bool:
    with reactive.isolate():
        search = session.clientdata.url_search()
    return not (has(search, JOIN) or has(search, ALONE))


def _answering(chat: Chat, *, is_offline: bool) -> None:
    if not is_offline:
        return

    @chat.on_user_submit
    async def _(text: str) -> None:
        if offline.is_asked(text):
            await chat.append_message_stream(offline.reply())


def _page(*children: Tag | HTMLDependency, fills_phone: bool = False) -> Tag:
    return ui.page_fillable(
        ui.head_content(
            ui.tags.link(rel="icon", href="data:,"),
            ui.tags.meta(name="color-scheme", content="light dark"),
            ui.tags.style(_STYLE),
        ),
        ui.input_dark_mode(hidden=True),  # as the system prefers
        ui.tags.main(*children, class_="labchat-demo html-fill-container html-fill-item"),
        fillable_mobile=fills_phone,
        title="labchat demo",
        lang="en",
    )


def _words(lab: Lab, address: str, is_local: bool) -> Tag:
    explanation = ui.p(
        "Below are two people, each with a pseudonym. Write as one of them and watch the other. "
        "Write ",
        ui.tags.code("@assistant"),
        " to be answered. Everything is on record before anybody sees it, in ",
        ui.tags.code(lab.url.removeprefix("sqlite:///")),
        ". Reload the page, or stop the demo and start it again: all is still there.",
    )
    more = ui.p(
        "Open it in another browser for one more person. To let phones on your network in, start "
        "with --host 0.0.0.0."
        if is_local
        else "Open it on a phone or in another browser for one more person."
    )
    return _top(explanation, _invitation(address, more))


def _alone_words(address: str, is_local: bool) -> Tag:
    explanation = ui.p(
        "You are one of them. The other opens this link, in another browser",
        "." if is_local else " or on another phone.",
    )
    more = ui.p("Write ", ui.tags.code("@assistant"), " to be answered.")
    return _top(explanation, _invitation(address, more))


def _top(explanation: Tag, invitation: Tag) -> Tag:
    words = ui.div(ui.h1("Two people, one room"), explanation, class_="labchat-demo-words")
    return ui.div(words, invitation, class_="labchat-demo-top")


def _invitation(address: str, more: Tag) -> Tag:
    link = ui.tags.a(address, href=address, target="_blank")
    return ui.div(_qr(address), ui.div(link, more), class_="labchat-demo-link")


def _one_person() -> Tag:
    return chat_ui(GUEST, width="100%")


def _two_people() -> Tag:
    cards = [
        ui.card(
            ui.card_header(f"{name} person"),
            chat_ui(person, width="100%", data_person=person),
        )
        for person, name in zip(PEOPLE, ("One", "Another"), strict=True)
    ]
    return ui.layout_columns(*cards, fill=True, class_="labchat-demo-people")


def _qr(link: str) -> HTML:
    drawn = io.BytesIO()
    code = segno.make(link, error="m", micro=False)
    code.save(drawn, kind="svg", xmldecl=False, svgns=True, scale=3, border=2, light="#fff",
              title=f"QR code for {link}")  # fmt: skip
    return HTML(drawn.getvalue().decode())


_LEAVE_IF_NARROW = ui.head_content(
    ui.tags.script(f'if (matchMedia("(width < 576px)").matches) location.replace("?{ALONE}");')
)
"""On a phone there is no room for two people side by side."""

_STYLE = """
.labchat-demo { gap: 1rem; max-width: 72rem; margin-inline: auto; width: 100%; min-height: 0; }
.labchat-demo-top { display: flex; flex: none; flex-wrap: wrap; gap: .75rem 2rem; }
.labchat-demo-words { flex: 3 1 18rem; }
.labchat-demo h1 { font-size: 1.5rem; margin-block: .25rem .5rem; }
:is(.labchat-demo-words, .labchat-demo-link) p { margin: 0; }
.labchat-demo-people { min-height: 20rem; }
.labchat-demo-link { display: flex; flex: 2 1 18rem; gap: 1rem; align-items: center; }
.labchat-demo-link > div { flex: 1; min-width: 0; overflow-wrap: anywhere; }
.labchat-demo-link svg { flex: none; border-radius: .25rem; }
"""
