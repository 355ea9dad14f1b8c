"""Messages in providers' shapes, and as many as fit."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, cast, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shiny_labchat.domain.messages import Message
from shiny_labchat.models.formats import ProviderFormat, count_tokens, in_format, within

Role = Literal["user", "assistant", "system"]


def said(*messages: tuple[Role, str]) -> list[Message]:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    return [
        Message(seq, f"m{seq}", content, role, None, None, at)
        for seq, (role, content) in enumerate(messages, start=1)
    ]


ALL = said(
    ("assistant", "Welcome"), ("system", "Ten minutes"), ("user", "Hi"), ("assistant", "Hello")
)


@pytest.mark.parametrize("format", ["openai", "ollama", "langchain"])
def test_most_take_role_and_content(format: ProviderFormat) -> None:
    assert in_format(ALL, format) == [
        {"role": "assistant", "content": "Welcome"},
        {"role": "system", "content": "Ten minutes"},
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": "Hello"},
    ]


def test_anthropic_begins_with_a_person_and_knows_no_notices() -> None:
    assert in_format(ALL, "anthropic") == [
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": "Hello"},
    ]
    assert in_format(ALL[:2], "anthropic") == []


def test_google_calls_the_model_so_and_knows_no_notices() -> None:
    assert in_format(ALL, "google") == [
        {"role": "model", "parts": [{"text": "Welcome"}]},
        {"role": "user", "parts": [{"text": "Hi"}]},
        {"role": "model", "parts": [{"text": "Hello"}]},
    ]


TEXTS = st.lists(
    st.sampled_from(["Ann: ", "[", "]", "\n", "\r", "\u2028", "system: ", "a", " "])
).map("".join)
TALK = st.lists(st.tuples(st.sampled_from(get_args(Role)), TEXTS), max_size=5)


@given(TALK, st.sampled_from(get_args(ProviderFormat)))
def test_no_text_becomes_another_message(talk: list[Any], format: ProviderFormat) -> None:
    """Each message is a dictionary of its own; its text is whole, and its role is its author's."""
    given_ = in_format(said(*talk), format)
    told = [(each["role"], each.get("content") or _text(each)) for each in given_]
    roles = {"user": "user", "system": "system", "assistant": "assistant"}
    if format == "google":
        roles["assistant"] = "model"
    kept = [(role, text) for role, text in talk if role != "system" or format in PLAIN]
    if format == "anthropic":
        first = next((n for n, (role, _) in enumerate(kept) if role == "user"), len(kept))
        kept = kept[first:]
    assert told == [(roles[role], text) for role, text in kept]


PLAIN = ("openai", "ollama", "langchain")


def _text(message: dict[str, Any]) -> str:
    return "".join(part["text"] for part in message.get("parts", ()))


def test_an_unknown_format_is_an_error_that_names_the_known_ones() -> None:
    with pytest.raises(ValueError, match="'openai'"):
        in_format(ALL, cast(Any, "telegram"))


def test_the_newest_that_fit_are_given_and_all_notices() -> None:
    messages = said(("user", "1"), ("system", "22"), ("user", "333"), ("user", "4"))
    assert [m.content for m in within(messages, (10, 3), len)] == ["1", "22", "333", "4"]
    assert [m.content for m in within(messages, (9, 3), len)] == ["22", "333", "4"]
    assert [m.content for m in within(messages, (8, 3), len)] == ["22", "4"]


def test_what_is_older_than_one_that_does_not_fit_does_not_come_in_its_place() -> None:
    messages = said(("user", "1"), ("user", "x" * 50), ("user", "3"))
    assert [m.content for m in within(messages, (10, 0), len)] == ["3"]


@pytest.mark.parametrize("limits", [(5, 5), (5, 6)])
def test_limits_that_leave_no_room_are_an_error(limits: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="token_limits"):
        within(ALL, limits, len)


def test_notices_that_do_not_fit_are_an_error() -> None:
    with pytest.raises(ValueError, match="notices"):
        within(ALL, (11, 0), len)


class Words:
    """Counts as tiktoken does: gives the tokens."""

    def encode(self, text: str) -> list[int]:
        return [len(word) for word in text.split()]


class Encoded:
    """Counts as tokenizers does: gives what has the tokens."""

    @dataclass
    class Encoding:
        ids: list[int]

    def encode(self, text: str) -> Encoding:
        return Encoded.Encoding([1] * len(text))


def test_tokens_are_counted_by_the_tokenizer_that_was_given() -> None:
    assert count_tokens("three short words", Words()) == 3
    assert count_tokens("abcd", Encoded()) == 4


def test_without_a_tokenizer_three_bytes_are_one() -> None:
    texts = ("", "a", "abc", "abcd", "語")
    assert [count_tokens(text, None) for text in texts] == [0, 1, 1, 2, 1]
