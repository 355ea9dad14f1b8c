"""Direct: the sessions of a room in a dictionary, and a custom message to each of them."""

from __future__ import annotations

import json
from collections.abc import Sequence

from tests.bench.sides import shiny_page
from tests.bench.sides.side import Person, uvicorn

__all__ = ["Direct"]


class Direct:
    """The app in ``direct_app.py``."""

    name = "direct"
    hears_own = True

    def command(self, port: int) -> Sequence[str]:
        """See :meth:`Side.command`."""
        return uvicorn("tests.bench.sides.direct_app:app", port)

    async def fill(self, url: str, messages: int) -> None:
        """It keeps none."""

    async def enter(
        self, port: int, room: str, *, deflate: bool = False, narrow: bool = False, newest: str = ""
    ) -> Person:
        """See :meth:`Side.enter`."""
        return await shiny_page.enter(port, room, deflate=deflate, narrow=narrow, newest=newest)

    def frame(self, number: int, text: str) -> str:
        """See :meth:`Side.frame`."""
        return json.dumps({"method": "update", "data": {"said": {"n": number, "text": text}}})
