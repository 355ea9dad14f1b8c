"""Deleting what a study has kept of people until the day that it has said."""

from __future__ import annotations

import logging
import time
from typing import NamedTuple, cast

from shiny_labchat.domain.commands import Withdraw
from shiny_labchat.domain.commands.study import study_log
from shiny_labchat.domain.ended import due
from shiny_labchat.domain.messages import to_datetime
from shiny_labchat.domain.retention import DAY, Retention, retention_in
from shiny_labchat.domain.study import StudyState
from shiny_labchat.errors import LabChatError, StoreError
from shiny_labchat.lab.withdrawing import clean, new_id, withdraw_all
from shiny_labchat.store import Log, studies
from shiny_labchat.store.arrivals import arrivals_of, forget_arrivals_of
from shiny_labchat.store.heads import load_head
from shiny_labchat.store.who import people_of_study, withdrawn_ids
from shiny_labchat.store.withdrawing import forget_params

__all__ = ["Retained", "retain"]

logger = logging.getLogger("shiny_labchat")


class Retained(NamedTuple):
    """
    What was deleted of a study, as its day was over.

    Attributes
    ----------
    study, retention
        The study, and the days that it has set.
    ids
        Of how many people what their recruiters said was deleted.
    words
        Of how many people everything else was.
    """

    study: str
    retention: Retention
    ids: int = 0
    words: int = 0


async def retain(log: Log, study: str | None = None) -> list[Retained]:
    """
    Delete what is due in a study (None: in all), and say in the server's log if that is late.

    If it fails in one study, it goes on with the others.

    Raises
    ------
    StoreError
        The database could not be read or written.
    """
    names = [study] if study is not None else await log.read(studies)
    done: list[Retained] = []
    trouble: StoreError | None = None
    for name in names:
        try:
            done.append(await _retain(log, name))
        except StoreError as exc:
            trouble = exc
        except LabChatError as exc:
            logger.error("study %r: what is due cannot be deleted: %s", name, exc)
    if any(each.ids or each.words for each in done):
        await clean(log)
    if trouble is not None:
        raise trouble
    return done


async def _retain(log: Log, study: str) -> Retained:
    head = await log.read(lambda conn: load_head(conn, study_log(study)))
    if head is None:
        return Retained(study, Retention())
    state = cast(StudyState, head.state)
    retention, now = retention_in(state.settings), time.time_ns() // 1000
    since = retention.due(now)
    ids = words = 0
    if "words" in since:
        words = await _forget_words(log, study, since["words"], now)
    if "ids" in since:
        ids = await _forget_ids(log, study, state, since["ids"], now)
    elif any(each.withdrawn is not None for each in state.people.values()):
        ids = await log.write(lambda conn, at: forget_params(conn, study, state, at))
    return Retained(study, retention, ids, words)


async def _forget_ids(log: Log, study: str, state: StudyState, since: int, now: int) -> int:
    known = await log.read(lambda conn: arrivals_of(conn, study))
    if not known:
        return 0
    _warn_if_late(study, "ids", since, now)
    people = (state.people.get(each.person) for each in known)
    unpaid = sum(due(state, each) > 0 for each in people if each is not None)
    if unpaid:
        logger.warning(
            "study %r: %d people have not been paid what is due to them by its record, and what "
            "their recruiter said of them is deleted now, as the study says",
            *(study, unpaid),
        )
    return await log.write(lambda conn, at: forget_arrivals_of(conn, study))


async def _forget_words(log: Log, study: str, since: int, now: int) -> int:
    known = await log.read(lambda conn: people_of_study(conn, study))
    gone = await log.read(withdrawn_ids)
    left = [person for person in known if person not in gone]
    if left:
        _warn_if_late(study, "words", since, now)
    return await withdraw_all(
        log, (Withdraw(study, person, new_id(), "retention", True) for person in left)
    )


def _warn_if_late(study: str, what: str, since: int, now: int) -> None:
    if now > since + DAY:
        logger.warning(
            "study %r: its %s were to be deleted by %s, and nobody has: it is done only now. Keep "
            "the app running, or run `labchat retain` every day",
            *(study, what, to_datetime(since).date().isoformat()),
        )
