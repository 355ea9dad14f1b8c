"""The command `labchat move`."""

from __future__ import annotations

from collections.abc import Iterator

import click
import sqlalchemy as sa

from shiny_labchat.cli.database import in_words, url_of
from shiny_labchat.cli.progress import progress_bar
from shiny_labchat.domain.messages import to_datetime
from shiny_labchat.move import Moved, undo
from shiny_labchat.move import move as move_rows
from shiny_labchat.store import parse
from shiny_labchat.store.choosing import ledger_of

__all__ = ["move"]


@click.command(
    epilog="Example: labchat move --from sqlite:///labchat.db --to "
    "postgresql://name@db.example.org/pilot. The password may be in PGPASSWORD or ~/.pgpass."
)
@click.option("--from", "source", metavar="URL",
              help="The app's database. Default: the one in LABCHAT_URL, else labchat.db in this "
              "folder.")  # fmt: skip
@click.option("--to", "target", metavar="URL",
              help="The database that is to have everything; it must be empty.")  # fmt: skip
@click.option("--undo", "is_undo", is_flag=True,
              help="Give a move up that was interrupted: the database can be written to "
              "again.")  # fmt: skip
@click.option("--force", is_flag=True,
              help="With --undo, also if all was copied: what was written to the new database "
              "since is not in the old one.")  # fmt: skip
def move(source: str | None, target: str | None, is_undo: bool, force: bool) -> None:
    """
    Move everything to another database, such as PostgreSQL, and back.

    The old database is sealed first. Who still writes there is told to try again in a few minutes,
    and the server's log says where it has moved to; what has been said can be read. Then all rows
    are copied, and each is compared with its copy. Start the app again with the new URL when this
    is done.

    If it fails, the old database is as before. If it was killed, start it again.
    """
    if is_undo == (target is not None):
        raise click.UsageError("say where it moves to with --to URL, or give it up with --undo")
    if force and not is_undo:
        raise click.UsageError("--force is for --undo")
    with in_words():
        old = parse(source or url_of(None))
        if target is None:
            undone = undo(old, force=force)
            name, at = old.render_as_string(), _when(undone.at)
            _say(f"{name} can be written to again; it was sealed at {at}")
            return
        new = parse(target)
        done = move_rows(old, new, progress_bar, _say)
        for line in _lines(old, new, done):
            _say(line)


def _lines(old: sa.URL, new: sa.URL, done: Moved) -> Iterator[str]:
    """What has to be known of a move."""
    source, target = old.render_as_string(), new.render_as_string()
    made = done.arrived
    how = "Moved and compared" if done.is_new else "An earlier command has moved and compared"
    yield f"{how} {made.rows:,} rows: all of {source} is in {target}"
    took = (made.stored - made.sealed) / 1e6
    yield (
        f"Nobody could write from {_when(made.sealed)} to {_when(made.stored)} ({took:.1f} s), nor "
        "can anybody until the app is started with the new URL"
    )
    yield _of_ledger(old, new, done)
    yield f"Start the app again with LABCHAT_URL={target}"
    yield (
        f"{source} is sealed: it can be read, and not be written to. Delete it as soon as you can: "
        "whoever withdraws from now on is still in it"
    )


def _of_ledger(old: sa.URL, new: sa.URL, done: Moved) -> str:
    path = ledger_of(new)
    if done.ledger is not None:
        return f"The ledger of withdrawals was copied to {path}; the app looks for it there"
    if path.exists():
        return f"The ledger of withdrawals is {path}"
    return (
        f"There is no ledger of withdrawals {ledger_of(old)}: if anybody has withdrawn, copy the "
        f"ledger from where the app has run to {path}"
    )


def _when(at: int) -> str:
    return f"{to_datetime(at):%Y-%m-%d %H:%M:%S} UTC"


def _say(line: str) -> None:
    click.echo(line, err=True)
