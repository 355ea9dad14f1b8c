"""Gates that handlers of several sessions wait at and open, one for each room, in all processes."""

import asyncio
import os
from pathlib import Path
from urllib.parse import quote

from tests.support.beside import beside

PAUSE = 0.01
"""How often it is looked whether a gate is open, in seconds."""


class Gate:
    """
    Open when its file is there.

    Parameters
    ----------
    file
        The file.
    """

    def __init__(self, file: Path) -> None:
        self._file = file

    def set(self) -> None:
        """Open it."""
        self._file.touch()

    async def wait(self) -> None:
        """Wait until it is open."""
        while not self._file.exists():  # noqa: ASYNC110 - another process may open it
            await asyncio.sleep(PAUSE)


class Gates(dict[str, Gate]):
    """The gate of each room."""

    def __missing__(self, room: str) -> Gate:
        self[room] = Gate(beside(os.environ["LABCHAT_URL"], f"gate-{quote(room)}"))
        return self[room]


gates = Gates()
