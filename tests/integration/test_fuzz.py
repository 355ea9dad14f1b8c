"""Whatever a socket can carry: the server lives, and the honest notice nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fuzz.world import attacked, fresh_seed

SECONDS = 10
"""How long each run attacks; a long one LONG."""
LONG = 10 * 60


@pytest.mark.parametrize("seconds", [SECONDS, pytest.param(LONG, marks=pytest.mark.long)])
async def test_nothing_that_a_socket_can_carry_harms_anybody(seconds: int, tmp_path: Path) -> None:
    """LABCHAT_SEED=... attacks with the same frames again."""
    await attacked(seconds, fresh_seed(), tmp_path)
