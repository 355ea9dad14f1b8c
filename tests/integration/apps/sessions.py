"""Two chats of one page in one room, what each of them reads, and who has a room open here."""

from __future__ import annotations

import gc
from typing import cast

from shiny import App, Inputs, Outputs, Session, render, ui
from shiny.session._session import AppSession
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Mount, Route

from shiny_labchat import Chat, Lab, chat_ui
from shiny_labchat.lab.runtime import Runtime
from shiny_labchat.live.room import LiveRoom

lab = Lab()

page = ui.page_fillable(
    chat_ui("left"), chat_ui("right"), ui.output_text("said"), ui.output_text("state")
)


def server(input: Inputs, output: Outputs, session: Session) -> None:
    left = Chat("left", room="page", study="tests", lab=lab)
    right = Chat("right", room="page", study="tests", lab=lab)

    @left.on_user_submit
    async def heard_left(text: str) -> None:
        await left.append_message(f"left heard {text}")

    @right.on_user_submit
    async def heard_right(text: str) -> None:
        await right.append_message(f"right heard {text}")

    @render.text
    def said() -> str:
        return " / ".join(message.content for message in left.messages())

    @render.text
    def state() -> str | None:
        return left.state()


async def users(request: Request) -> JSONResponse:
    """How many in this process have each room open."""
    live = Runtime.of(lab.log).live
    rooms = cast("dict[object, LiveRoom]", vars(live)["_rooms"])
    return JSONResponse({room.key.id: room.users for room in rooms.values()})


async def kept(request: Request) -> JSONResponse:
    """How many sessions are in memory that have ended."""
    gc.collect()
    sessions = [each for each in gc.get_objects() if type(each) is AppSession]
    return JSONResponse(sum(each._is_closed() for each in sessions))  # pyright: ignore[reportPrivateUsage]


app = Starlette(
    routes=[Route("/users", users), Route("/kept", kept), Mount("/", app=App(page, server))]
)
