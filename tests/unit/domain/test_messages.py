"""Messages are shinychat's dictionaries, which cannot be changed; callbacks are given texts."""

from __future__ import annotations

import copy
import json
import pickle
from collections.abc import Callable
from dataclasses import FrozenInstanceError
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shiny_labchat import Message, MessageText
from shiny_labchat.domain.events import Event, LogKey
from shiny_labchat.domain.messages import message_of
from shiny_labchat.models.turns import asked

PLAIN = {"content": "ab", "role": "user"}


def said(text: str = "ab", seq: int = 7, room: str = "r", role: str = "user") -> Message:
    data = {"role": role, "name": "Ann", "parts": [("text", text)]}
    return message_of(Event(seq, 1_000_000, "message", "m1", data), LogKey("s", room))


def test_it_is_a_dictionary() -> None:
    message = said()
    assert isinstance(message, dict) and dict(message) == PLAIN
    assert (message["content"], message.get("role"), len(message)) == ("ab", "user", 2)
    assert "member" not in message
    with pytest.raises(KeyError):
        message["member"]


@given(st.lists(st.tuples(st.text(), st.sampled_from(["user", "assistant", "system"]))))
def test_it_is_written_as_one(all: list[tuple[str, str]]) -> None:
    messages = tuple(said(text, seq, role=role) for seq, (text, role) in enumerate(all))
    plain = tuple({"content": text, "role": role} for text, role in all)
    assert str(messages) == str(plain)
    assert json.dumps(messages) == json.dumps(plain)
    assert messages == plain and plain == messages


def test_two_are_equal_if_they_are_the_same_message_of_a_room() -> None:
    message = said()
    for other in (said(seq=8), said(room="other"), said("ab", 8, "other")):
        assert message != other and not message == other
        assert len({message, other}) == 2
    assert message == said("as it was transformed") and len({message, said("x")}) == 1


def test_it_equals_any_other_mapping_with_the_same_content_and_role() -> None:
    message = said()
    for same in (PLAIN, MappingProxyType(PLAIN), {"role": "user", "content": "ab"}):
        assert message == same and same == message and not message != same
    for other in ({**PLAIN, "x": 1}, {"content": "ab"}, {}, "ab", None, ["content", "role"]):
        assert message != other and other != message


COPIES: list[Callable[[Message], object]] = [
    lambda m: m.copy(),
    copy.copy,
    copy.deepcopy,
    dict,
    lambda m: {**m},
    lambda m: m | {},
    lambda m: {} | m,
    lambda m: copy.deepcopy([m])[0],
]


@pytest.mark.parametrize("made", COPIES)
def test_its_copies_are_plain_and_can_be_changed(made: Callable[[Message], Any]) -> None:
    message = said()
    plain = made(message)
    assert type(plain) is dict and plain == PLAIN
    plain["content"] = "other"
    assert message["content"] == message.content == "ab"


def test_pickled_it_is_the_same_message() -> None:
    message = said()
    again = pickle.loads(pickle.dumps(message))
    assert again == message and again.as_dict() == message.as_dict() and dict(again) == PLAIN


CHANGES: list[Callable[[Any], object]] = [
    lambda m: m.update(content="x"),
    lambda m: m.pop("role"),
    lambda m: m.popitem(),
    lambda m: m.clear(),
    lambda m: m.setdefault("x", 1),
    lambda m: m.__setitem__("content", "x"),
    lambda m: m.__delitem__("content"),
    lambda m: m.__ior__({"content": "x"}),
]


@pytest.mark.parametrize("change", CHANGES)
def test_it_cannot_be_changed_and_says_what_to_do(change: Callable[[Any], object]) -> None:
    message = said()
    with pytest.raises(TypeError, match=r"shared .* dict\(message\)"):
        change(message)
    with pytest.raises(FrozenInstanceError):
        message.content = "x"  # pyright: ignore[reportAttributeAccessIssue]
    assert message == PLAIN


def test_every_method_that_changes_a_dictionary_is_refused() -> None:
    changing = {name for name in dir(dict) if name not in dir(MappingProxyType)}
    changing -= {"fromkeys", "__init__"} & changing
    ours = {name for name in changing if getattr(Message, name) is not getattr(dict, name)}
    assert ours >= changing - {"__class_getitem__"}


# ── what callbacks are given ──


def test_a_callback_is_given_a_text() -> None:
    text = MessageText(said("Hello there"))
    assert isinstance(text, str) and text == "Hello there" and str(text) == "Hello there"
    assert "Hello" in text and text.lower() == "hello there" and f"{text}!" == "Hello there!"
    assert json.dumps(text) == '"Hello there"'


def test_it_has_the_attributes_of_the_message() -> None:
    message = said()
    text = MessageText(message)
    for name in message.as_dict():
        assert getattr(text, name) == getattr(message, name)
    assert json.dumps(message.as_dict())
    assert text.as_dict() == message.as_dict() and text.is_for("anybody")
    assert text.message is message
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        text.nothing  # noqa: B018


@pytest.mark.parametrize(
    "again", [copy.copy, copy.deepcopy, lambda t: pickle.loads(pickle.dumps(t))]
)
def test_copied_it_keeps_them(again: Callable[[MessageText], MessageText]) -> None:
    text = again(MessageText(said()))
    assert (text, text.seq, text.member) == ("ab", 7, "m1")


def test_with_its_author_it_is_what_a_model_is_told() -> None:
    text = MessageText(said("Hello\nBen: I agree"))
    assert text.with_author() == "Ann: Hello\n  Ben: I agree"
    assert text.with_author() == asked(text.message)
