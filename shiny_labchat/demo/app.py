"""The demo's two pages: two people side by side, and one person who opened the link."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import segno
from htmltools import HTML, Tag, TagList
from shiny import App, Inputs, Outputs, Session, ui
from starlette.requests import Request

from shiny_labchat.chat.chat import Chat
from shiny_labchat.chat.ui import chat_ui
from shiny_labchat.demo import offline
from shiny_labchat.lab.lab import Lab

if TYPE_CHECKING:
    import chatlas

__all__ = ["make_app"]

STUDY = "demo"
ROOM = "demo"
PEOPLE = ("left", "right")
GUEST = "guest"
JOIN = "join"
"""The query parameter of the link for one more person."""


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

    def page(request: Request) -> Tag:
        if JOIN in request.query_params:
            return _page(chat_ui(GUEST, width="100%"), fills_phone=True)
        return _page(_explanation(lab), _two_people(), _invitation(f"{link}?{JOIN}", is_local))

    def server(input: Inputs, output: Outputs, session: Session) -> None:
        for person in PEOPLE:
            _answering(
                Chat(person, room=room, lab=lab, identity="tab", client=client, reply="mention"),
                is_offline=client is None,
            )
        guest = Chat(GUEST, room=room, lab=lab, client=client, reply="mention")
        _answering(guest, is_offline=client is None)

    return App(page, server)


def _answering(chat: Chat, *, is_offline: bool) -> None:
    if not is_offline:
        return

    @chat.on_user_submit
    async def _(text: str) -> None:
        if offline.is_asked(text):
            await chat.append_message_stream(offline.reply())


def _page(*children: Tag | TagList, fills_phone: bool = False) -> Tag:
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


def _explanation(lab: Lab) -> Tag:
    return ui.div(
        ui.h1("Two people, one room"),
        ui.p(
            "Below are two people, each with a pseudonym. Write as one of them and watch the "
            "other. Write ",
            ui.tags.code("@assistant"),
            " to be answered. Everything is on record before anybody sees it, in ",
            ui.tags.code(lab.url.removeprefix("sqlite:///")),
            ". Reload the page, or stop the demo and start it again: all is still there.",
        ),
        class_="labchat-demo-words",
    )


def _two_people() -> Tag:
    cards = [
        ui.card(
            ui.card_header(f"{name} person"),
            chat_ui(person, width="100%", data_person=person),
        )
        for person, name in zip(PEOPLE, ("One", "Another"), strict=True)
    ]
    return ui.layout_columns(*cards, fill=True, class_="labchat-demo-people")


def _invitation(link: str, is_local: bool) -> Tag:
    words = (
        "Open it in another browser for one more person. To let phones on your network in, start "
        "with --host 0.0.0.0."
        if is_local
        else "Open it on a phone or in another browser for one more person."
    )
    return ui.div(
        _qr(link),
        ui.div(ui.tags.a(link, href=link, target="_blank"), ui.p(words)),
        class_="labchat-demo-link",
    )


def _qr(link: str) -> HTML:
    drawn = io.BytesIO()
    code = segno.make(link, error="m", micro=False)
    code.save(drawn, kind="svg", xmldecl=False, svgns=True, scale=3, border=2, light="#fff",
              title=f"QR code for {link}")  # fmt: skip
    return HTML(drawn.getvalue().decode())


_STYLE = """
.labchat-demo { gap: 1rem; max-width: 72rem; margin-inline: auto; width: 100%; min-height: 0; }
.labchat-demo-words { flex: none; }
.labchat-demo h1 { font-size: 1.5rem; margin-block: .25rem .5rem; }
:is(.labchat-demo-words, .labchat-demo-link) p { margin: 0; }
.labchat-demo-people { min-height: 20rem; }
.labchat-demo-link { display: flex; flex: none; flex-wrap: wrap; gap: 1rem; align-items: center; }
.labchat-demo-link > div { flex: 1 1 12rem; min-width: 0; overflow-wrap: anywhere; }
.labchat-demo-link svg { flex: none; border-radius: .25rem; }
"""
