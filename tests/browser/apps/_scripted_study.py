"""A study's socket that says what a test tells it to say, and notes what the page says."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from shiny_labchat.words import ENGLISH

__all__ = ["CHANNELS", "serve"]

TIME_WORDS = {
    key: ENGLISH[key]
    for unit in ("minutes", "seconds")
    for key in (f"time.{unit}_one", f"time.{unit}_many")
}


@dataclass
class Channel:
    """What one test says to the pages that come with its ticket, and what it has heard of them."""

    screen: dict[str, Any] | None = None
    refuses: list[str] = field(default_factory=list)
    answers: bool = True
    heard: list[dict[str, Any]] = field(default_factory=list)
    sockets: set[WebSocket] = field(default_factory=set)

    async def say(self, frame: dict[str, Any]) -> None:
        for socket in [*self.sockets]:
            await socket.send_text(json.dumps(frame))


CHANNELS = defaultdict[str, Channel](Channel)


def serve(app: Starlette) -> None:
    """Put the socket, and what controls it, before all other routes."""
    app.router.routes[:0] = [
        WebSocketRoute("/labchat/study", _speak),
        Route("/script/{name}", _script, methods=["POST"]),
    ]


async def _speak(socket: WebSocket) -> None:
    await socket.accept()
    hello = json.loads(await socket.receive_text())
    ticket = hello.get("ticket") or hello["resume"].removeprefix("again-")
    channel = CHANNELS[ticket]
    channel.heard.append(hello)
    welcome = {"t": "welcome", "v": 3, "resume": f"again-{ticket}", "words": TIME_WORDS}
    await socket.send_text(json.dumps(welcome))
    if channel.screen is not None:
        await socket.send_text(json.dumps({"t": "screen", "screen": channel.screen}))
    channel.sockets.add(socket)
    try:
        while True:
            await _hear(channel, socket, json.loads(await socket.receive_text()))
    except WebSocketDisconnect:
        channel.sockets.discard(socket)


async def _hear(channel: Channel, socket: WebSocket, frame: dict[str, Any]) -> None:
    if frame["t"] == "check":
        await socket.send_text('{"t": "checked"}')
        return
    channel.heard.append(frame)
    if frame["t"] == "do" and channel.answers:
        cid = frame["cid"]
        answer = {"t": "did", "cid": cid}
        if channel.refuses:
            answer = {"t": "refused", "cid": cid, "code": "no", "say": channel.refuses.pop(0)}
        await socket.send_text(json.dumps(answer))


async def _script(request: Request) -> Response:
    """Say a frame, show a screen, drop the sockets, be silent; gives what was heard."""
    channel, told = CHANNELS[request.path_params["name"]], await request.json()
    if "answers" in told:
        channel.answers = told["answers"]
    channel.refuses += told.get("refuses", [])
    if "screen" in told:
        channel.screen = told["screen"]
        await channel.say({"t": "screen", "screen": told["screen"]})
    for frame in told.get("frames", ()):
        await channel.say(frame)
    if told.get("drop"):
        for socket in [*channel.sockets]:
            await socket.close(1012)
    return JSONResponse(channel.heard)
