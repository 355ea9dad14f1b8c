"""
What we need of chatlas beyond its public interface, in one place.

``tests/contract/test_chatlas.py`` fails loudly when a new version changes any of it.
"""

# pyright: reportPrivateUsage=false

from __future__ import annotations

import asyncio
import copy
import functools
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from chatlas import Chat, Tool, Turn

__all__ = ["for_one_reply", "is_worth_another_try"]


def for_one_reply(client: Chat[Any, Any], turns: Sequence[Turn]) -> Chat[Any, Any]:
    """
    A client like another one, with a conversation of its own.

    One client must not make two replies at once. The copy shares the connection; it takes 0.1 ms.
    Its tools that are not async run in threads, where they keep nobody waiting.
    """
    from chatlas import Tool

    own = copy.deepcopy(client)
    own.set_turns(turns)
    own.set_tools([_in_thread(t) if isinstance(t, Tool) else t for t in own.get_tools()])
    return own


def _in_thread(tool: Tool) -> Tool:
    from chatlas import Tool

    if tool._is_async:
        return tool
    run = tool.func
    about = tool.schema["function"]

    @functools.wraps(run)
    async def run_in_thread(*args: Any, **kwargs: Any) -> Any:
        return await asyncio.to_thread(run, *args, **kwargs)

    return Tool(
        func=run_in_thread,
        name=tool.name,
        description=about.get("description", ""),
        parameters=dict(about.get("parameters", {})),
        annotations=tool.annotations,
        strict=about.get("strict"),
    )


def is_worth_another_try(error: Exception) -> bool:
    """Whether a model may answer when it is asked the same again."""
    status = getattr(error, "status_code", None)
    return status is None or status in (408, 409, 429) or status >= 500
