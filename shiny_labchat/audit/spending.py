"""Totals of what bots' model calls cost in each study, kept so that no entry has to be read."""

from __future__ import annotations

from typing import NamedTuple

import sqlalchemy as sa

from shiny_labchat.store.schema import totals

__all__ = ["Spent", "spend", "spent"]


class Spent(NamedTuple):
    """
    The cost of a number of model calls.

    Parameters
    ----------
    calls
        Their number, including those that failed or are under way.
    tokens_in, tokens_out
        The tokens used, as far as known; `tokens_in` includes cached tokens.
    cost
        In US dollars, as far as prices are known.
    unpriced
        Calls that used tokens whose price is not known.
    """

    calls: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    cost: float = 0.0
    unpriced: int = 0


def spent(conn: sa.Connection, study: str, bot: str | None = None) -> Spent:
    """The total that a bot (None: all bots) has spent in a study."""
    found = sa.select(*(totals.c[name] for name in Spent._fields)).where(totals.c.study == study)
    if bot is not None:
        found = found.where(totals.c.bot == bot)
    return Spent(*map(sum, zip(Spent(), *conn.execute(found), strict=True)))


def spend(conn: sa.Connection, study: str, bot: str, more: Spent) -> None:
    """Add calls to the total of a bot in a study."""
    news = {name: totals.c[name] + value for name, value in more._asdict().items()}
    same = totals.c.study == study, totals.c.bot == bot
    if conn.execute(sa.update(totals).where(*same).values(**news)).rowcount == 0:
        conn.execute(sa.insert(totals).values(study=study, bot=bot, **more._asdict()))
