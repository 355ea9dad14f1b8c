"""What a bot speaks with, a language model or a function; and what is on record of a question."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol, cast

from shiny_labchat import _blocking, _chatlas
from shiny_labchat._bot_rules import NO_REPLY, Respond
from shiny_labchat._records import Message
from shiny_labchat._turns import turns_of

if TYPE_CHECKING:
    import chatlas

__all__ = ["FunctionVoice", "ModelVoice", "Question", "Voice"]

INTRODUCTION = (
    'You are "{name}" in a group chat. What others say begins with their names; '
    "write your own next message only, without your name, as they do."
)
"""What is added to a model's system prompt."""
MAY_DECLINE = f'If you would rather say nothing now, answer only "{NO_REPLY}".'
"""What is added where the model itself decides."""


class Question(Protocol):
    """
    One question to a model, or to what stands for one.

    Attributes
    ----------
    about
        The columns of the audit that are known before it is asked.
    """

    about: dict[str, Any]

    def pieces(self) -> AsyncIterator[str | None]:
        """Ask; gives the reply as it comes, None for what is not said, such as thoughts."""
        ...

    def used(self) -> list[dict[str, Any]]:
        """Afterwards, columns of what each call used that came to its end; tools take several."""
        ...


class Voice(Protocol):
    """
    What answers questions.

    Attributes
    ----------
    pauses
        How long it is waited before each further try, in seconds, and so how many there are.
    """

    pauses: Sequence[float]

    async def question(self, heard: Sequence[Message], bot: str, name: str) -> Question:
        """
        Make a question, which is asked later.

        Parameters
        ----------
        heard
            The conversation; the last message is somebody else's.
        bot, name
            Who is asked: the member, and the pseudonym.
        """
        ...


# ── a model ──────────────────────────────────────────────────────────────────────────────────


class ModelVoice:
    """
    A chatlas client.

    Parameters
    ----------
    client
        Gives the client.
    may_decline
        Whether it may decide to say nothing.
    seed
        Makes a seed for each question, for models that take one; None: none is sent.
    """

    pauses: Sequence[float] = _chatlas.AGAIN

    def __init__(
        self, client: Callable[[], Any], may_decline: bool, seed: Callable[[], int] | None
    ) -> None:
        self._client = client
        self._may_decline = may_decline
        self._seed = seed

    async def question(self, heard: Sequence[Message], bot: str, name: str) -> Question:
        client: Any = await _blocking.in_thread(self._client)
        turns, contents = told(heard, bot)
        own: Any = _chatlas.without_retries(_chatlas.for_one_reply(client, turns))
        orders: list[str | None] = [client.system_prompt, INTRODUCTION.format(name=name)]
        orders += [MAY_DECLINE] if self._may_decline else []
        own.system_prompt = "\n\n".join(filter(None, orders))
        if self._seed is not None and "seed" in own.provider.supported_model_params():
            _chatlas.set_seed(own, self._seed())
        return ModelQuestion(own, contents)


def told(heard: Sequence[Message], bot: str) -> tuple[list[chatlas.Turn], list[Any]]:
    """
    A conversation as a bot's model is told it: what came before, and what it is asked.

    Its own messages are its turns; what others say, other bots too, is told to it with names.
    """
    *before, last = turns_of(_from_its_side(message, bot) for message in heard)
    return before, list(last.contents)


def _from_its_side(message: Message, bot: str) -> Message:
    if message.member == bot:
        return replace(message, role="assistant")
    return replace(message, role="user") if message.role == "assistant" else message


class ModelQuestion:
    """See `Question`."""

    def __init__(self, client: Any, contents: list[Any]) -> None:
        from chatlas import UserTurn

        self._client = client
        self._contents = contents
        self._before = list(client.get_turns(include_system_prompt=True))
        parameters = _chatlas.parameters_of(client)
        self.about: dict[str, Any] = {
            "prompt": _as_json([*self._before, UserTurn(contents)]),
            "provider": client.provider.name,
            "model": client.provider.model,
            "parameters": parameters,
            "seed": parameters.get("seed"),
        }

    async def pieces(self) -> AsyncIterator[str | None]:
        stream: Any = await self._client.stream_async(*self._contents, content="all", echo="none")
        async for piece in _chatlas.unless_silent(stream):
            yield piece if isinstance(piece, str) else None

    def used(self) -> list[dict[str, Any]]:
        from chatlas import AssistantTurn

        turns = self._client.get_turns(include_system_prompt=True)
        calls: list[dict[str, Any]] = []
        for at in range(len(self._before), len(turns)):
            turn = cast(object, turns[at])
            known = cast("chatlas.AssistantTurn[Any]", turn)
            if isinstance(turn, AssistantTurn) and not known.is_partial:
                calls.append({"prompt": _as_json(turns[:at]), **_cost_of(known)})
        return calls


def _cost_of(turn: chatlas.AssistantTurn[Any]) -> dict[str, Any]:
    used: Sequence[int | None] = turn.tokens or (None, None, None)
    names = ("tokens_in", "tokens_out", "tokens_cached")
    return {**dict(zip(names, used, strict=True)), "cost": turn.cost, "reply": turn.text}


def _as_json(turns: Sequence[Any]) -> list[Mapping[str, Any]]:
    return [turn.model_dump(mode="json", exclude={"completion"}) for turn in turns]


# ── a function ───────────────────────────────────────────────────────────────────────────────


class FunctionVoice:
    """
    A function in a model's place.

    Parameters
    ----------
    respond
        Takes the conversation and gives what is said; one that is not async runs in a thread.
    """

    pauses: Sequence[float] = ()

    def __init__(self, respond: Respond) -> None:
        self._respond = respond

    async def question(self, heard: Sequence[Message], bot: str, name: str) -> Question:
        return FunctionQuestion(self._respond, tuple(heard))


class FunctionQuestion:
    """See `Question`."""

    def __init__(self, respond: Respond, heard: tuple[Message, ...]) -> None:
        self._respond = respond
        self._heard = heard
        self.about: dict[str, Any] = {
            "prompt": [message.as_dict() for message in heard],
            "provider": "respond",
            "model": getattr(respond, "__qualname__", type(respond).__name__),
        }

    async def pieces(self) -> AsyncIterator[str | None]:
        respond: Any = self._respond
        if inspect.iscoroutinefunction(respond):
            said = await _blocking.watched("bot's function", respond, self._heard)
        else:
            said = await _blocking.in_thread(respond, self._heard)
            if inspect.isawaitable(said):
                said = await cast("Awaitable[str | None]", said)
        if said is not None and not isinstance(said, str):
            raise TypeError(f"respond must give text or None, not {type(said).__name__}")
        yield said

    def used(self) -> list[dict[str, Any]]:
        return []
