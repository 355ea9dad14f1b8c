"""The two whose chat comes over Shiny's own socket: direct and naive."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tests.bench.sides import shiny_page
from tests.bench.sides.side import ENTER_WITHIN, Person, open_line, uvicorn

__all__ = ["DIRECT", "NAIVE", "OverShiny"]


@dataclass(frozen=True, slots=True)
class OverShiny:
    """
    The app in ``<name>_app.py``.

    Parameters
    ----------
    name, hears_own
        See :class:`Side`.
    said
        The inputs that a page sends to say something: of the message's number and text.
    """

    name: str
    hears_own: bool
    said: Callable[[int, str], dict[str, object]]

    def command(self, port: int) -> Sequence[str]:
        """See :meth:`Side.command`."""
        return uvicorn(f"tests.bench.sides.{self.name}_app:app", port)

    async def fill(self, url: str, messages: int) -> None:
        """Nothing is kept; naive makes what it had by itself, at its start."""

    async def enter(
        self, port: int, room: str, *, deflate: bool = False, narrow: bool = False, newest: str = ""
    ) -> Person:
        """See :meth:`Side.enter`."""
        async with asyncio.timeout(ENTER_WITHIN):
            page = await open_line(port, "websocket/", deflate=deflate, narrow=narrow)
            await shiny_page.greet(page, port, room)
            is_in = is_new = False
            while not (is_in and is_new):
                frame = await shiny_page.told(page)
                is_in = is_in or '"values"' in frame
                is_new = is_new or newest in frame
        return Person(page, screen=page.received)

    def frame(self, number: int, text: str) -> str:
        """See :meth:`Side.frame`."""
        return json.dumps({"method": "update", "data": self.said(number, text)})


def _to_direct(number: int, text: str) -> dict[str, object]:
    return {"said": {"n": number, "text": text}}


def _to_naive(number: int, text: str) -> dict[str, object]:
    said = {"text": text, "attachments": [], "number": number}
    return {"chat_user_input:shinychat.userInput": said}


DIRECT = OverShiny("direct", hears_own=True, said=_to_direct)
"""The sessions of a room in a dictionary, and a custom message to each of them."""
NAIVE = OverShiny("naive", hears_own=False, said=_to_naive)
"""One shared reactive value, and shinychat's Chat in each session. The usual first way."""
