"""Keys of pages: of any server of a database, for a day, and nobody can make one."""

from __future__ import annotations

import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shiny_labchat import Lab, Room
from shiny_labchat.access.page_keys import LIFETIME, is_page_key, page_key


async def test_any_server_of_the_database_takes_it(room: Room, lab: Lab, reopen: Lab) -> None:
    key = await page_key([lab.log])
    assert key != await page_key([lab.log])
    for log in (lab.log, reopen.log):
        assert await is_page_key([log], key)


async def test_a_server_of_another_database_does_not(
    room: Room, lab: Lab, tmp_path_factory: pytest.TempPathFactory
) -> None:
    other = Lab(f"sqlite:///{tmp_path_factory.mktemp('other') / 'lab.db'}")
    await other.create_room("r", study="s")
    key = await page_key([other.log])
    assert not await is_page_key([lab.log], key)
    assert await is_page_key([lab.log, other.log], key)
    other.log.close()


async def test_before_there_is_a_database_the_process_has_its_own(
    lab: Lab, sqlite_only: None
) -> None:
    key = await page_key([lab.log])
    assert not lab.log.exists, "asking for a key makes no file"
    assert await is_page_key([lab.log], key)
    await lab.create_room("r", study="s")
    assert await is_page_key([lab.log], key)


async def test_two_servers_that_begin_at_once_share_one_secret(
    room: Room, lab: Lab, reopen: Lab
) -> None:
    keys = [await page_key([each.log]) for each in (lab, reopen)]
    for log in (lab.log, reopen.log):
        assert [await is_page_key([log], key) for key in keys] == [True, True]


async def test_it_is_valid_for_a_day(room: Room, lab: Lab) -> None:
    key, now = await page_key([lab.log]), time.time()
    for later, is_valid in ((LIFETIME - 60, True), (LIFETIME + 60, False), (-LIFETIME * 2, False)):
        assert await is_page_key([lab.log], key, now + later) == is_valid


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(st.text() | st.from_regex(r"\A[0-9]{1,12}\.[\w-]{0,12}\.[0-9a-f]{0,64}\Z"))
async def test_nothing_else_is_a_key(lab: Lab, text: str) -> None:
    assert not await is_page_key([lab.log], text)


async def test_a_key_that_was_changed_is_none(room: Room, lab: Lab) -> None:
    key = await page_key([lab.log])
    for at in range(len(key)):
        changed = key[:at] + ("1" if key[at] != "1" else "2") + key[at + 1 :]
        assert not await is_page_key([lab.log], changed), changed
