"""Migrations of a database's schema."""

from __future__ import annotations

import logging
import threading
from pathlib import Path

import sqlalchemy as sa

from shiny_labchat.errors import SchemaTooNew, StoreError
from shiny_labchat.store.schema import metadata
from shiny_labchat.store.seal import seal_of

__all__ = ["SCHEMA", "is_current", "is_made", "upgrade"]

SCHEMA = "0021"
"""The newest migration that this version knows."""

logger = logging.getLogger("shiny_labchat")

_VERSION_TABLE = "labchat_version"
_upgrading = threading.Lock()
"""Alembic keeps what it migrates in global variables: so one database after the other."""


def is_current(engine: sa.Engine, *, or_newer: bool = False) -> bool:
    """
    Whether the database's schema is `SCHEMA`; takes no lock.

    Parameters
    ----------
    engine
        Connections to the database.
    or_newer
        Whether a newer one will do, as for a server that has used the database before another one
        of a newer version has migrated it: migrations only add what an older version leaves alone.
    """
    with engine.begin() as conn:
        stored = _stored_version(conn)
    if or_newer and stored is not None and stored > SCHEMA:
        logger.warning(
            "a newer version has brought the schema of %s to %s; this server goes on. Restart it "
            "with the newer version, too",
            *(engine.url.render_as_string(), stored),
        )
        return True
    return stored == SCHEMA


def is_made(engine: sa.Engine) -> bool:
    """Whether the database has the tables of a lab, of whichever version; takes no lock."""
    with engine.begin() as conn:
        return _stored_version(conn) is not None


def upgrade(engine: sa.Engine) -> None:
    """
    Bring the database's schema to `SCHEMA`; several processes may do so at once.

    Parameters
    ----------
    engine
        Its transactions begin with a lock that keeps out other processes' upgrades.

    Raises
    ------
    SchemaTooNew
        A newer version of this package wrote it.
    StoreError
        It was sealed by an older version.
    """
    # Importing Alembic takes half a second: so only here, and before the database is locked.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    config.attributes["version_table"] = _VERSION_TABLE
    with engine.begin() as conn, _upgrading:
        stored = _stored_version(conn)
        _refuse_newer(engine.url, stored)
        _refuse_sealed(engine.url, conn)
        config.attributes["connection"] = conn
        if stored is None and engine.dialect.name != "sqlite":  # the older ones are for SQLite
            metadata.create_all(conn)
            command.stamp(config, "head")
        else:
            command.upgrade(config, "head")


def _refuse_newer(url: sa.URL, stored: str | None) -> None:
    if stored is not None and stored > SCHEMA:
        raise SchemaTooNew(
            "store_broken",
            url.render_as_string(),
            f"its schema is {stored}, this version knows {SCHEMA}; install a newer shiny_labchat",
        )


def _refuse_sealed(url: sa.URL, conn: sa.Connection) -> None:
    if (sealed := seal_of(conn)) is not None:
        raise StoreError(
            "store_moved",
            url.render_as_string(),
            f"all of it was moved to {sealed.to}, and it can be read by the version only that has "
            "moved it, or after `labchat move --undo --force`",
        )


def _stored_version(conn: sa.Connection) -> str | None:
    if not sa.inspect(conn).has_table(_VERSION_TABLE):
        return None
    return conn.execute(sa.text(f"SELECT version_num FROM {_VERSION_TABLE}")).scalar()
