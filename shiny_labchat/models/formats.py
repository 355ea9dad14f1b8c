"""
Messages in the formats of providers of models, cut to a limit of tokens. Pure.

shinychat had these formats once. `Chat.turns` is for chatlas, which has more providers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal, Protocol, get_args

from shiny_labchat.domain.messages import Message

__all__ = ["ProviderFormat", "Tokenizer", "count_tokens", "in_format", "within"]

ProviderFormat = Literal["anthropic", "google", "langchain", "openai", "ollama"]

BYTES_PER_TOKEN = 3
"""Bytes of UTF-8 for each token; for most languages a model needs fewer tokens than this."""


class Tokenizer(Protocol):
    """Counts tokens, as `tiktoken.Encoding` and `tokenizers.Tokenizer` do."""

    def encode(self, text: str, /) -> Any:
        """The tokens of a text, or an object with the tokens in its attribute `ids`."""


def in_format(messages: Sequence[Message], format: ProviderFormat) -> list[dict[str, Any]]:
    """
    Messages as dictionaries in a provider's format.

    For "anthropic" and "google", notices are left out: they have no such role. For "anthropic", the
    messages before the first one of a person are left out, too.

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
    All notices, and as many of the newest other messages as fit beside them.

    Parameters
    ----------
    messages
        In order.
    limits
        The most tokens that may be sent and received together, and how many of these are kept for
        the reply.
    count
        Returns how many tokens a text has.

    Raises
    ------
    ValueError
        The notices alone do not fit, or the limits leave no room for any message.
    """
    most, kept = limits
    if most <= kept:
        raise ValueError(f"token_limits: the first must be greater than the second, not {limits}")
    left = most - kept - sum(count(m.content) for m in messages if m.role == "system")
    if left <= 0:
        raise ValueError(
            f"token_limits: the notices alone do not fit into {limits}; raise the first"
        )
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
    """The number of tokens of a text; without a tokenizer, one for every three bytes."""
    if tokenizer is None:
        return -(-len(text.encode()) // BYTES_PER_TOKEN)
    tokens = tokenizer.encode(text)
    return len(getattr(tokens, "ids", tokens))
