"""
What we need of chatlas beyond its public interface, in one place.

``tests/contract/test_chatlas.py`` fails loudly when a new version changes any of it.
"""

# pyright: reportPrivateUsage=false

from __future__ import annotations

import asyncio
import copy
import functools
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

from shiny_labchat.concurrency import in_thread

if TYPE_CHECKING:
    from chatlas import Chat, ContentToolResult, Tool, Turn

__all__ = [
    "AGAIN",
    "Exchange",
    "before_each_request",
    "for_one_reply",
    "is_worth_another_try",
    "parameters_of",
    "set_seed",
    "unless_silent",
    "without_retries",
]

AGAIN = (1.0, 3.0, 8.0)
"""Pauses before a model that failed is asked again, in seconds; up to half as much is added."""
NO_END = "the reply broke off: it has no end"
SILENCE = 120.0
"""How long a model may say nothing before that counts as a failure, in seconds."""


def for_one_reply(client: Chat[Any, Any], turns: Sequence[Turn]) -> Chat[Any, Any]:
    """
    A client like another one, with a conversation of its own.

    One client must not make two replies at once. The copy takes 0.1 ms. It shares the connection,
    the tools with all that they hold, and who is told of their calls: these are the app's, and
    there is one of each. Its tools that are not async run in threads, where they keep nobody
    waiting.
    """
    from chatlas import Tool

    own: Any = copy.copy(client)
    own._standard_model_params = dict(own._standard_model_params)  # changed in place
    _send_parameters(own)
    own.set_turns(turns)
    own.set_tools([_in_thread(t) if isinstance(t, Tool) else t for t in own.get_tools()])
    return own


def _send_parameters(own: Any) -> None:
    """Add parameters to Google's ``config``, such as for thoughts: chatlas sends that instead."""
    config = own.kwargs_chat.get("config")
    if isinstance(config, dict):
        sent = own.provider.translate_model_params(own._standard_model_params)
        own.kwargs_chat = {**own.kwargs_chat, "config": {**config, **sent.get("config", {})}}


def _in_thread(tool: Tool) -> Tool:
    from chatlas import Tool

    if tool._is_async:
        return tool
    run = tool.func
    about = tool.schema["function"]

    @functools.wraps(run)
    async def run_in_thread(*args: Any, **kwargs: Any) -> Any:
        return await in_thread(run, *args, **kwargs)

    return Tool(
        func=run_in_thread,
        name=tool.name,
        description=about.get("description", ""),
        parameters=dict(about.get("parameters", {})),
        annotations=tool.annotations,
        strict=about.get("strict"),
    )


def without_retries(client: Chat[Any, Any]) -> Chat[Any, Any]:
    """The same client, whose connection makes each request once: we count them, and try again."""
    known: Any = client
    provider: Any = copy.copy(known.provider)
    for name in ("_client", "_async_client"):
        connection: Any = getattr(provider, name, None)
        if hasattr(connection, "with_options"):
            setattr(provider, name, connection.with_options(max_retries=0))
    known.provider = provider
    return client


def before_each_request(
    client: Chat[Any, Any], begin: Callable[[Sequence[Turn]], Awaitable[None]]
) -> None:
    """
    Await something before each request to a model; a reply that uses tools takes several.

    Parameters
    ----------
    client
        Its provider must not be shared (see `without_retries`).
    begin
        Is given all that is about to be sent, the system prompt first. What it raises ends the
        reply, and the request is not made.
    """
    known: Any = client
    perform: Any = known.provider.chat_perform_async

    async def begin_and_perform(*, turns: Sequence[Turn], **options: Any) -> Any:
        await begin(turns)
        return await perform(turns=turns, **options)

    known.provider.chat_perform_async = begin_and_perform


def set_seed(client: Chat[Any, Any], seed: int) -> None:
    """Have a client send a seed; its provider must not be shared (see `without_retries`)."""
    known: Any = client
    known.set_model_params(seed=seed)
    _send_parameters(known)
    if getattr(known.provider, "_seed", None) is not None:  # which would come first
        known.provider._seed = seed


def parameters_of(client: Chat[Any, Any]) -> dict[str, Any]:
    """What a client sends along with the conversation, such as a temperature."""
    known: Any = client
    own = getattr(known.provider, "_seed", None)
    seed = {} if own is None else {"seed": own}
    return {**known._standard_model_params, **known.kwargs_chat, **seed}


async def unless_silent(
    chunks: AsyncIterator[Any], seconds: float = SILENCE
) -> AsyncGenerator[Any]:
    """
    What a model says, piece by piece; a `TimeoutError` when it says nothing for so long.

    While a tool runs, or a callback that is asked before it, it is not the model that is silent.
    """
    from chatlas import ContentToolRequest

    patience: float | None = seconds
    while True:
        silence = asyncio.timeout(patience)
        try:
            async with silence:
                chunk = await anext(chunks)
        except StopAsyncIteration:
            return
        except TimeoutError as exc:
            if silence.expired():  # which says nothing, on any record
                raise TimeoutError(f"the model said nothing for {seconds:g} s") from exc
            raise
        patience = None if isinstance(chunk, ContentToolRequest) else seconds
        yield chunk


class Exchange:
    """
    A question to a model, and what has come of it so far.

    It may be asked again after a failure, and goes on then after the last tools that have run: a
    tool may have booked a flight.

    Parameters
    ----------
    before
        The conversation so far.
    asked
        What is asked.

    Attributes
    ----------
    turns
        All that is whole: the conversation, and of the question and its answer what came before
        the last request to the model.
    can_go_on
        Whether it may be asked again. Not if it failed between tools that were to run.
    """

    def __init__(self, before: Sequence[Turn], *asked: Any) -> None:
        self.turns = list(before)
        self.can_go_on = True
        self._asked: Sequence[Any] = asked
        self._known = len(before) + 1

    @property
    def answer(self) -> list[Turn]:
        """The turns of the answer, once it is whole."""
        return self.turns[self._known :]

    async def ask(self, client: Chat[Any, Any]) -> AsyncGenerator[Any]:
        """
        Ask, or go on; gives the pieces of the answer as they come.

        Parameters
        ----------
        client
            A copy for this one try, see `for_one_reply`.
        """
        from chatlas import ContentToolResult

        results: list[ContentToolResult] = []
        # With the turns in place chatlas would take the tools for never run, and say so.
        client.set_turns([])
        stream: Any = await client.stream_async(*self._asked, content="all", echo="none")
        client.set_turns(self.turns)
        try:
            async with aclosing(stream), aclosing(unless_silent(stream)) as pieces:
                async for piece in pieces:
                    if isinstance(piece, ContentToolResult):
                        results.append(piece)
                    yield piece
            if self._is_cut(client):
                raise ConnectionError(NO_END)
        except AttributeError as exc:  # of chatlas', where it takes an end apart that never came
            if self._is_cut(client):
                raise ConnectionError(NO_END) from exc
            raise
        finally:
            self._settle(client.get_turns(), results, self._is_cut(client))

    def _is_cut(self, client: Chat[Any, Any]) -> bool:
        """
        Whether a reply stops before its end, even if its connection ended orderly.

        As where a proxy has lost the model's server. Of these providers each says why a reply
        ends; others, as Snowflake's, never do.
        """
        from chatlas import AssistantTurn
        from chatlas._provider_anthropic import AnthropicProvider
        from chatlas._provider_google import GoogleProvider
        from chatlas._provider_openai_completions import OpenAICompletionsProvider

        *_, last = (None, *client.get_turns()[len(self.turns) :])
        if not isinstance(last, AssistantTurn) or last.finish_reason:
            return False
        if last.is_partial:
            return True
        provider = getattr(client, "provider", None)
        if isinstance(provider, AnthropicProvider | GoogleProvider):  # both count tokens at once
            return True
        return last.tokens is None and isinstance(provider, OpenAICompletionsProvider)

    def _settle(
        self, turns: Sequence[Turn], results: Sequence[ContentToolResult], is_cut: bool
    ) -> None:
        from chatlas import ContentToolRequest

        turns = list(turns)
        if len(turns) <= len(self.turns):
            return
        last: Any = turns[-1]
        if is_cut:
            turns.pop()
            self._asked = turns.pop().contents
            self.turns = turns
            return
        self.turns = turns
        wanted = [each for each in last.contents if isinstance(each, ContentToolRequest)]
        given = [each for each in results if any(each.request is one for one in wanted)]
        # Not by ids: calls of the same tool may have the same.
        has_all = all(any(each.request is one for each in given) for one in wanted)
        self.can_go_on = bool(wanted) and has_all
        self._asked = given


def is_worth_another_try(error: Exception) -> bool:
    """Whether a model may answer when it is asked the same again."""
    status = getattr(error, "status_code", None) or getattr(error, "code", None)  # Google's
    if not isinstance(status, int) or status < 400:  # 200: an error in the middle of an answer
        return True
    return status in (408, 409, 429) or status >= 500
