"""Bare: a websocket broadcast that stores nothing. The limit of one Python process."""

from __future__ import annotations

import json
from collections.abc import Sequence

from tests.bench.sides.side import Person, open_line, uvicorn

__all__ = ["Bare"]


class Bare:
    """The broadcast in ``bare_app.py``."""

    name = "bare"
    hears_own = True

    def command(self, port: int) -> Sequence[str]:
        """See :meth:`Side.command`."""
        return uvicorn("tests.bench.sides.bare_app:app", port)

    async def fill(self, url: str, messages: int) -> None:
        """It keeps none."""

    async def enter(
        self, port: int, room: str, *, deflate: bool = False, narrow: bool = False, newest: str = ""
    ) -> Person:
        """See :meth:`Side.enter`."""
        return Person(await open_line(port, f"ws?room={room}", deflate=deflate, narrow=narrow))

    def frame(self, number: int, text: str) -> str:
        """See :meth:`Side.frame`."""
        return json.dumps({"cid": str(number), "text": text})
