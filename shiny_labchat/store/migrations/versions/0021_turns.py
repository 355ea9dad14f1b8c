"""Of turns to write, and of a room's hours, the last event counts, as of people's presence."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"

LAST_COUNTS = sa.text(
    "kind IN ('hours','presence','presence_asked','presence_confirmed','presence_unanswered',"
    "'turn')"
)


def upgrade() -> None:
    op.drop_index("event_presence", "event")
    op.create_index(
        "event_presence",
        "event",
        ["room", "kind", "seq", "member"],
        sqlite_where=LAST_COUNTS,
        postgresql_where=LAST_COUNTS,
    )
