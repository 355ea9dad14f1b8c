"""A copy of a client for each reply, and a question that fails and goes on: over the wire."""

# pyright: reportPrivateUsage=false

from __future__ import annotations

import asyncio
import gc
import json
import threading
import warnings
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing
from typing import Any, cast

import anthropic
import openai
import pytest
from chatlas import (
    AssistantTurn,
    Chat,
    ChatAnthropic,
    ChatGoogle,
    ChatOpenAI,
    ChatOpenAICompletions,
    ContentToolRequest,
    Turn,
    UserTurn,
)
from google.genai import errors as genai

from shiny_labchat.models.client import for_one_reply, parameters_of, set_seed, without_retries
from shiny_labchat.models.exchange import Exchange, is_worth_another_try, unless_silent
from shiny_labchat.models.turns import as_stored
from tests.support.models.model import Model, Reply, Tool


@pytest.fixture
def model() -> Iterator[Model]:
    with Model() as model:
        yield model


def anthropics(*, base_url: str, kwargs: dict[str, Any], **options: Any) -> Chat[Any, Any]:
    """Its own library adds the version to the address."""
    where: Any = {"base_url": base_url.removesuffix("/v1"), **kwargs}
    return ChatAnthropic(**options, kwargs=where)


def googles(*, base_url: str, kwargs: dict[str, Any], **options: Any) -> Chat[Any, Any]:
    """Its own library tries once anyway, and counts milliseconds."""
    base, _, version = base_url.rpartition("/")
    where: Any = {"base_url": base, "api_version": version, "timeout": kwargs["timeout"] * 1000}
    return ChatGoogle(**options, kwargs={"http_options": where})


def made(make: Any, model: Model, **options: Any) -> Chat[Any, Any]:
    """A client that tries once."""
    return make(
        base_url=model.url,
        api_key="key",
        model="tiny",
        system_prompt="Be brief.",
        kwargs={"max_retries": 0, "timeout": 0.5},
        **options,
    )


@pytest.fixture(
    params=[ChatOpenAICompletions, ChatOpenAI, anthropics, googles],
    ids=["completions", "responses", "messages", "google"],
)
async def client(request: pytest.FixtureRequest, model: Model) -> AsyncIterator[Chat[Any, Any]]:
    with warnings.catch_warnings():  # of a Responses API that is not OpenAI's own
        warnings.simplefilter("ignore", UserWarning)
        chat = made(request.param, model)
    async with chat:
        yield chat


class Desk:
    """What an app's tools hold: a lock, which cannot be copied, and a count, which must not be."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.booked: list[str] = []
        self.asked: list[str] = []

    def book(self, city: str) -> str:
        """Book a flight."""
        with self.lock:
            self.booked.append(city)
            return f"booking {len(self.booked)}"

    def allow(self, request: ContentToolRequest) -> None:
        """Is told of each call before it is made."""
        with self.lock:
            self.asked.append(request.name)


@pytest.fixture
def desk(client: Chat[Any, Any]) -> Desk:
    desk = Desk()
    client.register_tool(desk.book)
    client.on_tool_request(desk.allow)
    return desk


BOOK = Reply("Let me book.", tools=[Tool("book", {"city": "Oslo"})])


async def answer(exchange: Exchange, client: Chat[Any, Any]) -> list[Any]:
    """Ask, or go on; gives the pieces."""
    async with aclosing(exchange.ask(for_one_reply(client, ()))) as pieces:
        return [piece async for piece in pieces]


def held(model: Model) -> int:
    return sum(call.outcome == "held" for call in model.calls)


def kinds(turns: list[Any]) -> list[tuple[str, list[str]]]:
    return [(turn.role, [each.content_type for each in turn.contents]) for turn in turns]


# ── a copy for one reply ──


async def test_tools_and_who_is_told_of_their_calls_are_shared(
    client: Chat[Any, Any], desk: Desk, model: Model
) -> None:
    for n in range(2):
        model.will(BOOK, Reply("Done."))
        said = await answer(Exchange([], "Book!"), client)
        assert said[2].value == f"booking {n + 1}"
    assert desk.booked == ["Oslo"] * 2 and desk.asked == ["book"] * 2


async def test_a_client_is_left_as_it_was(client: Chat[Any, Any], desk: Desk, model: Model) -> None:
    client.set_model_params(max_tokens=9)
    before = {name: (id(value), repr(value)) for name, value in vars(client).items()}
    model.will(BOOK)
    copy = for_one_reply(client, [UserTurn("one"), AssistantTurn("two")])
    copy.set_model_params(max_tokens=7)
    copy.system_prompt = "Be long."
    await answer(Exchange([], "Book!"), client)
    stream: Any = await copy.stream_async("three")
    assert [piece async for piece in stream] == ["You said: three"]
    after = {name: (id(value), repr(value)) for name, value in vars(client).items()}
    assert after == before and client.get_turns() == []
    assert [text for _, text in model.calls[-1].messages] == ["Be long.", "one", "two", "three"]


async def test_replies_at_once_have_a_conversation_each(
    client: Chat[Any, Any], desk: Desk, model: Model
) -> None:
    async with asyncio.TaskGroup() as tasks:
        asking = [
            tasks.create_task(answer(Exchange([], f"[pieces 2] [hold 1] {n}"), client))
            for n in range(10)
        ]
        await asyncio.to_thread(model.until, lambda: held(model) == 10)
        model.go_on()
    assert ["".join(each.result()) for each in asking] == [f"You said: {n}" for n in range(10)]


async def test_what_the_log_keeps_of_a_reply_is_all_that_the_model_is_told(
    client: Chat[Any, Any], desk: Desk, model: Model
) -> None:
    exchange = Exchange([], "Book!")
    model.will(Reply("Let me.", "A flight.", BOOK.tools), Reply("Booked.", "Done."))
    await answer(exchange, client)
    stored = json.loads(json.dumps(as_stored(exchange.answer)))
    kept = [Turn.model_validate(turn) for turn in stored]
    for turns in (exchange.answer, kept):
        await answer(Exchange([UserTurn("Book!"), *turns], "And back!"), client)
    assert model.calls[2].asked == model.calls[3].asked


async def test_parameters_are_sent_beside_what_else_a_client_sends(model: Model) -> None:
    """What is on record is what was sent; chatlas sends Google's way of thinking, or parameters."""
    client = made(googles, model, reasoning=9)
    client.set_model_params(temperature=0.5)
    async with client:
        own = without_retries(for_one_reply(client, ()))
        set_seed(own, 7)
        async with aclosing(Exchange([], "Well?").ask(own)) as pieces:
            assert [piece async for piece in pieces] == ["You said: Well?"]
    sent = model.calls[0].body["generationConfig"]
    assert (sent.pop("temperature"), sent.pop("seed")) == (0.5, 7) and "thinkingConfig" in sent
    assert parameters_of(own).items() >= {"temperature": 0.5, "seed": 7}.items()
    assert client.kwargs_chat == {"config": {"thinking_config": THINKING}}


# ── a question that fails ──

ERRORS = (openai.APIStatusError, anthropic.APIStatusError, genai.APIError)
THINKING = {"thinking_budget": 9, "include_thoughts": True}
FAILURES = {
    "refused": Reply(status=500),
    "cut": Reply("half of it", pieces=4, cut=2),
    "error": Reply("half of it", pieces=4, cut=2, how="error"),
    "ended": Reply("half of it", pieces=4, cut=2, how="end"),
    "silent": Reply("half of it", pieces=4, hold=2),
}


@pytest.mark.parametrize("failure", FAILURES)
async def test_what_fails_before_a_tool_begins_anew(
    client: Chat[Any, Any], model: Model, failure: str
) -> None:
    before = [UserTurn("one"), AssistantTurn("two")]
    exchange = Exchange(before, "three")
    model.will(FAILURES[failure], Reply("All of it."))
    with pytest.raises(Exception) as failed:  # each library has its own
        await answer(exchange, client)
    assert is_worth_another_try(failed.value)
    assert exchange.can_go_on and exchange.turns == before and exchange.answer == []
    assert "".join(await answer(exchange, client)) == "All of it."
    assert [turn.text for turn in exchange.answer] == ["All of it."]
    assert [call.messages for call in model.calls] == [model.calls[0].messages] * 2
    assert [text for _, text in model.calls[1].messages] == ["Be brief.", "one", "two", "three"]


@pytest.mark.parametrize("failure", FAILURES)
async def test_what_fails_after_a_tool_goes_on_after_it(
    client: Chat[Any, Any], desk: Desk, model: Model, failure: str
) -> None:
    exchange = Exchange([], "Book!")
    model.will(BOOK, FAILURES[failure], FAILURES[failure], Reply("Booked."))
    for _ in range(2):
        with pytest.raises(Exception) as failed:  # each library has its own
            await answer(exchange, client)
        assert is_worth_another_try(failed.value)
        assert exchange.can_go_on
    assert await answer(exchange, client) == ["Booked."]
    assert desk.booked == ["Oslo"]
    sent = [call.asked for call in model.calls]
    assert sent[1] == sent[2] == sent[3], "the model is told the same"
    assert model.calls[3].results == ["booking 1"]
    assert kinds(exchange.answer) == [
        ("assistant", ["text", "tool_request"]),
        ("user", ["tool_result"]),
        ("assistant", ["text"]),
    ]


@pytest.mark.parametrize("cut", [0, 2])
async def test_a_reply_without_an_end_has_broken_off_in_those_words(
    client: Chat[Any, Any], model: Model, cut: int
) -> None:
    model.will(Reply("half of it", pieces=4, cut=cut, how="end"))
    with pytest.raises(ConnectionError, match="has no end"):
        await answer(Exchange([], "Well?"), client)


async def test_a_reply_that_has_become_too_long_is_whole(
    client: Chat[Any, Any], model: Model
) -> None:
    model.will(Reply("So much", is_limited=True))
    exchange = Exchange([], "Well?")
    with pytest.warns(UserWarning, match="limit"):
        assert await answer(exchange, client) == ["So much"]
    assert [turn.text for turn in exchange.answer] == ["So much"]


async def test_a_refusal_is_worth_another_try_if_it_may_pass(
    client: Chat[Any, Any], model: Model
) -> None:
    passing = {400: False, 401: False, 403: False, 404: False, 408: True, 409: True, 429: True}
    for status, may_pass in (passing | {500: True, 503: True}).items():
        model.will(Reply(status=status))
        with pytest.raises(ERRORS) as refused:
            await answer(Exchange([], "Well?"), client)
        assert is_worth_another_try(refused.value) is may_pass, status


async def test_each_of_many_tools_runs_once(
    client: Chat[Any, Any], desk: Desk, model: Model
) -> None:
    exchange = Exchange([UserTurn("one"), AssistantTurn("two")], "Book!")
    both = Reply("Two.", tools=[Tool("book", {"city": city}) for city in ("Oslo", "Rome")])
    model.will(both, Reply(status=500), BOOK, Reply(status=500), Reply("Booked."))
    for _ in range(2):
        with pytest.raises(ERRORS, match="500"):
            await answer(exchange, client)
    assert await answer(exchange, client) == ["Booked."]
    assert desk.booked == ["Oslo", "Rome", "Oslo"]
    given: list[Any] = [turn for turn in exchange.answer if turn.role == "user"]
    assert [[each.value for each in turn.contents] for turn in given] == [
        ["booking 1", "booking 2"],
        ["booking 3"],
    ]


async def test_what_fails_between_tools_is_not_asked_again(
    client: Chat[Any, Any], desk: Desk, model: Model
) -> None:
    """Some have run, so it cannot begin anew, and some have not, so it cannot go on."""

    def allow(request: ContentToolRequest) -> None:
        if request.arguments == {"city": "Rome"}:
            raise LookupError("the list of cities is gone")

    client.on_tool_request(allow)
    model.will(Reply("Two.", tools=[Tool("book", {"city": city}) for city in ("Oslo", "Rome")]))
    exchange = Exchange([], "Book!")
    with pytest.raises(LookupError):
        await answer(exchange, client)
    assert desk.booked == ["Oslo"] and not exchange.can_go_on


async def test_who_stops_listening_leaves_the_model_and_all_that_is_whole(
    client: Chat[Any, Any], desk: Desk, model: Model
) -> None:
    model.will(BOOK, Reply("It is now", pieces=3, hold=2))
    exchange = Exchange([], "Book!")
    async with aclosing(exchange.ask(for_one_reply(client, ()))) as pieces:
        async for piece in pieces:
            if piece == "It ":
                break
    async with asyncio.timeout(10):
        while model.calls[1].outcome != "left":
            await asyncio.to_thread(gc.collect)  # to which Google's library leaves it, bit by bit
    assert kinds(exchange.turns)[1:] == [("assistant", ["text", "tool_request"])]


async def test_who_is_cancelled_hangs_up_at_once(client: Chat[Any, Any], model: Model) -> None:
    model.will(Reply("It is now", pieces=3, hold=2))
    asking = asyncio.ensure_future(answer(Exchange([], "Well?"), client))
    await asyncio.to_thread(model.until, lambda: held(model) == 1)
    asking.cancel()
    await asyncio.to_thread(model.until, lambda: model.calls[0].outcome == "left")
    with pytest.raises(asyncio.CancelledError):
        await asking


# ── silence ──


async def test_a_slow_tool_is_no_silence_of_the_model(client: Chat[Any, Any], model: Model) -> None:
    ran: list[str] = []

    def slow(city: str) -> str:
        """Take longer than a model may."""
        ran.append(city)
        threading.Event().wait(0.6)
        return "18 degrees"

    async def ponder(request: ContentToolRequest) -> None:
        await asyncio.to_thread(threading.Event().wait, 0.6)

    client.register_tool(slow)
    client.on_tool_request(cast("Any", ponder))
    look = Reply("Let me look.", tools=[Tool("slow", {"city": "Oslo"})])
    model.will(look, Reply("18."), look, Reply(wait=9))
    for said in ("18.", None):
        stream: Any = await for_one_reply(client, ()).stream_async("How warm?", content="all")
        async with aclosing(unless_silent(stream, 0.3)) as pieces:
            heard = [await anext(pieces) for _ in range(3)]
            assert heard[-1].value == "18 degrees"
            if said is None:
                with pytest.raises(TimeoutError, match="said nothing for 0.3 s"):
                    await anext(pieces)
            else:
                assert await anext(pieces) == said
    assert ran == ["Oslo"] * 2


# ── what that needs of chatlas ──


async def test_turns_may_be_set_until_the_first_piece_is_waited_for(
    client: Chat[Any, Any], model: Model
) -> None:
    stream: Any = await client.stream_async("three")
    client.set_turns([UserTurn("one"), AssistantTurn("two")])
    assert model.calls == []
    assert [piece async for piece in stream] == ["You said: three"]
    assert [text for _, text in model.calls[0].messages] == ["Be brief.", "one", "two", "three"]


async def test_a_call_without_a_result_is_given_one_that_says_so(
    client: Chat[Any, Any], model: Model
) -> None:
    """Why the turns are set so late: a second result for the same call would be refused."""
    request = ContentToolRequest(id="call1", name="book", arguments={"city": "Oslo"})
    client.set_turns([UserTurn("Book!"), AssistantTurn([request])])
    stream: Any = await client.stream_async("Well?")
    if client.provider.name == "Google/Gemini":  # to whose models it cannot tell any failure
        with pytest.raises(TypeError, match="not JSON serializable"):
            await anext(stream)
        return
    assert [piece async for piece in stream]
    (result,) = [text for role, text in model.calls[0].messages if role == "tool"]
    assert "ended before the tool could be invoked" in result
