"""How a study is conducted: its step, and what is announced in its rooms."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable
from typing import cast

import pytest

from shiny_labchat import Lab, Refused
from shiny_labchat.access.names import person_pseudonym, study_pseudonym
from shiny_labchat.domain.commands import Arrive
from shiny_labchat.domain.presence import Signs
from shiny_labchat.lab.runtime import running
from shiny_labchat.store import Person, note_seen
from shiny_labchat.study.lobby import Lobby
from shiny_labchat.study.study import Study


@pytest.fixture(autouse=True)
async def ends(lab: Lab, reopen: Lab) -> AsyncIterator[None]:
    """Lobbies are left before their logs are closed."""
    async with running():
        yield


async def step_of(study: Study) -> str | None:
    return await cast("Awaitable[str | None]", study.step())


async def test_a_step_is_the_same_for_all_processes_and_after_a_restart(
    lab: Lab, reopen: Lab
) -> None:
    one, other = (Study("s", lab=each, seed=7) for each in (lab, reopen))
    assert await step_of(one) is None
    await one.set_step("groups")
    assert await step_of(other) == "groups"
    await other.set_step("end", after=3_600)
    assert await step_of(one) == "groups"
    await one.set_step("end", after=0)
    assert await step_of(other) == await step_of(one) == "end"


@pytest.mark.parametrize(("name", "after"), [("", 0), ("x", -1), ("x", float("inf"))])
async def test_a_step_that_is_none_is_refused(lab: Lab, name: str, after: float) -> None:
    with pytest.raises(ValueError, match="name|after"):
        await Study("s", lab=lab).set_step(name, after)


# ── announcements ──


async def grouped(lab: Lab) -> Study:
    """A study with a room for all, and two groups, one of each condition."""
    study = Study("s", lab=lab, seed=7)
    await lab.create_room("all", study=study)
    cells = {"tone": ["calm", "heated"], "stakes": ["low"]}
    lobby = Lobby("l", study=study, ready=None, start="code", conditions=cells, balance="rotate")
    people = [f"p{n}" for n in range(4)]
    for person in people:
        await study.submit(Arrive("s", person))
    signs = {Person("s", person): Signs(-1, -1, -1) for person in people}
    await lab.log.write(lambda conn, now: note_seen(conn, signs))
    assert await lobby.start() == 0, "nobody waits there"
    assert await lobby.start(who="study") == 2
    return study


async def said(lab: Lab) -> dict[str, list[str]]:
    """What was said in each room of the study."""
    rooms = await lab.rooms("s")
    return {room.id: [each.content for each in await room.messages()] for room in rooms}


async def test_an_announcement_is_in_all_open_rooms_or_in_those_that_are_meant(lab: Lab) -> None:
    study = await grouped(lab)
    assert await study.announce("all") == 3
    condition = (await lab.room("l-1", study=study).state()).condition
    assert await study.announce("one", condition=condition) == 1
    assert await study.announce("tone", condition={"tone": condition["tone"]}) == 1
    assert await study.announce("both", condition={"stakes": "low"}) == 2
    assert await study.announce("none", condition="calm") == 0
    await lab.room("l-2", study=study).close()
    assert await study.announce("open") == 2
    assert await study.announce("late", room="l-2") == 1
    assert await study.announce("late", room=lab.room("l-2", study=study), condition="x") == 0
    assert await said(lab) == {
        "all": ["all", "open"],
        "l-1": ["all", "one", "tone", "both", "open"],
        "l-2": ["all", "both", "late"],
    }
    roles = {each.role for each in await lab.room("l-1", study=study).messages()}
    assert roles == {"system"}


async def test_an_announcement_makes_no_room(lab: Lab) -> None:
    study = await grouped(lab)
    with pytest.raises(Refused) as caught:
        await study.announce("hello", room="typo")
    assert caught.value.code == "no_room"
    with pytest.raises(ValueError, match="not in study 's'"):
        await study.announce("hello", room=lab.room("all", study="other"))
    assert len(await lab.rooms("s")) == 3 and await lab.rooms("other") == []


# ── names ──


async def test_a_person_keeps_the_name_that_they_had_in_the_studys_rooms(lab: Lab) -> None:
    study = Study("s", lab=lab)
    earlier = await study_pseudonym(lab.log, "s", "ann")
    for person in ("ann", "bob"):
        await study.submit(Arrive("s", person))
    names = [await person_pseudonym(lab.log, "s", person) for person in ("ann", "bob", "ann")]
    assert names[0] == names[2] == earlier and names[1] != earlier
    assert [each.name for each in await study.people()] == names[:2]
