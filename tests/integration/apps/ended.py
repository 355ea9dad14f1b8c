"""An app with the links of ended people; where they lead says their reason and person."""

from __future__ import annotations

from shiny import App, ui

from shiny_labchat import Chat, Lab, chat_ui
from shiny_labchat.access.ends import EndLink
from shiny_labchat.domain.ends import fill
from shiny_labchat.gateway.end_link import end_route
from shiny_labchat.lab.runtime import words_of
from shiny_labchat.store import Log

lab = Lab()
app = App(ui.page_fluid(chat_ui("chat")), lambda input: Chat("chat", lab=lab) and None)


async def address_of(log: Log, link: EndLink) -> str | None:
    if link.reason == "full":
        return None
    return fill("https://x.test/{member}?r={code}", {"member": link.person, "code": link.reason})


app.starlette_app.router.routes.insert(0, end_route(lambda: [lab.log], address_of, words_of))
