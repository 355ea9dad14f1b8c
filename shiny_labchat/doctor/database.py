"""The database that an app is to use."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Awaitable, Callable

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from shiny_labchat.doctor.disk import check_disk
from shiny_labchat.doctor.finding import Finding, note, ok, typical, wrong
from shiny_labchat.errors import SchemaTooNew, StoreError
from shiny_labchat.store import Log, parse
from shiny_labchat.store.choosing import is_in_file, place_of
from shiny_labchat.store.migrate import is_current
from shiny_labchat.store.seal import Seal, seal_of
from shiny_labchat.store.sqlite import file_of

__all__ = ["check_database"]

ROUNDS = 10
"""How often reading and storing are timed."""


async def check_database(url: str) -> AsyncIterator[Finding]:
    """Look at a database; nothing in it is changed, and none is made."""
    try:
        parsed = parse(url)
    except ValueError as exc:
        yield wrong("database", str(exc), "correct the URL")
        return
    except ImportError as exc:
        yield wrong("database", str(exc), "install it where the app runs")
        return
    if is_in_file(parsed):
        for finding in check_disk(file_of(parsed)):
            yield finding
        if not file_of(parsed).parent.is_dir():
            return
        if not file_of(parsed).exists():
            says = f"there is none at {parsed.render_as_string()} yet"
            yield note("database", says, "the app makes it when it starts, if this is its place")
            return
    yield await _check_content(parsed)


async def _check_content(url: sa.URL) -> Finding:
    log = Log(url)
    try:
        if not _is_current(url):
            says = f"{url.render_as_string()} was last used by another version of shiny_labchat"
            change = "the app upgrades it when it starts; run `labchat backup` first"
            return note("database", says, change)
        if (seal := await log.read(seal_of)) is not None:
            says = f"{url.render_as_string()} is sealed: nobody can write there any more"
            return wrong("database", says, _sealed(seal))
        read = await _timed(lambda: log.read(lambda conn: conn.execute(sa.select(1)).scalar_one()))
        stored = await _timed(log.settled)
    except SchemaTooNew as exc:
        return wrong("database", str(exc), "install a newer shiny_labchat")
    except StoreError as exc:
        return wrong("database", str(exc), f"see {exc.code} in the page about problems")
    except (SQLAlchemyError, OSError) as exc:
        says = f"{url.render_as_string()} cannot be opened: {getattr(exc, 'orig', None) or exc}"
        return wrong("database", says, "correct the URL, or let the app's user open it")
    finally:
        log.close()
    says = f"{url.render_as_string()} answers in {typical(read)}, a transaction takes "
    return ok("database", f"{says}{typical(stored)}")


def _sealed(seal: Seal) -> str:
    if seal.is_copied:
        return f"start the app with {seal.to}, where all of it is"
    return (
        f"`labchat move` is at work, or was killed; run it again with --to {seal.to}, or give it "
        "up with `labchat move --undo`"
    )


def _is_current(url: sa.URL) -> bool:
    engine = place_of(url).connect(write=False)
    try:
        return is_current(engine)
    finally:
        engine.dispose()


async def _timed(do: Callable[[], Awaitable[object]]) -> list[float]:
    took: list[float] = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        await do()
        took.append(time.perf_counter() - began)
    return took
