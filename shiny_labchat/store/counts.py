"""How much people have sent in a room, read from its log, where a rule asks for that."""

from __future__ import annotations

import orjson
import sqlalchemy as sa

from shiny_labchat.domain.counts import counted, with_one_more
from shiny_labchat.domain.events import Event
from shiny_labchat.domain.state import RoomState
from shiny_labchat.store.schema import event

__all__ = ["with_counts"]


def with_counts(conn: sa.Connection, number: int, state: RoomState) -> RoomState:
    """The state of a room with what people have sent, as folding their messages would give."""
    memberships = state.memberships
    wanted = {"room": number, "after": state.counts_from, "upto": state.seq}
    for member, said, last in conn.execute(_SAID, wanted):
        if (known := memberships.get(member)) is not None and not known.is_bot:
            memberships = memberships.changed(member, known._replace(said=said, last_said=last))
    state = _with_bots(conn, number, state._replace(memberships=memberships))
    return _with_characters(conn, number, state) if state.characters_from else state


def _with_bots(conn: sa.Connection, number: int, state: RoomState) -> RoomState:
    """The state with what bots have sent: of these no page is on record."""
    bots = [member for member in state.special if state.memberships[member].is_bot]
    if not bots:
        return state
    wanted = {"room": number, "after": state.counts_from, "upto": state.seq, "bots": bots}
    for row in conn.execute(_BY_BOTS, wanted):
        message = Event(*row[:4], orjson.loads(row[4]))
        state = _with_message(state, message, characters=message.seq > state.characters_from > 0)
    return state


def _with_characters(conn: sa.Connection, number: int, state: RoomState) -> RoomState:
    """The state with how many characters there are in people's messages."""
    memberships = state.memberships.draft()
    wanted = {"room": number, "after": state.characters_from, "upto": state.seq}
    for row in conn.execute(_BY_PEOPLE, wanted):
        message = Event(*row[:4], orjson.loads(row[4]))
        known = memberships.get(message.member or "")
        if known is not None and not known.is_bot:
            more = with_one_more(known, message, characters=True).characters
            memberships.changed(known.member, known._replace(characters=more))
    return state._replace(memberships=memberships.done())


def _with_message(state: RoomState, message: Event, *, characters: bool) -> RoomState:
    known = state.memberships[message.member or ""]
    if not counted(known, message):
        return state
    more = with_one_more(known, message, characters=characters)
    return state._replace(memberships=state.memberships.changed(known.member, more))


_IS_MESSAGE = (
    event.c.room == sa.bindparam("room"),
    event.c.seq > sa.bindparam("after"),
    event.c.seq <= sa.bindparam("upto"),
    event.c.kind == "message",
)
# Of what people write themselves, the page is on record; a text that has these words is escaped.
_HAS_PAGE = event.c.data.like('%"page":%')
_SAID = (
    sa.select(event.c.member, sa.func.count(), sa.func.max(event.c.at))
    .where(*_IS_MESSAGE, _HAS_PAGE)
    .group_by(event.c.member)
)
_FIELDS = (event.c.seq, event.c.at, event.c.kind, event.c.member, event.c.data)
_BY_PEOPLE = sa.select(*_FIELDS).where(*_IS_MESSAGE, _HAS_PAGE)
_BY_BOTS = (
    sa.select(*_FIELDS)
    .where(*_IS_MESSAGE, event.c.member.in_(sa.bindparam("bots", expanding=True)))
    .order_by(event.c.seq)
)
