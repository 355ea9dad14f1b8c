"""The pseudonyms that people have throughout a study."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.create_table(
        "study_name",
        sa.Column("study", sa.Text, primary_key=True),
        sa.Column("member", sa.Text, primary_key=True),
        sa.Column("pseudonym", sa.Text, nullable=False),
        sa.UniqueConstraint("study", "pseudonym", name="study_name_pseudonym"),
    )
