"""What streams are told to do, by the room and their author's name, in all processes of an app."""

import asyncio
import os
import time
from pathlib import Path
from urllib.parse import quote

from tests.support.beside import beside

PAUSE = 0.01
"""How often it is looked whether there is something, in seconds."""


class Told(dict[tuple[str, str], "Orders"]):
    """The queue of each room and author."""

    def __missing__(self, key: tuple[str, str]) -> "Orders":
        self[key] = Orders(beside(os.environ["LABCHAT_URL"], "told-" + quote("|".join(key))))
        return self[key]


class Orders:
    """
    A queue in a folder; each order is taken out once.

    Parameters
    ----------
    folder
        The folder, which is made.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(exist_ok=True)

    def put_nowait(self, order: str) -> None:
        """Put an order in."""
        name = f"{time.time_ns()}"
        (self._folder / f".{name}").write_text(order, encoding="utf-8")
        (self._folder / f".{name}").rename(self._folder / name)

    def empty(self) -> bool:
        """Whether there is none."""
        return not self._waiting()

    async def get(self) -> str:
        """Wait for an order, and take it out."""
        while not (waiting := self._waiting()):  # noqa: ASYNC110 - another process may put it there
            await asyncio.sleep(PAUSE)
        order = waiting[0].read_text(encoding="utf-8")
        waiting[0].unlink()
        return order

    def _waiting(self) -> list[Path]:
        return sorted(each for each in self._folder.iterdir() if not each.name.startswith("."))


told = Told()
