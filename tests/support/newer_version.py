"""A newer version of the package: this one, with a migration of its own."""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence
from pathlib import Path

from shiny_labchat.store.migrate import SCHEMA
from tests.support.server import ROOT

__all__ = ["NEWER", "newer_version", "of_version"]

NEWER = "9000"
"""The schema of the newer version."""

_MIGRATION = f'''
import sqlalchemy as sa
from alembic import op

revision = "{NEWER}"
down_revision = "{SCHEMA}"


def upgrade() -> None:
    op.create_table("novelty", sa.Column("id", sa.Integer, primary_key=True))
    op.add_column("room", sa.Column("novel", sa.Text))
    op.create_index("event_novel", "event", ["room", "at"])
'''


def newer_version(folder: Path) -> Path:
    """Write the newer version to a folder, and give it."""
    package = folder / "shiny_labchat"
    shutil.copytree(ROOT / "shiny_labchat", package, ignore=shutil.ignore_patterns("__pycache__"))
    migrate = package / "store" / "migrate.py"
    said, times = re.subn(r'(?m)^SCHEMA = ".*"$', f'SCHEMA = "{NEWER}"', migrate.read_text())
    assert times == 1
    migrate.write_text(said)
    (package / "store" / "migrations" / "versions" / f"{NEWER}_novelty.py").write_text(_MIGRATION)
    return folder


def of_version(folder: Path, command: Sequence[str]) -> list[str]:
    """The command that is started with the package of a folder."""
    return [str(Path(__file__).with_name("in_folder.py")), str(folder), *command]
