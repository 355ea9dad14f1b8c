"""Changes of who hears whom in a room make state."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"

MAKE_STATE = sa.text(
    "kind IN ('changed','cleared','closed','configured','connected','disclosed','disconnected',"
    "'done','extended','grouped','joined','opened','paused','prepared','removed','resumed',"
    "'shown','started','waiting','warned')"
)


def upgrade() -> None:
    op.drop_index("event_state", "event")
    op.create_index(
        "event_state",
        "event",
        ["room", "seq"],
        sqlite_where=MAKE_STATE,
        postgresql_where=MAKE_STATE,
    )
