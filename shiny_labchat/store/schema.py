"""The tables of a lab's database; each comes after those that it refers to."""

from __future__ import annotations

import sqlalchemy as sa

__all__ = [
    "LAST_COUNTS",
    "MAKES_STATE",
    "OF_CLOCK",
    "OF_STEPS",
    "OF_TRIGGERS",
    "TEXT",
    "anonymous_id",
    "arrival",
    "audit",
    "boot",
    "callback",
    "callback_room",
    "checkpoint",
    "composing",
    "event",
    "metadata",
    "open_stream",
    "room",
    "seen",
    "study_name",
    "token",
    "totals",
]

metadata = sa.MetaData()

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
"""Text in the order of its characters' codes, as SQLite has it, whatever a server is set to."""

# One row for each log: those of rooms, and by `kind` those of studies and of lobbies.
room = sa.Table(
    "room",
    metadata,
    sa.Column("key", sa.Integer, primary_key=True),
    sa.Column("study", TEXT, nullable=False),
    sa.Column("id", TEXT, nullable=False),
    sa.Column("kind", TEXT, nullable=False, server_default="room"),
    sa.Column("seq", sa.BigInteger, nullable=False),
    sa.Column("touched", sa.BigInteger, nullable=False, server_default="0"),
    sa.UniqueConstraint("study", "kind", "id", name="room_study_kind_id"),
)

# Whenever a room's head moves, a trigger sets `touched` to a number above that of all other rooms.
sa.Index("room_touched", room.c.touched)

event = sa.Table(
    "event",
    metadata,
    sa.Column("room", sa.Integer, sa.ForeignKey("room.key"), primary_key=True),
    sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("kind", TEXT, nullable=False),
    sa.Column("member", TEXT),
    sa.Column("data", TEXT, nullable=False),
    sa.Column("author", TEXT, nullable=False),
    sa.Column("cid", TEXT),
    sqlite_with_rowid=False,
)

# The author is the member, or "" for the programme: NULLs would all count as different.
sa.Index(
    "event_cid",
    event.c.room,
    event.c.author,
    event.c.cid,
    unique=True,
    sqlite_where=event.c.cid.is_not(None),
    postgresql_where=event.c.cid.is_not(None),
)

MAKES_STATE = sa.text(
    "kind IN ('changed','cleared','closed','configured','connected','disclosed','disconnected',"
    "'done','extended','grouped','joined','opened','paused','prepared','removed','resumed',"
    "'shown','started','waiting','warned')"
)
"""Whether an event counts in the fold of a room, but for messages and what becomes of them."""

sa.Index(
    "event_state",
    event.c.room,
    event.c.seq,
    sqlite_where=MAKES_STATE,
    postgresql_where=MAKES_STATE,
)

OF_CLOCK = sa.text("kind IN ('closed','started','waiting')")
"""Whether an event tells whether the time of a room's people runs, or is awaited."""

sa.Index(
    "event_clock",
    event.c.room,
    event.c.kind,
    event.c.seq,
    sqlite_where=OF_CLOCK,
    postgresql_where=OF_CLOCK,
)

LAST_COUNTS = sa.text(
    "kind IN ('hours','presence','presence_asked','presence_confirmed','presence_unanswered',"
    "'turn')"
)
"""Whether an event is of a kind of which only the last of each member counts in a room's fold."""

sa.Index(
    "event_presence",
    event.c.room,
    event.c.kind,
    event.c.seq,
    event.c.member,
    sqlite_where=LAST_COUNTS,
    postgresql_where=LAST_COUNTS,
)

OF_STEPS = sa.text("kind IN ('grouped','barrier_met','closed','left','ended')")
"""Whether an event says how far a group has come, or somebody in a lobby: functions await it."""

sa.Index(
    "event_steps",
    event.c.room,
    event.c.kind,
    event.c.seq,
    sqlite_where=OF_STEPS,
    postgresql_where=OF_STEPS,
)

OF_TRIGGERS = sa.text("kind = 'triggered'")
"""Whether an event says that something is to be done, as a moment of the room's time has come."""

sa.Index(
    "event_triggers",
    event.c.room,
    event.c.seq,
    sqlite_where=OF_TRIGGERS,
    postgresql_where=OF_TRIGGERS,
)

token = sa.Table(
    "token",
    metadata,
    sa.Column("hash", TEXT, primary_key=True),
    sa.Column("kind", TEXT, nullable=False),
    sa.Column("study", TEXT),
    sa.Column("room", TEXT),
    sa.Column("member", TEXT, nullable=False),
    sa.Column("role", TEXT),
    sa.Column("page", TEXT),
    sa.Column("expires", sa.BigInteger),
    sa.Column("used", sa.BigInteger),
    sa.Column("data", TEXT),
)

sa.Index("token_expires", token.c.expires)

# A person of a study, with what their recruiter said of them; nothing of this is in any log.
arrival = sa.Table(
    "arrival",
    metadata,
    sa.Column("study", TEXT, primary_key=True),
    sa.Column("person", TEXT, primary_key=True),
    sa.Column("params", TEXT),
    sa.Column("key", TEXT),
    sa.Column("who", TEXT),
    sa.Column("generation", sa.BigInteger, nullable=False),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("delete_after", sa.BigInteger),
)

sa.Index("arrival_key", arrival.c.study, arrival.c.key, unique=True)
sa.Index("arrival_who", arrival.c.study, arrival.c.who)
sa.Index("arrival_delete_after", arrival.c.delete_after)

open_stream = sa.Table(
    "open_stream",
    metadata,
    sa.Column("room", sa.Integer, sa.ForeignKey("room.key"), primary_key=True),
    sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("until", sa.BigInteger, nullable=False),
    sa.Column("first", sa.BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

# In the order of their commits, whatever their streams: the rows of one commit are in one page.
checkpoint = sa.Table(
    "checkpoint",
    metadata,
    sa.Column("key", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
    sa.Column("room", sa.Integer, sa.ForeignKey("room.key"), nullable=False),
    sa.Column("seq", sa.BigInteger, nullable=False),
    sa.Column("data", TEXT, nullable=False),
)

# The registered callbacks, their scopes, and the newest room at the time of registration. Each
# moment at which one is called is registered, too, and when that was.
callback = sa.Table(
    "callback",
    metadata,
    sa.Column("name", TEXT, primary_key=True),
    sa.Column("scope", TEXT, primary_key=True),
    sa.Column("since", sa.Integer, nullable=False),
    sa.Column("registered", sa.BigInteger),
)

callback_room = sa.Table(
    "callback_room",
    metadata,
    sa.Column("callback", TEXT, primary_key=True),
    sa.Column("room", sa.Integer, sa.ForeignKey("room.key"), primary_key=True),
    sa.Column("done", sa.BigInteger, nullable=False),
    sa.Column("begun", sa.BigInteger),
    sa.Column("tries", sa.Integer, nullable=False),
    sa.Column("owner", TEXT),
    sa.Column("until", sa.BigInteger),
    sqlite_with_rowid=False,
)

audit = sa.Table(
    "audit",
    metadata,
    sa.Column("key", sa.Integer, primary_key=True),
    sa.Column("room", sa.Integer, sa.ForeignKey("room.key"), nullable=False),
    sa.Column("bot", TEXT, nullable=False),
    sa.Column("seq", sa.BigInteger, nullable=False),
    sa.Column("knew", sa.BigInteger, nullable=False),
    sa.Column("outcome", TEXT, nullable=False),
    sa.Column("reason", TEXT),
    sa.Column("is_call", sa.Boolean, nullable=False),
    sa.Column("is_fallback", sa.Boolean, nullable=False),
    sa.Column("prompt", TEXT),
    sa.Column("base", sa.BigInteger),
    sa.Column("kept", sa.BigInteger),
    sa.Column("within", sa.BigInteger),
    sa.Column("provider", TEXT),
    sa.Column("model", TEXT),
    sa.Column("parameters", TEXT),
    sa.Column("seed", sa.BigInteger),
    sa.Column("reply", TEXT),
    sa.Column("tokens_in", sa.BigInteger),
    sa.Column("tokens_out", sa.BigInteger),
    sa.Column("tokens_cached", sa.BigInteger),
    sa.Column("cost", sa.Float),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("asked", sa.BigInteger),
    sa.Column("first", sa.BigInteger),
    sa.Column("done", sa.BigInteger),
    sa.Column("posted", sa.BigInteger),
    sa.Column("became", sa.BigInteger),
    sa.Column("trigger", TEXT),
)

sa.Index("audit_about", audit.c.room, audit.c.bot, audit.c.seq)
sa.Index("audit_outcome", audit.c.room, audit.c.bot, audit.c.outcome, audit.c.knew)

# Which call a message of a bot comes from.
sa.Index("audit_became", audit.c.room, audit.c.became)

composing = sa.Table(
    "composing",
    metadata,
    sa.Column("room", sa.Integer, sa.ForeignKey("room.key"), primary_key=True),
    sa.Column("bot", TEXT, primary_key=True),
    sa.Column("place", sa.BigInteger, nullable=False),
    sa.Column("since", sa.BigInteger, nullable=False),
)

totals = sa.Table(
    "spent",
    metadata,
    sa.Column("study", TEXT, primary_key=True),
    sa.Column("bot", TEXT, primary_key=True),
    sa.Column("calls", sa.BigInteger, nullable=False),
    sa.Column("tokens_in", sa.BigInteger, nullable=False),
    sa.Column("tokens_out", sa.BigInteger, nullable=False),
    sa.Column("cost", sa.Float, nullable=False),
    sa.Column("unpriced", sa.BigInteger, nullable=False),
)

# One row: the last start of the machine on which the database was written, see `leases`.
boot = sa.Table(
    "boot",
    metadata,
    sa.Column("id", TEXT, primary_key=True),
    sa.Column("began", sa.BigInteger, nullable=False),
)

# When the pages of a person have last said that they are there, by the time of leases.
seen = sa.Table(
    "seen",
    metadata,
    sa.Column("study", TEXT, primary_key=True),
    sa.Column("person", TEXT, primary_key=True),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("visible", sa.BigInteger, nullable=False),
    sa.Column("active", sa.BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

study_name = sa.Table(
    "study_name",
    metadata,
    sa.Column("study", TEXT, primary_key=True),
    sa.Column("member", TEXT, primary_key=True),
    sa.Column("pseudonym", TEXT, nullable=False),
    sa.UniqueConstraint("study", "pseudonym", name="study_name_pseudonym"),
)

# What stands in anonymous exports in place of a member's id: drawn once, so that exports link.
anonymous_id = sa.Table(
    "anonymous_id",
    metadata,
    sa.Column("study", TEXT, primary_key=True),
    sa.Column("member", TEXT, primary_key=True),
    sa.Column("drawn", TEXT, nullable=False),
    sa.UniqueConstraint("study", "drawn", name="anonymous_id_drawn"),
    sqlite_with_rowid=False,
)
