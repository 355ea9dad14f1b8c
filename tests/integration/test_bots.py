"""Bots: what others are shown of them, when they speak, what is on record, and what ends them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest
from chatlas import ChatOpenAICompletions

from shiny_labchat import Bot, Lab, Message, Room, Rules, _callbacks
from shiny_labchat._live import Live
from shiny_labchat._records import text_of
from shiny_labchat.bots import AuditEntry, Budget, Every, Silence
from tests.client import Browser, Frame, browser
from tests.model import Model, Reply, Tool
from tests.page import page
from tests.server import Server

APP = ["-m", "uvicorn", "tests.integration.apps.bots:app"]
AT_ONCE: Mapping[str, Any] = {"reading": None, "typing": None}


@pytest.fixture
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    lab = Lab(f"sqlite:///{tmp_path_factory.mktemp('bots') / 'lab.db'}")
    yield lab
    lab.log.close()


@pytest.fixture
def server(
    lab: Lab, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Iterator[Server]:
    """Its parameter is what the bot is like."""
    monkeypatch.setenv("BOT", json.dumps(getattr(request, "param", {})))
    server = Server(APP, lab.url)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def model() -> Iterator[Model]:
    with Model() as model:
        yield model


@pytest.fixture
async def room(lab: Lab) -> Room:
    return lab.room("r", study="s", rules=Rules(rate=None, max_composing=9))


@pytest.fixture
async def at_work() -> AsyncIterator[None]:
    """Bots work in this process until the test ends."""
    async with _callbacks.running():
        yield


# ── what others are shown ──


@asynccontextmanager
async def person(server: Server, chat: str = "chat") -> AsyncIterator[Browser]:
    async with page(server.port, chats=(chat,)) as opened, browser(server.port) as socket:
        await socket.hello(ticket=await opened.ticket(chat))
        yield socket


@asynccontextmanager
async def ear(server: Server, chat: str) -> AsyncIterator[Browser]:
    """One who says hello, and hears another's answer."""
    async with person(server, chat) as ann:
        await ann.hears("presence", n=2)
        await ann.says("hello")
        yield ann
        await ann.sees("hello", "I heard: hello")
        await ann.hears("typing", who=[])
        await ann.settles()


def as_anybody(ann: Browser, *others: Browser) -> list[list[Frame]]:
    """
    Frames without what must differ: texts, times, and the random names of two people.

    Those of ann, who has talked to the other one, and the welcomes of others.
    """
    own = ann.welcome["you"]
    names = {own["h"]: "H-ANN", own["name"]: "ANN"}
    there = next(f for f in reversed(ann.frames) if f["t"] == "presence")
    for handle, name, _ in there["who"]:
        names.setdefault(handle, "H-OTHER")
        names.setdefault(name, "OTHER")
    shown: list[list[Frame]] = []
    for frames in (ann.frames, *([{"t": "late", "e": each.welcome["e"]}] for each in others)):
        text = json.dumps([frame for frame in frames if frame["t"] != "pong"])
        for real, instead in names.items():
            text = text.replace(json.dumps(real)[1:-1], instead)
        shown.append([_without_chance(frame) for frame in json.loads(text)])
    return shown


def _without_chance(frame: Frame) -> Frame:
    frame = {key: value for key, value in frame.items() if key != "resume"}
    if frame["t"] == "presence":
        frame["who"].sort()
    if frame["t"] == "acks":
        frame["of"] = [["cid", seq] for _, seq in frame["of"]]
    for item in frame.get("e", []):
        item.pop("at")
    return frame


def in_order(frames: Sequence[Frame]) -> dict[str, list[Frame]]:
    """Frames by type; of who is here only the last: it is said at most twice a second."""
    by_type = {frame["t"]: [f for f in frames if f["t"] == frame["t"]] for frame in frames}
    return by_type | {"presence": by_type["presence"][-1:]}


def kinds(frames: Sequence[Frame]) -> list[str]:
    """The types of frames; who is here is said when there is time for it."""
    return [frame["t"] for frame in frames if frame["t"] != "presence"]


@pytest.mark.parametrize("server", [{"typing": 60, "seed": 1}], indirect=True)
async def test_an_undisclosed_bot_is_a_person_in_every_frame(server: Server, lab: Lab) -> None:
    """The same words in two rooms: a person's in one, the bot's in the other."""
    async with person(server, "people") as bob:
        async with ear(server, "people") as ann:
            await bob.sees("hello")
            await bob.tell(t="typing")
            await ann.hears("typing")
            await bob.says("I heard: hello")
        async with person(server, "people") as late:
            persons = as_anybody(ann, late)
    async with ear(server, "chat") as ann:
        await ann.hears("typing")
    async with person(server) as late:
        bots = as_anybody(ann, late)
    assert in_order(bots[0]) == in_order(persons[0])
    assert kinds(bots[0]) == kinds(persons[0])
    assert bots[1] == persons[1]
    room = lab.room("bots", study="tests")
    [machine] = [m for m in await room.members() if m.id == "machine"]
    assert machine.role == "assistant", "the log knows"
    everything = json.dumps([*ann.frames, *late.frames])
    assert "machine" not in everything and "bot" not in everything
    assert "assistant" not in everything


@pytest.mark.parametrize("server", [AT_ONCE], indirect=True)
async def test_disclosing_shows_what_it_is_and_what_it_has_said(server: Server, lab: Lab) -> None:
    room = lab.room("bots", study="tests")
    async with person(server) as ann, person(server) as bob:
        await ann.says("hello")
        await bob.sees("hello", "I heard: hello")
        [own] = [m.id for m in await room.members() if m.pseudonym == ann.welcome["you"]["name"]]

        await room.disclose("machine", to=[own])
        assert roles_in(await ann.hears("welcome", reset=True)) == ["user", "assistant"]
        assert "assistant" in [role for _, _, role in (await ann.hears("presence"))["who"]]
        await ann.says("so?")
        for each in (ann, bob):
            await each.sees("so?", "I heard: so?")
        assert [ann.items[seq]["role"] for seq in sorted(ann.items)][-1] == "assistant"
        assert "assistant" not in json.dumps(bob.frames)
        async with person(server) as eve:
            await eve.hears("presence")
            assert "assistant" not in json.dumps(eve.frames)

            await room.disclose()
            for each in (bob, eve):
                frame = await each.hears("welcome", reset=True)
                assert roles_in(frame) == ["user", "assistant", "user", "assistant"]
                await each.hears("presence")
        async with browser(server.port) as again:
            await again.hello(resume=bob.welcome["resume"] or "", after=1)
            assert roles_in(again.welcome) == ["user", "assistant", "user", "assistant"]
    before = len([m for m in await room.messages() if m.role == "assistant"])
    assert before == 0, "the log keeps what was shown then"


def roles_in(frame: Frame) -> list[str]:
    return [item["role"] for item in frame["e"] if item["k"] == "msg"]


@pytest.mark.parametrize("server", [{**AT_ONCE, "disclose": True}], indirect=True)
async def test_a_disclosed_bot_is_an_assistant_from_the_beginning(server: Server) -> None:
    async with person(server) as ann:
        await ann.says("hello")
        await ann.sees("hello", "I heard: hello")
        assert [ann.items[seq]["role"] for seq in sorted(ann.items)] == ["user", "assistant"]
        there = await ann.hears("presence", n=2)
        assert sorted(role for _, _, role in there["who"]) == ["assistant", "participant"]


# ── when, and how long it takes ──


@pytest.mark.parametrize("server", [{"seed": 1, "jitter": 0, "typing": 240}], indirect=True)
async def test_it_takes_as_long_as_reading_and_typing(server: Server, lab: Lab) -> None:
    room = lab.room("bots", study="tests")
    async with person(server) as ann:
        for text in ("hello", "how are you today my friend?"):
            await ann.says(text)
            await ann.hears("typing", who=[])
            await ann.sees(text, f"I heard: {text}")
    said = await room.messages()
    for asked, answered in ((said[0], said[1]), (said[2], said[3])):
        reading = len(asked.content.split()) * 60 / 238
        typing = len(answered.content) / 5 * 60 / 240
        took = (answered.at - asked.at).total_seconds()
        assert took == pytest.approx(reading + typing, abs=0.05)


Respond = Callable[[Sequence[Message]], str | None]


async def settled(room: Room, number: int, within: float = 20.0) -> list[AuditEntry]:
    """Wait until so many entries of a room's audit are there and over; gives all."""
    async with asyncio.timeout(within):
        while True:
            entries = await room.audit()
            if len([each for each in entries if each.outcome != "open"]) >= number:
                return entries
            await asyncio.wait([asyncio.get_running_loop().create_future()], timeout=0.02)


def echo(messages: Sequence[Message]) -> str:
    return f"I heard: {messages[-1].content}"


async def outcomes(room: Room, number: int) -> list[tuple[str, str | None]]:
    return [(each.outcome, each.reason) for each in await settled(room, number)]


async def texts(room: Room, by: str = "machine") -> list[str]:
    return [message.content for message in await room.messages() if message.member == by]


@pytest.fixture
async def ann(room: Room) -> str:
    return (await room.add_member("ann", "Ann")).id


async def test_each_silence_is_on_record(room: Room, ann: str, at_work: None) -> None:
    room.add_bot(Bot("machine", respond=echo, when=Every(2), **AT_ONCE))
    for n in range(1, 5):
        await room.post(f"{n}", author=ann)
        await settled(room, n)
    assert await texts(room) == ["I heard: 2", "I heard: 4"]
    entries = await room.audit()
    assert [(e.outcome, e.reason, e.is_call) for e in entries] == [
        ("silent", "when", False),
        ("posted", None, True),
        ("silent", "when", False),
        ("posted", None, True),
    ]
    seqs = [m.seq for m in await room.messages() if m.member == ann]
    assert [e.seq for e in entries] == seqs
    assert [e.became for e in entries if e.became] == [
        m.seq for m in await room.messages() if m.member == "machine"
    ]


async def test_it_breaks_a_silence_once(room: Room, ann: str, at_work: None) -> None:
    room.add_bot(Bot("machine", respond=echo, when=Silence(0.3), **AT_ONCE))
    await room.post("one", author=ann)
    await room.post("two", author=ann)
    entries = await settled(room, 2)
    assert [(e.outcome, e.reason) for e in entries] == [
        ("silent", "talk went on"),
        ("posted", None),
    ]
    first, last = (await room.messages())[1:]
    assert (last.at - first.at).total_seconds() == pytest.approx(0.3, abs=0.1)


async def test_a_mention_a_function_and_the_script_decide(
    room: Room, ann: str, at_work: None
) -> None:
    async def is_question(message: Message) -> bool:
        return "?" in message.content

    room.add_bot(Bot("called", respond=echo, pseudonym="Otter", when="mention", **AT_ONCE))
    room.add_bot(Bot("asked", respond=echo, when=is_question, max_in_a_row=1, **AT_ONCE))
    room.add_bot(Bot("mute", respond=lambda messages: None, max_in_a_row=1, **AT_ONCE))
    await room.post("hello otter", author=ann)
    await settled(room, 3)
    await room.post("well?", author=ann)
    async with asyncio.timeout(10):
        while not await texts(room, "asked"):
            pass
    assert await texts(room, "called") == ["I heard: hello otter"]
    assert await texts(room, "asked") == ["I heard: well?"]
    assert await texts(room, "mute") == []
    mute = [e.reason for e in await room.audit() if e.bot == "mute" and e.outcome == "silent"]
    assert "model" in mute and set(mute) <= {"model", "max_in_a_row"}


async def test_private_messages_and_notices_are_not_heard(
    room: Room, ann: str, at_work: None
) -> None:
    heard: list[list[str]] = []

    def listen(messages: Sequence[Message]) -> None:
        heard.append([message.content for message in messages])

    room.add_bot(Bot("machine", respond=listen, **AT_ONCE))
    await room.post("secret", author=ann, audience=[ann])
    await room.announce("Welcome.")
    await room.post("hello", author=ann)
    await settled(room, 1)
    assert heard == [["Welcome.", "hello"]]


# ── when talk moves on ──


@pytest.mark.parametrize("moved_on", ["send", "redraft", "drop"])
async def test_talk_moves_on(room: Room, ann: str, at_work: None, moved_on: Any) -> None:
    room.add_bot(
        Bot("machine", respond=echo, moved_on=moved_on, reading=None, typing=60, jitter=0, seed=1)
    )
    await room.post("one", author=ann)
    entries = await room.audit()
    while not [e for e in entries if e.done]:  # it types now
        entries = await room.audit()
    await room.post("two", author=ann)
    two = (await room.messages())[1].seq
    if moved_on == "send":
        assert await outcomes(room, 2) == [("posted", None), ("posted", None)]
        assert await texts(room) == ["I heard: one", "I heard: two"]
    elif moved_on == "redraft":
        assert await outcomes(room, 3) == [
            ("redrafted", "talk went on"),
            ("posted", None),
            ("covered", "covered"),
        ]
        assert await texts(room) == ["I heard: two"]
    else:
        assert await outcomes(room, 2) == [("dropped", "talk went on"), ("posted", None)]
        assert await texts(room) == ["I heard: two"]
        assert [e.seq for e in await room.audit()][-1] == two


async def test_no_more_compose_at_once_than_may(lab: Lab, at_work: None) -> None:
    room = await lab.create_room("few", study="s", rules=Rules(rate=None, max_composing=2))
    await room.add_member("ann")
    for n in range(6):
        bot = Bot(f"bot{n}", respond=echo, reading=None, typing=600, when=is_anns)
        room.add_bot(bot)
    for n in range(3):
        await room.post(f"{n}", author="ann")
    spans: list[Any] = []
    async with asyncio.timeout(40):
        while len(spans) < 6:
            entries = await room.audit()
            spans = [(e.asked, e.posted) for e in entries if e.asked and e.posted]
    for begun, _ in spans:
        assert sum(a <= begun < b for a, b in spans) <= 2


def is_anns(message: Message) -> bool:
    return message.member == "ann"


# ── enough ──


async def test_limits_and_what_is_said_at_the_end(room: Room, ann: str, at_work: None) -> None:
    bot = Bot("machine", respond=echo, max_messages=1, closing="I must go.", end="leave", **AT_ONCE)
    room.add_bot(bot)
    for n in range(1, 4):
        await room.post(f"{n}", author=ann)
        await settled(room, min(n, 2))
    assert await outcomes(room, 2) == [("posted", None), ("silent", "max_messages")]
    async with asyncio.timeout(10):
        while "machine" in [member.id for member in await room.members()]:
            pass
    assert await texts(room) == ["I heard: 1", "I must go."]


async def test_two_bots_do_not_talk_for_ever(room: Room, ann: str, at_work: None) -> None:
    for name in ("one", "two"):
        room.add_bot(Bot(name, respond=echo, max_in_a_row=4, **AT_ONCE))
    await room.post("go", author=ann)
    async with asyncio.timeout(20):
        while len([e for e in await room.audit() if e.reason == "max_in_a_row"]) < 1:
            pass
    said = [m for m in await room.messages() if m.member != ann]
    assert 3 <= len(said) <= 5


async def test_a_closed_room_is_not_written_to(room: Room, ann: str, at_work: None) -> None:
    room.add_bot(Bot("machine", respond=echo, reading=None, typing=240))
    await room.post("one", author=ann)
    await settled(room, 0)
    await room.close()
    [(outcome, reason)] = await outcomes(room, 1)
    assert (outcome, reason) in {("dropped", "closed"), ("silent", "closed")}
    assert await texts(room) == []


# ── models, over the wire ──


@pytest.fixture
async def client(model: Model, at_work: None) -> AsyncIterator[Callable[..., Any]]:
    """Makes clients as people make them: their own connections would try twice more."""
    made: list[Any] = []

    def make(of: Model = model) -> Any:
        options: dict[str, Any] = {"model": "gpt-4.1-nano", "api_key": "key", "base_url": of.url}
        made.append(ChatOpenAICompletions(system_prompt="Be brief.", **options))
        return made[-1]

    yield make
    for each in made:
        await each.close_async()


def rows(entries: Sequence[AuditEntry]) -> list[AuditEntry]:
    return [entry for entry in entries if entry.is_call]


async def test_a_call_is_on_record_with_all_that_belongs_to_it(
    room: Room, ann: str, client: Any, model: Model
) -> None:
    bot = Bot("machine", client=client, pseudonym="Otter", seed=7, **AT_ONCE)
    room.add_bot(bot)
    await room.post("What is it?", author=ann)
    await settled(room, 1)
    model.will(Reply("Otter: It is  \x07this.", pieces=3))
    await room.post("And that?", author=ann)
    first, second = await settled(room, 2)
    assert await texts(room) == ["You said: Ann: What is it?", "It is  this."]
    assert second.reply == "Otter: It is  \x07this.", "the record has what came"
    assert second.prompt is not None
    assert [(t["role"], t["contents"][0]["text"]) for t in second.prompt] == [
        *model.calls[1].messages
    ]
    assert model.calls[1].messages[0][1].startswith('Be brief.\n\nYou are "Otter"')
    assert model.calls[1].messages[1:] == [
        ("user", "Ann: What is it?"),
        ("assistant", "You said: Ann: What is it?"),
        ("user", "Ann: And that?"),
    ]
    assert (second.provider, second.model) == ("OpenAI", "gpt-4.1-nano")
    assert second.seed == model.calls[1].body["seed"] != first.seed
    assert second.parameters == {"seed": second.seed}
    assert (second.tokens_in, second.tokens_out) == model.calls[1].tokens
    assert second.cost is not None and second.cost > 0
    assert second.asked and second.first and second.done and second.posted
    assert second.asked <= second.first <= second.done <= second.posted
    messages = await room.messages()
    assert (second.seq, second.became) == (messages[2].seq, messages[3].seq)


@pytest.mark.parametrize(
    "failure",
    [
        Reply(status=429, retry_after=0.05),
        Reply(status=500),
        Reply("half", pieces=4, cut=2),
        Reply("half", pieces=4, cut=2, how="error"),
    ],
    ids=["429", "500", "cut", "error"],
)
async def test_each_try_is_a_call_on_record(
    room: Room, ann: str, client: Any, model: Model, failure: Reply
) -> None:
    room.add_bot(Bot("machine", client=client, **AT_ONCE))
    model.will(failure, Reply("All of it."))
    await room.post("Say it.", author=ann)
    entries = await settled(room, 2)
    assert [e.outcome for e in entries] == ["failed", "posted"]
    assert entries[0].reason
    assert await texts(room) == ["All of it."]
    assert len(model.calls) == len(rows(entries)) == 2


async def test_who_fails_says_nothing_and_the_fallback_speaks(
    room: Room, ann: str, client: Any, model: Model
) -> None:
    with Model() as other:
        room.add_bot(Bot("lonely", client=client, when=is_anns, **AT_ONCE))
        helped = Bot(
            "helped",
            client=client,
            fallback=lambda: client(other),
            when=is_anns,
            **AT_ONCE,
        )
        room.add_bot(helped)
        model.will(Reply(status=401), Reply(status=401))
        other.will(Reply("I can."))
        await room.post("Who can?", author=ann)
        await settled(room, 3)
        entries = rows(await room.audit())
        assert await texts(room, "lonely") == [] and await texts(room, "helped") == ["I can."]
        assert sorted((e.bot, e.outcome, e.is_fallback) for e in entries) == [
            ("helped", "failed", False),
            ("helped", "posted", True),
            ("lonely", "failed", False),
        ]
        assert "Traceback" not in str(await room.messages())


async def test_calls_of_tools_are_on_record(
    room: Room, ann: str, client: Any, model: Model
) -> None:
    weatherman = client()

    def weather(city: str) -> str:
        """The weather of a city."""
        return f"18 degrees in {city}"

    weatherman.register_tool(weather)
    room.add_bot(Bot("machine", client=weatherman, **AT_ONCE))
    model.will(Reply("Let me look.", tools=[Tool("weather", {"city": "Oslo"})]), Reply("18."))
    await room.post("How warm is it?", author=ann)
    entries = await settled(room, 2)
    assert sorted(e.outcome for e in entries) == ["posted", "tool"]
    assert len(model.calls) == len(rows(entries)) == 2
    [last] = [e for e in entries if e.outcome == "posted"]
    assert "18 degrees in Oslo" in json.dumps(last.prompt)
    assert sum(e.tokens_in or 0 for e in entries) == sum(c.tokens[0] for c in model.calls)


async def test_a_disclosed_bot_streams(room: Room, ann: str, client: Any, model: Model) -> None:
    room.add_bot(Bot("machine", client=client, disclose=True, **AT_ONCE))
    model.will(Reply("half of it", pieces=4, cut=2), Reply("all of it", pieces=3, hold=2))
    await room.post("Say it.", author=ann)
    live = await Live.of(room.log).open(room.key)
    async with asyncio.timeout(10):
        while not [s for s in live.streams.open.values() if text_of(s.parts) == "all of"]:
            await room.members()
    model.go_on()
    failed, posted = await settled(room, 2)
    live.leave()
    assert (failed.outcome, posted.outcome, posted.reply) == ("failed", "posted", "all of it")
    [said] = [m for m in await room.messages() if m.member == "machine"]
    assert (said.content, said.role, said.seq) == ("all of it", "assistant", posted.became)


async def test_the_model_itself_decides(room: Room, ann: str, client: Any, model: Model) -> None:
    room.add_bot(Bot("machine", client=client, when="model", **AT_ONCE))
    model.will(Reply("[no reply]"), Reply("Now I do."))
    await room.post("hm", author=ann)
    await settled(room, 1)
    await room.post("and now?", author=ann)
    assert await outcomes(room, 2) == [("silent", "model"), ("posted", None)]
    assert await texts(room) == ["Now I do."]
    assert len(model.calls) == len(rows(await room.audit())) == 2


async def test_a_budget_is_never_exceeded(lab: Lab, client: Any, model: Model) -> None:
    """Three rooms at once, one budget of five calls."""
    budget = Budget(calls=5)
    bot = Bot("machine", client=client, budget=budget, when=is_anns, **AT_ONCE)
    rooms = [lab.room(f"r{n}", study="s", rules=Rules(rate=None)) for n in range(3)]
    lab.add_bot(bot, "r*")
    for room in rooms:
        await room.add_member("ann")
    for n in range(4):
        for room in rooms:
            await room.post(f"{n}", author="ann")
        for room in rooms:
            await settled(room, n + 1)
    entries = await lab.audit("s")
    assert len(model.calls) == len(rows(entries)) == 5
    assert sum(e.reason == "budget" for e in entries) == 7
    assert await lab.audit("another study") == []


async def test_when_the_budget_is_spent_the_fallback_speaks(
    room: Room, ann: str, client: Any, model: Model
) -> None:
    with Model() as other:
        bot = Bot(
            "machine",
            client=client,
            study_budget=Budget(money=1e-9),
            end="fallback",
            fallback=lambda: client(other),
            **AT_ONCE,
        )
        room.add_bot(bot)
        for n in range(2):
            await room.post(f"{n}", author=ann)
            await settled(room, n + 1)
        assert [len(model.calls), len(other.calls)] == [1, 1]
        assert [e.is_fallback for e in await room.audit()] == [False, True]


# ── through everything that may happen ──


@pytest.mark.parametrize("server", [{"reading": None, "typing": 40, "seed": 3}], indirect=True)
async def test_it_goes_on_after_a_crash_before_anybody_visits(server: Server, lab: Lab) -> None:
    room = lab.room("bots", study="tests")
    async with person(server) as ann:
        await ann.says("are you there?")
        await ann.hears("typing")
        async with asyncio.timeout(10):
            while not [entry for entry in await room.audit() if entry.done]:
                pass
        server.kill()
    server.start()
    entries = await settled(room, 2, within=30)
    assert [e.outcome for e in entries] == ["interrupted", "posted"]
    assert [m.content for m in await room.messages()] == [
        "are you there?",
        "I heard: are you there?",
    ]


async def test_what_was_said_before_a_crash_is_not_said_again(
    room: Room, ann: str, at_work: None
) -> None:
    """The message is in the log, but the server died before the record said so."""
    from shiny_labchat import _commands

    message = await room.post("hello", author=ann)
    said: list[int] = []

    def respond(messages: Sequence[Message]) -> str:
        said.append(len(messages))
        return "never"

    bot = Bot("machine", respond=respond, **AT_ONCE)
    await bot.enter(room)
    post = _commands.Post([("text", "I said it.")], "user", "machine", cid=f"bot:{message.seq}")
    await room.submit(post)
    await bot.react(room, message)
    assert await texts(room) == ["I said it."] and said == []


async def test_declaring_it_again_changes_nothing(room: Room, ann: str, at_work: None) -> None:
    """An Express script runs once per session."""
    for _ in range(20):
        room.add_bot(Bot("machine", respond=echo, **AT_ONCE))
    await room.post("hello", author=ann)
    await settled(room, 1)
    assert await texts(room) == ["I heard: hello"]
    assert [m.id for m in await room.members()] == ["ann", "machine"]


async def test_who_was_removed_stays_away(room: Room, ann: str, at_work: None) -> None:
    room.add_bot(Bot("machine", respond=echo, **AT_ONCE))
    await room.post("hello", author=ann)
    await settled(room, 1)
    await room.remove_member("machine")
    room.add_bot(Bot("machine", respond=echo, **AT_ONCE))
    room.add_bot(Bot("other", respond=lambda messages: None, **AT_ONCE))
    await room.post("and now?", author=ann)
    await settled(room, 2)
    assert [m.id for m in await room.members()] == ["ann", "other"]
    assert await texts(room) == ["I heard: hello"]
