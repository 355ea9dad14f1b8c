"""The limit: a websocket broadcast that does nothing else. It stores and checks nothing."""

from __future__ import annotations

import json
import time
from collections import defaultdict
from functools import partial

from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from tests.bench.sides import asked

rooms: defaultdict[str, list[WebSocket]] = defaultdict(list)


async def broadcast(ws: WebSocket) -> None:
    """Send what one says, and what streams say, to all in the room, the sender included."""
    await ws.accept()
    everybody = rooms[ws.query_params.get("room", "")]
    everybody.append(ws)

    async def send(cid: str, text: str | None) -> None:
        frame = json.dumps({"at": time.time(), "cid": cid, "text": text})
        for other in tuple(everybody):
            await other.send_text(frame)

    try:
        while True:
            said = json.loads(await ws.receive_text())
            await send(said["cid"], said["text"])
            if stream := asked.stream(said["text"]):
                asked.tell_meanwhile(stream, partial(send, stream.word))
    except WebSocketDisconnect:
        pass
    finally:
        everybody.remove(ws)


app = Starlette(routes=[WebSocketRoute("/ws", broadcast)])
