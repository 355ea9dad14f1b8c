"""The ids of anonymous exports, and an index that finds the call that a message comes from."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    op.create_table(
        "anonymous_id",
        sa.Column("study", sa.Text, primary_key=True),
        sa.Column("member", sa.Text, primary_key=True),
        sa.Column("drawn", sa.Text, nullable=False),
        sa.UniqueConstraint("study", "drawn", name="anonymous_id_drawn"),
        sqlite_with_rowid=False,
    )
    op.create_index("audit_became", "audit", ["room", "became"])
