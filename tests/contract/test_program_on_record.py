"""With what a study is served is among its settings: versions, the app's files, its bots."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest
import sqlalchemy as sa
from chatlas import ChatOpenAICompletions

from shiny_labchat import Bot, Lab
from shiny_labchat.domain.commands.study import study_log
from shiny_labchat.domain.events import Event
from shiny_labchat.lab.runtime import Runtime
from shiny_labchat.store import events_after, find_room
from shiny_labchat.study.lobby import Lobby
from shiny_labchat.study.study import Study

PATIENCE = 60.0
KIND = "configured"


@pytest.fixture(autouse=True)
def served(lab: Lab) -> None:
    lab.log.serve()


def model() -> Any:
    return ChatOpenAICompletions(model="gpt-4.1", system_prompt="Be brief.", api_key="sk-secret")


async def settings_of(study: Study, *names: str) -> list[Any]:
    """Settings of a study, once nothing more is to be stored."""
    await Runtime.of(study.log).tasks.wait(PATIENCE)
    settings = (await study.state()).settings
    return [settings.get(name) for name in names]


async def events_of(study: Study) -> list[Event]:
    """All events of a study's own log."""

    def read(conn: sa.Connection) -> list[Event]:
        found = find_room(conn, study_log(study.name))
        return [] if found is None else events_after(conn, found[0], 0)

    return await study.log.read(read)


async def test_who_comes_finds_a_study_with_versions_and_files(lab: Lab) -> None:
    study = Study("pilot", lab=lab)
    await study.arrive({}, "key")
    (said,) = await settings_of(study, "environment")
    assert said["packages"]["shiny"] and "conftest.py" in said["files"]


async def test_a_program_that_only_reads_is_not_on_record(lab: Lab) -> None:
    lab.add_bot(Bot("b", respond=lambda messages: None))
    study = Study("pilot", lab=lab)
    await study.describe()
    assert await settings_of(study, "environment", "bots") == [None, None]


async def test_the_bots_that_may_be_in_its_rooms_are_on_record(lab: Lab) -> None:
    helper = Bot("helper", client=model, pseudonym="Robin", disclose=True, closing="Bye.")
    lab.add_bot(helper, rooms="group-*")
    lab.room("x", study="other").add_bot(Bot("elsewhere", client=model))
    lab.room("x", study="pilot").add_bot(Bot("here", respond=print))
    study = Study("pilot", lab=lab, contact="lab@example.org")
    Lobby("l", study=study, conditions=["a", "b"], bots={"a": [Bot("confederate", client=model)]})
    await study.describe()
    ((first, second, third),) = await settings_of(study, "bots")
    assert (first["id"], first["rooms"], first["disclosed"]) == ("helper", ["group-*"], True)
    assert (first["pseudonym"], first["closing"]) == ("Robin", "Bye.")
    assert first["client"]["model"] == "gpt-4.1"
    assert first["client"]["system_prompt"] == "Be brief."
    assert (second["id"], second["rooms"]) == ("here", ["x"])
    told = (third["id"], third["lobby"], third["condition"], third["disclosed"])
    assert told == ("confederate", "l", "a", False)


async def test_what_has_not_changed_is_not_stored_again(lab: Lab, reopen: Lab) -> None:
    for where in (lab, lab, reopen):
        where.add_bot(Bot("helper", client=model, disclose=True))
        for number in range(3):
            study = Study("pilot", lab=where)
            await study.arrive({}, f"key {number}")
            await settings_of(study)
    changed = [event.data["settings"] for event in await events_of(study) if event.kind == KIND]
    assert [list(each) for each in changed].count(["bots"]) == 1


async def test_another_prompt_is_a_change_with_its_time(lab: Lab, reopen: Lab) -> None:
    for where, prompt in ((lab, "Be brief."), (reopen, "Be kind.")):
        client = ChatOpenAICompletions(model="m", system_prompt=prompt, api_key="sk-secret")
        where.add_bot(Bot("helper", client=client, disclose=True))
        study = Study("pilot", lab=where)
        await study.arrive({}, "key")
        await settings_of(study)
    events = await events_of(study)
    changed = [event for event in events if "bots" in event.data.get("settings", {})]
    prompts = [e.data["settings"]["bots"][0]["client"]["system_prompt"] for e in changed]
    assert prompts == ["Be brief.", "Be kind."] and changed[0].at < changed[1].at
    assert "sk-secret" not in repr(events)


async def test_bots_that_are_no_more_are_not_on_record_any_more(lab: Lab, reopen: Lab) -> None:
    lab.add_bot(Bot("helper", respond=print, disclose=True))
    await Study("pilot", lab=lab).arrive({}, "key")
    await Runtime.of(lab.log).tasks.wait(PATIENCE)
    study = Study("pilot", lab=reopen)
    await study.arrive({}, "key")
    assert await settings_of(study, "bots") == [[]]


async def test_nobody_waits_for_a_model_that_takes_long_to_be_made(lab: Lab) -> None:
    made = threading.Event()

    def slowly() -> Any:
        assert made.wait(PATIENCE)
        return model()

    lab.add_bot(Bot("slow", client=slowly, disclose=True))
    study = Study("pilot", lab=lab)
    async with asyncio.timeout(PATIENCE / 2):
        await study.arrive({}, "key")
        assert (await study.state()).settings.get("bots") is None
    made.set()
    ((bot,),) = await settings_of(study, "bots")
    assert bot["client"]["model"] == "gpt-4.1"


async def test_without_a_study_rooms_have_no_log_of_one(lab: Lab) -> None:
    room = lab.room("x", study="plain")
    await room.post("Hello")
    found = await lab.log.read(lambda conn: find_room(conn, study_log("plain")))
    assert found is None
