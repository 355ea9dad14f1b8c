"""One exchange with a model: a question, the answer as it arrives, and retries."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from chatlas import Chat, ContentToolResult, Turn

__all__ = ["RETRY_DELAYS", "Exchange", "is_worth_another_try", "unless_silent"]

RETRY_DELAYS = (1.0, 3.0, 8.0)
"""Pauses before the retries of a failed request, in seconds; up to half as much is added."""

NO_END = "the model's reply has no end: it broke off"

SILENCE = 120.0
"""How long a model may send nothing before the request counts as failed, in seconds."""


async def unless_silent(
    chunks: AsyncIterator[Any], seconds: float = SILENCE
) -> AsyncGenerator[Any]:
    """
    The chunks of a model's answer; a `TimeoutError` if none comes for `seconds`.

    There is no limit while a tool runs, or a callback before it: then the model is not silent.
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
            if silence.expired():  # its own message is empty, in the log and the audit
                raise TimeoutError(f"the model said nothing for {seconds:g} s") from exc
            raise
        patience = None if isinstance(chunk, ContentToolRequest) else seconds
        yield chunk


class Exchange:
    """
    A question to a model, and the answer to it so far.

    After a failure it may be asked again. It then goes on after the last tools that have run, which
    are not run twice: a tool may have booked a flight.

    Parameters
    ----------
    before
        The conversation so far.
    asked
        The contents of the question.

    Attributes
    ----------
    turns
        All complete turns: the conversation, and those of the question and its answer that came
        before the last request to the model.
    asked
        The contents that the next request sends after these.
    can_go_on
        Whether it may be asked again. False if it failed when some of the requested tools had not
        returned.
    """

    def __init__(self, before: Sequence[Turn], *asked: Any) -> None:
        self.turns = list(before)
        self.can_go_on = True
        self.asked: Sequence[Any] = asked
        self._known = len(before) + 1

    @property
    def answer(self) -> list[Turn]:
        """The turns of the answer, once it is complete."""
        return self.turns[self._known :]

    async def ask(self, client: Chat[Any, Any]) -> AsyncGenerator[Any]:
        """
        Ask, or go on after a failure; yield the pieces of the answer as they arrive.

        Parameters
        ----------
        client
            For this try only, see `used_for_one_reply`.
        """
        from chatlas import ContentToolResult

        results: list[ContentToolResult] = []
        is_of_tools = any(isinstance(each, ContentToolResult) for each in self.asked)
        # If the turns were set before, chatlas would report their tools as not run.
        client.set_turns([] if is_of_tools else self.turns)
        stream: Any = await client.stream_async(*self.asked, content="all", echo="none")
        if is_of_tools:
            client.set_turns(self.turns)
        try:
            async with aclosing(stream), aclosing(unless_silent(stream)) as pieces:
                async for piece in pieces:
                    if isinstance(piece, ContentToolResult):
                        results.append(piece)
                    yield piece
            if self._is_cut(client):
                raise ConnectionError(NO_END)
        except AttributeError as exc:  # chatlas reads the reply's end, which never came
            if self._is_cut(client):
                raise ConnectionError(NO_END) from exc
            raise
        finally:
            self._settle(client.get_turns(), results, self._is_cut(client))

    def _is_cut(self, client: Chat[Any, Any]) -> bool:
        """
        Whether a reply is incomplete, even if its connection was closed properly.

        A proxy closes it so when it has lost the model's server. The providers below always send
        the reason why a reply ends; others, such as Snowflake's, never do.
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
        if isinstance(
            provider, AnthropicProvider | GoogleProvider
        ):  # both count tokens from the beginning
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
            self.asked = turns.pop().contents
            self.turns = turns
            return
        self.turns = turns
        wanted = [each for each in last.contents if isinstance(each, ContentToolRequest)]
        given = [each for each in results if any(each.request is one for one in wanted)]
        # Not by ids: two calls of the same tool may have the same id.
        has_all = all(any(each.request is one for each in given) for one in wanted)
        self.can_go_on = bool(wanted) and has_all
        self.asked = given


def is_worth_another_try(error: Exception) -> bool:
    """Whether a retry of the same request may succeed after this error."""
    status = getattr(error, "status_code", None) or getattr(error, "code", None)  # Google's
    if not isinstance(status, int) or status < 400:  # 200: an error in the middle of an answer
        return True
    return status in (408, 409, 429) or status >= 500
