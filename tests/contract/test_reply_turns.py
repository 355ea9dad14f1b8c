"""Replies to people at several processes: one after the other, and each process has its turn."""

from __future__ import annotations

import asyncio

from shiny_labchat import Lab, Room
from shiny_labchat.chat.reply_queue import reply_turn
from shiny_labchat.domain.commands import REPLY, Post
from shiny_labchat.lab.stream import RoomStream

PATIENCE = 120.0


async def reply(room: Room, to: int, done: list[int], under_way: list[int]) -> None:
    """Reply to a message, as a model does that answers at once."""
    async with reply_turn(room, to) as others:
        stream = await RoomStream.open(room, Post([], "assistant", cid=f"{REPLY}chat:{to}"), None)
        assert stream is not None
        await others.ended(before=stream.seq)
        under_way.append(to)
        assert len(under_way) == 1
        await stream.append([("text", "yes")])
        await stream.close("done")
        under_way.remove(to)
        done.append(to)


async def test_a_process_with_many_to_answer_lets_others_answer_too(
    lab: Lab, room: Room, reopen: Lab
) -> None:
    done, under_way = list[int](), list[int]()
    there = reopen.room(room.id, study=room.study)
    async with asyncio.timeout(PATIENCE):
        many = [asyncio.create_task(reply(room, n, done, under_way)) for n in range(1, 31)]
        while len(done) < 2:
            await asyncio.wait(many, return_when=asyncio.FIRST_COMPLETED)
            many = [each for each in many if not each.done()]
        await reply(there, 100, done, under_way)
        assert len(done) < 15
        await asyncio.gather(*many)
