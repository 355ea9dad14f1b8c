"""The queue of bots that compose; what composes now begins anew with its server."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.drop_table("composing")
    op.create_table(
        "composing",
        sa.Column("room", sa.Integer, sa.ForeignKey("room.key"), primary_key=True),
        sa.Column("bot", sa.Text, primary_key=True),
        sa.Column("place", sa.BigInteger, nullable=False),
        sa.Column("since", sa.BigInteger, nullable=False),
    )
