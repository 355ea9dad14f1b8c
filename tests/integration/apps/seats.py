"""Pages whose chats are drawn or not, and what their apps read from the first moment on."""

from __future__ import annotations

from collections.abc import Callable

from shiny import App, Inputs, Outputs, Session, reactive, render, ui
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Mount, Route

from shiny_labchat import Chat, Lab, Rules, chat_ui

lab = Lab()
OUTPUTS = ("said", "who", "state")
outputs = [ui.output_text(name) for name in OUTPUTS]
states: list[str | None] = []


def reads(chat: Chat) -> None:
    """Show what a chat's app reads; nothing, before it can be read."""

    @render.text
    def said() -> str:
        texts = [message["content"] for message in chat.messages()]
        return f"{len(texts)}: {' / '.join(texts)}"

    @render.text
    def who() -> str:
        return f"{len(chat.members())} in"

    @render.text
    def state() -> str:
        states.append(chat.state())
        return str(chat.state())


def undrawn(input: Inputs, output: Outputs, session: Session) -> None:
    """A chat whose element comes when `draw` is set; the first visitor opens the room."""
    chat = Chat("chat", room="undrawn", study="tests", lab=lab)
    reads(chat)

    @reactive.effect
    async def _() -> None:
        if len(chat.messages()) == 0:
            await chat.append_message("opened")


def roomless(input: Inputs, output: Outputs, session: Session) -> None:
    reads(Chat("chat", room=lambda: None, lab=lab))


def firsts(input: Inputs, output: Outputs, session: Session) -> None:
    """What the script says comes after the room's first messages."""
    chat = Chat("chat", room="firsts", study="tests", lab=lab, messages=["one", "two"])
    reads(chat)

    @reactive.effect
    async def _() -> None:
        await chat.append_message("three", id="three")
        await chat.append_message("for me", audience="me")


def invited(input: Inputs, output: Outputs, session: Session) -> None:
    reads(Chat("chat", room="invited", study="tests", lab=lab, join=False, member="p17"))


def handling(input: Inputs, output: Outputs, session: Session) -> None:
    """What a handler reads, after what it does: the words of the message, one by one."""
    chat = Chat("chat", room="handling", study="tests", lab=lab)
    reads(chat)

    @chat.on_user_submit
    async def _(text: str) -> None:
        for word in text.split():
            match word:
                case "clear":
                    await chat.clear_messages()
                case "append":
                    await chat.append_message("appended")
                case "stream":
                    task = await chat.append_message_stream(["stre", "amed"])
                    while task.status() not in ("success", "error"):
                        await reactive.flush()
                case "others":
                    assert chat.room is not None
                    await chat.room.post("another's", author="another")
                case _:
                    pass
        heard.append([message["content"] for message in chat.messages()])
        told.append([str(turn.text) for turn in chat.turns()])


def quiet(input: Inputs, output: Outputs, session: Session) -> None:
    """What this page's person has sent, as an input."""
    room = lab.room("quiet", study="tests", rules=Rules(rate=None))
    Chat("chat", room=room)

    @render.text
    def said() -> str:
        return input.chat_user_input() or "nothing"

    @reactive.effect
    @reactive.event(input.chat_user_input)
    def _() -> None:
        sent.append(input.chat_user_input())


sent: list[str] = []
heard: list[list[str]] = []
told: list[list[str]] = []


async def what_was_read(request: Request) -> JSONResponse:
    return JSONResponse({"heard": heard, "told": told, "states": states, "sent": sent})


def page(server: Callable[[Inputs, Outputs, Session], None], is_drawn: bool = True) -> App:
    return App(ui.page_fillable(*([chat_ui("chat")] if is_drawn else []), *outputs), server)


app = Starlette(
    routes=[
        Route("/read", what_was_read),
        Mount("/undrawn", app=page(undrawn, is_drawn=False)),
        Mount("/roomless", app=page(roomless)),
        Mount("/firsts", app=page(firsts)),
        Mount("/invited", app=page(invited)),
        Mount("/quiet", app=page(quiet)),
        Mount("/", app=page(handling)),
    ]
)
