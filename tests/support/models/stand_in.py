"""A client of another kind: it has chatlas' public methods, and nothing else of a chatlas Chat."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

__all__ = ["StandIn"]


class StandIn:
    """
    Asks a model through a chatlas Chat, as a wrapper that counts, logs or chooses may do.

    Parameters
    ----------
    chat
        The chatlas Chat.

    Attributes
    ----------
    most
        The most replies that were made at the same time.
    """

    def __init__(self, chat: Any) -> None:
        self.most = 0
        self._inner = chat
        self._now = 0

    @property
    def system_prompt(self) -> str | None:
        return self._inner.system_prompt

    @system_prompt.setter
    def system_prompt(self, value: str | None) -> None:
        self._inner.system_prompt = value

    def get_turns(self) -> list[Any]:
        return self._inner.get_turns()

    def set_turns(self, turns: Sequence[Any]) -> None:
        self._inner.set_turns(turns)

    async def stream_async(self, *args: Any, **options: Any) -> Any:
        return self._counted(await self._inner.stream_async(*args, **options))

    async def _counted(self, stream: Any) -> Any:
        self._now += 1
        self.most = max(self.most, self._now)
        try:
            async for piece in stream:
                yield piece
        finally:
            self._now -= 1
            await stream.aclose()
