"""An index of the events that say how far groups have come, and people in lobbies."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"

OF_STEPS = sa.text("kind IN ('grouped','barrier_met','closed','left','ended')")


def upgrade() -> None:
    op.create_index(
        "event_steps",
        "event",
        ["room", "kind", "seq"],
        sqlite_where=OF_STEPS,
        postgresql_where=OF_STEPS,
    )
