"""What we think of chatlas, over the wire: how replies come, fail and stop, and what is left."""

# pyright: reportPrivateUsage=false

from __future__ import annotations

import asyncio
import warnings
from collections.abc import Iterator, Sequence
from copy import deepcopy
from typing import Any

import openai
import pytest
from chatlas import (
    AssistantTurn,
    Chat,
    ChatOpenAI,
    ChatOpenAICompletions,
    ContentToolRequest,
    ContentToolResult,
    StreamController,
    Turn,
    UserTurn,
)
from chatlas.types import ContentThinkingDelta
from shiny import App, ui
from shiny._connection import MockConnection
from shiny.session._session import AppSession

from shiny_labchat.chat.content import as_chunk
from shiny_labchat.models.client import before_each_request, for_one_reply, without_retries
from tests.support.models.model import MARKDOWN, Call, Model, Reply, Tool

PRICED = "gpt-4.1-nano"
"""A model whose price chatlas knows."""


@pytest.fixture(scope="module")
def serving() -> Iterator[Model]:
    with Model() as model:
        yield model


@pytest.fixture
def model(serving: Model) -> Model:
    """The model, which has heard nothing yet."""
    serving.forget()
    return serving


class Clients:
    """Clients of one of the two APIs."""

    def __init__(self, make: Any, model: Model) -> None:
        self.make = make
        self.model = model

    def __call__(self, *, name: str = PRICED, **options: Any) -> Chat[Any, Any]:
        """A client that tries once, unless told otherwise."""
        with warnings.catch_warnings():  # of a Responses API that is not OpenAI's own
            warnings.simplefilter("ignore", UserWarning)
            return self.make(
                base_url=self.model.url,
                api_key="key",
                model=name,
                system_prompt="Be brief.",
                kwargs={"max_retries": 0, **options},
            )


@pytest.fixture(params=[ChatOpenAICompletions, ChatOpenAI], ids=["completions", "responses"])
def client(request: pytest.FixtureRequest, model: Model) -> Clients:
    return Clients(request.param, model)


async def heard(chat: Chat[Any, Any], text: str, **options: Any) -> list[Any]:
    """All that a reply consists of."""
    stream: Any = await chat.stream_async(text, content="all", **options)
    return [piece async for piece in stream]


def weather(city: str) -> str:
    """The weather of a city."""
    return f"18 °C in {city}"


# ── replies ──


@pytest.mark.parametrize("stream", [True, False])
def test_a_reply_is_what_the_model_says(client: Clients, model: Model, stream: bool) -> None:
    with client() as chat:
        reply = chat.chat("[markdown]", echo="none", stream=stream)
        assert reply.get_content() == MARKDOWN
    [call] = model.calls
    assert call.outcome == "whole" and bool(call.body.get("stream")) is stream


async def test_a_reply_is_what_the_model_says_in_an_event_loop(
    client: Clients, model: Model
) -> None:
    async with client() as chat:
        assert await (await chat.chat_async("hi", echo="none")).get_content() == "You said: hi"
    [call] = model.calls
    assert call.messages == [("system", "Be brief."), ("user", "hi")]


async def test_text_comes_in_the_pieces_it_was_sent_in(client: Clients) -> None:
    async with client() as chat:
        said = await heard(chat, "[words 3] [pieces 3] [rate 100]")
    assert said == ["word0", " word1", " word2"]


async def test_thoughts_come_first_between_a_start_and_an_end(client: Clients) -> None:
    async with client() as chat:
        *thoughts, said = await heard(chat, "[think let me see] [say Yes.]")
    assert all(isinstance(thought, ContentThinkingDelta) for thought in thoughts)
    assert [thought.phase for thought in thoughts] == ["start", "end"]
    assert (thoughts[0].thinking, said) == ("let me see", "Yes.")


async def test_a_tool_is_asked_for_then_called_and_its_result_used(
    client: Clients, model: Model
) -> None:
    async with client() as chat:
        chat.register_tool(weather)
        asked, given, said = await heard(chat, '[tool weather {"city": "Oslo"}]')
    assert isinstance(asked, ContentToolRequest) and asked.arguments == {"city": "Oslo"}
    assert isinstance(given, ContentToolResult) and given.value == "18 °C in Oslo"
    assert given.id == asked.id
    assert said == "The tool says 18 °C in Oslo."
    assert [call.results for call in model.calls] == [[], ["18 °C in Oslo"]]


async def test_all_that_a_stream_yields_can_be_appended(client: Clients, model: Model) -> None:
    session = AppSession(App(ui.page_fluid(), None), "1", MockConnection())
    wanted = Tool("weather", {"city": "Oslo"})
    model.will(Reply("Let me look.", "hm", [wanted], pieces=2), Reply("18 °C."))
    async with client() as chat:
        chat.register_tool(weather)
        chunks = [as_chunk(piece, session) for piece in await heard(chat, "How warm is it?")]
    parts = [part for chunk in chunks for part in chunk.parts]
    assert [kind for kind, _ in parts] == [
        "thinking",
        "thinking",
        "markdown",
        "markdown",
        "tool_request",
        "tool_result",
        "markdown",
    ]
    assert parts[4][1]["request_id"] == parts[5][1]["request_id"]


# ── each request ──


def own(chat: Chat[Any, Any]) -> Chat[Any, Any]:
    """A copy for one reply."""
    return without_retries(for_one_reply(chat, []))


async def test_something_is_awaited_before_each_request_and_sees_what_will_be_sent(
    client: Clients, model: Model
) -> None:
    model.will(Reply("Let me.", tools=[Tool("weather", {"city": "Oslo"})]), Reply("18 °C."))
    begun: list[tuple[int, list[tuple[str, str]]]] = []

    async def begin(turns: Sequence[Turn]) -> None:
        begun.append((len(model.calls), [(turn.role, turn.text) for turn in turns]))

    async with client() as chat:
        chat.register_tool(weather)
        asking = own(chat)
        before_each_request(asking, begin)
        await heard(asking, "How warm is it?")
        await heard(chat, "A client that shares the connection is as it was.")
    first = [("system", "Be brief."), ("user", "How warm is it?")]
    assert begun[0] == (0, first)
    number, turns = begun[1]
    assert number == 1 and turns[:3] == [*first, ("assistant", "Let me.")] and turns[3][0] == "user"
    assert len(begun) == 2 and len(model.calls) == 3


async def test_what_that_raises_ends_the_reply_and_nothing_is_sent(
    client: Clients, model: Model
) -> None:
    model.will(Reply("Let me.", tools=[Tool("weather", {"city": "Oslo"})]))

    async def begin(turns: Sequence[Turn]) -> None:
        if model.calls:
            raise LookupError("enough")

    pieces: list[Any] = []
    async with client() as chat:
        chat.register_tool(weather)
        asking = own(chat)
        before_each_request(asking, begin)
        stream: Any = await asking.stream_async("How warm is it?", content="all")
        with pytest.raises(LookupError, match="enough"):
            async for piece in stream:
                pieces.append(piece)
    assert [type(piece) for piece in pieces] == [str, ContentToolRequest, ContentToolResult]
    assert len(model.calls) == 1


async def test_a_request_has_its_bill_when_a_tool_is_asked_for_and_not_called_yet(
    client: Clients, model: Model
) -> None:
    called: list[str] = []

    def look(city: str) -> str:
        """Look."""
        called.append(city)
        return "18 °C"

    cities = ("Oslo", "Rome")
    model.will(Reply("Let me.", tools=[Tool("look", {"city": city}) for city in cities]))
    async with client() as chat:
        chat.register_tool(look)
        seen: list[tuple[Any, list[str]]] = []
        stream: Any = await chat.stream_async("How warm is it?", content="all")
        async for piece in stream:
            if isinstance(piece, ContentToolRequest):
                turn = chat.get_last_turn(role="assistant")
                assert turn is not None and not turn.is_partial and turn.cost
                seen.append((turn.tokens, list(called)))
    bill = (*model.calls[0].tokens, 0)
    assert seen == [(bill, []), (bill, ["Oslo"])] and called == list(cities)


async def test_cached_tokens_are_counted_apart(client: Clients, model: Model) -> None:
    model.will(Reply("Yes.", cached=3))
    async with client() as chat:
        await heard(chat, "one two three")
        turn = chat.get_last_turn()
    given, said = model.calls[0].tokens
    assert turn is not None and turn.tokens == (given - 3, said, 3)


# ── turns and bills ──


async def test_turns_can_be_taken_out_and_put_into_another_client(
    client: Clients, model: Model
) -> None:
    async with client() as first, client() as second:
        await heard(first, "one")
        second.set_turns([Turn.model_validate(turn.model_dump()) for turn in first.get_turns()])
        assert [turn.text for turn in second.get_turns()] == ["one", "You said: one"]
        await heard(second, "two")
    assert model.calls[-1].messages == [
        ("system", "Be brief."),
        ("user", "one"),
        ("assistant", "You said: one"),
        ("user", "two"),
    ]


async def test_turns_that_we_made_count_as_well(client: Clients, model: Model) -> None:
    async with client() as chat:
        chat.set_turns([UserTurn("Ann: one"), AssistantTurn("ok"), UserTurn("Bob: two")])
        await heard(chat, "Ann: three")
    assert [text for _, text in model.calls[0].messages[1:]] == [
        "Ann: one",
        "ok",
        "Bob: two",
        "Ann: three",
    ]


async def test_what_was_used_is_known_and_its_price_if_the_model_is(
    client: Clients, model: Model
) -> None:
    async with client() as chat, client(name="tiny") as unpriced:
        await heard(chat, "one two three")
        turn = chat.get_last_turn()
        assert turn is not None and turn.tokens == (*model.calls[0].tokens, 0) == (5, 5, 0)
        assert [used["tokens"] for used in chat.get_tokens()] == [5, 5]
        assert 0 < chat.get_cost() < 1e-4
        await heard(unpriced, "one")
        with pytest.raises(KeyError, match="'tiny'"):
            unpriced.get_cost()
        assert unpriced.get_cost(token_price=(1e6, 1e6, 0)) == 6


def test_models_are_listed(client: Clients) -> None:
    with client() as chat:
        assert [model["id"] for model in chat.list_models()] == ["tiny"]


# ── failures ──


async def test_a_refusal_is_raised_by_the_first_piece_and_leaves_no_turn(
    client: Clients,
) -> None:
    async with client() as chat:
        stream = await chat.stream_async("[fail 429 1 7]")
        with pytest.raises(openai.RateLimitError) as refused:
            await anext(stream)
        assert refused.value.response.headers["retry-after"] == "7.0"
        with pytest.raises(openai.InternalServerError):
            await heard(chat, "[fail 500]")
        assert chat.get_turns() == []


async def test_the_client_tries_again_by_itself(client: Clients, model: Model) -> None:
    async with client(max_retries=2) as chat:
        assert await heard(chat, "[fail 429 2 0.01] hi") == ["You said: hi"]
    assert [call.outcome for call in model.calls] == ["refused", "refused", "whole"]
    assert [call.headers["x-stainless-retry-count"] for call in model.calls] == ["0", "1", "2"]


@pytest.mark.parametrize("how", ["close", "error", "failed"])
async def test_what_breaks_off_is_raised_not_tried_again_and_kept_as_a_partial_turn(
    client: Clients, model: Model, how: str
) -> None:
    errors = openai.APIError if how == "close" else (openai.APIError, RuntimeError)
    async with client(max_retries=2) as chat:
        with pytest.raises(errors):
            await heard(chat, f"[words 9] [pieces 9] [cut 2 {how}]")
        _, partial = chat.get_turns()
    assert isinstance(partial, AssistantTurn) and partial.partial_reason == "interrupted"
    assert partial.text == "word0 word1" and len(model.calls) == 1


async def test_a_stream_that_ends_without_saying_so_is_seen_by_its_missing_reason(
    client: Clients,
) -> None:
    """Completions: no error at all. Responses: one that names something of chatlas's own."""
    async with client() as chat:
        try:
            await heard(chat, "[words 9] [pieces 9] [cut 2 end]")
        except AttributeError:
            assert client.make is ChatOpenAI
        last = chat.get_last_turn()
        assert last is not None and last.text == "word0 word1"
        assert last.finish_reason is None and last.tokens is None


async def test_waiting_too_long_is_raised(client: Clients, model: Model) -> None:
    async with client(timeout=0.1) as chat:
        with pytest.raises(openai.APITimeoutError):
            await heard(chat, "[hang]")
        assert chat.get_turns() == []
        with pytest.raises(openai.APITimeoutError):
            await heard(chat, "[words 9] [pieces 9] [hold 2]")
        assert chat.get_turns()[-1].text == "word0 word1"
    await asyncio.to_thread(model.until, lambda: all(c.outcome == "left" for c in model.calls))


async def test_a_tool_that_fails_is_a_result_and_a_warning(client: Clients) -> None:
    async with client() as chat:
        with pytest.warns(RuntimeWarning, match="nosuch"):
            _, given, said = await heard(chat, "[tool nosuch {}]")
    assert str(given.error) == "Unknown tool." and "Unknown tool." in said


# ── stopping ──


async def test_a_cancelled_task_hangs_up_and_keeps_a_partial_turn(
    client: Clients, model: Model
) -> None:
    async with client() as chat:
        stream = await chat.stream_async("[words 9] [pieces 9] [hold 2]")
        assert [await anext(stream), await anext(stream)] == ["word0", " word1"]
        task = asyncio.ensure_future(anext(stream))
        await asyncio.wait([task], timeout=0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.to_thread(model.until, lambda: model.calls[0].outcome == "left")
        partial = chat.get_last_turn()
        assert partial is not None and partial.partial_reason == "interrupted"


async def test_a_stream_that_is_closed_hangs_up(client: Clients, model: Model) -> None:
    async with client() as chat:
        stream: Any = await chat.stream_async("[words 9] [pieces 9] [hold 2]")
        assert await anext(stream) == "word0"
        await stream.aclose()
        await asyncio.to_thread(model.until, lambda: model.calls[0].outcome == "left")


async def test_a_controller_stops_only_at_the_next_piece(client: Clients, model: Model) -> None:
    controller = StreamController()
    async with client() as chat:
        text = "[words 9] [pieces 9] [hold 2]"
        stream = await chat.stream_async(text, controller=controller)
        assert [await anext(stream), await anext(stream)] == ["word0", " word1"]
        task = asyncio.ensure_future(anext(stream, None))
        await asyncio.wait([task], timeout=0.05)
        controller.cancel("stopped")
        await asyncio.wait([task], timeout=0.05)
        assert not task.done()
        model.go_on()
        assert await task is None
        partial = chat.get_last_turn()
        assert partial is not None and partial.partial_reason == "stopped"


async def test_many_streams_run_at_once(client: Clients, model: Model) -> None:
    """A client takes 50 ms to make and a copy none; copies have turns of their own."""
    async with client() as chat, asyncio.TaskGroup() as tasks:
        streams = [
            tasks.create_task(heard(deepcopy(chat), f"[pieces 2] [hold 1] {n}")) for n in range(20)
        ]
        await asyncio.to_thread(model.until, lambda: _held(model) == 20)
        model.go_on()
    assert ["".join(s.result()) for s in streams] == [f"You said: {n}" for n in range(20)]
    assert chat.get_turns() == []


def _held(model: Model) -> int:
    return sum(call.outcome == "held" for call in model.calls)


# ── what is odd ──


async def test_the_turn_of_a_reply_is_not_always_what_was_streamed(model: Model) -> None:
    """chatlas 0.23 drops a piece that equals all the text before it: keep what was streamed."""
    async with Clients(ChatOpenAICompletions, model)() as chat:
        assert await heard(chat, "[say haha] [pieces 2]") == ["ha", "ha"]
        assert chat.get_turns()[-1].text == "ha"


@pytest.mark.parametrize("make", [ChatOpenAI, ChatOpenAICompletions])
def test_the_servers_address_is_not_taken_from_the_environment(
    make: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "key")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    with make(model="tiny") as chat:
        assert str(chat.provider._client.base_url) == "https://api.openai.com/v1/"


def test_a_script_may_be_a_function_of_what_was_asked() -> None:
    def script(call: Call) -> Reply | None:
        return Reply("Bonjour") if "salut" in call.text else None

    with Model(script) as model, Clients(ChatOpenAICompletions, model)() as chat:
        assert chat.chat("salut", echo="none").get_content() == "Bonjour"
        assert chat.chat("hi", echo="none").get_content() == "You said: hi"
