"""What is to be done at moments of a room's time: an index, and what the audit says of it."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"

OF_TRIGGERS = sa.text("kind = 'triggered'")


def upgrade() -> None:
    op.add_column("audit", sa.Column("trigger", sa.Text))
    op.add_column("callback", sa.Column("registered", sa.BigInteger))
    op.create_index(
        "event_triggers",
        "event",
        ["room", "seq"],
        sqlite_where=OF_TRIGGERS,
        postgresql_where=OF_TRIGGERS,
    )
