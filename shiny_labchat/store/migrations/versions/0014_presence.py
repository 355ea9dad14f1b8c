"""When people were last heard, and an index of the events of presence."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"

OF_PRESENCE = sa.text(
    "kind IN ('presence','presence_asked','presence_confirmed','presence_unanswered')"
)


def upgrade() -> None:
    op.create_table(
        "seen",
        sa.Column("study", sa.Text, primary_key=True),
        sa.Column("person", sa.Text, primary_key=True),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("visible", sa.BigInteger, nullable=False),
        sa.Column("active", sa.BigInteger, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "event_presence",
        "event",
        ["room", "kind", "seq", "member"],
        sqlite_where=OF_PRESENCE,
        postgresql_where=OF_PRESENCE,
    )
