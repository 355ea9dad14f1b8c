"""What tests do to a database, of whatever kind, without this package's ways to it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from click.testing import CliRunner, Result
from sqlalchemy.exc import OperationalError

from shiny_labchat.cli import main
from shiny_labchat.store.schema import metadata

__all__ = ["contents", "gone", "held", "is_held", "labchat", "rows"]


def rows(url: str, statement: str, **values: object) -> Sequence[tuple[Any, ...]]:
    """The rows that a statement gives; what it changes is stored."""
    with _engine(url).begin() as conn:
        done = conn.execute(sa.text(statement), values)
        return [tuple(row) for row in done] if done.returns_rows else []


@contextmanager
def held(url: str) -> Iterator[sa.Connection]:
    """Nobody else can write meanwhile; what is written through the connection is stored."""
    with _engine(url).connect() as conn:
        _hold(conn)
        yield conn
        conn.commit()


def is_held(url: str) -> bool:
    """Whether somebody is in the middle of writing."""
    with _engine(url, patience=0).connect() as conn:
        try:
            _hold(conn, " NOWAIT")
        except OperationalError:
            return True
    return False


def _hold(conn: sa.Connection, how: str = "") -> None:
    if conn.dialect.name == "sqlite":
        conn.exec_driver_sql("BEGIN IMMEDIATE")
        return
    # Whoever writes to a room claims it first.
    tables = sorted(metadata.tables, key=lambda name: name != "room")
    names = ", ".join(f'"{name}"' for name in tables)
    conn.exec_driver_sql(f"LOCK TABLE {names} IN EXCLUSIVE MODE{how}")


@contextmanager
def gone(url: str) -> Iterator[None]:
    """The files are elsewhere meanwhile; or the server lets nobody in any more."""
    if url.startswith("sqlite"):
        file = Path(url.removeprefix("sqlite:///"))
        moved = [(each, each.with_name(f"away-{each.name}")) for each in _files(file)]
        for here, there in moved:
            here.rename(there)
        yield
        for here, there in moved:
            there.rename(here)
        return
    server, _, name = url.rpartition("/")
    with _engine(f"{server}/postgres").connect() as conn:
        conn = conn.execution_options(isolation_level="AUTOCOMMIT")
        conn.exec_driver_sql(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
        ended = "SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity WHERE datname = "
        conn.exec_driver_sql(f"{ended}'{name}'")
        yield
        conn.exec_driver_sql(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')


def contents(url: str) -> bytes:
    """All that is in a database: the bytes of its files, or all rows of all tables."""
    if url.startswith("sqlite"):
        file = Path(url.removeprefix("sqlite:///"))
        return b"".join(each.read_bytes() for each in _files(file))
    with _engine(url).connect() as conn:
        tables = sa.inspect(conn).get_table_names()
        found = [conn.exec_driver_sql(f'SELECT * FROM "{table}"').all() for table in tables]
    return repr(found).encode()


def labchat(url: str, *words: str) -> Result:
    """Run a command of this package on a database: a file is named, another one is set."""
    if url.startswith("sqlite"):
        return CliRunner().invoke(main, [*words, "--db", url.removeprefix("sqlite:///")])
    return CliRunner().invoke(main, words, env={"LABCHAT_URL": url})


def _files(database: Path) -> list[Path]:
    """The file of a database, and those of SQLite beside it."""
    return [each for end in ("", "-wal", "-shm") if (each := Path(f"{database}{end}")).exists()]


def _engine(url: str, patience: float = 30) -> sa.Engine:
    if url.startswith("sqlite"):
        return sa.create_engine(url, poolclass=sa.NullPool, connect_args={"timeout": patience})
    url = url.replace("postgresql:", "postgresql+psycopg:", 1)
    return sa.create_engine(url, poolclass=sa.NullPool)
