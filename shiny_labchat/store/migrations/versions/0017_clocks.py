"""Waiting for a start, and warnings of the end, make state; an index finds clocks that run."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"

MAKE_STATE = sa.text(
    "kind IN ('changed','cleared','closed','configured','disclosed','done','extended','grouped',"
    "'joined','opened','paused','prepared','removed','resumed','shown','started','waiting','warned')"
)
OF_CLOCK = sa.text("kind IN ('closed','started','waiting')")


def upgrade() -> None:
    op.drop_index("event_state", "event")
    op.create_index(
        "event_state",
        "event",
        ["room", "seq"],
        sqlite_where=MAKE_STATE,
        postgresql_where=MAKE_STATE,
    )
    op.create_index(
        "event_clock",
        "event",
        ["room", "kind", "seq"],
        sqlite_where=OF_CLOCK,
        postgresql_where=OF_CLOCK,
    )
