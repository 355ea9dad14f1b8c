"""What an entry of the audit has left when somebody withdraws."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import orjson

from shiny_labchat.domain.withdrawal import Renaming, is_random, without_quotes
from shiny_labchat.domain.withdrawn_prompts import Said, without_words_of
from shiny_labchat.store.schema import audit

__all__ = ["OF_AUDIT", "changes_of_entry"]

OF_AUDIT = (audit.c.key, audit.c.prompt, audit.c.reply, audit.c.reason, audit.c.parameters)
"""The columns that may have something of somebody."""


def changes_of_entry(
    row: Mapping[str, Any], said: Said, renaming: Renaming, runs: Collection[str]
) -> dict[str, str | None]:
    """
    The columns that change of an entry, with what is left in them.

    Parameters
    ----------
    row
        Its columns, those of `OF_AUDIT`.
    said
        What somebody has said in its room.
    renaming
        Their id, and the new one.
    runs
        The runs of characters by which quotations of them are known.
    """
    news: dict[str, str | None] = {}
    if row["prompt"] is not None:
        told = orjson.loads(row["prompt"])
        left = without_words_of(told, said, renaming)
        if left != told:
            news["prompt"] = orjson.dumps(left).decode()
    if row["reason"] is not None and any(text in row["reason"] for text in said.long):
        news["reason"] = ""
    if row["reply"] is not None and runs:
        news["reply"] = without_quotes(row["reply"], runs)
    if is_random(renaming.old):
        for name in ("prompt", "reply", "reason", "parameters"):
            if (text := news.get(name, row[name])) is not None:
                news[name] = renaming.of(text)
    return {name: value for name, value in news.items() if value != row[name]}
