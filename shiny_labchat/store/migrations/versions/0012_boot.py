"""When the machine was started, by which leases are measured."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    op.create_table(
        "boot",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("began", sa.BigInteger, nullable=False),
    )
