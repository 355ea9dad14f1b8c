"""The script that replies in the demo if there is no model; its reply says that it is one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

__all__ = ["is_asked", "reply"]

PAUSE = 0.06
"""The pause between two words, in seconds."""
WORDS = """
You asked for me, but **no model is connected**: I am a script. Start the demo with
`--model openai` (or `anthropic/...`, `ollama/...`; see chatlas) and its key, and a model answers
here instead.

What you see is real, though. This reply *streams*: both of you watch it grow, you can go on writing
meanwhile, ask me again at the same time, or stop me with the button below. Reload the page in the
middle of it, and it goes on.

| on record | when |
|---|---|
| what people say | before anybody sees it |
| what I say | as I begin, every two seconds, and whole in the end |
"""


def is_asked(text: str) -> bool:
    """Whether a message asks for the script's reply."""
    return "@assistant" in text.lower()


async def reply() -> AsyncIterator[str]:
    """Yield the script's reply, word by word."""
    for word in WORDS.split(" "):
        yield f"{word} "
        await asyncio.sleep(PAUSE)
