"""What recruiters say of the people of a study, apart from all logs."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    op.create_table(
        "arrival",
        sa.Column("study", sa.Text, primary_key=True),
        sa.Column("person", sa.Text, primary_key=True),
        sa.Column("params", sa.Text),
        sa.Column("key", sa.Text),
        sa.Column("who", sa.Text),
        sa.Column("generation", sa.BigInteger, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("delete_after", sa.BigInteger),
    )
    op.create_index("arrival_key", "arrival", ["study", "key"], unique=True)
    op.create_index("arrival_who", "arrival", ["study", "who"])
    op.create_index("arrival_delete_after", "arrival", ["delete_after"])
