"""A model that replies in a group: what it is told over the wire, and what if it fails."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from typing import Any

import pytest

from shiny_labchat import Lab, Room, Rules
from shiny_labchat.access.tickets import ticket
from shiny_labchat.words import ENGLISH
from tests.integration.own_server.conftest import Person
from tests.support.client import Browser, browser
from tests.support.models.model import Model, Reply, Tool
from tests.support.server import Server

APP = ["-m", "uvicorn", "tests.integration.apps.replies:app"]
SORRY = ENGLISH["reply_failed"]
pytestmark = pytest.mark.usefixtures("model")
FAILURES = {
    "429": Reply(status=429, retry_after=0.05),
    "500": Reply(status=500),
    "cut": Reply("half of it", pieces=4, cut=2),
    "error": Reply("half of it", pieces=4, cut=2, how="error"),
    "ended": Reply("half of it", pieces=4, cut=2, how="end"),
}


@pytest.fixture
async def room(lab: Lab) -> Room:
    return await lab.create_room("replies", study="tests", rules=Rules(rate=None))


def name_of(person: Browser) -> str:
    return str(person.welcome["you"]["name"])


async def told(person: Browser, replies: int, within: float = 40.0) -> list[str]:
    """Wait until so many replies have ended; gives all that is shown."""

    def ended() -> int:
        return sum("live" not in i for i in person.items.values() if i["role"] == "assistant")

    await person.until(lambda: ended() >= replies, within)
    return person.texts


async def holds(model: Model) -> None:
    """Wait until the model holds in its last reply."""

    def is_held() -> bool:
        return bool(model.calls) and model.calls[-1].outcome == "held"

    await asyncio.to_thread(model.until, is_held)


def roles(body: Mapping[str, Any]) -> list[str]:
    return [message["role"] for message in body["messages"]]


async def test_the_model_knows_who_said_what(person: Person, room: Room, model: Model) -> None:
    async with person() as ann, person() as bob:
        await ann.says("I am from Oslo.")
        await told(ann, 1)
        await bob.says("Where is she from?")
        await told(bob, 2)
        await ann.settles()
        assert ann.texts == bob.texts == [message.content for message in await room.messages()]
        assert model.calls[-1].messages == [
            ("system", "Be brief."),
            ("user", f"{name_of(ann)}: I am from Oslo."),
            ("assistant", ann.texts[1]),
            ("user", f"{name_of(bob)}: Where is she from?"),
        ]


async def test_a_reply_is_heard_by_those_who_heard_the_question_and_told_what_they_heard(
    person: Person, room: Room, model: Model
) -> None:
    async with person() as ann, person() as bob, person() as eve:
        ids = {member.pseudonym: member.id for member in await room.members()}
        await room.configure(network={ids[name_of(ann)]: [ids[name_of(bob)]]})
        await ann.says("My secret is 7.")
        await told(ann, 1)
        await told(bob, 1)
        await eve.says("What is her secret?")
        await told(eve, 1)
        await bob.settles()
        eves, anns = f"{name_of(eve)}: What is her secret?", f"{name_of(ann)}: My secret is 7."
        assert eve.texts == ["What is her secret?", f"You said: {eves}"]
        assert bob.texts == ["My secret is 7.", f"You said: {anns}"]
        await ann.says("Which one was it?")
        await told(bob, 2)
        assert model.calls[1].messages[1:] == [("user", eves)]
        assert [text for _, text in model.calls[2].messages[1:]] == [
            anns,
            f"You said: {anns}",
            f"{name_of(ann)}: Which one was it?",
        ]


async def test_two_who_ask_at_once_are_both_answered_in_order(
    person: Person, room: Room, model: Model
) -> None:
    async with person() as ann, person() as bob:
        for n in range(3):
            for each in (ann, bob):
                await each.send(f"[words 20] [rate 100] {n}")
        await told(ann, 6)
        await told(bob, 6)
        assert ann.texts == bob.texts == [message.content for message in await room.messages()]
        assert [len(call.messages) for call in model.calls] == sorted(
            len(call.messages) for call in model.calls
        ), "each knew the replies before it"
        assert {call.outcome for call in model.calls} == {"whole"}


async def test_what_is_said_during_a_reply_is_told_with_the_next_one_only(
    person: Person, room: Room, model: Model
) -> None:
    async with person() as ann, person() as bob:
        model.will(Reply("to the first", pieces=4, hold=2))
        await ann.says("first")
        await holds(model)
        await bob.says("second")
        await ann.says("third")
        await bob.says("4th")
        model.go_on()
        await told(ann, 4)
        await ann.says("[say Fine.] last")
        await told(ann, 5)

        def said(text: str) -> str:
            return text.replace(f"{name_of(ann)}: ", "").replace(f"{name_of(bob)}: ", "")

    asked = [[said(text) for _, text in call.messages[1:]] for call in model.calls]
    one, two, three, four = "to the first", *(f"You said: {n}" for n in ("second", "third", "4th"))
    assert asked == [
        ["first"],
        ["first", one, "second"],
        ["first", one, "second", two, "third"],
        ["first", one, "second\nthird", two + three, "4th"],
        ["first", one, "second\nthird\n4th", two + three + four, "[say Fine.] last"],
    ]
    assert [set(roles(call.body)[1::2]) for call in model.calls] == [{"user"}] * 5
    assert [set(roles(call.body)[2::2]) for call in model.calls[1:]] == [{"assistant"}] * 4


async def test_tools_run_in_threads_and_stay_in_the_conversation(
    person: Person, room: Room, model: Model
) -> None:
    async with person() as ann, person() as bob:
        model.will(
            Reply("Let me look.", tools=[Tool("weather", {"city": "Oslo"})]),
            Reply("It has 18 degrees."),
        )
        await ann.says("How warm is it?")
        await bob.until(lambda: any(i["role"] == "assistant" for i in bob.items.values()))
        loop = asyncio.get_running_loop()
        slowest = 0.0
        for n in range(10):
            begun = loop.time()
            await bob.says(f"[words 1] meanwhile {n}")
            slowest = max(slowest, loop.time() - begun)
        assert slowest < 0.9, "a tool that takes a second keeps nobody waiting"
        await told(ann, 11)
        (reply, *_) = [item for item in ann.items.values() if item["role"] == "assistant"]
        kinds = [kind for kind, _ in reply["parts"]]
        assert [k for k in kinds if k.startswith("tool")] == ["tool_request", "tool_result"]
        assert roles(model.calls[-1].body)[:5] == [
            "system",
            "user",
            "assistant",
            "tool",
            "assistant",
        ]
    (first, *_) = [m for m in await room.messages() if m.role == "assistant"]
    assert first.content == "Let me look.It has 18 degrees."


async def test_tools_keep_what_they_hold_from_reply_to_reply(
    person: Person, room: Room, model: Model
) -> None:
    async with person() as ann, person() as bob:
        for n, each in enumerate((ann, bob), 1):
            model.will(Reply(tools=[Tool("book", {"city": "Oslo"})]), Reply("Booked."))
            await each.says("Book!")
            await told(each, n)
            assert model.calls[-1].results == [f"booking {n}"]


# `test_a_model_that_fails_is_asked_again` has all failures in every run.
@pytest.mark.parametrize(
    "failure", ["cut", *(pytest.param(f, marks=pytest.mark.long) for f in FAILURES if f != "cut")]
)
async def test_a_tool_is_not_run_again_when_the_model_fails_after_it(
    person: Person, room: Room, model: Model, failure: str
) -> None:
    async with person() as ann:
        model.will(
            Reply("Let me book.", tools=[Tool("book", {"city": "Oslo"})]),
            FAILURES[failure],
            Reply("It is booked."),
        )
        await ann.says("Book!")
        assert (await told(ann, 1))[-1] == "Let me book.It is booked."
        assert model.calls[1].results == model.calls[2].results == ["booking 1"]
        (reply,) = [item for item in ann.items.values() if item["role"] == "assistant"]
        assert [kind for kind, _ in reply["parts"]] == [
            "markdown",
            "tool_request",
            "tool_result",
            "markdown",
        ]
        await ann.says("[say Again.] and again?")
        await told(ann, 2)
        assert roles(model.calls[-1].body)[1:] == [
            "user",
            "assistant",
            "tool",
            "assistant",
            "user",
        ]


async def test_whatever_a_tool_gives_the_reply_is_kept(
    person: Person, room: Room, model: Model
) -> None:
    async with person() as ann:
        model.will(Reply(tools=[Tool("odd", {"city": "Oslo"})]), Reply("It is odd."))
        await ann.says("Look!")
        assert (await told(ann, 1))[-1] == "It is odd."
        assert [i.get("is") for i in ann.items.values() if i["role"] == "assistant"] == ["done"]
        given = model.calls[1].results
        await ann.says("And now?")
        assert (await told(ann, 2))[-1].startswith("You said: ")
    reply = (await room.messages())[1]
    assert reply.content == "It is odd." and len(reply.turns) == 3
    assert "1180591620717411303424" in given[0]
    again = [text for role, text in model.calls[-1].messages if role == "tool"]
    assert "1180591620717411303424" in again[0]


@pytest.mark.parametrize("server", [{"REPLY": "mention"}], indirect=True)
async def test_it_replies_to_who_mentions_it(person: Person, room: Room, model: Model) -> None:
    async with person() as ann:
        await ann.says("just talking")
        await ann.says("write to me@assistant.org")
        await ann.says("what do you think, @Assistant?")
        await told(ann, 1)
        assert [call.text.rsplit(": ")[-1] for call in model.calls] == [
            "what do you think, @Assistant?"
        ]
        assert roles(model.calls[0].body) == ["system", "user"], "some want them to alternate"


@pytest.mark.parametrize("server", [{"REPLY": "question"}, {"REPLY": "search"}], indirect=True)
async def test_a_function_decides_what_it_replies_to(
    person: Person, server: Server, model: Model
) -> None:
    async with person() as ann:
        await ann.says("no")
        await ann.says("yes?")
        await told(ann, 1)
        assert len(model.calls) == 1
    assert not [line for line in server.log if "failed" in line]


async def test_a_model_that_fails_is_asked_again(person: Person, room: Room, model: Model) -> None:
    async with person() as ann:
        for number, (name, failure) in enumerate(FAILURES.items(), start=1):
            model.will(failure, Reply(f"All of it after {name}."))
            await ann.says("Say it.")
            assert (await told(ann, number))[-1] == f"All of it after {name}."
            assert (await room.messages())[-1].content == f"All of it after {name}."
            assert len(model.calls) == 2 * number


@pytest.mark.parametrize("server", [{}, {"FAILURES": "room"}], ids=["asker", "room"], indirect=True)
async def test_who_shall_know_is_told_in_words_that_it_fails(
    person: Person, room: Room, model: Model
) -> None:
    async with person() as ann, person() as bob:
        model.will(Reply(status=401))
        await ann.says("Say it.")
        await ann.until(lambda: SORRY in ann.texts)
        await told(ann, 1)
        await told(bob, 1)
        await bob.settles()
        assert (SORRY in bob.texts) == (os.environ.get("FAILURES") == "room")
        assert [i.get("is") for i in bob.items.values() if i["role"] == "assistant"] == ["failed"]
        assert "Traceback" not in str(ann.frames)
        async with person() as eve:  # it has failed before its first word: it has left nothing
            assert [i["role"] for i in eve.items.values() if i["role"] == "assistant"] == []
        assert [m.role for m in await room.messages() if m.role == "assistant"] == []
        await ann.says("And now?")
        assert (await told(ann, 2))[-1].startswith("You said: ")


@pytest.mark.parametrize("who", ["asker", "experimenter"])
async def test_who_asked_can_stop_the_reply(
    server: Server, person: Person, room: Room, model: Model, who: str
) -> None:
    await room.add_member("boss", role="experimenter")
    async with (
        person() as ann,
        person() as bob,
        browser(server.port) as boss,
    ):
        await boss.hello(ticket=await ticket(room.log, room.key, "boss", "page-of-boss"))
        model.will(Reply("one two three", pieces=13, hold=3))
        await ann.says("Count!")
        await bob.says("And I?")
        await ann.until(lambda: "one" in ann.texts)
        ((id, item),) = [(s, i) for s, i in ann.items.items() if i.get("live")]
        assert item["by"] == ann.welcome["you"]["h"], "that shows the button"
        await bob.tell(t="stop", id=id)
        await bob.settles()
        assert model.calls[0].outcome == "held", "not everybody may stop it"
        stopper = ann if who == "asker" else boss
        await stopper.tell(t="stop", id=id)
        await asyncio.to_thread(model.until, lambda: model.calls[0].outcome == "left")
        await told(ann, 2)
        assert ann.items[id]["is"] == "stopped" and ann.texts[-1].endswith("And I?")
        assert SORRY not in ann.texts and len(model.calls) == 2
    assert [m.content for m in await room.messages() if m.role == "assistant"][0] == "one"


async def test_two_processes_that_reply_at_once_lose_nothing(
    person: Person, room: Room, lab: Lab, model: Model
) -> None:
    other = Server(APP, lab.url)
    other.start()
    try:
        async with person() as ann, person(at=other) as bob:
            for n in range(3):
                for each in (ann, bob):
                    await each.send(f"[words 20] [rate 100] {n}")
            await told(ann, 6)
            await told(bob, 6)
            shown = [message.content for message in await room.messages()]
            assert ann.texts == bob.texts == shown
            assert {item.get("is", "done") for item in ann.items.values()} == {"done"}
            words = " ".join(f"word{n}" for n in range(20))
            assert shown.count(words) == len(model.calls) == 6
            assert {call.outcome for call in model.calls} == {"whole"}
    finally:
        other.stop()


# ── instructions, thoughts, and other clients ──


@pytest.mark.parametrize("server", [{"ORDERS": "Rhyme.|Say Sir."}], indirect=True)
async def test_a_system_message_is_told_to_the_model_and_shown_to_nobody(
    person: Person, room: Room, model: Model
) -> None:
    async with person() as ann, person() as bob:
        await ann.says("Hello.")
        await told(ann, 1)
        await bob.says("And I?")
        await told(bob, 2)
        frames = str(ann.frames + bob.frames)
        assert "Rhyme" not in frames and "Sir" not in frames
    for call in model.calls:
        assert call.messages[0] == ("system", "Be brief.\n\nRhyme.\n\nSay Sir.")
        assert roles(call.body).count("system") == 1 and "Rhyme" not in call.text
    said = [(m.role, m.content, m.audience) for m in await room.messages(limit=3)]
    assert said[:2] == [("system", "Rhyme.", ()), ("system", "Say Sir.", ())], "once for all"
    assert said[2][1] == "Hello."


async def test_thoughts_in_the_text_are_shown_as_thoughts_and_not_told_again(
    person: Person, room: Room, model: Model
) -> None:
    text = "<think>\nHm.\n</think>\n\nUse `<think>`."
    async with person() as ann:
        model.will(Reply(text, pieces=len(text)))
        await ann.says("What?")
        await told(ann, 1)
        [reply] = [item for item in ann.items.values() if item["role"] == "assistant"]
        assert reply["parts"] == [["thinking", "Hm."], ["markdown", "Use `<think>`."]]
        await ann.says("And now?")
        await told(ann, 2)
    assert model.calls[-1].messages[2] == ("assistant", "Use `<think>`.")
    assert [m.content for m in await room.messages()][1] == "Use `<think>`."


@pytest.mark.parametrize("server", [{"STAND_IN": "yes", "ORDERS": "Rhyme."}], indirect=True)
async def test_a_client_with_chatlas_public_methods_replies_as_chatlas_does(
    person: Person, room: Room, model: Model
) -> None:
    async with person() as ann, person() as bob:
        model.will(
            Reply("half of it", pieces=4, cut=2),
            Reply("Let me look.", tools=[Tool("weather", {"city": "Oslo"})]),
            Reply(status=500),
            Reply("It has 18 degrees."),
        )
        await ann.says("How warm is it?")
        await told(ann, 1)
        await bob.says("And tomorrow?")
        await told(bob, 2)
    first = (await room.messages())[2]
    assert first.content == "Let me look.It has 18 degrees." and len(first.turns) == 3
    last = model.calls[-1]
    assert last.messages[0] == ("system", "Be brief.\n\nRhyme.")
    assert roles(last.body) == ["system", "user", "assistant", "tool", "assistant", "user"]
    assert last.text.endswith("And tomorrow?")
