"""
Moving: the old database is sealed, all rows are copied and compared, and all is stored at once.

The new database has everything or nothing, as it is one transaction there. Before that is
committed, the seal notes that it is about to be. So a move that was interrupted at any moment can
be begun again, and a seal is broken by itself only if nothing can have been stored.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, closing, contextmanager
from functools import partial
from pathlib import Path
from typing import NamedTuple

import sqlalchemy as sa

from shiny_labchat.errors import LabChatError, StoreError
from shiny_labchat.move.database import Database, now
from shiny_labchat.move.ledgers import check_ledgers, copy_ledger
from shiny_labchat.move.rows import compare, copy, count, filled, shift_between
from shiny_labchat.store.choosing import engine_of, is_in_file
from shiny_labchat.store.moves import Arrived, moves_of, note_move
from shiny_labchat.store.seal import Seal, break_seal, note_copied, seal, seal_of
from shiny_labchat.store.sqlite import file_of

__all__ = ["Bar", "Moved", "move"]

Bar = Callable[[str], AbstractContextManager[Callable[[int, int], None]]]
"""Shows under a name how much is done, and of how much."""


class Moved(NamedTuple):
    """
    What was moved.

    Parameters
    ----------
    arrived
        What the new database notes of the move.
    ledger
        Where the ledger of withdrawals was copied to; None: there was none to copy.
    is_new
        Whether it was done now, and not already by an earlier command that was interrupted.
    """

    arrived: Arrived
    ledger: Path | None
    is_new: bool


def move(source: sa.URL, target: sa.URL, bar: Bar, say: Callable[[str], None]) -> Moved:
    """
    Move all rows of a database to another one, which has none yet, and seal the old one.

    A move that was interrupted is begun again; one that was stored is found to be done.

    Parameters
    ----------
    source, target
        The two databases.
    bar
        Shows how far it is.
    say
        Is told what somebody who waits should know.

    Raises
    ------
    StoreError
        One of the databases cannot be used. Unless it may have been stored, the old one has no
        seal then, if it had none before.
    LabChatError
        The new database has rows, or the old one moves elsewhere.
    """
    _check_apart(source, target)
    with closing(Database(source)) as old, closing(Database(target)) as new:
        old.open(make=False)
        before = old.read(seal_of)
        if before is not None and before.to != new.name:
            raise LabChatError(_elsewhere(old, before))
        new.open(make=True)
        if before is not None and (done := new.read(partial(_of, before))) is not None:
            return Moved(done, copy_ledger(source, target), is_new=False)
        new.read(lambda conn: _check_empty(conn, new))
        check_ledgers(source, target)
        if before is not None:
            say("An earlier command was interrupted; all is copied from the beginning")
            return _fill(old, new, before, bar)
        with _sealed(old, new, say) as made:
            return _fill(old, new, made, bar)


def _check_apart(source: sa.URL, target: sa.URL) -> None:
    is_same = source.set(password=None, query={}) == target.set(password=None, query={})
    if is_in_file(source) and is_in_file(target) and file_of(target).exists():
        is_same = file_of(source).exists() and file_of(source).samefile(file_of(target))
    if is_same:
        raise LabChatError(f"{source.render_as_string()} cannot move to itself; name another --to")


def _elsewhere(old: Database, seal: Seal) -> str:
    return (
        f"{old.name} was sealed to be moved to {seal.to}; name that with --to, or give that up "
        "with: labchat move --undo"
    )


def _of(seal: Seal, conn: sa.Connection) -> Arrived | None:
    """What the new database notes of a move; None: it is not stored there."""
    return next((each for each in moves_of(conn) if each.id == seal.id), None)


def _check_empty(conn: sa.Connection, new: Database) -> None:
    if has := filled(conn):
        raise LabChatError(
            f"{new.name} is not empty: it has rows in {', '.join(has)}. Name a new database, so "
            "that nothing is mixed or lost"
        )


@contextmanager
def _sealed(old: Database, new: Database, say: Callable[[str], None]) -> Generator[Seal]:
    """Seal the old database; if nothing is stored in the new one, break the seal again."""
    made = old.write(lambda conn: seal(conn, new.url, now()))
    try:
        yield made
    except BaseException:
        say(_give_up(old, new, made))
        raise


def _give_up(old: Database, new: Database, made: Seal) -> str:
    """Break a seal, unless all may be stored; return what has become of it."""
    still = f"{old.name} is still sealed; run the command again, or `labchat move --undo`"
    try:
        is_copied = old.read(seal_of) == made._replace(is_copied=True)
        may_break = not (is_copied and _is_stored(new, made))
        if may_break and old.write(lambda conn: _break(conn, made, is_copied)):
            return f"Nothing was moved; {old.name} can be written to as before"
    except LabChatError as exc:
        return f"{still} ({exc})"
    return still


def _is_stored(new: Database, made: Seal) -> bool:
    """Whether a move is stored; waits for its transaction, if its connection was lost."""
    with new.writing() as conn:
        engine_of(conn).begin_filling(conn)
        return _of(made, conn) is not None


def _break(conn: sa.Connection, made: Seal, is_copied: bool) -> bool:
    """Break a seal, unless another command has noted meanwhile that all is copied."""
    if seal_of(conn) != made._replace(is_copied=is_copied):
        return False
    break_seal(conn)
    return True


def _fill(old: Database, new: Database, seal: Seal, bar: Bar) -> Moved:
    with old.reading() as source, new.writing() as target:
        engine_of(source).take_time(source)
        engine_of(target).begin_filling(target)
        _check_empty(target, new)
        shift, total = shift_between(source, target), count(source)
        with bar("Copying") as tell:
            copy(source, target, shift, total, tell)
        with bar("Comparing") as tell:
            compare(source, target, shift, total, tell)
        engine_of(target).end_filling(target)
        made = Arrived(seal.id, old.name, seal.at, now(), total)
        note_move(target, made, moves_of(source))
        ledger = copy_ledger(old.url, new.url)
        if not old.write(lambda conn: note_copied(conn, seal.id)):
            raise StoreError("store_busy", old.name, "its seal was broken meanwhile")
    return Moved(made, ledger, is_new=True)
