"""A bot's questions to a language model or a function, and the facts recorded of each call."""

from __future__ import annotations

import inspect
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from typing import TYPE_CHECKING, Any, Protocol, cast

from shiny_labchat import concurrency
from shiny_labchat.blocking import watched
from shiny_labchat.bots.when import NO_REPLY, Respond
from shiny_labchat.domain.messages import Message
from shiny_labchat.models import exchange
from shiny_labchat.models.client import (
    base_url_of,
    before_each_request,
    is_chatlas,
    parameters_of,
    set_seed,
    used_for_one_reply,
    without_retries,
)
from shiny_labchat.models.description import without_secrets
from shiny_labchat.models.turns import alternating, as_json, turns_of

if TYPE_CHECKING:
    import chatlas

__all__ = ["FunctionQuestion", "ModelQuestion", "Question", "Record", "orders_for"]

INTRODUCTION = (
    'You are "{name}" in a group chat. What others say begins with their names, and further '
    "lines of a message are indented; write your own next message only, without your name."
)
"""Added to a model's system prompt."""
MAY_DECLINE = f'If you would rather say nothing now, answer only "{NO_REPLY}".'
"""Added to the system prompt if the model itself decides whether to reply."""
GOES_ON = 'What "{name}" has said so far is what you have said yourself; go on as this person.'
"""Added to the system prompt if the bot goes on in the place of somebody."""
INSTRUCTION = "For your next message: {instruction}"
"""Added to the system prompt if the app asks for a message."""
YOUR_TURN = "[It is your turn to write.]"
"""Ends the conversation where it does not end with a message of somebody else."""


def orders_for(
    may_decline: bool, instruction: str | None, goes_on_as: str | None = None
) -> list[str]:
    """
    What a model is told for one message, besides who it is.

    Parameters
    ----------
    may_decline
        Whether the model may decide to say nothing.
    instruction
        What the app asks of the message; None: nothing.
    goes_on_as
        The name of the person in whose place the bot goes on; None: in nobody's.
    """
    asked = [] if instruction is None else [INSTRUCTION.format(instruction=instruction)]
    goes_on = [] if goes_on_as is None else [GOES_ON.format(name=goes_on_as)]
    return [*([MAY_DECLINE] if may_decline else []), *goes_on, *asked]


class Record(Protocol):
    """The record of the calls that a question takes: one, or several if tools are used."""

    async def begin(self, about: Mapping[str, Any]) -> None:
        """Record a call before it is made, with the columns known so far; raise if forbidden."""
        ...

    async def end(self, used: Mapping[str, Any]) -> None:
        """Record that the call has ended, with the columns known now."""
        ...


class Question(Protocol):
    """
    A question to a model, or to a function in its place; it may be asked again.

    Attributes
    ----------
    pauses
        The pause before each further try, in seconds; as many as there are further tries.
    can_go_on
        Whether it may be asked again: no tool would have to run twice.
    """

    pauses: Sequence[float]

    @property
    def can_go_on(self) -> bool:
        """Whether it may be asked again."""
        ...

    def pieces(self, record: Record) -> AsyncGenerator[str | None]:
        """Ask, and yield the reply as it comes; None stands for hidden parts, such as thoughts."""
        ...


# ── a model ──────────────────────────────────────────────────────────────────────────────────


class ModelQuestion:
    """
    A question to a chatlas client; see `Question`.

    Parameters
    ----------
    client
        Returns the client.
    heard
        The conversation.
    bot, name
        The bot's member id, and its pseudonym.
    orders
        What it is told for this message, see `orders_for`.
    seed
        Returns a seed for each try, for models that take one; None: no seed is sent.
    """

    pauses: Sequence[float] = exchange.RETRY_DELAYS

    def __init__(
        self,
        client: Callable[[], Any],
        heard: Sequence[Message],
        bot: str,
        name: str,
        orders: Sequence[str],
        seed: Callable[[], int] | None,
    ) -> None:
        self._client = client
        before, asked = _told(heard, bot)
        self._exchange = exchange.Exchange(before, *asked)
        self._orders: Sequence[str] = [INTRODUCTION.format(name=name), *orders]
        self._seed = seed

    @property
    def can_go_on(self) -> bool:
        """See `Question`."""
        return self._exchange.can_go_on

    async def pieces(self, record: Record) -> AsyncGenerator[str | None]:
        from chatlas import ContentToolRequest, ContentToolResult

        for turn in self._exchange.answer:  # from earlier tries, up to the tools that ran
            yield turn.text if turn.role == "assistant" else None
        known = len(self._exchange.turns)
        async with self._own() as client:
            begin = await self._recording(client, record)
            results: list[Any] = []
            async with aclosing(self._exchange.ask(client)) as stream:
                async for piece in stream:
                    if isinstance(piece, ContentToolRequest):  # the tool is called after this
                        await record.end({**_used(client, known), "outcome": "tool"})
                    yield piece if isinstance(piece, str) else None
                    results += [piece] if isinstance(piece, ContentToolResult) else []
                    if begin is not None and results and len(results) == _wanted(client):
                        await begin(results)  # the next request is made for the next piece
                        results = []
            await record.end(_used(client, known))

    async def _recording(
        self, client: Any, record: Record
    ) -> Callable[[Sequence[Any]], Awaitable[None]] | None:
        """
        Have each request recorded before it is made.

        Returns
        -------
        callable
            To be called before the request that sends some results of tools. None: it does not
            need to be called. Only chatlas' own clients have a place where all requests pass.
        """
        about = _about(client)

        async def begin(turns: Sequence[Any]) -> None:
            await record.begin({**about, "prompt": [*map(as_json, turns)]})

        if is_chatlas(client):
            before_each_request(client, begin)
            return None

        async def go_on(results: Sequence[Any]) -> None:
            await begin([*_system(client), *client.get_turns(), _question(results)])

        await begin([*_system(client), *self._exchange.turns, _question(self._exchange.asked)])
        return go_on

    @asynccontextmanager
    async def _own(self) -> AsyncGenerator[Any]:
        """The client for one try."""
        client: Any = await concurrency.in_thread(self._client)
        async with used_for_one_reply(client, self._orders) as own:
            if is_chatlas(own):
                without_retries(own)
                if self._seed is not None and "seed" in own.provider.supported_model_params():
                    set_seed(own, self._seed())
            yield own


def _told(heard: Sequence[Message], bot: str) -> tuple[list[chatlas.Turn], list[Any]]:
    """
    A conversation as a bot's model is sent it: the earlier turns, and the newest contents.

    The bot's own messages are the assistant's turns; messages of all others, other bots too, are
    sent with names.
    """
    from chatlas import UserTurn

    turns = alternating(turns_of(heard, bot=bot))
    if not turns or turns[-1].role != "user":
        turns.append(cast("chatlas.Turn", UserTurn(YOUR_TURN)))
    *before, last = turns
    return before, list(last.contents)


def _about(client: Any) -> dict[str, Any]:
    provider, parameters = getattr(client, "provider", None), parameters_of(client)
    address = base_url_of(client)
    place = {} if address is None else {"base_url": address}
    return {
        "is_call": True,
        "provider": getattr(provider, "name", type(client).__name__),
        "model": getattr(provider, "model", None),
        "parameters": without_secrets(parameters) | place,
        "seed": parameters.get("seed"),
    }


def _system(client: Any) -> list[chatlas.Turn]:
    from chatlas import SystemTurn

    prompt = getattr(client, "system_prompt", None)
    return [cast("chatlas.Turn", SystemTurn(prompt))] if prompt else []


def _question(contents: Sequence[Any]) -> chatlas.Turn:
    from chatlas import UserTurn

    return cast("chatlas.Turn", UserTurn(list(contents)))


def _used(client: Any, known: int) -> dict[str, Any]:
    """The tokens and the cost of the newest request; `known`: how many turns are older."""
    names = ("tokens_in", "tokens_out", "tokens_cached")
    said = [turn for turn in client.get_turns()[known:] if turn.role == "assistant"]
    tokens: Sequence[int | None] = (said and said[-1].tokens) or (None, None, None)
    cost = said[-1].cost if said else None
    return {**dict(zip(names, tokens, strict=True)), "cost": cost}


def _wanted(client: Any) -> int:
    """How many tools the newest request has ended in calls of."""
    from chatlas import ContentToolRequest

    said = [turn for turn in client.get_turns() if turn.role == "assistant"]
    return sum(isinstance(each, ContentToolRequest) for each in said[-1].contents) if said else 0


# ── a function ───────────────────────────────────────────────────────────────────────────────


class FunctionQuestion:
    """
    A question to a function in a model's place; see `Question`.

    Parameters
    ----------
    respond
        Takes the conversation and returns the reply; if it is not async, it runs in a thread.
    heard
        The conversation.
    """

    pauses: Sequence[float] = ()
    can_go_on = True

    def __init__(self, respond: Respond, heard: Sequence[Message]) -> None:
        self._respond = respond
        self._heard = tuple(heard)

    async def pieces(self, record: Record) -> AsyncGenerator[str | None]:
        respond: Any = self._respond
        about = {
            "is_call": False,
            "prompt": self._heard,  # stored in the form of `Message.as_dict`
            "provider": "respond",
            "model": getattr(respond, "__qualname__", type(respond).__name__),
        }
        await record.begin(about)
        if inspect.iscoroutinefunction(respond):
            said = await watched("bot's function", respond, self._heard)
        else:
            said = await concurrency.in_thread(respond, self._heard)
            if inspect.isawaitable(said):
                said = await cast("Awaitable[str | None]", said)
        if said is not None and not isinstance(said, str):
            raise TypeError(f"respond must return text or None, not {type(said).__name__}")
        yield said
        await record.end({})
