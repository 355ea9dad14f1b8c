"""Rewriting what there is of somebody who withdraws, in the transaction that says so."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from shiny_labchat.domain.commands import SUBMITTED, Withdraw
from shiny_labchat.domain.ended import needs_params
from shiny_labchat.domain.events import Event
from shiny_labchat.domain.study import StudyState
from shiny_labchat.domain.withdrawal import (
    Renaming,
    rewritten,
    without_quotes_in,
)
from shiny_labchat.store.arrivals import keep_hash_only
from shiny_labchat.store.choosing import engine_of
from shiny_labchat.store.queries import rewritten_row
from shiny_labchat.store.reach import AT_ONCE, QUOTING, Found, Reach
from shiny_labchat.store.schema import (
    anonymous_id,
    arrival,
    audit,
    checkpoint,
    metadata,
    open_stream,
    seen,
    study_name,
    token,
)
from shiny_labchat.store.withdrawn_audit import OF_AUDIT, changes_of_entry

__all__ = ["forget_params", "rewrite", "with_found"]


def with_found(conn: sa.Connection, command: Withdraw, found: Found) -> Withdraw:
    """The command with what its rule has to know of the rows."""
    said = {found.keys[number]: sorted(own) for number, own in found.theirs.items() if own}
    streaming = {found.keys[n]: _open(conn, n, own) for n, own in found.theirs.items()}
    exports = [
        each.data["sha256"]
        for number, events in found.events.items()
        for each in events
        if found.keys[number].kind == "study" and each.kind == "exported"
        if command.person in each.data.get("people", ())
    ]
    held = {
        found.keys[number]: _held(events, command.person) for number, events in found.events.items()
    }
    heard = {
        key: known
        for number, key in found.keys.items()
        if key.kind == "room"
        and (known := _heard(found, number, quotes=command.quotes)) is not None
    }
    told = {"said": said, "streaming": streaming, "held": held, "heard": heard}
    return replace(command, **told, exports=tuple(exports))


def _heard(found: Found, number: int, *, quotes: bool) -> list[str] | None:
    """
    Those who are shown any message of a room that becomes another one.

    None: everybody may be, as one of them was not heard in a network.
    """
    changed = [*found.theirs.get(number, {}).values()]
    if quotes and (runs := found.runs):
        messages = (each for each in found.events[number] if each.kind in ("message", "streamed"))
        changed += [each for each in messages if without_quotes_in(each, runs) != each]
    if any("by_network" not in each.data for each in changed):
        return None
    return list(dict.fromkeys(id for each in changed for id in each.data["audience"]))


def _held(events: Sequence[Event], person: str) -> list[int]:
    """The messages of somebody that wait until the app has transformed them."""
    theirs = [each for each in events if each.member == person]
    settled = {each.cid for each in theirs if each.kind != "submitted"}
    sent = (each for each in theirs if each.kind == "submitted" and "again" not in each.data)
    return [each.seq for each in sent if f"{SUBMITTED}{each.seq}" not in settled]


def _open(conn: sa.Connection, number: int, own: Collection[int]) -> list[int]:
    """Those of somebody's messages that still grow."""
    growing = sa.select(open_stream.c.seq).where(open_stream.c.room == number)
    return [seq for seq in conn.execute(growing).scalars() if seq in own]


def rewrite(conn: sa.Connection, command: Withdraw, reach: Reach, found: Found, now: int) -> None:
    """Rewrite all rows in which there is something of somebody."""
    plain = Renaming(command.person, command.new)
    runs = found.runs if command.quotes else frozenset[str]()
    for number, events in found.events.items():
        theirs = found.theirs.get(number, {})
        renaming = plain._replace(bots=found.bots.get(number, frozenset()))
        rows: list[tuple[Any, ...]] = []
        for each in events:
            left = rewritten(each, renaming, theirs)
            if runs and each.member != command.person and each.kind in QUOTING:
                left = without_quotes_in(left, runs)
            if left != each:
                rows.append(rewritten_row(number, left))
        engine_of(conn).rewrite_events(conn, rows)
        _forget_checkpoints(conn, number, theirs)
    _rewrite_audit(conn, reach, found, plain, runs)
    _rewrite_tokens(conn, command, reach, now)
    of_study = arrival.c.study == command.study, arrival.c.person == command.person
    conn.execute(sa.update(arrival).where(*of_study).values(person=command.new))
    for table, column in ((study_name, study_name.c.member), (seen, seen.c.person)):
        gone = table.c.study == command.study, column == command.person
        conn.execute(sa.delete(table).where(*gone))
    for table in _NAMING:
        same = table.c.study == command.study, table.c.member == command.person
        conn.execute(sa.update(table).where(*same).values(member=command.new))
    shown = anonymous_id.c.study == command.study, anonymous_id.c.drawn == command.person
    conn.execute(sa.update(anonymous_id).where(*shown).values(drawn=command.new))  # it was imported


_NAMING = [
    table
    for table in metadata.sorted_tables
    if {"study", "member"} <= set(table.c.keys()) and table not in (token, study_name)
]
"""Further tables with ids of members."""


def _forget_checkpoints(conn: sa.Connection, number: int, theirs: Mapping[int, Event]) -> None:
    seqs = [seq for seq, each in theirs.items() if "live" in each.data]
    for start in range(0, len(seqs), AT_ONCE):
        some = seqs[start : start + AT_ONCE]
        for table in (open_stream, checkpoint):
            conn.execute(sa.delete(table).where(table.c.room == number, table.c.seq.in_(some)))


# ── the audit ──


def _rewrite_audit(
    conn: sa.Connection, reach: Reach, found: Found, renaming: Renaming, runs: Collection[str]
) -> None:
    """Rewrite the entries that the search has found, and look at those that came since."""
    for number, key in found.keys.items():
        if key.kind != "room":
            continue
        for row in _entries(conn, number, reach):
            changes = changes_of_entry(row, found.said[number], renaming, runs)
            if changes:
                this = audit.c.key == row["key"]
                conn.execute(sa.update(audit).where(this).values(**changes))


def _entries(conn: sa.Connection, number: int, reach: Reach) -> Iterator[dict[str, Any]]:
    """The entries of a room that the search has found, and all that came since."""
    rows = sa.select(*OF_AUDIT).where(audit.c.room == number)
    for start in range(0, len(reach.prompts), AT_ONCE):
        some = rows.where(audit.c.key.in_(reach.prompts[start : start + AT_ONCE]))
        yield from map(dict[str, Any], conn.execute(some).mappings().all())
    since = rows.where(audit.c.key > reach.prompts_upto)
    yield from map(dict[str, Any], conn.execute(since).mappings().all())


# ── who they are ──


def _rewrite_tokens(conn: sa.Connection, command: Withdraw, reach: Reach, now: int) -> None:
    """
    Let their browsers be known by the new id, so that they see their end, and cannot begin again.

    Their bookmarks are deleted, and their personal links revoked.
    """
    found = sa.select(token.c.hash, token.c.kind, token.c.data, token.c.used)
    studies = [token.c.study == command.study]
    if not reach.is_elsewhere:
        studies.append(token.c.study.is_(None))
    theirs = found.where(token.c.member == command.person, sa.or_(*studies))
    for hash, kind, data, used in conn.execute(theirs).all():
        this = token.c.hash == hash
        if kind == "seat":
            conn.execute(sa.delete(token).where(this))
            continue
        news: dict[str, Any] = {"member": command.new, "data": _without_name(data)}
        if kind == "invite" and used is None:
            news["used"] = now
        conn.execute(sa.update(token).where(this).values(**news))


def _without_name(data: str | None) -> str | None:
    known: dict[str, Any] = {} if data is None else json.loads(data)
    left = {key: value for key, value in known.items() if key not in ("pseudonym", "client")}
    return json.dumps(left) if left else None


def forget_params(conn: sa.Connection, study: str, state: StudyState, now: int) -> int:
    """
    Delete what recruiters said of those who have withdrawn, once nobody has to be paid by it.

    Returns
    -------
    int
        Of how many it was deleted.
    """
    known = sa.select(arrival.c.person).where(
        arrival.c.study == study, arrival.c.params.is_not(None)
    )
    gone = [
        person
        for person in conn.execute(known).scalars()
        if (each := state.people.get(person)) is not None
        if each.withdrawn is not None and not needs_params(state, each, now)
    ]
    for person in gone:
        keep_hash_only(conn, study, person)
    return len(gone)
