"""
What is in our log before people come: messages, or tickets for who has no page open.

And what is in it after a server was killed.
"""

from __future__ import annotations

import asyncio
import sys

from shiny_labchat import Lab
from shiny_labchat.access.tickets import ticket
from tests.bench.clock import pause
from tests.bench.crowd import ROOM
from tests.bench.sides.ours_rooms import RULES, STUDY
from tests.bench.tally import old_line

AT_ONCE = 500
LOOKED_AT_EVERY = 0.5
"""How often it is looked whether a stream has ended, in seconds."""


async def messages(lab: Lab, number: str) -> None:
    """Fill the room."""
    room = lab.room(ROOM, study=STUDY, rules=RULES)
    await room.create()
    authors = [await room.add_member(f"old-{k}") for k in range(10)]
    for first in range(0, int(number), AT_ONCE):
        numbers = range(first, min(first + AT_ONCE, int(number)))
        await asyncio.gather(*(room.post(old_line(n), author=authors[n % 10]) for n in numbers))


async def tickets(lab: Lab, number: str, name: str) -> None:
    """Print tickets of new members; each opens one socket."""
    for k in range(int(number)):
        room = lab.room(name.format(k), study=STUDY, rules=RULES)
        member = await room.add_member(f"new-{name}-{k}")
        print(await ticket(room.log, room.key, member.id, f"page-{k}"))


async def streamed(lab: Lab, id: str) -> None:
    """Print the stream of a room, as soon as it has ended."""
    room = lab.room(id, study=STUDY)
    while not (found := [each for each in await room.messages() if each.role == "assistant"]):
        await pause(LOOKED_AT_EVERY)
    print(found[-1].content)


DOES = {"messages": messages, "tickets": tickets, "streamed": streamed}

if __name__ == "__main__":
    _, url, what, *how = sys.argv
    asyncio.run(DOES[what](Lab(url), *how))
