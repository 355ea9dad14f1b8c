"""A page of Shiny's, as its server knows one."""

from __future__ import annotations

import json
from typing import Any

from tests.bench.sides.side import Line

__all__ = ["greet", "told"]


async def greet(page: Line, port: int, room: str, **inputs: object) -> None:
    """Say what a page of Shiny's begins with."""
    data: dict[str, Any] = {
        ".clientdata_pixelratio": 1,
        ".clientdata_singletons": "",
        ".clientdata_url_hash": "",
        ".clientdata_url_hash_initial": "",
        ".clientdata_url_hostname": "127.0.0.1",
        ".clientdata_url_pathname": "/",
        ".clientdata_url_port": str(port),
        ".clientdata_url_protocol": "http:",
        ".clientdata_url_search": f"?room={room}",
        **inputs,
    }
    await page.send(json.dumps({"method": "init", "data": data}))


async def told(page: Line) -> str:
    """The next frame."""
    frame = await page.recv()
    assert isinstance(frame, str)
    return frame
