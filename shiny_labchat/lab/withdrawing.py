"""Withdrawing people from a lab, and those whose withdrawal is due."""

from __future__ import annotations

import asyncio
import logging
import secrets
from dataclasses import dataclass
from typing import cast

from shiny_labchat.access.receipts import Receipt
from shiny_labchat.domain.commands import Withdraw, WithdrawnBy
from shiny_labchat.domain.commands.study import study_log
from shiny_labchat.domain.study import StudyState
from shiny_labchat.errors import LabChatError
from shiny_labchat.store import Log
from shiny_labchat.store.heads import load_head
from shiny_labchat.store.sqlite import Cleaned, CleanHow
from shiny_labchat.store.who import everybody, is_bot, studies_of, withdrawn_ids

__all__ = [
    "Withdrawal",
    "apply_ledger",
    "clean",
    "new_id",
    "withdraw",
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
        raise LabChatError(
            f"nobody in {where if study is None else f'study {study!r} in {where}'} has the id "
            f"{id!r}; it is the id of a Person, or of a member of a room"
        )
    if await log.read(lambda conn: is_bot(conn, id)):
        raise LabChatError(f"{id!r} in {where} is a bot, which cannot withdraw")
    if id in await log.read(withdrawn_ids):
        return Withdrawal(id, tuple(found), (), log.ledger.is_cleaned)
    new = new_id()
    exports: dict[str, None] = {}
    for each in found:
        exports |= dict.fromkeys(await withdraw_one(log, each, id, new, by, quotes=quotes))
    cleaned = await clean(log, how)
    known = await _known_as(log, new)
    return Withdrawal(known, tuple(found), tuple(exports), cleaned.is_clean)


async def _known_as(log: Log, new: str) -> str:
    """The new id of somebody; another one if somebody else has withdrawn them at the same time."""
    entries = await asyncio.to_thread(log.ledger.entries)
    same = {entry.hash for entry in entries if entry.new == new}
    others = [entry.new for entry in entries if entry.hash in same and entry.new != new]
    if not others:
        return new
    known = await log.read(withdrawn_ids)
    return next((each for each in (new, *others) if each in known), new)


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
        await asyncio.to_thread(log.ledger.add, study, id, new)
    outcome = await log.withdraw(Withdraw(study, id, new, by, quotes))
    events = outcome.events.get(study_log(study), ())
    said = [event for event in events if event.kind == "withdrawn" and event.member == new]
    return tuple(said[-1].data["exports"]) if said else ()


async def clean(log: Log, how: CleanHow = "small") -> Cleaned:
    """
    Take away from the database's files what was deleted; say in the server's log if it is not.

    Somebody who reads prevents it; so it is tried for some seconds.
    """
    cleaned = await log.clean(how)
    for _ in range(TRIES):
        if cleaned.is_emptied:
            break
        await asyncio.sleep(RETRY_DELAY)
        cleaned = await log.clean(how)
    where = log.url.render_as_string()
    if cleaned.is_clean:
        if log.ledger.exists:
            await asyncio.to_thread(log.ledger.note_cleaned)
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


async def withdraw_with_code(log: Log, receipt: Receipt) -> bool:
    """
    Withdraw somebody by the code of their end; return whether they had not withdrawn before.

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
    entries = await asyncio.to_thread(log.ledger.entries)
    if not entries:
        return 0
    known = await log.read(withdrawn_ids)
    done = {entry.hash for entry in entries if entry.new in known}
    if all(entry.hash in done for entry in entries):
        return 0
    people = await log.read(everybody)
    back = await asyncio.to_thread(log.ledger.known, people)
    for (study, id), new in back.items():
        await withdraw_one(log, study, id, new, "ledger")
    if back:
        logger.warning(
            "%d people in %s had withdrawn before, and their data is blank again",
            *(len(back), log.url.render_as_string()),
        )
    return len(back)


async def withdraw_due(log: Log, study: str) -> int:
    """Withdraw those of a study who have asked that their data be deleted, or not be kept."""
    head = await log.read(lambda conn: load_head(conn, study_log(study)))
    if head is None:
        return 0
    people = cast(StudyState, head.state).people.values()
    asking = [each.person for each in people if each.wants_withdrawal]
    for person in asking:
        await withdraw_one(log, study, person, new_id(), "participant")
    if asking:
        await clean(log)
    return len(asking)
