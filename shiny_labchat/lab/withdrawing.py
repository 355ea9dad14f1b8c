"""Withdrawing people from a lab, and those whose withdrawal is due."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from typing import cast

from shiny_labchat.access.receipts import Receipt
from shiny_labchat.domain.commands import Withdraw, WithdrawnBy
from shiny_labchat.domain.commands.study import study_log
from shiny_labchat.domain.study import StudyState
from shiny_labchat.errors import LabChatError, Refused, StoreError
from shiny_labchat.store import Log
from shiny_labchat.store.engine import Cleaned, CleanHow
from shiny_labchat.store.heads import load_head
from shiny_labchat.store.queries import studies_with_rooms
from shiny_labchat.store.seal import check_not_sealed
from shiny_labchat.store.who import (
    everybody,
    has_come_back,
    is_bot,
    studies_of,
    withdrawals,
    withdrawn_ids,
)

__all__ = [
    "Withdrawal",
    "apply_ledger",
    "clean",
    "new_id",
    "withdraw",
    "withdraw_all",
    "withdraw_due",
    "withdraw_one",
    "withdraw_with_code",
]

logger = logging.getLogger("shiny_labchat")

TRIES = 20
"""How often it is tried to take away from the files what was deleted."""
RETRY_DELAY = 0.25
"""Pause between two tries, in seconds."""


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """
    What a withdrawal has reached, and what it could not reach.

    Parameters
    ----------
    id
        The random id that the person has now.
    studies
        The studies in which there was something of them.
    exports
        The sha256 of the exports taken before that have their words. They have to be destroyed.
    is_clean
        Whether nothing is left in the database's files of what was deleted. If not, run
        ``labchat withdraw --vacuum`` when the app is stopped.
    """

    id: str
    studies: tuple[str, ...]
    exports: tuple[str, ...]
    is_clean: bool


async def withdraw(
    log: Log,
    id: str,
    study: str | None = None,
    *,
    by: WithdrawnBy = "researcher",
    quotes: bool = False,
    how: CleanHow = "small",
) -> Withdrawal:
    """
    Withdraw somebody from a study; None: from all studies of the database.

    Raises
    ------
    LabChatError
        Nobody has this id, or a bot has it.
    StoreError
        The database could not store it. Then it is done at the next start of the app.
    """
    found = await log.read(lambda conn: studies_of(conn, id, study))
    where = log.url.render_as_string()
    if not found:
        if (done := await _done_already(log, id, study)) is not None:
            return done
        raise LabChatError(
            f"nobody in {where if study is None else f'study {study!r} in {where}'} has the id "
            f"{id!r}; it is the id of a Person, or of a member of a room"
        )
    if await log.read(lambda conn: is_bot(conn, id)):
        raise LabChatError(f"{id!r} in {where} is a bot, which cannot withdraw")
    if id in await log.read(withdrawn_ids):
        return Withdrawal(id, tuple(found), (), log.ledger.is_cleaned)
    new, news = new_id(), dict[str, str]()
    for each in found:  # all of them first, so that the ledger has the rest done after a kill
        news[each] = new = await _note(log, each, id, new)
    exports: dict[str, None] = {}
    for each, new in news.items():
        exports |= dict.fromkeys(await _rewrite(log, Withdraw(each, id, new, by, quotes)))
    cleaned = await clean(log, how)
    return Withdrawal(new, tuple(found), tuple(exports), cleaned.is_clean)


async def _done_already(log: Log, id: str, study: str | None) -> Withdrawal | None:
    """The withdrawal of somebody whom another server, or an earlier call, has withdrawn."""
    studies = await log.read(studies_with_rooms) if study is None else [study]
    known = await asyncio.to_thread(log.ledger.known, [(each, id) for each in studies])
    ids = await log.read(withdrawn_ids)  # the ledger may be of another database, too
    known = {person: new for person, new in known.items() if new in ids}
    if not known:
        return None
    of = tuple(sorted(each for each, _ in known))
    return Withdrawal(known[of[-1], id], of, (), log.ledger.is_cleaned)


async def _note(log: Log, study: str, id: str, new: str) -> str:
    """
    Note a withdrawal in the ledger, unless it is there; return the new id by which it is there.

    It is there if it was not done then, or if another server does it at the same time. That of a
    database that has moved is not looked at any more: nothing is noted there.
    """
    await log.read(check_not_sealed)
    size, last = await asyncio.to_thread(log.ledger.last, study, id)
    if last is not None and not await log.read(lambda conn: has_come_back(conn, study, id, last)):
        return last
    return await asyncio.to_thread(partial(log.ledger.add, study, id, new, since=size))


def new_id() -> str:
    """A random id for somebody who has withdrawn."""
    return f"withdrawn-{secrets.token_hex(8)}"


async def withdraw_one(
    log: Log, study: str, id: str, new: str, by: WithdrawnBy, *, quotes: bool = False
) -> tuple[str, ...]:
    """
    Withdraw somebody from one study; `clean` has to be called after the last one.

    It is in the ledger before it is in the database: so it is done sooner or later, whatever
    happens.

    Returns
    -------
    tuple of str
        The sha256 of the exports that have their words.
    """
    if by != "ledger":
        new = await _note(log, study, id, new)
    return await _rewrite(log, Withdraw(study, id, new, by, quotes))


async def _rewrite(log: Log, command: Withdraw) -> tuple[str, ...]:
    """Have the database rewritten; if the rules do not allow it, note that in the ledger."""
    try:
        outcome = await log.withdraw(command)
    except Refused as exc:
        if await asyncio.to_thread(log.ledger.note_refused, command.new):
            logger.error(
                "%s cannot be withdrawn from study %r: %s", command.new, command.study, exc
            )
        raise
    if not outcome.is_repeat and command.new in await asyncio.to_thread(lambda: log.ledger.refused):
        await asyncio.to_thread(log.ledger.note_reapplied)
    events = outcome.events.get(study_log(command.study), ())
    said = [each for each in events if each.kind == "withdrawn" and each.member == command.new]
    return tuple(said[-1].data["exports"]) if said else ()


async def withdraw_all(log: Log, commands: Iterable[Withdraw]) -> int:
    """
    Withdraw people one after the other; if one of them cannot be, go on with the others.

    Returns
    -------
    int
        How many have been withdrawn; of each other one it was said in the server's log.

    Raises
    ------
    StoreError
        The database could not store some of them, so that it has to be tried again.
    """
    done, trouble = 0, None
    for each in commands:
        try:
            await withdraw_one(log, each.study, each.person, each.new, each.by, quotes=each.quotes)
            done += 1
        except StoreError as exc:
            trouble = exc
        except Refused:
            continue
    if trouble is not None:
        raise trouble
    return done


async def clean(log: Log, how: CleanHow = "small") -> Cleaned:
    """
    Take away from the database's files what was deleted; say in the server's log if it is not.

    Somebody who reads prevents it; so it is tried for some seconds.
    """
    covered = await _covered(log)
    cleaned = await log.clean(how)
    for _ in range(TRIES):
        if cleaned.is_emptied:
            break
        await asyncio.sleep(RETRY_DELAY)
        cleaned = await log.clean(how)
    where = log.url.render_as_string()
    if cleaned.is_clean:
        if log.ledger.exists:
            await asyncio.to_thread(log.ledger.note_cleaned, covered)
    elif not cleaned.is_emptied:
        logger.warning(
            "the words of somebody who has withdrawn are in no row of %s any more, but may still "
            "be in its write-ahead log, as another program reads it; it is tried again at the next "
            "start, or run: labchat withdraw --vacuum",
            where,
        )
    else:
        logger.warning(
            "the words of somebody who has withdrawn are in no row of %s any more; single pieces "
            "of the file may still have them, as it is too large to be written anew while it is in "
            "use. When the app is stopped, run: labchat withdraw --vacuum",
            where,
        )
    return cleaned


async def _covered(log: Log) -> int:
    """How many first lines of the ledger are only about people who are in no row any more."""
    size = await asyncio.to_thread(lambda: log.ledger.size)
    undone = {*(await _undone(log)).values()} - await asyncio.to_thread(lambda: log.ledger.refused)
    entries = await asyncio.to_thread(log.ledger.entries)
    return min([size, *(each.line for each in entries if each.new in undone)])


async def withdraw_with_code(log: Log, receipt: Receipt) -> bool:
    """
    Withdraw somebody by the code of their end; return whether they had not withdrawn before.

    If a form is sent twice at once, neither was before the other.

    Raises
    ------
    LabChatError
        As `withdraw`.
    """
    if receipt.person in await log.read(withdrawn_ids):
        return False
    await withdraw(log, receipt.person, receipt.study, by="participant")
    return True


async def apply_ledger(log: Log) -> int:
    """Withdraw again who has withdrawn before the database was replaced by an older one."""
    back = await _undone(log)
    refused = await asyncio.to_thread(lambda: log.ledger.refused)
    is_due = not refused.issuperset(back.values())
    if is_due and await asyncio.to_thread(lambda: log.ledger.is_cleaned):
        await asyncio.to_thread(log.ledger.note_reapplied)
    again = (Withdraw(study, id, new, "ledger") for (study, id), new in back.items())
    done = await withdraw_all(log, again)
    if done:
        logger.warning(
            "%d people in %s had withdrawn before, and their data is blank again",
            *(done, log.url.render_as_string()),
        )
    return done


async def _undone(log: Log) -> dict[tuple[str, str], str]:
    """
    Whom the database still has though the ledger has withdrawn them, with their new ids.

    Of several withdrawals of one person from one study the last counts: if it is done, they have
    come back since, with a new consent.
    """
    entries = await asyncio.to_thread(log.ledger.entries)
    if not entries:
        return {}
    done = await log.read(withdrawals)
    last = {entry.hash: entry.new for entry in entries}
    if Counter(last.values()) <= Counter(new for _, new in done):
        return {}
    people = await log.read(everybody)
    known = await asyncio.to_thread(log.ledger.known, people)
    return {each: new for each, new in known.items() if (each[0], new) not in done}


async def withdraw_due(log: Log, study: str) -> int:
    """Withdraw those of a study who have asked that their data be deleted, or not be kept."""
    head = await log.read(lambda conn: load_head(conn, study_log(study)))
    if head is None:
        return 0
    people = cast(StudyState, head.state).people.values()
    asking = [each.person for each in people if each.wants_withdrawal]
    done = await withdraw_all(
        log, (Withdraw(study, person, new_id(), "participant") for person in asking)
    )
    if done:
        await clean(log)
    return done
