"""
Messages in the shapes that providers of models take, and as many of them as a model takes. Pure.

shinychat had these once; `Chat.turns` is for chatlas, which knows more of them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal, Protocol, get_args

from shiny_labchat.domain.messages import Message

__all__ = ["ProviderFormat", "Tokenizer", "count_tokens", "in_format", "within"]

ProviderFormat = Literal["anthropic", "google", "langchain", "openai", "ollama"]

BYTES_PER_TOKEN = 3
"""Of UTF-8; models need fewer tokens than that for most languages."""


class Tokenizer(Protocol):
    """Counts tokens, as `tiktoken.Encoding` and `tokenizers.Tokenizer` do."""

    def encode(self, text: str, /) -> Any:
        """The tokens of a text, or what has them as its `ids`."""


def in_format(messages: Sequence[Message], format: ProviderFormat) -> list[dict[str, Any]]:
    """
    Messages as a provider's own dictionaries.

    Notices are left out for "anthropic" and "google", which take no such role; for "anthropic" so
    is what comes before the first thing that a person said.

    Raises
    ------
    ValueError
        There is no such format.
    """
    if format not in get_args(ProviderFormat):
        known = ", ".join(map(repr, get_args(ProviderFormat)))
        raise ValueError(f"format must be one of {known}, not {format!r}")
    if format in ("anthropic", "google"):
        messages = [message for message in messages if message.role != "system"]
    if format == "anthropic":
        roles = [message.role for message in messages]
        messages = messages[roles.index("user") :] if "user" in roles else []
    shape = _google if format == "google" else _plain
    return [shape(message) for message in messages]


def _plain(message: Message) -> dict[str, Any]:
    return {"content": message.content, "role": message.role}


def _google(message: Message) -> dict[str, Any]:
    role = "model" if message.role == "assistant" else "user"
    return {"parts": [{"text": message.content}], "role": role}


def within(
    messages: Sequence[Message], limits: tuple[int, int], count: Callable[[str], int]
) -> tuple[Message, ...]:
    """
    The notices, and the newest of the other messages that fit besides.

    Parameters
    ----------
    messages
        In order.
    limits
        The most tokens that may be sent and received, and how many of them to keep for the reply.
    count
        How many tokens a text has.

    Raises
    ------
    ValueError
        The notices alone do not fit, or nothing could.
    """
    most, kept = limits
    if most <= kept:
        raise ValueError(f"token_limits: the first must be greater than the second, not {limits}")
    left = most - kept - sum(count(m.content) for m in messages if m.role == "system")
    if left <= 0:
        raise ValueError(f"token_limits: the notices alone do not fit into {limits}")
    fitting: list[Message] = []
    is_full = False
    for message in reversed(messages):
        if message.role != "system":
            left -= 0 if is_full else count(message.content)
            is_full = is_full or left < 0
        if message.role == "system" or not is_full:
            fitting.append(message)
    return tuple(reversed(fitting))


def count_tokens(text: str, tokenizer: Tokenizer | None) -> int:
    """How many tokens a text has; without a tokenizer, one for every three bytes."""
    if tokenizer is None:
        return -(-len(text.encode()) // BYTES_PER_TOKEN)
    tokens = tokenizer.encode(text)
    return len(getattr(tokens, "ids", tokens))
