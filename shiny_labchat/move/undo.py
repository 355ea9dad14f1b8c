"""Giving a move up: the old database can be written to again."""

from __future__ import annotations

from contextlib import closing

import sqlalchemy as sa

from shiny_labchat.errors import LabChatError
from shiny_labchat.move.database import Database
from shiny_labchat.store.seal import Seal, break_seal, seal_of

__all__ = ["undo"]


def undo(source: sa.URL, *, force: bool) -> Seal:
    """
    Break the seal of a database; return what it was.

    Parameters
    ----------
    source
        The database that was to be moved.
    force
        Whether it is done though all rows were copied, so that the record goes on in two places.

    Raises
    ------
    LabChatError
        It has no seal; or all rows were copied, unless `force`.
    StoreError
        It cannot be written.
    """
    with closing(Database(source)) as old:
        old.open_as_it_is()
        if old.read(seal_of) is None:  # then an older version may have made it
            raise LabChatError(_not_sealed(old.name))
        return old.write(lambda conn: _break(conn, old.name, force))


def _break(conn: sa.Connection, name: str, force: bool) -> Seal:
    found = seal_of(conn)
    if found is None:
        raise LabChatError(_not_sealed(name))
    if found.is_copied and not force:
        raise LabChatError(
            f"all of {name} was copied to {found.to}, where people may have written since. Use "
            "that database. If the copy was interrupted, run the move again. To go back to what "
            f"{name} has, and lose what came since, add --force"
        )
    break_seal(conn)
    return found


def _not_sealed(name: str) -> str:
    return f"{name} is not sealed: it can be written to"
