"""What all processes know of the people in a lobby counts when its groups are formed."""

from __future__ import annotations

from typing import cast

import pytest

from shiny_labchat import Lab, Refused
from shiny_labchat.domain.commands import (
    Advance,
    Arrive,
    Confirm,
    DescribeLobby,
    DescribeStudy,
    EnterLobby,
    Ready,
)
from shiny_labchat.domain.events import LogKey
from shiny_labchat.domain.lobby import LobbyState
from shiny_labchat.domain.presence import Signs
from shiny_labchat.store import Log, Person, note_seen
from shiny_labchat.store.batch import StudyOutcome

SECOND = 1_000_000
LOBBY = LogKey("s", "l", "lobby")
ADVANCE = Advance("s", "l", None, "random")


async def lobby_of(log: Log, **settings: object) -> None:
    """A lobby in which two people wait, of whom nothing has been heard."""
    await log.submit_together(DescribeStudy("s", "seed", {"seed": 7}))
    await log.submit_together(DescribeLobby("s", "l", "seed", {"settle": 0, **settings}))
    for person in ("a", "b"):
        await log.submit_together(Arrive("s", person))
        await log.submit_together(EnterLobby("s", "l", person))


async def hears(log: Log, person: str, ago: float = 0, quiet: float = 0) -> None:
    """A process hears somebody `ago` seconds before now, who had done nothing for `quiet` s."""
    heard, active = (-round(each * SECOND) or -1 for each in (ago, ago + quiet))
    await log.write(
        lambda conn, now: note_seen(conn, {Person("s", person): Signs(heard, heard, active)})
    )


def statuses(outcome: StudyOutcome) -> list[str]:
    state = cast(LobbyState, outcome.states[LOBBY])
    return [state.places[person].status for person in ("a", "b")]


async def test_people_who_are_heard_by_different_processes_are_matched(
    lab: Lab, reopen: Lab
) -> None:
    await lobby_of(lab.log)
    await hears(lab.log, "a")
    assert statuses(await lab.log.submit_together(ADVANCE)) == ["waiting", "waiting"]
    await hears(reopen.log, "b", ago=5)
    assert statuses(await lab.log.submit_together(ADVANCE)) == ["matched", "matched"]


async def test_somebody_who_is_silent_for_eleven_seconds_is_not_matched(
    lab: Lab, reopen: Lab
) -> None:
    await lobby_of(lab.log)
    await hears(lab.log, "a")
    await hears(reopen.log, "b", ago=11)
    assert statuses(await lab.log.submit_together(ADVANCE)) == ["waiting", "waiting"]
    assert statuses(await reopen.log.submit_together(ADVANCE)) == ["waiting", "waiting"]


async def test_the_last_answer_to_a_ready_check_counts_who_is_there_by_all_processes(
    lab: Lab, reopen: Lab
) -> None:
    await lobby_of(lab.log)
    await hears(reopen.log, "a")
    await hears(reopen.log, "b")
    await lab.log.submit_together(ADVANCE)
    await lab.log.submit_together(Ready("s", "l", "a", 1, None, "random"))
    last = await reopen.log.submit_together(Ready("s", "l", "b", 1, None, "random"))
    assert statuses(last) == ["grouped", "grouped"]
    event = last.events[LOBBY][-1]
    assert event.kind == "grouped" and all(
        0 <= event.at - seen < 60 * SECOND for seen in event.data["seen"].values()
    )


async def test_whoever_touches_nothing_is_asked_and_may_answer_in_any_process(
    lab: Lab, reopen: Lab
) -> None:
    await lobby_of(lab.log, idle_prompt=[0.001, 15])
    await hears(reopen.log, "a", quiet=121)
    await hears(reopen.log, "b", quiet=0)
    outcome = await lab.log.submit_together(ADVANCE)
    state = cast(LobbyState, outcome.states[LOBBY])
    assert state.places["a"].prompted is not None and state.places["b"].prompted is None
    outcome = await reopen.log.submit_together(Confirm("s", "l", "a"))
    assert cast(LobbyState, outcome.states[LOBBY]).places["a"].prompted is None


async def test_who_has_gone_is_not_idle_but_keeps_their_place_for_a_while(lab: Lab) -> None:
    """A phone that sleeps touches nothing; that is no reason to end anybody's part."""
    await lobby_of(lab.log, idle_prompt=[120, 15], grace=900)
    await hears(lab.log, "a", ago=200)
    state = cast(LobbyState, (await lab.log.submit_together(ADVANCE)).states[LOBBY])
    assert state.places["a"].status == "waiting" and state.places["a"].prompted is None


async def test_nobody_is_gone_because_there_was_no_server(lab: Lab, reopen: Lab) -> None:
    await lobby_of(lab.log, grace=60)
    await hears(lab.log, "a", ago=500)
    assert statuses(await reopen.log.submit_together(ADVANCE)) == ["waiting", "waiting"]


async def test_a_command_that_is_refused_leaves_nothing(lab: Lab) -> None:
    await lobby_of(lab.log)
    with pytest.raises(Refused, match="too_late"):
        await lab.log.submit_together(Ready("s", "l", "a", 3, None, "random"))
