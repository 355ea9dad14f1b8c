"""What bots ask models: each call on record, before it is made; budgets; what ends an answer."""

from __future__ import annotations

import asyncio
import json
import random
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

import pytest
import sqlalchemy as sa
from chatlas import ChatOpenAICompletions
from httpx import Timeout

from shiny_labchat import Bot, Lab, Message, Room, Rules
from shiny_labchat.bots import AuditEntry, Budget
from shiny_labchat.bots.calls import ModelCalls
from shiny_labchat.bots.occasion import Occasion
from shiny_labchat.bots.pace import generator
from shiny_labchat.lab.runtime import Runtime, running
from shiny_labchat.store.schema import audit, callback
from tests.support.backend import Databases
from tests.support.database import rows
from tests.support.models.model import Call, Model, Reply, Tool
from tests.support.server import Server

AT_ONCE: Mapping[str, Any] = {"reading": None, "typing": None}
LOOK = [Tool("weather", {"city": "Oslo"})]

Client = Callable[..., Any]


@pytest.fixture
def lab(databases: Databases) -> Iterator[Lab]:
    lab = Lab(databases.make())
    yield lab
    lab.log.close()


@pytest.fixture
def model() -> Iterator[Model]:
    with Model() as model:
        yield model


@pytest.fixture
async def at_work() -> AsyncIterator[None]:
    """Bots work in this process until the test ends."""
    async with running():
        yield


@pytest.fixture
async def room(lab: Lab, at_work: None) -> Room:
    """A room with Ann in it."""
    room = lab.room("r", study="s", rules=Rules(rate=None))
    await room.add_member("ann", "Ann")
    return room


@pytest.fixture
async def client(model: Model, at_work: None) -> AsyncIterator[Client]:
    """Makes clients that have a tool."""
    made: list[Any] = []

    def make(of: Model = model, name: str = "gpt-4.1-nano", tool: Any = weather) -> Any:
        made.append(ChatOpenAICompletions(model=name, api_key="key", base_url=of.url))
        made[-1].register_tool(tool)
        return made[-1]

    yield make
    for each in made:
        await each.close_async()


def weather(city: str) -> str:
    """The weather of a city."""
    return f"18 degrees in {city}"


def echo(messages: Sequence[Message]) -> str:
    return f"I heard: {messages[-1].content}"


async def until(is_so: Callable[[], Awaitable[Any]], within: float = 20.0) -> Any:
    """Wait until something is so, and give it."""
    async with asyncio.timeout(within):
        while not (found := await is_so()):
            await asyncio.wait([asyncio.get_running_loop().create_future()], timeout=0.02)
        return found


async def settled(room: Room, number: int) -> list[AuditEntry]:
    """Wait until so many entries of a room's audit are there and over; gives all."""

    async def entries() -> list[AuditEntry]:
        found = await room.audit()
        return found if sum(entry.outcome != "open" for entry in found) >= number else []

    return await until(entries)


def outcomes(entries: Sequence[AuditEntry]) -> list[tuple[str, str | None]]:
    return [(entry.outcome, entry.reason) for entry in entries]


def calls(entries: Sequence[AuditEntry]) -> list[AuditEntry]:
    return [entry for entry in entries if entry.is_call]


async def asked(model: Model, number: int = 1, outcome: str = "held") -> None:
    """Wait until so many calls have come so far."""

    def is_so() -> bool:
        return [call.outcome for call in model.calls].count(outcome) >= number

    await asyncio.to_thread(model.until, is_so)


async def said(room: Room) -> list[tuple[int, str]]:
    return [(m.seq, m.content) for m in await room.messages() if m.member == "machine"]


# ── what takes long ──


@pytest.mark.parametrize("is_async", [True, False])
async def test_the_log_says_which_bot_keeps_the_others_waiting(
    room: Room, caplog: pytest.LogCaptureFixture, is_async: bool
) -> None:
    may_go = threading.Event()

    def stuck(messages: Sequence[Message]) -> str:
        assert may_go.wait(20)
        return "at last"

    async def stuck_async(messages: Sequence[Message]) -> str:
        return await asyncio.to_thread(stuck, messages)

    bot = Bot("machine", respond=stuck_async if is_async else stuck)
    hello = await room.post("hello", author="ann")
    why = Occasion.of_message(hello)
    about = bot._spec, "Machine", list[str], why, lambda: None, random.Random
    asking = asyncio.create_task(
        ModelCalls(room.log, room.key, *about, long=0.2).answer([hello], hello.seq)
    )

    async def is_said() -> bool:
        return "bot 'machine' in room 'r' still waits for its" in caplog.text

    try:
        await until(is_said)
        assert outcomes(await room.audit()) == [("open", None)]
    finally:
        may_go.set()
    assert (await asking).text == "at last"


# ── each call on record ──


async def test_each_call_of_a_reply_with_tools_has_a_row_in_the_order_begun(
    room: Room, client: Client, model: Model
) -> None:
    may_go = threading.Event()

    def weather(city: str) -> str:
        """The weather of a city."""
        assert may_go.wait(20)
        return f"18 degrees in {city}"

    room.add_bot(Bot("machine", client=client(tool=weather), **AT_ONCE))
    model.will(Reply("Let me. ", tools=[*LOOK, *LOOK]), Reply(tools=LOOK), Reply("18."))
    await room.post("How warm is it?", author="ann")
    try:
        [first] = await settled(room, 1)  # while its tool is called
    finally:
        may_go.set()
    assert (first.outcome, first.reply) == ("tool", "Let me. ")
    assert (first.tokens_in, first.tokens_out) == model.calls[0].tokens and first.cost
    entries = await settled(room, 3)
    assert entries[0] == first and len(model.calls) == len(entries) == 3
    assert [(e.outcome, e.reply) for e in entries[1:]] == [("tool", ""), ("posted", "18.")]
    assert [(e.tokens_in, e.tokens_out) for e in entries] == [c.tokens for c in model.calls]
    times = [at for e in entries for at in (e.asked, e.first, e.done)]
    assert all(a and b and a <= b for a, b in pairwise([*times, entries[-1].posted]))
    assert [len(e.prompt or ()) for e in entries] == [2, 4, 6], "each has all that it was told"
    assert "18 degrees in Oslo" in str(entries[1].prompt)


async def test_what_a_model_is_told_again_and_again_is_written_down_once(
    room: Room, lab: Lab, client: Client, model: Model
) -> None:
    room.add_bot(Bot("machine", client=client(), **AT_ONCE))
    for n in range(6):
        model.will(Reply(f"Let me see. {n}", tools=LOOK), Reply(f"18, for the {n}. time"))
        await room.post(f"How warm is it? {n}", author="ann")
        entries = await settled(room, 2 * n + 2)
    for entry, call in zip(entries, model.calls, strict=True):
        told = [content for turn in entry.prompt or () for content in turn["contents"]]
        texts = [content["text"] for content in told if content["content_type"] == "text"]
        results = [content for content in told if content["content_type"] == "tool_result"]
        assert texts == [text for role, text in call.messages if text and role != "tool"]
        assert len(results) == [role for role, _ in call.messages].count("tool")
    texts = sa.select(audit.c.prompt).order_by(audit.c.key)
    written = await lab.log.read(lambda conn: "".join(conn.execute(texts).scalars()))
    for n in range(6):
        assert written.count(f"How warm is it? {n}") == 1
        assert written.count(f"Let me see. {n}") <= 2  # as it came, and as it is in the room


@pytest.mark.parametrize(
    ("given", "recorded"),
    [(2**70, str(2**70)), (b"\xff", str(b"\xff")), ([Model], str([Model]))],
    ids=["huge", "bytes", "a class"],
)
async def test_what_a_tool_gives_that_is_no_json_is_on_record_as_the_model_was_told(
    room: Room, client: Client, model: Model, given: Any, recorded: str
) -> None:
    def weather(city: str) -> Any:
        """The weather of a city."""
        return given

    room.add_bot(Bot("machine", client=client(tool=weather), **AT_ONCE))
    model.will(Reply(tools=LOOK), Reply("So it is."))
    await room.post("How warm is it?", author="ann")
    tool, said = await settled(room, 2)
    assert outcomes([tool, said]) == [("tool", None), ("posted", None)]
    assert said.prompt is not None
    assert str(said.prompt[-1]["contents"][0]["value"]) == recorded == model.calls[1].results[0]


async def test_parameters_that_are_no_json_are_on_record_in_words(
    room: Room, client: Client
) -> None:
    asked = client()
    asked.kwargs_chat = {"timeout": Timeout(30.0)}
    room.add_bot(Bot("machine", client=asked, **AT_ONCE))
    await room.post("Hello", author="ann")
    [entry] = await settled(room, 1)
    assert entry.outcome == "posted"
    assert entry.parameters["timeout"] == repr(Timeout(30.0))


async def test_a_call_is_on_record_before_it_is_made(room: Room, lab: Lab, client: Client) -> None:
    there: list[int] = []

    def script(call: Call) -> Reply:
        there.append(rows(lab.url, "SELECT count(*) FROM audit WHERE is_call")[0][0])
        return Reply(tools=LOOK)

    with Model(script) as model:
        room.add_bot(Bot("machine", client=client(model), **AT_ONCE))
        model.will(Reply(status=500))
        await room.post("How warm is it?", author="ann")
        assert [e.outcome for e in await settled(room, 3)] == ["failed", "tool", "posted"]
    assert there == [2, 3], "the one that failed was asked without the script"


@pytest.fixture
def server(lab: Lab, model: Model, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("MODEL_URL", model.url)
    server = Server(["-m", "uvicorn", "tests.integration.apps.asking:app"], lab.url)
    server.start()
    yield server
    server.stop()


def is_enrolled(conn: sa.Connection) -> bool:
    return conn.execute(sa.select(sa.func.count()).select_from(callback)).scalar_one() > 0


async def test_every_call_is_on_record_after_a_kill(server: Server, lab: Lab, model: Model) -> None:
    room = lab.room("asking", study="tests")
    await room.add_member("ann")
    await until(lambda: lab.log.read(is_enrolled))
    model.will(Reply("Let me. ", tools=LOOK), Reply("half of it all", pieces=4, hold=2))
    await room.post("How warm is it?", author="ann")
    await asked(model)
    server.kill()
    assert [e.outcome for e in await room.audit()] == ["tool", "open"]
    server.start()
    await room.post("And now?", author="ann")
    entries = await settled(room, 3)
    assert len(calls(entries)) == len(model.calls) >= 3
    assert "open" not in [entry.outcome for entry in entries]


async def test_what_was_shown_of_a_stopped_stream_is_on_record(
    room: Room, client: Client, model: Model
) -> None:
    room.add_bot(Bot("machine", client=client, disclose=True, **AT_ONCE))
    model.will(Reply("half of it all", pieces=4, hold=2))
    await room.post("Say it.", author="ann")
    live = await Runtime.of(room.log).live.open(room.key)
    await asked(model)

    async def shown() -> Any:
        return [s for s in live.streams.open.values() if s.parts]

    [stream] = await until(shown)
    stream.stop()
    await until(lambda: is_there(room))
    live.leave()
    [entry] = await room.audit()
    assert (entry.outcome, entry.became, entry.reply) == ("stopped", stream.seq, "half of")
    assert await said(room) == [(entry.became, "half of")]


async def is_there(room: Room) -> bool:
    """Whether a message has become of the newest call."""
    entries = await room.audit()
    return bool(entries) and entries[-1].became is not None


async def test_what_was_shown_of_a_failed_stream_is_on_record(
    room: Room, client: Client, model: Model
) -> None:
    room.add_bot(Bot("machine", client=client, disclose=True, **AT_ONCE))
    model.will(Reply("Let me. ", tools=LOOK), Reply(status=401))
    await room.post("How warm is it?", author="ann")
    await until(lambda: is_there(room))
    tool, failed = await room.audit()
    assert (tool.outcome, tool.became, failed.outcome) == ("tool", None, "failed")
    assert await said(room) == [(failed.became, "Let me.")]
    assert failed.reason is not None and "401" in failed.reason
    assert (failed.tokens_in, failed.first, failed.cost) == (None, None, None)


async def test_a_fallback_does_not_go_on_with_what_has_failed(
    room: Room, client: Client, model: Model
) -> None:
    with Model() as other:
        own = {"client": client, "fallback": lambda: client(other)}
        room.add_bot(Bot("machine", **own, disclose=True, **AT_ONCE))
        model.will(Reply("Let me. ", tools=LOOK), Reply(status=401))
        other.will(Reply("It is warm."))
        await room.post("How warm is it?", author="ann")
        entries = await settled(room, 3)
    assert [(e.outcome, e.is_fallback) for e in entries] == [
        ("tool", False),
        ("failed", False),
        ("posted", True),
    ]
    assert await said(room) == [(entries[-1].became, "It is warm.")]


@pytest.mark.parametrize("discloses", [True, False], ids=["streamed", "typed"])
async def test_a_tool_is_not_run_again_when_the_model_fails_after_it(
    room: Room, client: Client, model: Model, discloses: bool
) -> None:
    looked: list[str] = []

    def look(city: str) -> str:
        """The weather of a city."""
        looked.append(city)
        return "18 degrees"

    room.add_bot(Bot("machine", client=client(tool=look), disclose=discloses, **AT_ONCE))
    wanted = [Tool("look", {"city": "Oslo"})]
    model.will(Reply("Let me. ", tools=wanted), Reply(status=500), Reply("18."))
    await room.post("How warm is it?", author="ann")
    entries = await settled(room, 3)
    assert [(e.outcome, e.reply) for e in entries] == [
        ("tool", "Let me. "),
        ("failed", ""),
        ("posted", "18."),
    ]
    assert await said(room) == [(entries[-1].became, "Let me. 18.")]
    assert len(looked) == 1
    assert "18 degrees" in json.dumps(entries[-1].prompt)


# ── when it may not be said ──


@pytest.mark.parametrize("discloses", [True, False])
async def test_what_may_not_be_said_any_more_is_not_asked_again(
    room: Room, client: Client, model: Model, discloses: bool
) -> None:
    room.add_bot(Bot("machine", client=client, disclose=discloses, **AT_ONCE))
    model.will(Reply("Hello.", hold=0))
    await room.post("Hello?", author="ann")
    await asked(model)
    await room.close()
    model.go_on()
    assert outcomes(await settled(room, 1)) == [("dropped", "closed")]
    await room.open()
    await room.post("And now?", author="ann")
    assert outcomes(await settled(room, 2)) == [("dropped", "closed"), ("posted", None)]
    assert len(model.calls) == 2


async def test_who_may_not_write_any_more_does_not_try_again(
    room: Room, client: Client, model: Model
) -> None:
    room.add_bot(Bot("machine", client=client, fallback=client, **AT_ONCE))
    model.will(Reply(status=500))
    await room.post("Hello?", author="ann")
    [failed] = await settled(room, 1)
    await room.close()
    assert outcomes(await settled(room, 2)) == [("failed", failed.reason), ("silent", "closed")]
    assert len(model.calls) == 1


@pytest.mark.parametrize("first", [0, 1])
async def test_one_of_two_servers_has_said_it(room: Room, first: int) -> None:
    """A second one takes the first for dead while it answers; either may be the faster."""
    asked: list[asyncio.Event] = []

    async def respond(messages: Sequence[Message]) -> str:
        asked.append(asyncio.Event())
        mine = len(asked)
        await asked[-1].wait()
        return f"from {mine}"

    bot = Bot("machine", respond=respond, **AT_ONCE)
    await bot.enter(room)
    message = await room.post("Hello?", author="ann")
    reactions: list[asyncio.Task[None]] = []
    for n in (1, 2):
        reactions.append(asyncio.create_task(bot.react(room, message)))
        while len(asked) < n:
            await room.audit()
    for n in (first, 1 - first):
        asked[n].set()
        await reactions[n]
    [(seq, text)] = await said(room)
    assert text == f"from {first + 1}"
    entries = await room.audit()
    one = [("posted", None, seq), ("dropped", "said already", None)]
    other = [("interrupted", None, None), ("posted", None, seq)]
    assert [(e.outcome, e.reason, e.became) for e in entries] == (other if first else one)


async def test_one_of_two_servers_has_streamed_it(room: Room, client: Client, model: Model) -> None:
    bot = Bot("machine", client=client, disclose=True, **AT_ONCE)
    await bot.enter(room)
    message = await room.post("Hello?", author="ann")
    model.will(*[Reply("Hello, Ann.", pieces=3, hold=0)] * 2)
    reactions: list[asyncio.Task[None]] = []
    for n in (1, 2):
        reactions.append(asyncio.create_task(bot.react(room, message)))
        await asked(model, n)
    model.go_on()
    await asyncio.gather(*reactions)
    [(seq, text)] = await said(room)
    assert text == "Hello, Ann." and len(model.calls) == 2
    found = [(e.outcome, e.became) for e in await room.audit()]
    assert found in (
        [("posted", seq), ("dropped", None)],
        [("interrupted", None), ("posted", seq)],
    )


# ── what fails before anybody is asked ──


async def test_a_client_that_cannot_be_made_is_on_record_and_the_fallback_speaks(
    room: Room, client: Client, model: Model
) -> None:
    def keyless() -> Any:
        raise LookupError("no key")

    room.add_bot(Bot("machine", client=keyless, fallback=client, budget=Budget(1), **AT_ONCE))
    for n in (2, 4):
        await room.post("Hello?", author="ann")
        entries = await settled(room, n)
    assert [(e.outcome, e.reason, e.is_call, e.is_fallback) for e in entries] == [
        ("failed", "LookupError: no key", False, False),
        ("posted", None, True, True),
    ] * 2
    assert len(model.calls) == len(calls(entries)) == 2


async def test_a_function_that_cannot_say_when_is_on_record(room: Room) -> None:
    def is_wanted(message: Message) -> bool:
        raise LookupError(message.content)

    room.add_bot(Bot("machine", respond=echo, when=is_wanted, **AT_ONCE))
    for text in ("one", "two"):
        await room.post(text, author="ann")
    entries = await settled(room, 2)
    assert outcomes(entries) == [("failed", f"LookupError: {text}") for text in ("one", "two")]
    assert await said(room) == [] == calls(entries)


# ── budgets ──


async def test_a_call_that_fails_does_not_end_a_budget_of_money(
    room: Room, client: Client, model: Model
) -> None:
    room.add_bot(Bot("machine", client=client, budget=Budget(money=100.0), **AT_ONCE))
    model.will(Reply(status=401))
    for n in (1, 2):
        await room.post(f"{n}", author="ann")
        entries = await settled(room, n)
    assert [e.outcome for e in entries] == ["failed", "posted"]


async def test_a_scripted_bot_uses_nothing_of_the_studys_budget(
    room: Room, lab: Lab, client: Client, model: Model
) -> None:
    other = lab.room("other", study="s")
    await other.add_member("ann")
    other.add_bot(Bot("script", respond=echo, **AT_ONCE))
    await other.post("Hello?", author="ann")
    await settled(other, 1)
    limits = Budget(calls=1, tokens=100_000, money=100.0)
    room.add_bot(Bot("machine", client=client, study_budget=limits, **AT_ONCE))
    for n in (1, 2):
        await room.post(f"{n}", author="ann")
        entries = await settled(room, n)
    assert outcomes(entries) == [("posted", None), ("silent", "study_budget")]


async def test_a_model_without_a_price_is_asked_once(
    room: Room, client: Client, model: Model
) -> None:
    limit = Budget(money=100.0)
    room.add_bot(Bot("machine", client=lambda: client(name="tiny"), budget=limit, **AT_ONCE))
    for n in (1, 2):
        await room.post(f"{n}", author="ann")
        entries = await settled(room, n)
    assert outcomes(entries) == [("posted", None), ("silent", "budget")]
    assert len(model.calls) == 1


@pytest.mark.parametrize("discloses", [True, False])
async def test_a_reply_with_tools_keeps_to_its_calls(
    room: Room, client: Client, model: Model, discloses: bool
) -> None:
    limit = Budget(calls=2)
    room.add_bot(Bot("machine", client=client, budget=limit, disclose=discloses, **AT_ONCE))
    model.will(Reply("One. ", tools=LOOK), Reply("Two. ", tools=LOOK), Reply("Three."))
    await room.post("How warm is it?", author="ann")
    entries = await settled(room, 3)
    assert outcomes(entries) == [("tool", None), ("tool", None), ("silent", "budget")]
    assert len(model.calls) == len(calls(entries)) == 2
    shown = [(entries[1].became, "One. Two.")] if discloses else []
    assert await said(room) == shown
    live = await Runtime.of(room.log).live.open(room.key)
    assert not live.streams.open, "what was shown has ended"
    live.leave()


async def test_tokens_that_were_cached_are_used_all_the_same(room: Room, client: Client) -> None:
    with Model(lambda call: Reply("Yes.", cached=call.tokens[0] - 1)) as model:
        room.add_bot(Bot("machine", client=client(model), budget=Budget(tokens=20), **AT_ONCE))
        for n in (1, 2):
            await room.post(f"{n}", author="ann")
            entries = await settled(room, n)
        assert outcomes(entries) == [("posted", None), ("silent", "budget")]
        assert (entries[0].tokens_in, entries[0].tokens_out) == (1, 1)
        assert entries[0].tokens_cached == model.calls[0].tokens[0] - 1 > 20


async def test_calls_under_way_are_finished_when_a_budget_is_spent(
    lab: Lab, client: Client, model: Model
) -> None:
    """One for each room at most."""
    rooms = [lab.room(f"r{n}", study="s", rules=Rules(rate=None)) for n in range(3)]
    lab.add_bot(Bot("machine", client=client, budget=Budget(tokens=1), **AT_ONCE), "r*")
    model.will(*[Reply("Yes.", hold=0)] * 3)
    for room in rooms:
        await room.add_member("ann")
        await room.post("one", author="ann")
    await asked(model, 3)
    model.go_on()
    for room in rooms:
        await settled(room, 1)
        await room.post("two", author="ann")
        assert outcomes(await settled(room, 2)) == [("posted", None), ("silent", "budget")]
    assert len(model.calls) == 3


# ── what is random ──


async def test_the_pause_before_another_try_is_the_seeds(
    room: Room, client: Client, model: Model
) -> None:
    room.add_bot(Bot("machine", client=client, seed=208, **AT_ONCE))  # a long one
    model.will(Reply(status=500))
    before = random.getstate()
    message = await room.post("Hello?", author="ann")
    failed, posted = await settled(room, 2)
    assert random.getstate() == before, "what others draw is not used up"
    assert failed.done is not None and posted.asked is not None
    expected = generator(208, *room.key[:2], "machine", message.seq, "pause").uniform(1.0, 1.5)
    assert expected > 1.499, "hardly ever drawn by chance"
    assert (posted.asked - failed.done).total_seconds() > expected - 0.01
