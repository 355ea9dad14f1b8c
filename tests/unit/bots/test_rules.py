"""When bots speak, how long it takes them, and when it is enough; on a clock of the tests' own."""

from __future__ import annotations

import asyncio
import math
import random
import statistics
from collections.abc import Callable, Coroutine, Iterator
from datetime import UTC, datetime
from typing import Any, cast

import pytest
from openai import AsyncOpenAI

from shiny_labchat import Bot, Message
from shiny_labchat.bots.budget import Budget
from shiny_labchat.bots.delivery import ComposedReply, ComposingPlan, compose
from shiny_labchat.bots.pace import Pace, as_typed, due, generator
from shiny_labchat.bots.spec import limit_of
from shiny_labchat.bots.tally import Tally, as_experienced, tally_of
from shiny_labchat.bots.when import (
    Chance,
    Every,
    Silence,
    as_conditions,
    is_no_reply,
    met_at_once,
)
from shiny_labchat.protocol import TYPING_EVERY

TRIALS = 1_000


def said(seq: int, member: str | None, text: str = "hello") -> Message:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    return Message(seq, f"m{seq}", text, "user", member, member, at)


def told(when: Any, since_own: int = 1, text: str = "hello", seq: int = 1) -> bool:
    rng = generator(1, "room", seq)
    heard = said(seq, "ann", text)
    return met_at_once(as_conditions(when), heard, since_own, "Teal Otter", rng) is not None


# ── when ──


def test_it_speaks_at_each_message() -> None:
    assert told("message")
    assert not told("model") and not told(lambda m: True), "others decide later"


@pytest.mark.parametrize("text", ["Teal Otter?", "hi @Teal Otter!", "i agree with teal otter"])
def test_who_is_called_by_name_is_mentioned(text: str) -> None:
    assert told("mention", text=text)


@pytest.mark.parametrize("text", ["Steal Otters", "teal", "Otter", "Teal Otterly", ""])
def test_others_are_not_mentioned(text: str) -> None:
    assert not told("mention", text=text)


def test_every_third_message_since_it_spoke() -> None:
    told_at = [n for n in range(1, 10) if told(Every(3), n)]
    assert told_at == [3, 6, 9]
    assert not told(Every(3), 0), "it has spoken since"


@pytest.mark.parametrize("p", [0.0, 0.1, 0.3, 0.7, 1.0])
def test_the_reply_rate_is_within_binomial_bounds(p: float) -> None:
    """1,000 trials; 99 %: 2.576 standard deviations."""
    spoke = sum(told(Chance(p), seq=seq) for seq in range(TRIALS))
    assert abs(spoke - TRIALS * p) <= 2.576 * math.sqrt(TRIALS * p * (1 - p))


def test_the_same_seed_decides_the_same() -> None:
    once = [told(Chance(0.5), seq=seq) for seq in range(100)]
    assert once == [told(Chance(0.5), seq=seq) for seq in range(100)]


def test_talk_is_counted() -> None:
    talk = [said(1, "ann"), said(2, "bot"), said(3, None), said(4, "bob"), said(5, "ann")]
    talk += [said(6, "other bot")]
    counted = tally_of(talk, "bot", frozenset({"bot", "other bot"}))
    assert counted == Tally(own=1, all=5, in_a_row=1)
    assert tally_of(talk[:1], "bot", frozenset()) == Tally(0, 1, 0)


def test_what_was_said_while_it_wrote_comes_after_what_it_wrote() -> None:
    talk = [said(1, "ann"), said(2, "bob"), said(3, "bot"), said(4, "ann")]
    assert experienced(talk, unread=2) == ([1, 3], [2, 4])
    assert experienced(talk, unread=4) == ([1, 2, 3], [4])


def test_what_comes_piece_by_piece_is_known_when_it_is_whole() -> None:
    talk = [said(1, "ann"), said(2, "streamer"), said(3, "bob"), said(4, "bot")]
    assert experienced(talk, unread=5, ends={2: 5}) == ([1, 3, 4], [2])


def experienced(talk: list[Message], **since: Any) -> tuple[list[int], list[int]]:
    known, unread = as_experienced(talk, "bot", **since)
    return [m.seq for m in known], [m.seq for m in unread]


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: Every(0),
        lambda: Silence(0),
        lambda: Chance(1.1),
        lambda: Every(cast(Any, 2.5)),
        lambda: Silence(cast(Any, "5")),
    ],
)
def test_impossible_rules_are_refused(wrong: Callable[[], object]) -> None:
    with pytest.raises((TypeError, ValueError), match="must be"):
        wrong()


# ── how long ──


def test_reading_and_typing_take_as_long_as_people_need() -> None:
    """238 words a minute; 52 words of five characters a minute."""
    pace = Pace(jitter=0)
    rng = random.Random(1)
    assert pace.time_to_read(["word " * 100, "word " * 138], rng) == pytest.approx(60)
    assert pace.time_to_type("x" * 260, rng) == pytest.approx(60)
    assert Pace(None, None).time_to_read(["a"], rng) == Pace(None, None).time_to_type("a", rng) == 0


def test_jitter_keeps_the_mean() -> None:
    times = [Pace().time_to_type("x" * 260, generator(7, n)) for n in range(TRIALS)]
    assert statistics.mean(times) == pytest.approx(60, rel=0.02)
    assert statistics.stdev(map(math.log, times)) == pytest.approx(0.2, rel=0.1)
    assert times == [Pace().time_to_type("x" * 260, generator(7, n)) for n in range(TRIALS)]


def test_it_waits_for_what_takes_longest() -> None:
    assert due(10, 11, reading=2, typing=3) == 15
    assert due(10, 18, reading=2, typing=3) == 18


def test_what_is_said_looks_typed() -> None:
    assert as_typed("hi\x07\u0085 there\ud800\r\nyou  ", 99) == "hi there\nyou"
    assert as_typed("a" * 20 + " b", 21) == "a" * 20


def test_a_model_may_decline() -> None:
    assert is_no_reply("[no reply]") and is_no_reply(" ") and is_no_reply("Well: [No reply].")
    assert not is_no_reply("no reply")


# ── composing, on a clock that is not real ──


class Clock(asyncio.SelectorEventLoop):
    """An event loop whose time passes only when nobody has anything else to do, then at once."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        selector: Any = self._selector  # pyright: ignore
        select = selector.select

        def jump(timeout: float | None = None) -> Any:
            self.now += max(0.0, timeout or 0.0)
            return select(0)

        selector.select = jump

    def time(self) -> float:
        return self.now


def on_clock(work: Coroutine[Any, Any, Any]) -> Any:
    loop = Clock()
    try:
        return loop.run_until_complete(work)
    finally:
        loop.close()


async def after(seconds: float) -> None:
    """Take some of the clock's time."""
    await asyncio.wait([asyncio.get_running_loop().create_future()], timeout=seconds)


async def composed(
    latency: float,
    plan: Callable[[float], ComposingPlan],
    text: str | None = "hello",
) -> tuple[ComposedReply, float]:
    loop = asyncio.get_running_loop()
    begun = loop.time()

    async def ask() -> tuple[str | None, int]:
        await after(latency)
        return text, 7

    return await compose(ask(), plan(begun)), loop.time() - begun


def plan(
    reading: float = 0.0,
    typing: float = 0.0,
    typed: list[float] | None = None,
    is_decided: bool = True,
    moved: asyncio.Event | None = None,
) -> Callable[[float], ComposingPlan]:
    def type() -> None:
        if typed is not None:
            typed.append(asyncio.get_running_loop().time())

    return lambda begun: ComposingPlan(reading, lambda text: typing, type, begun, is_decided, moved)


def test_the_delay_is_what_takes_longest_in_a_thousand_trials() -> None:
    async def trials() -> list[float]:
        off: list[float] = []
        for n in range(TRIALS):
            rng = generator(3, n)
            latency, pace = rng.expovariate(1 / 4), Pace()
            reading = pace.time_to_read(["word " * rng.randrange(1, 40)], rng)
            typing = pace.time_to_type("x" * rng.randrange(1, 200), rng)
            done, took = await composed(latency, plan(reading, typing))
            assert done == ("written", "hello", 7)
            off.append(took - max(latency, reading + typing))
        return off

    off = on_clock(trials())
    assert max(map(abs, off)) < 0.05


def test_it_is_seen_typing_as_a_browser_says_so() -> None:
    typed: list[float] = []
    _, took = on_clock(composed(1.0, plan(2.0, 8.0, typed)))
    assert typed == pytest.approx([2.0 + n * TYPING_EVERY for n in range(3)])
    assert took == pytest.approx(10.0)


def test_who_may_decline_is_not_seen_typing_before_it_has_decided() -> None:
    typed: list[float] = []
    done, took = on_clock(composed(5.0, plan(1.0, 1.0, typed, is_decided=False), None))
    assert (done.how, typed) == ("silent", []) and took == pytest.approx(5.0)
    done, took = on_clock(composed(5.0, plan(1.0, 8.0, typed, is_decided=False)))
    assert done.how == "written" and typed[0] == pytest.approx(5.0)
    assert took == pytest.approx(9.0)


@pytest.mark.parametrize(("moves_at", "ends_at"), [(1.0, 2.0), (3.0, 3.0), (20.0, 7.0)])
def test_it_stops_when_talk_moves_on_but_hears_the_model_out(
    moves_at: float, ends_at: float
) -> None:
    async def run() -> tuple[ComposedReply, float]:
        moved = asyncio.Event()
        asyncio.get_running_loop().call_later(moves_at, moved.set)
        return await composed(2.0, plan(3.0, 4.0, moved=moved))

    done, took = on_clock(run())
    assert done == ("moved" if moves_at < 7 else "written", "hello", 7)
    assert took == pytest.approx(ends_at)


def test_who_does_not_mind_sends_what_it_has() -> None:
    done, took = on_clock(composed(2.0, plan(3.0, 4.0)))
    assert done.how == "written" and took == pytest.approx(7.0)


# ── enough ──


@pytest.mark.parametrize(
    ("limits", "talk", "reason"),
    [
        ({}, Tally(50, 60, 1), None),
        ({"max_messages": 3}, Tally(2, 9), None),
        ({"max_messages": 3}, Tally(3, 9), "max_messages"),
        ({"max_share": 0.5}, Tally(0, 1), None),
        ({"max_share": 0.5}, Tally(1, 2), "max_share"),
        ({"max_share": 0.25}, Tally(2, 10), "max_share"),
        ({}, Tally(5, 10, 10), "max_in_a_row"),
        ({"max_in_a_row": None}, Tally(5, 10, 10), None),
    ],
)
def test_limits(limits: dict[str, Any], talk: Tally, reason: str | None) -> None:
    bot = Bot("bot", respond=lambda messages: None, **limits)
    assert limit_of(bot._spec, talk) == reason  # pyright: ignore[reportPrivateUsage]


@pytest.mark.parametrize(
    ("budget", "is_spent"),
    [
        (Budget(), False),
        (Budget(calls=11), False),
        (Budget(calls=10), True),
        (Budget(tokens=3001), False),
        (Budget(tokens=3000), True),
        (Budget(money=0.51), False),
        (Budget(money=0.5), True),
        (Budget(money=0.01, price=(3.0, 2.0)), False),
        (Budget(money=0.005, price=(1.0, 2.0)), True),
    ],
)
def test_budgets(budget: Budget, is_spent: bool) -> None:
    assert budget.is_spent(10, (1000, 2000), 0.5, 0) is is_spent


def test_a_limit_of_money_needs_a_price() -> None:
    assert Budget(money=9).is_spent(1, (10, 10), 0.0, unpriced=1)
    assert not Budget(money=9, price=(1, 1)).is_spent(1, (10, 10), 0.0, unpriced=1)


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"client": object(), "respond": print},
        {"respond": print, "when": "sometimes"},
        {"respond": print, "end": "explode"},
        {"respond": print, "end": "fallback"},
        {"respond": print, "moved_on": "wait"},
        {"respond": print, "typing": 0},
        {"respond": print, "max_share": 0},
        {"respond": print, "jitter": -1},
        {"respond": print, "max_messages": -1},
        {"respond": print, "max_in_a_row": 0},
        {"respond": print, "when": Every},
    ],
)
def test_a_bot_that_cannot_be_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        Bot("bot", **wrong)


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("respond", "Hello!"),
        ("respond", lambda: "takes nothing"),
        ("client", "gpt-4.1"),
        ("client", lambda model: model),
        ("fallback", "gpt-4.1"),
        ("when", lambda room, member, message: True),
        ("disclose", "no"),
        ("reading", "fast"),
        ("typing", True),
        ("jitter", None),
        ("seed", "abc"),
        ("max_messages", "3"),
        ("max_messages", 2.5),
        ("max_share", "0.3"),
        ("max_in_a_row", "ten"),
        ("budget", 100),
        ("study_budget", {"calls": 1}),
        ("closing", 5),
        ("pseudonym", 5),
    ],
)
def test_what_would_fail_in_a_study_is_an_error_at_once(name: str, wrong: Any) -> None:
    speaker: dict[str, Any] = {} if name in ("client", "respond") else {"respond": print}
    with pytest.raises(TypeError, match=f"^{name} must be"):
        Bot("bot", **speaker, **{name: wrong})


class Invoked:
    """A model as other frameworks have it."""

    def invoke(self, messages: Any) -> str:
        return "Hello."

    async def astream(self, messages: Any) -> Any:
        yield "Hello."

    def __call__(self, messages: Any) -> str:
        return "Hello."


@pytest.mark.parametrize("model", [Invoked(), AsyncOpenAI(api_key="key"), "gpt-4.1"], ids=type)
@pytest.mark.parametrize("name", ["client", "fallback"])
def test_for_a_model_of_another_framework_the_lines_to_write_are_named(
    name: str, model: Any
) -> None:
    given = {name: model} if name == "client" else {"respond": print, name: model}
    with pytest.raises(TypeError, match=r"lacks get_turns\(\) and set_turns\(\)") as wrong:
        Bot("bot", **given)
    *_, one, two, three = str(wrong.value).splitlines()
    assert "async def respond(messages):" in one and f"{name}." in two and "Bot(" in three


def test_a_generator_is_no_function_for_a_bot() -> None:
    def respond(messages: Any) -> Iterator[str]:
        yield "never said"

    with pytest.raises(TypeError, match="generator"):
        Bot("bot", respond=cast(Any, respond))


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("calls", -1),
        ("calls", "100"),
        ("calls", 2.5),
        ("tokens", -1),
        ("money", "1 dollar"),
        ("price", 5),
        ("price", (1,)),
        ("price", ("a", "b")),
        ("price", (1, -1)),
    ],
)
def test_a_budget_that_cannot_be_is_refused(name: str, wrong: Any) -> None:
    with pytest.raises((TypeError, ValueError), match=f"^{name} must be"):
        Budget(**{name: wrong})
