"""
The uses of chatlas beyond its public interface, all in this file.

``tests/contract/test_chatlas.py`` fails if a new version of chatlas changes any of what is used.
"""

# pyright: reportPrivateUsage=false

from __future__ import annotations

import asyncio
import copy
import functools
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit
from weakref import WeakValueDictionary

from shiny_labchat.concurrency import in_thread

if TYPE_CHECKING:
    from chatlas import Chat, Tool, Turn

__all__ = [
    "ModelClient",
    "base_url_of",
    "before_each_request",
    "for_one_reply",
    "is_chatlas",
    "parameters_of",
    "set_seed",
    "used_for_one_reply",
    "without_retries",
]


class ModelClient(Protocol):
    """What asks a model: a chatlas Chat, or an object with its public methods."""

    def get_turns(self) -> Sequence[Turn]:
        """The conversation so far."""
        ...

    def set_turns(self, turns: Sequence[Turn], /) -> object:
        """Replace the conversation."""
        ...

    @property
    def stream_async(self) -> Callable[..., Awaitable[Any]]:
        """Ask; return the pieces of the answer, as chatlas' method with `content="all"`."""
        ...


def is_chatlas(client: object) -> bool:
    """Whether a client is chatlas' own: then more than its public methods can be used."""
    from chatlas import Chat

    return isinstance(client, Chat)


@asynccontextmanager
async def used_for_one_reply(client: Any, orders: Sequence[str] = ()) -> AsyncGenerator[Any]:
    """
    A client for one reply, without turns.

    Of a chatlas Chat it is a copy. Nothing is known of how others can be copied: they make one
    reply after the other, and are left as they were before.

    Parameters
    ----------
    client
        A chatlas Chat, or an object with its public methods.
    orders
        Added to its system prompt.
    """
    if is_chatlas(client):
        own = for_one_reply(client, ())
        _add_orders(own, orders)
        yield own
        return
    async with _lock_of(client):
        turns, prompt = list(client.get_turns()), getattr(client, "system_prompt", None)
        client.set_turns([])
        try:
            _add_orders(client, orders)
            yield client
        finally:
            if orders:
                client.system_prompt = prompt
            client.set_turns(turns)


def _add_orders(client: Any, orders: Sequence[str]) -> None:
    if orders:
        known = getattr(client, "system_prompt", None)
        client.system_prompt = "\n\n".join(filter(None, (known, *orders)))


def _lock_of(client: object) -> asyncio.Lock:
    key = asyncio.get_running_loop(), id(client)
    lock = _locks.get(key)
    if lock is None:
        lock = _locks[key] = asyncio.Lock()
    return lock


_locks: WeakValueDictionary[tuple[asyncio.AbstractEventLoop, int], asyncio.Lock]
_locks = WeakValueDictionary()
"""The locks in use; whoever uses one has the client too, so no other has its id."""


def for_one_reply(client: Chat[Any, Any], turns: Sequence[Turn]) -> Chat[Any, Any]:
    """
    A copy of a client, with a conversation of its own.

    One client must not make two replies at once. Copying takes 0.1 ms. The copy shares the
    connection, the tools with their state, and the callbacks for tool calls: these belong to the
    app, and there is one of each. Tools that are not async run in threads, so that they do not
    block the event loop.
    """
    from chatlas import Tool

    own: Any = copy.copy(client)
    own._standard_model_params = dict(own._standard_model_params)  # changed in place
    _send_parameters(own)
    own.set_turns(turns)
    own.set_tools([_in_thread(t) if isinstance(t, Tool) else t for t in own.get_tools()])
    return own


def _send_parameters(own: Any) -> None:
    """Add the parameters to Google's ``config``; if the app has set it, chatlas sends only that."""
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
    """Turn off the connection's own retries: requests are counted, and retried, in this package."""
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
    Await a function before each request to a model; a reply with tool calls takes several.

    Parameters
    ----------
    client
        Its provider must not be shared (see `without_retries`).
    begin
        Awaited with the turns that are about to be sent, the system prompt first. If it raises,
        the request is not made and the reply ends with that error.
    """
    known: Any = client
    perform: Any = known.provider.chat_perform_async

    async def begin_and_perform(*, turns: Sequence[Turn], **options: Any) -> Any:
        await begin(turns)
        return await perform(turns=turns, **options)

    known.provider.chat_perform_async = begin_and_perform


def set_seed(client: Chat[Any, Any], seed: int) -> None:
    """Make a client send a seed; its provider must not be shared (see `without_retries`)."""
    known: Any = client
    known.set_model_params(seed=seed)
    _send_parameters(known)
    if getattr(known.provider, "_seed", None) is not None:  # it would take precedence
        known.provider._seed = seed


def parameters_of(client: Chat[Any, Any]) -> dict[str, Any]:
    """The parameters that a client sends with the conversation, such as a temperature."""
    if not is_chatlas(client):
        return {}
    known: Any = client
    own = getattr(known.provider, "_seed", None)
    seed = {} if own is None else {"seed": own}
    return {**known._standard_model_params, **known.kwargs_chat, **seed}


def base_url_of(client: Any) -> str | None:
    """The address that a client sends its requests to, without a login; None: not known."""
    provider = getattr(client, "provider", None)
    for name in ("_async_client", "_client"):
        connection = getattr(provider, name, None)
        options = getattr(getattr(connection, "_api_client", None), "_http_options", None)
        for holder in (connection, options):  # Google's client keeps it in its options
            address = str(getattr(holder, "base_url", None) or "")
            if address.startswith(("http://", "https://")):
                return _without_login(address)
    return None


def _without_login(address: str) -> str:
    parts = urlsplit(address)
    place = parts.netloc.rpartition("@")[2]
    return parts._replace(netloc=place, query="", fragment="").geturl()
