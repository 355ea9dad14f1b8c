"""The rows of bots' calls, with whole prompts, made of the audit's differences."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from shiny_labchat.audit.prompts import joined
from shiny_labchat.export.disguise import Disguise
from shiny_labchat.export.source import Source
from shiny_labchat.export.tables import Rows
from shiny_labchat.store.exporting import AuditRow, audit_rows

__all__ = ["CallRows"]

AT_ONCE = 20
"""Entries that are read together: prompts may be long."""
KEPT = 32
"""Whole prompts that are kept, of which the next ones are continuations."""

_Prompt = Sequence[Mapping[str, Any]]


class CallRows:
    """
    Makes the rows of the calls in one room.

    Parameters
    ----------
    source
        The database.
    study, room
        The study, and the room's id as it is shown.
    disguise
        What is shown of people.
    hides_prompts
        Whether prompts, and so replies and errors, may have words of people who do not share
        theirs.
    since, upto
        Entries that were written before or after are left out, in microseconds since 1970 (UTC).
    """

    def __init__(
        self, source: Source, study: str, room: str, disguise: Disguise, *,
        hides_prompts: bool, since: int, upto: int,
    ) -> None:  # fmt: skip
        self._source = source
        self._head = study, room
        self._disguise = disguise
        self._hides_prompts = hides_prompts
        self._since = since
        self._upto = upto
        self._prompts: OrderedDict[int, _Prompt] = OrderedDict()

    def write(self, keys: Sequence[int], rows: Rows) -> None:
        """Give the rows of some entries, by their keys in the audit."""
        for start in range(0, len(keys), AT_ONCE):
            some = keys[start : start + AT_ONCE]
            entries = self._source.read(lambda conn, some=some: audit_rows(conn, some))
            rows.extend([self._row(each) for each in entries if self._is_wanted(each)])
            rows.flush()

    def _is_wanted(self, entry: AuditRow) -> bool:
        return self._since <= entry["at"] and entry["seq"] <= self._upto

    def _row(self, entry: AuditRow) -> tuple[Any, ...]:
        prompt = None if self._hides_prompts else self._prompt(entry)
        disguise = self._disguise
        reason, reply = (disguise.value(entry[name]) for name in ("reason", "reply"))
        if self._hides_prompts:
            reply = None
            reason = None if entry["outcome"] == "failed" else reason
        return (
            *self._head, entry["key"], disguise.member(entry["bot"]), entry["seq"],
            entry["knew"], entry["outcome"], reason,
            bool(entry["is_call"]), bool(entry["is_fallback"]),
            entry["provider"], entry["model"], disguise.json(entry["parameters"]), entry["seed"],
            None if prompt is None else disguise.text_of(prompt),
            reply, *(entry[name] for name in ("tokens_in", "tokens_out", "tokens_cached")),
            *(entry[name] for name in ("cost", "at", "asked", "first", "done", "posted", "became")),
            entry["trigger"],
        )  # fmt: skip

    def _prompt(self, entry: AuditRow) -> _Prompt | None:
        """The whole prompt of an entry; those of which it is a continuation are read if need be."""
        if entry["prompt"] is None:
            return None
        chain = [entry]
        while (base := chain[-1]["base"]) is not None and base not in self._prompts:
            found = self._source.read(lambda conn, base=base: audit_rows(conn, [base]))
            if not found or found[0]["prompt"] is None:
                break
            chain += found
        for each in reversed(chain):
            self._keep(each["key"], self._joined(each))
        return self._prompts[entry["key"]]

    def _joined(self, entry: AuditRow) -> _Prompt:
        new: _Prompt = orjson.loads(entry["prompt"])
        base = self._prompts.get(entry["base"]) if entry["base"] is not None else None
        return new if base is None else joined(base, entry["kept"], entry["within"], new)

    def _keep(self, key: int, prompt: _Prompt) -> None:
        self._prompts[key] = prompt
        self._prompts.move_to_end(key)
        while len(self._prompts) > KEPT:
            self._prompts.popitem(last=False)
