"""What processes say of a room, one after the other and at the same time."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

import pytest

from shiny_labchat import Lab, Room, Rules
from tests.contract import elsewhere
from tests.support.reconnecting_client import log_of


def script(url: str, title: str, length: int = 9) -> elsewhere.Process:
    """A process whose script says this of the room."""
    return elsewhere.start(elsewhere.run_script, url, title, str(length))


def restarts(process: elsewhere.Process) -> None:
    process.tell("\n")
    process.said()


def line(process: elsewhere.Process) -> str:
    """The next line that it prints, without those of its log."""
    while (line := process.line()).startswith("room 'r': "):
        pass
    return line.strip()


async def settings(room: Room) -> list[Mapping[str, Any]]:
    return [event.data for event in await log_of(room) if event.kind == "configured"][1:]


async def test_a_restart_does_not_undo_what_was_configured(room: Room, url: str) -> None:
    before = script(url, "Code's")
    assert line(before) == "Code's 9"
    before.tell("Ours\n")
    assert line(before) == "Ours 9"
    restarts(before)
    configured = await settings(room)
    for _ in range(2):
        after = script(url, "Code's")
        assert line(after) == "Ours 9"
        after.tell("session\n")
        assert line(after) == "Ours 9"
        restarts(after)
    assert await settings(room) == configured, "and says nothing again"


async def test_a_kill_does_not_undo_what_was_configured(room: Room, url: str) -> None:
    before = script(url, "Code's")
    line(before)
    before.tell("Ours\n")
    line(before)
    before.kill()
    after = script(url, "Code's", 7)
    assert line(after) == "Ours 7", "of what the script says only the new is heard"
    restarts(after)


async def test_a_new_script_is_heard_when_its_process_starts(room: Room, url: str) -> None:
    for said in ("First", "Second", "First"):
        process = script(url, said)
        assert line(process) == f"{said} 9"
        restarts(process)


async def test_of_two_processes_whose_scripts_differ_the_one_that_started_last_is_heard(
    room: Room, url: str
) -> None:
    """Whoever comes to the first process meanwhile changes nothing."""
    one = script(url, "One", 5)
    assert line(one) == "One 5"
    two = script(url, "Two", 5)
    assert line(two) == "Two 5"
    for process in (one, two, one):
        process.tell("session\n")
        assert line(process) == "Two 5"
    two.tell("Ours\n")
    assert line(two) == "Ours 5"
    for process in (one, two):
        restarts(process)
    for said in ("One", "Two"):
        process = script(url, said, 5)
        assert line(process) == "Ours 5"
        restarts(process)


async def test_what_a_script_says_in_vain_is_logged_once(
    room: Room, lab: Lab, reopen: Lab, caplog: pytest.LogCaptureFixture
) -> None:
    rules = Rules(max_length=9, rate=None)
    await lab.create_room("r", study="s", title="Old", rules=rules)
    await room.configure(title="Ours", rules=Rules(max_length=7, rate=None))
    rules = Rules(max_length=8, rate=None)
    with caplog.at_level(logging.WARNING, "shiny_labchat"):
        for each in (lab, reopen, lab):
            await each.create_room("r", study="s", title="New", rules=rules)
    (record,) = caplog.records
    assert "title, max_length" in record.getMessage() and "'Ours'" in record.getMessage()
