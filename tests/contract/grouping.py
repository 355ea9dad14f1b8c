"""
A process with a lobby, to be killed: ``python -m tests.contract.grouping URL``.

With ``remove``, it removes one person of each pair from their room.
"""

from __future__ import annotations

import asyncio
import sys

from shiny_labchat import Lab, Room
from shiny_labchat.domain.commands import Arrive
from shiny_labchat.domain.presence import Signs
from shiny_labchat.lab.runtime import running
from shiny_labchat.store import Person, note_seen
from shiny_labchat.study.lobby import Lobby
from shiny_labchat.study.study import Study

__all__ = ["come", "hear", "lobby_of"]


def lobby_of(lab: Lab) -> Lobby:
    """A lobby that makes pairs, and greets them twice."""
    lobby = Lobby("l", study=Study("s", lab=lab, seed=7), ready=None, settle=0, grace=600)

    async def greet(room: Room, members: object) -> None:
        await room.post("Hello.")
        await room.post("Hello again.")

    lobby.after_grouping(greet, name="greet")
    return lobby


async def come(lobby: Lobby, person: str) -> None:
    """Somebody comes, and their page answers."""
    await lobby.study.submit(Arrive("s", person))
    await lobby.enter(person)
    await hear(lobby.lab, person)


async def hear(lab: Lab, *people: str) -> None:
    """People's pages answer now."""
    signs = {Person("s", person): Signs(-1, -1, -1) for person in people}
    await lab.log.write(lambda conn, now: note_seen(conn, signs))


async def remove_some(lab: Lab) -> None:
    """Remove the first person of each pair that is whole."""
    groups = (await Study("s", lab=lab).state()).groups.values()
    whole = [each for each in groups if each.dissolved is None]
    rooms = ((lab.room(each.room, study="s"), each.people[0]) for each in whole)
    await asyncio.gather(*(room.remove_member(person) for room, person in rooms))


async def main(url: str, then: str = "") -> None:
    async with running():
        lobby = lobby_of(Lab(url))
        number = 0
        while True:
            people = [f"p{number + n}" for n in range(6)]
            await asyncio.gather(*(come(lobby, person) for person in people))
            number += len(people)
            if then == "remove":
                await lobby.start()
                await remove_some(lobby.lab)
            print(number, flush=True)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
