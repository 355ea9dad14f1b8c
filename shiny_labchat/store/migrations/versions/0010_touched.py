"""
The rooms whose heads have moved are found by a counter, and the state of a room by an index.

The counter is moved by a trigger, so that it also counts what a process of an older version writes
that had the database open before.
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"

MOVED = """
CREATE TRIGGER room_moved AFTER UPDATE OF seq ON room WHEN NEW.seq <> OLD.seq
BEGIN
    UPDATE room SET touched = (SELECT max(touched) FROM room) + 1 WHERE key = NEW.key;
END
"""
MAKE_STATE = (
    "kind IN ('changed','cleared','closed','configured','disclosed','joined','opened','removed')"
)


def upgrade() -> None:
    op.add_column("room", sa.Column("touched", sa.BigInteger, nullable=False, server_default="0"))
    op.create_index("room_touched", "room", ["touched"])
    op.execute(MOVED)
    op.create_index(
        "event_state",
        "event",
        ["room", "seq"],
        sqlite_where=sa.text(MAKE_STATE),
        postgresql_where=sa.text(MAKE_STATE),
    )
