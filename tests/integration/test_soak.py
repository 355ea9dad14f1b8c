"""A server that runs for long stays as it was."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.support.server import ROOT

TWO_MINUTES = "--minutes 2 --rooms 250 --visits 2500 --streams 4 --reader --within 15".split()
"""Memory may grow more than in a long soak, in which all caches are full after four minutes."""


@pytest.mark.long
def test_a_server_neither_grows_nor_loses_a_visit_while_people_come_and_go() -> None:
    command = [sys.executable, "-m", "tests.soak", *TWO_MINUTES]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
