"""The limit: a websocket broadcast that does nothing else. It stores and checks nothing."""

from __future__ import annotations

import json
import time
from collections import defaultdict

from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

rooms: defaultdict[str, list[WebSocket]] = defaultdict(list)


async def broadcast(ws: WebSocket) -> None:
    """Send what one says to all in the room, the sender included."""
    await ws.accept()
    everybody = rooms[ws.query_params.get("room", "")]
    everybody.append(ws)
    try:
        while True:
            said = json.loads(await ws.receive_text())
            frame = json.dumps({"at": time.time(), "cid": said["cid"], "text": said["text"]})
            for other in tuple(everybody):
                await other.send_text(frame)
    except WebSocketDisconnect:
        pass
    finally:
        everybody.remove(ws)


app = Starlette(routes=[WebSocketRoute("/ws", broadcast)])
