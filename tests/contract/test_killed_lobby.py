"""A server is killed while it forms groups."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from typing import cast

import pytest
from anyio.lowlevel import checkpoint

from shiny_labchat import Lab
from shiny_labchat.domain.commands.lobby import lobby_log
from shiny_labchat.domain.commands.study import study_log
from shiny_labchat.domain.events import LogKey
from shiny_labchat.domain.lobby import LobbyState
from shiny_labchat.domain.state import RoomState
from shiny_labchat.domain.study import StudyState
from shiny_labchat.lab.runtime import Runtime, running

from .grouping import hear, lobby_of


@pytest.fixture(autouse=True)
async def ends(lab: Lab) -> AsyncIterator[None]:
    async with running():
        yield


async def states(lab: Lab) -> tuple[StudyState, LobbyState, dict[str, RoomState]]:
    read = Runtime.of(lab.log).live.logs.read
    study = cast(StudyState, await read(study_log("s")))
    lobby = cast(LobbyState, await read(lobby_log("s", "l")))
    rooms = {id: cast(RoomState, await read(LogKey("s", id))) for id in study.groups}
    return study, lobby, rooms


async def kill_after(people: int, lab: Lab, *then: str) -> None:
    """Have a server work until so many people have come, and kill it."""
    command = sys.executable, "-m", "tests.contract.grouping", str(lab.url), *then
    server = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    assert server.stdout is not None
    async with asyncio.timeout(120):
        while int(await server.stdout.readline()) < people:
            pass
    server.kill()
    await server.wait()


async def test_all_of_a_group_are_in_it_or_wait_and_are_greeted_once(lab: Lab) -> None:
    """Whenever a server is killed; the next one goes on."""
    await kill_after(30, lab)
    study, lobby, rooms = await states(lab)
    grouped = {person for group in study.groups.values() for person in group.people}
    for person, place in lobby.places.items():
        assert place.status == ("grouped" if person in grouped else "waiting")
    for id, group in study.groups.items():
        assert {each.member for each in rooms[id].members()} == set(group.people)
    lobby_of(lab)
    async with asyncio.timeout(120):
        while lobby.queue[2:] or not all(group.is_shown for group in study.groups.values()):
            await hear(lab, *lobby.queue)
            await checkpoint()
            study, lobby, rooms = await states(lab)
    assert len(lobby.queue) < 2 and len(study.groups) >= 15
    assert all(room.prepared for room in rooms.values())
    for id in study.groups:
        said = [each.content for each in await lab.room(id, study="s").messages()]
        assert said == ["Hello.", "Hello again."], id


async def test_who_was_removed_has_ended_whenever_a_server_is_killed(lab: Lab) -> None:
    await kill_after(30, lab, "remove")
    study, _, rooms = await states(lab)
    whole = [group for group in study.groups.values() if group.dissolved is None]
    removed = [id for id, group in study.groups.items() if group.dissolved is not None]
    assert removed
    for id in removed:
        first, second = (study.people[person].ended for person in study.groups[id].people)
        assert first and second and (first.reason, second.reason) == ("removed", "group_dissolved")
        assert rooms[id].membership(first_of(study, id)) is None and not rooms[id].is_open
    for group in whole:
        assert all(study.people[person].ended is None for person in group.people)
        assert {each.member for each in rooms[group.room].members()} == set(group.people)


def first_of(study: StudyState, room: str) -> str:
    return study.groups[room].people[0]
