"""
Logs are of rooms, of studies or of lobbies, whose ids do not meet; and more events make state.

The table is made anew, as SQLite cannot change its constraint. Whoever upgrades has switched off
the checks of foreign keys, so that the rows that refer to it stay; it keeps its name.
"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"

COLUMNS = "key, study, id, seq, touched"
MOVED = """
CREATE TRIGGER room_moved AFTER UPDATE OF seq ON room WHEN NEW.seq <> OLD.seq
BEGIN
    UPDATE room SET touched = (SELECT max(touched) FROM room) + 1 WHERE key = NEW.key;
END
"""
MAKE_STATE = (
    "kind IN ('changed','cleared','closed','configured','disclosed','done','extended','grouped',"
    "'joined','opened','paused','removed','resumed','shown','started')"
)


def upgrade() -> None:
    op.create_table(
        "new_room",
        sa.Column("key", sa.Integer, primary_key=True),
        sa.Column("study", sa.Text, nullable=False),
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False, server_default="room"),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.Column("touched", sa.BigInteger, nullable=False, server_default="0"),
        sa.UniqueConstraint("study", "kind", "id", name="room_study_kind_id"),
    )
    op.execute(f"INSERT INTO new_room ({COLUMNS}) SELECT {COLUMNS} FROM room")
    op.drop_table("room")
    op.rename_table("new_room", "room")
    op.create_index("room_touched", "room", ["touched"])
    op.execute(MOVED)
    op.drop_index("event_state", "event")
    op.create_index(
        "event_state",
        "event",
        ["room", "seq"],
        sqlite_where=sa.text(MAKE_STATE),
        postgresql_where=sa.text(MAKE_STATE),
    )
