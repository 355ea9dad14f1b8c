"""The same app by itself, and mounted under a path of another, which may pass the start on."""

from shiny import App, Inputs, Outputs, Session, ui
from starlette.applications import Starlette
from starlette.routing import Mount

from shiny_labchat import Chat, Lab, Member, MessageText, Room, chat_ui

lab = Lab()


def server(input: Inputs, output: Outputs, session: Session) -> None:
    Chat("chat", room="page", study="tests", lab=lab)


@lab.on_message(rooms="noted")
async def note(room: Room, member: Member | None, message: MessageText) -> None:
    await room.post(f"Noted: {message}", id=f"noted-{message.seq}")


app = App(ui.page_fillable(chat_ui("chat")), server)
mounted = Starlette(routes=[Mount("/inner", app=app)])
told = Starlette(
    routes=[Mount("/inner", app=app)], lifespan=app.starlette_app.router.lifespan_context
)


def by_link(input: Inputs, output: Outputs, session: Session) -> None:
    Chat("chat", room="page", study="tests", lab=lab, identity="link")


links_only = App(ui.page_fillable(chat_ui("chat")), by_link)
mounted_links_only = Starlette(routes=[Mount("/inner", app=links_only)])
