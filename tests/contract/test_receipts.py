"""The code of an end is the same each time, is stored hashed, and finds who was given it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import sqlalchemy as sa

from shiny_labchat import Lab, Room
from shiny_labchat.access.receipts import CODE_LENGTH, Receipt, find_receipt, receipt_code
from shiny_labchat.lab.withdrawing import withdraw_with_code
from shiny_labchat.store.schema import metadata

pytestmark = pytest.mark.anyio

ANN = Receipt("s", "a")


async def test_a_code_is_the_same_each_time_and_another_one_for_each_person(lab: Lab) -> None:
    code = await receipt_code(lab.log, ANN)
    assert await receipt_code(lab.log, ANN) == code
    assert await receipt_code(lab.log, Receipt("s", "b")) != code
    assert await receipt_code(lab.log, Receipt("t", "a")) != code
    assert len(code.replace("-", "")) == CODE_LENGTH


@pytest.mark.parametrize("change", [str.lower, lambda code: f" {code.replace('-', ' ')}\n"])
async def test_a_code_is_found_however_it_is_typed(lab: Lab, change: Callable[[str], str]) -> None:
    typed = change(await receipt_code(lab.log, ANN))
    assert await find_receipt([lab.log], typed) == (lab.log, ANN)


@pytest.mark.parametrize("code", ["", "A", "0" * CODE_LENGTH, "ä" * CODE_LENGTH, "\x00'\"--"])
async def test_nobody_is_found_by_another_code(lab: Lab, code: str) -> None:
    await receipt_code(lab.log, ANN)
    assert await find_receipt([lab.log], code) is None


async def test_it_is_valid_after_a_restart_and_no_row_has_it(lab: Lab, reopen: Lab) -> None:
    code = await receipt_code(lab.log, ANN)
    assert await find_receipt([reopen.log], code) == (reopen.log, ANN)

    def rows(conn: sa.Connection) -> str:
        return repr([conn.execute(sa.select(each)).all() for each in metadata.sorted_tables])

    stored = await lab.log.read(rows)
    assert code not in stored and code.replace("-", "") not in stored


async def test_who_withdraws_with_it_is_blank_and_can_do_so_once(lab: Lab, room: Room) -> None:
    await room.post("words", author="a")
    code = await receipt_code(lab.log, ANN)
    found = await find_receipt([lab.log], code)
    assert found is not None and await withdraw_with_code(*found)
    [message] = await room.messages()
    assert message.withdrawn and message.content == ""
    again = await find_receipt([lab.log], code)
    assert again is not None and again[1].person == message.member
    assert not await withdraw_with_code(*again)
