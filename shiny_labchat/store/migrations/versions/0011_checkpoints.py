"""Open streams, with their leases, apart from their checkpoints."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.create_table(
        "open_stream",
        sa.Column("room", sa.Integer, sa.ForeignKey("room.key"), primary_key=True),
        sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("until", sa.BigInteger, nullable=False),
        sa.Column("first", sa.BigInteger, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "checkpoint",
        sa.Column("key", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
        sa.Column("room", sa.Integer, sa.ForeignKey("room.key"), nullable=False),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.Column("data", sa.Text, nullable=False),
    )
    op.execute(
        "INSERT INTO open_stream (room, seq, until, first) "
        "SELECT room, seq, max(until), 1 FROM draft GROUP BY room, seq"
    )
    op.execute(
        "INSERT INTO checkpoint (room, seq, data) "
        'SELECT room, seq, data FROM draft ORDER BY room, seq, "row"'
    )
    op.drop_table("draft")
