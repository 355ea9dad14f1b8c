"""
The audit: each call of a bot to its model, and each decision to say nothing.

Only programs read it: nothing of it is ever sent to a browser.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, NamedTuple

import orjson
import sqlalchemy as sa

from shiny_labchat.audit.prompts import Prompt, joined
from shiny_labchat.audit.spending import Spent, spend
from shiny_labchat.audit.withdrawn import fields_unless_withdrawn, prompt_unless_withdrawn
from shiny_labchat.domain.events import Event, LogKey
from shiny_labchat.domain.messages import Message, to_datetime
from shiny_labchat.store.queries import ends_of, find_cid, room_number, whole_at
from shiny_labchat.store.schema import audit, room

__all__ = [
    "AuditEntry",
    "Begun",
    "Outcome",
    "Past",
    "add",
    "begun",
    "past",
    "settle",
    "shadows",
    "take_up",
    "written",
]

Outcome = Literal[
    "open",
    "posted",
    "shadow",
    "silent",
    "covered",
    "dropped",
    "redrafted",
    "failed",
    "stopped",
    "interrupted",
    "tool",
]


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """
    One call of a bot's model or function, or one decision of a bot to say nothing.

    Each request to a model has its own entry, written before the request is made. This includes
    each retry after a failure, and each further request of a reply that uses tools.

    Parameters
    ----------
    study, room
        The study, and the room's id in it.
    bot
        The bot's member id.
    seq
        The message that the bot reacted to; if `trigger` is a moment's or "ask", the event of the
        room's log that has set this off.
    knew
        The newest event of the room that the bot knew of.
    outcome
        "posted"; "shadow" (it would have been, see ``Bot(shadow=)``); "silent" (the bot decided to
        say nothing, see `reason`); "covered" (another message of the bot answers this one too: the
        bot knew this one when it wrote that); "redrafted" (others wrote meanwhile, so the bot made
        a new draft); "dropped" (the reply was discarded, see `reason`); "failed"; "stopped"
        (somebody stopped the reply while it was shown); "tool" (the call ended in calls of tools;
        as a rule another call followed); "interrupted" (its server ended, or was believed to have
        ended); "open" (not over yet).
    at
        When the entry was written: aware, UTC, like all times here.
    reason
        Of "silent": "when", "model", "talk went on", "cleared", "max_messages", "max_share",
        "max_in_a_row", "budget", "study_budget", or the code of a refusal such as "closed". Of
        "dropped": such a code, "talk went on", or "said already" (by another server). Of
        "failed": the error; where no call was made, `when` or the making of the client failed.
    is_call
        Whether a model was called: a :class:`Budget` counts these.
    is_fallback
        Whether the bot's fallback was called.
    prompt
        The whole prompt: chatlas' turns as JSON values, the system prompt first. For a `respond`
        function, the messages.
    provider, model, parameters, seed
        The model and its settings, among them the address of its server (`base_url`), if it is
        known; no keys. For a function: "respond" and the function's name.
    reply
        The reply of this call, unchanged.
    tokens_in, tokens_out, tokens_cached
        The tokens used, as reported by the provider. `tokens_in` does not include cached tokens,
        which are in `tokens_cached`. None: not known, as for all calls that did not end well.
    cost
        In US dollars. None: not known, because the call did not end well or the price is unknown.
    asked, first, done, posted
        When the model was asked, when the first piece of its reply came, when the reply was
        complete (or no more came), and when the message was in the log.
    became
        The seq of the message that the reply became. Also of an incomplete one: what was shown of
        a call that was "stopped", "failed" or "interrupted" stays in the room.
    trigger
        The condition of the bot's `when` that was met: "message", "mention", "model", "every 3",
        "silence 20", "chance 0.3", "unequal" or the name of a function; or the moment, as "at 120"
        and "before_close 60"; or "ask" (:meth:`Room.ask`). None: none was.
    """

    study: str
    room: str
    bot: str
    seq: int
    knew: int
    outcome: Outcome
    at: datetime
    reason: str | None = None
    is_call: bool = False
    is_fallback: bool = False
    prompt: Sequence[Mapping[str, Any]] | None = None
    provider: str | None = None
    model: str | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict[str, Any])
    seed: int | None = None
    reply: str | None = None
    tokens_in: int | None = None
    tokens_out: int | None = None
    tokens_cached: int | None = None
    cost: float | None = None
    asked: datetime | None = None
    first: datetime | None = None
    done: datetime | None = None
    posted: datetime | None = None
    became: int | None = None
    trigger: str | None = None


# ── writing ──────────────────────────────────────────────────────────────────────────────────


def add(
    conn: sa.Connection,
    now: int,
    where: LogKey,
    bot: str,
    prompt: Prompt | None = None,
    **fields: Any,
) -> int:
    """
    Write an entry; return its key.

    Parameters
    ----------
    now
        Microseconds since 1970 (UTC).
    where, bot
        The room and the bot.
    prompt
        The prompt of the call.
    **fields
        Other columns of the table; `parameters` as a mapping, not as JSON.
    """
    number = room_number(conn, where)
    row = {"is_call": False, "is_fallback": False, **_columns(fields)}
    if prompt is not None:
        told = prompt_unless_withdrawn(conn, number, prompt, row["knew"])
        row |= _told(conn, number, bot, told)
    row = fields_unless_withdrawn(conn, number, row, row["knew"])
    if row["is_call"] and not row["is_fallback"]:
        spend(conn, where.study, bot, Spent(calls=1))
    made = conn.execute(sa.insert(audit).values(room=number, bot=bot, at=now, **row))
    assert made.inserted_primary_key is not None
    return made.inserted_primary_key[0]


def _told(conn: sa.Connection, number: int, bot: str, prompt: Prompt) -> dict[str, Any]:
    if prompt.base is not None:
        key, at = prompt.base
        same = audit.c.key == key, audit.c.at == at, audit.c.room == number, audit.c.bot == bot
        if conn.execute(sa.select(audit.c.key).where(*same)).first() is None:
            prompt = Prompt(prompt.whole)  # it was deleted, or this is another database
    base = prompt.base and prompt.base.entry
    # A message is a dictionary of two of its fields; the record has all of them.
    new = [each.as_dict() if isinstance(each, Message) else each for each in prompt.new]
    text = orjson.dumps(new).decode()
    return {"prompt": text, "base": base, "kept": prompt.kept, "within": prompt.within}


def settle(conn: sa.Connection, key: int, **fields: Any) -> None:
    """
    Update an entry with its outcome.

    Give the tokens used only once per entry: they are added to what was spent.

    An entry that is "interrupted" or "failed" keeps this outcome: after an interruption another
    server has continued. Only if `became` is given is it replaced: then the message is in the room.
    """
    made = sa.select(audit.c.room, audit.c.knew).where(audit.c.key == key)
    if (found := conn.execute(made).first()) is not None:
        fields = fields_unless_withdrawn(conn, found.room, fields, found.knew)
    if "tokens_in" in fields:
        _bill(conn, key, fields)
    if "became" not in fields:
        for name in {"outcome", "reason"} & fields.keys():
            is_lost = audit.c.outcome.in_(("interrupted", "failed"))
            fields[name] = sa.case((is_lost, audit.c[name]), else_=fields[name])
    conn.execute(sa.update(audit).where(audit.c.key == key).values(**_columns(fields)))


def _bill(conn: sa.Connection, key: int, used: Mapping[str, Any]) -> None:
    found = sa.select(room.c.study, audit.c.bot, audit.c.is_call, audit.c.is_fallback)
    found = found.select_from(audit.join(room)).where(audit.c.key == key)
    study, bot, is_call, is_fallback = conn.execute(found).one()
    if is_call and not is_fallback and used["tokens_in"] is not None:
        tokens_in, tokens_out = used["tokens_in"] + (used["tokens_cached"] or 0), used["tokens_out"]
        cost = used["cost"]
        more = Spent(0, tokens_in, tokens_out or 0, cost or 0.0, int(cost is None))
        spend(conn, study, bot, more)


def _columns(fields: Mapping[str, Any]) -> dict[str, Any]:
    if fields.get("parameters") is None:
        return dict(fields)
    # A client may have parameters that are not JSON, such as an object of its library.
    parameters = orjson.dumps(fields["parameters"], default=repr, option=orjson.OPT_NON_STR_KEYS)
    return {**fields, "parameters": parameters.decode()}


class Begun(NamedTuple):
    """
    The state of a message when a bot begins to react to it.

    Parameters
    ----------
    is_over
        Whether the bot has already reacted to it, or decided not to.
    known
        The newest event that the bot knew of when it wrote its posted messages; 0: none.
    seq, at
        When the message was complete: the seq of that event, and in microseconds since 1970 (UTC).
    """

    is_over: bool
    known: int
    seq: int
    at: int


def take_up(conn: sa.Connection, where: LogKey, bot: str, seq: int, cid: str) -> Begun:
    """
    Begin to react to a message; close the entries that an ended server left "open".

    Parameters
    ----------
    where, bot, seq
        The room, the bot, and the message.
    cid
        The id that the bot's reply has in the log.
    """
    number = room_number(conn, where)
    still = sa.update(audit).where(*_of(number, bot), audit.c.outcome == "open")
    said = find_cid(conn, number, bot, cid)
    if said is not None:
        outcome = "posted" if _is_done(conn, number, said) else "interrupted"
        news = {"outcome": outcome, "posted": said.at, "became": said.seq}
        if conn.execute(still.where(audit.c.seq == seq).values(**news)).rowcount == 0:
            _note(conn, number, bot, seq, said)
    conn.execute(still.values(outcome="interrupted"))
    begun = _begun(conn, number, bot, seq)
    return begun._replace(is_over=begun.is_over or said is not None)


def begun(conn: sa.Connection, where: LogKey, bot: str, seq: int, cid: str) -> Begun | None:
    """As `take_up`, where an ended server has left nothing to be put in order; else None."""
    number = room_number(conn, where)
    if _has_open(conn, number, bot) or find_cid(conn, number, bot, cid) is not None:
        return None
    return _begun(conn, number, bot, seq)


def _begun(conn: sa.Connection, number: int, bot: str, seq: int) -> Begun:
    decided = sa.select(audit.c.key).where(
        *_of(number, bot), audit.c.seq == seq, audit.c.outcome.in_(_DECIDED)
    )
    is_over = conn.execute(decided.limit(1)).first() is not None
    whole = whole_at(conn, number, seq)
    return Begun(is_over, _known(conn, number, bot), whole.seq, whole.at)


def _has_open(conn: sa.Connection, number: int, bot: str) -> bool:
    still = sa.select(audit.c.key).where(*_of(number, bot), audit.c.outcome == "open").limit(1)
    return conn.execute(still).first() is not None


class Past(NamedTuple):
    """
    What is on record of a bot in a room.

    Parameters
    ----------
    known
        As in `Begun`.
    begun
        The messages, of those asked for, that it has begun to react to.
    is_open
        Whether an ended server has left an entry "open".
    """

    known: int
    begun: frozenset[int]
    is_open: bool


def past(conn: sa.Connection, where: LogKey, bot: str, cids: Mapping[int, str]) -> Past:
    """
    Read what is on record of a bot, and of some messages.

    Parameters
    ----------
    where, bot
        The room and the bot.
    cids
        By the seqs of these messages, the ids that the bot's replies have in the log.
    """
    number = room_number(conn, where)
    noted = sa.select(audit.c.seq).where(*_of(number, bot), audit.c.seq.in_(list(cids)))
    said = {seq for seq, cid in cids.items() if find_cid(conn, number, bot, cid) is not None}
    known = said.union(conn.execute(noted).scalars())
    return Past(_known(conn, number, bot), frozenset(known), _has_open(conn, number, bot))


_DECIDED = ("posted", "shadow", "silent", "covered", "dropped")


def _note(conn: sa.Connection, number: int, bot: str, seq: int, said: Event) -> None:
    """Note which call became a message, if its server ended before it could note that."""
    about = (*_of(number, bot), audit.c.seq == seq)
    known = sa.select(audit.c.key).where(*about, audit.c.became == said.seq)
    if conn.execute(known).first() is None:
        newest = sa.select(sa.func.max(audit.c.key)).where(*about).scalar_subquery()
        news = {"posted": said.at, "became": said.seq}
        conn.execute(sa.update(audit).where(audit.c.key == newest).values(**news))


def _is_done(conn: sa.Connection, number: int, said: Event) -> bool:
    """Whether a message is complete: not a stream that was cut off."""
    if "live" not in said.data:
        return True
    return any(end.data["is"] == "done" for end in ends_of(conn, number, said.seq))


def _known(conn: sa.Connection, number: int, bot: str) -> int:
    posted = sa.select(sa.func.max(audit.c.knew)).where(
        *_of(number, bot), audit.c.outcome.in_(("posted", "shadow"))
    )
    return conn.execute(posted).scalar() or 0


def shadows(conn: sa.Connection, where: LogKey, bot: str) -> list[int]:
    """When a bot that says nothing would have written, in microseconds since 1970 (UTC)."""
    found = sa.select(sa.func.coalesce(audit.c.done, audit.c.at)).where(
        *_of(room_number(conn, where), bot), audit.c.outcome == "shadow"
    )
    return list(conn.execute(found.order_by(audit.c.key)).scalars())


# ── reading ──────────────────────────────────────────────────────────────────────────────────


def written(
    conn: sa.Connection, study: str | None = None, room_id: str | None = None
) -> list[AuditEntry]:
    """All entries of a room, a study, or the database, in the order in which they were begun."""
    found = sa.select(room.c.study, room.c.id, audit).select_from(audit.join(room))
    if study is not None:
        found = found.where(room.c.study == study)
    if room_id is not None:
        found = found.where(room.c.id == room_id)
    entries: list[AuditEntry] = []
    prompts: dict[int, Sequence[Mapping[str, Any]]] = {}
    for row in conn.execute(found.order_by(audit.c.key)).mappings():
        prompt = _prompt(row, prompts)
        if prompt is not None:
            prompts[row[audit.c.key]] = prompt
        entries.append(_entry(row, prompt))
    return entries


def _prompt(
    row: Mapping[Any, Any], before: Mapping[int, Sequence[Mapping[str, Any]]]
) -> Sequence[Mapping[str, Any]] | None:
    if row[audit.c.prompt] is None:
        return None
    new = orjson.loads(row[audit.c.prompt])
    if row[audit.c.base] is None:
        return new
    return joined(before[row[audit.c.base]], row[audit.c.kept], row[audit.c.within], new)


def _entry(row: Mapping[Any, Any], prompt: Sequence[Mapping[str, Any]] | None) -> AuditEntry:
    values = {name: row[audit.c[name]] for name in audit.c.keys() if name not in _INNER}
    for name in ("at", "asked", "first", "done", "posted"):
        if values[name] is not None:
            values[name] = to_datetime(values[name])
    values["parameters"] = orjson.loads(values["parameters"] or "{}")
    return AuditEntry(study=row[room.c.study], room=row[room.c.id], prompt=prompt, **values)


_INNER = ("key", "room", "prompt", "base", "kept", "within")


def _of(number: int, bot: str) -> tuple[sa.ColumnElement[bool], ...]:
    return audit.c.room == number, audit.c.bot == bot
