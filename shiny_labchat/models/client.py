"""
What we need of chatlas beyond its public interface, in one place.

``tests/contract/test_chatlas.py`` fails loudly when a new version changes any of it.
"""

# pyright: reportPrivateUsage=false

from __future__ import annotations

import copy
import functools
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any

from shiny_labchat.concurrency import in_thread

if TYPE_CHECKING:
    from chatlas import Chat, Tool, Turn

__all__ = ["before_each_request", "for_one_reply", "parameters_of", "set_seed", "without_retries"]


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
