"""Naive: one shared reactive value, and shinychat's Chat in each session. The usual first way."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from tests.bench.sides import shiny_page
from tests.bench.sides.side import Person, uvicorn

__all__ = ["Naive"]


class Naive:
    """The app in ``naive_app.py``."""

    name = "naive"
    hears_own = False

    def command(self, port: int) -> Sequence[str]:
        """See :meth:`Side.command`."""
        return uvicorn("tests.bench.sides.naive_app:app", port)

    async def fill(self, url: str, messages: int) -> None:
        """It does so itself."""

    async def enter(
        self, port: int, room: str, *, deflate: bool = False, narrow: bool = False, newest: str = ""
    ) -> Person:
        """See :meth:`Side.enter`."""
        return await shiny_page.enter(port, room, deflate=deflate, narrow=narrow, newest=newest)

    def frame(self, number: int, text: str) -> str:
        """See :meth:`Side.frame`."""
        said: dict[str, Any] = {"text": text, "attachments": [], "number": number}
        data = {"chat_user_input:shinychat.userInput": said}
        return json.dumps({"method": "update", "data": data})
