"""The kinds of databases and buses that the suites run on, and fresh databases of a kind."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import pytest

from tests.support.bus_servers import BusServer
from tests.support.postgres import PostgresServer

__all__ = ["BACKENDS", "USUAL", "Backend", "Databases", "FreshUrl", "with_environment"]

ENGINES = ("sqlite", "postgresql")
BUSES = ("own", "nats", "redis")
FreshUrl = Callable[[], str]
"""Makes a database, and gives its URL."""


@dataclass(frozen=True, slots=True)
class Backend:
    """
    A kind of database, and a bus.

    Parameters
    ----------
    engine
        One of `ENGINES`.
    bus
        One of `BUSES`; "own": the bus that the database itself is, if it is one.
    """

    engine: str
    bus: str

    @classmethod
    def parse(cls, said: str) -> Self:
        """
        Read what a command says, such as "postgresql+nats" or "sqlite".

        Raises
        ------
        ValueError
            There is no such backend.
        """
        engine, _, bus = said.partition("+")
        if engine not in ENGINES or (bus or "own") not in BUSES:
            raise ValueError(f"no backend {said!r}; there are {', '.join(BACKENDS)}")
        return cls(engine, bus or "own")

    @classmethod
    def asked(cls, config: pytest.Config) -> Self:
        """What the option ``--backend`` says."""
        said: str = config.getoption("backend")  # pyright: ignore[reportAssignmentType]
        return cls.parse(said)

    @property
    def bus_kind(self) -> str | None:
        """The server that the bus needs; None: none."""
        return None if self.bus == "own" else self.bus


BACKENDS = tuple(
    engine if bus == "own" else f"{engine}+{bus}" for engine in ENGINES for bus in BUSES
)
"""All backends, as commands name them."""
USUAL = Backend(ENGINES[0], BUSES[0])
"""That of a run that asks for none: files of SQLite, and no bus."""


class Databases:
    """
    Makes databases with tables, and without rooms.

    Parameters
    ----------
    server
        Where they are; None: each is a file of SQLite.
    empty
        A file of SQLite to be copied.
    folder
        Gives a new folder for a file.
    """

    def __init__(
        self, server: PostgresServer | None, empty: Path, folder: Callable[[], Path]
    ) -> None:
        self._server = server
        self._empty = empty
        self._folder = folder

    def make(self) -> str:
        """Make one, and give its URL."""
        if self._server is not None:
            return self._server.make(f"lab_{secrets.token_hex(6)}")
        return f"sqlite:///{shutil.copy(self._empty, self._folder() / 'lab.db')}"

    @contextmanager
    def fresh(self) -> Iterator[str]:
        """Make one that is deleted afterwards; gives its URL."""
        url = self.make()
        yield url
        self.drop(url)

    def drop(self, url: str) -> None:
        """Delete one that is on a server, as there is not much room; files may stay."""
        if self._server is not None:
            self._server.drop(url.rpartition("/")[2])


@contextmanager
def with_environment(backend: Backend, ledgers: Path) -> Iterator[None]:
    """
    Have this process, and those that it starts, use the bus; its server runs meanwhile.

    The ledgers of databases on a server are in a folder, by their names.
    """
    if backend.engine != "sqlite":
        os.environ["LABCHAT_LEDGER"] = str(ledgers)
    bus = None if backend.bus_kind is None else BusServer(backend.bus_kind)
    if bus is not None:
        bus.start()
        os.environ["LABCHAT_BUS"] = bus.url
    yield
    for name in ("LABCHAT_LEDGER", "LABCHAT_BUS"):
        os.environ.pop(name, None)
    if bus is not None:
        bus.stop()
