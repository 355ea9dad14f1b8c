"""Messages of a page are taken once, by whichever of its sessions comes first."""

from __future__ import annotations

import asyncio
from functools import partial

import pytest
import sqlalchemy as sa

from shiny_labchat import Lab, Room
from shiny_labchat.access.handled import ChatOfPage, take_messages
from shiny_labchat.store.schema import token

pytestmark = pytest.mark.anyio


class Session:
    """A session of the page, which may be at another worker."""

    def __init__(self, lab: Lab, room: Room, id: str) -> None:
        self._log = lab.log
        self._of = ChatOfPage("a page", "chat", room.key)
        self._id = id
        self.last: int | None = None

    async def takes(self, *seqs: int) -> list[int]:
        asked = {"of": self._of, "member": "a", "session": self._id, "before": self.last}
        take = partial(take_messages, seqs=seqs, **asked)
        taken = await self._log.write(take, keeps_books=False)
        self.last = taken[-1] if taken else None
        return list(taken)


async def test_of_two_sessions_one_takes_each_message(lab: Lab, room: Room, reopen: Lab) -> None:
    one, two = Session(lab, room, "one"), Session(reopen, room, "two")
    taken: list[int] = []
    for seq in range(5, 45):
        for found in await asyncio.gather(one.takes(seq), two.takes(seq)):
            taken += found
    assert taken == [*range(5, 45)]


async def test_what_another_has_taken_since_is_not_taken_again(
    lab: Lab, room: Room, reopen: Lab
) -> None:
    one, two = Session(lab, room, "one"), Session(reopen, room, "two")
    assert await one.takes(5) == [5]
    assert await two.takes(5, 7, 8) == [7, 8]
    assert await one.takes(8, 9) == [9]
    assert await two.takes(9) == []


async def test_who_does_not_know_whether_it_was_stored_may_ask_again(
    lab: Lab, room: Room, reopen: Lab
) -> None:
    one, two = Session(lab, room, "one"), Session(reopen, room, "two")
    assert await one.takes(5) == [5]
    assert await one.takes(6, 7) == [6, 7]
    one.last = 5  # as if the answer had been lost
    assert await one.takes(6, 7) == [6, 7]
    one.last = None
    assert await one.takes(6, 7) == [6, 7]
    assert await two.takes(6, 7) == []


async def test_what_is_known_does_not_run_out_while_messages_come(
    lab: Lab, room: Room, reopen: Lab
) -> None:
    one, two = Session(lab, room, "one"), Session(reopen, room, "two")
    assert await one.takes(5) == [5]
    await lab.log.write(lambda conn, now: conn.execute(sa.update(token).values(expires=1)))
    assert await one.takes(6) == [6]
    assert await two.takes(6) == []


async def test_a_failure_while_it_is_alone_leaves_nothing(lab: Lab, room: Room) -> None:
    one = Session(lab, room, "one")
    take = partial(take_messages, seqs=[5], of=one._of, member="a", session="one")

    def fail(conn: object, now: int) -> None:
        take(conn, now)  # pyright: ignore[reportArgumentType]
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await lab.log.write(fail, keeps_books=False)
    assert await one.takes(5) == [5]
