"""A lab's database on a PostgreSQL server: connections to it, and its schema."""

from __future__ import annotations

import logging
import threading
import time
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event as sa_event
from sqlalchemy.exc import DBAPIError

from shiny_labchat.errors import StoreError
from shiny_labchat.store import postgres
from shiny_labchat.store.engine import Cleaned, CleanHow, Engine
from shiny_labchat.store.migrate import is_current, upgrade
from shiny_labchat.store.postgres_errors import store_error
from shiny_labchat.store.postgres_outcome import make_table
from shiny_labchat.store.schema import metadata
from shiny_labchat.store.seal import seal_of

__all__ = ["Server"]

logger = logging.getLogger("shiny_labchat")

OLDEST = 13
"""The oldest PostgreSQL that has all that is used."""
CONNECT_TIMEOUT = 5
"""How long a connection may take to be made, in seconds."""
LOCK_TIMEOUT = 5
"""How long another process's lock is waited for, in seconds."""
STATEMENT_TIMEOUT = 60
"""How long a statement may take, in seconds."""
IDLE_TIMEOUT = 15
"""
How long the server waits for a writer that is within a transaction, in seconds: one that hangs, or
whose network is gone, must not keep its rooms locked.
"""
KNOWN_FOR = 1.0
"""How long the schema is not looked at again, in seconds: writer and readers open together."""
UPGRADE_TIMEOUT = 30
"""How long the schema's upgrade waits for another process, in seconds."""
READERS = 4
"""Connections of readers; they have as many threads."""
SMALL = 32_000_000
"""Size up to which the tables are written anew without being asked, in bytes."""


class Server:
    """
    A database on a server. It must be there; its tables are made when it is first used.

    Parameters
    ----------
    url
        The database.
    """

    engine: Engine = postgres

    def __init__(self, url: sa.URL) -> None:
        self.url = url
        self._is_told = False
        self._known_until = 0.0
        self._lock = threading.Lock()

    @property
    def identity(self) -> object:
        """Always the same: a server does not say that a database was replaced."""
        return self.url

    def prepare(self, *, make: bool) -> None:
        """
        Make the tables, or bring the schema up to date, if needed, whatever `make` says.

        Raises
        ------
        StoreError
            The server is too old.
        SchemaTooNew
            A newer version of this package wrote the database.
        """
        with self._lock:
            if time.monotonic() < self._known_until:
                return
            engine = self._connect(lock=UPGRADE_TIMEOUT)
            sa_event.listen(engine, "begin", _lock_upgrades)
            try:
                self._check_version(engine)
                if not is_current(engine, or_newer=self._is_told):
                    upgrade(engine)
                make_table(engine)
                _forget_other_server(engine)
            finally:
                engine.dispose()
            self._known_until = time.monotonic() + KNOWN_FOR
            if not self._is_told:
                logger.info("the record is in %s", self.url.render_as_string())
            self._is_told = True

    def _check_version(self, engine: sa.Engine) -> None:
        with engine.connect() as conn:
            version = conn.dialect.server_version_info
        if version is not None and version < (OLDEST,):
            why = f"PostgreSQL {version[0]} is too old; it must be {OLDEST} or newer"
            raise StoreError("store_broken", self.url.render_as_string(), why)

    def connect(self, *, write: bool) -> sa.Engine:
        """
        Connections for the one writer, or for readers.

        The writer sees what others have stored after it has waited for their locks. A reader sees
        the database as it was when it began.
        """
        limits = {"statement": STATEMENT_TIMEOUT, "lock": LOCK_TIMEOUT}
        if not write:
            return self._connect(
                **limits,
                isolation_level="REPEATABLE READ",
                pool_size=READERS,
                pool_pre_ping=True,
            )
        idle = {"idle_in_transaction_session": IDLE_TIMEOUT}
        # The second connection is for asking what has become of a transaction of the first.
        pool = {"isolation_level": "READ COMMITTED", "pool_size": 1, "max_overflow": 1}
        return self._connect(**limits, **idle, **pool)

    def _connect(self, **options: Any) -> sa.Engine:
        limits = {
            name: options.pop(name)
            for name in ("statement", "lock", "idle_in_transaction_session")
            if name in options
        }
        said = " ".join(f"-c {name}_timeout={seconds}s" for name, seconds in limits.items())
        own = self.url.query.get("options", "")
        engine = sa.create_engine(
            self.url,
            connect_args={
                "connect_timeout": CONNECT_TIMEOUT,
                "options": f"{own if isinstance(own, str) else ' '.join(own)} {said}".strip(),
                **_KEEPALIVE,
            },
            hide_parameters=True,  # an error must not put what people said into the server's log
            **options,
        )
        sa_event.listen(engine, "do_connect", _connect_with_limits)
        return engine

    def keep_short(self, conn: sa.Connection) -> None:
        """Nothing: the server does it."""

    def clean(self, conn: sa.Connection, how: CleanHow, patience: float) -> Cleaned:
        """
        Take away what was deleted, between two transactions; see `Cleaned`.

        The server's own log, and what was copied from it, are the server's.
        """
        with conn.engine.connect() as own:
            own = own.execution_options(isolation_level="AUTOCOMMIT")
            size = own.execute(_SIZE, {"names": list(metadata.tables)}).scalar_one()
            is_anew = how == "always" or size <= SMALL
            raw: Any = own.connection.driver_connection
            try:
                raw.limit = None
                own.exec_driver_sql("SET statement_timeout = 0")
                own.exec_driver_sql(f"SET lock_timeout = {round(1000 * patience)}")
                for name in metadata.tables:
                    own.exec_driver_sql(f"VACUUM (FULL {'on' if is_anew else 'off'}) {name}")
            except DBAPIError as exc:
                if self.error_of(exc).code != "store_busy":
                    raise
                return Cleaned(False, False)
            finally:
                own.invalidate()  # it has other limits now
        return Cleaned(is_anew, True)

    def error_of(self, exc: BaseException) -> StoreError:
        """A `StoreError` for a driver's error, with the code that fits it."""
        return store_error(self.url, exc)


_KEEPALIVE = {
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
}
"""After how long a network that is gone is noticed: in seconds; the last one in milliseconds."""
_SIZE = sa.text(
    "SELECT coalesce(sum(pg_total_relation_size(oid)), 0) FROM pg_class "
    "WHERE relkind = 'r' AND relname = ANY(:names) AND pg_table_is_visible(oid)"
)


def _lock_upgrades(conn: sa.Connection) -> None:
    conn.exec_driver_sql(postgres.UPGRADE_LOCK)


def _forget_other_server(engine: sa.Engine) -> None:
    """
    Set `touched` to 0 where it is of another server, from which the database was copied.

    It may be larger than all numbers of transactions here, so that these rooms would seem to have
    moved at each look. Where there are none nothing is written: who connects again while somebody
    has the table locked must not wait for that.
    """
    later = "touched > CAST(CAST(pg_snapshot_xmax(pg_current_snapshot()) AS text) AS bigint)"
    with engine.begin() as conn:
        are_any = conn.exec_driver_sql(f"SELECT 1 FROM room WHERE {later} LIMIT 1").first()
        if are_any is not None and seal_of(conn) is None:
            conn.exec_driver_sql(f"UPDATE room SET touched = 0 WHERE {later}")


def _connect_with_limits(dialect: Any, record: object, args: Any, options: Any) -> Any:
    from shiny_labchat.store.postgres_connection import LimitedConnection

    return LimitedConnection.connect(*args, **options)
