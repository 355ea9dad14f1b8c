"""
Whatever Shiny's own Chat could be asked, ours can be asked in the same words.

The table is that of `shiny.express.ui.Chat` as of Shiny 1.4: its parameters in order, and what
they are if they are not given. Where newer versions of shinychat differ, this holds.
"""

from __future__ import annotations

import inspect
from typing import Any

import pytest
from shiny.types import MISSING

from shiny_labchat.express import Chat

NEEDED = inspect.Parameter.empty

POSITIONAL: dict[str, dict[str, Any]] = {
    "__init__": {"id": NEEDED},
    "append_message": {"message": NEEDED},
    "append_message_stream": {"message": NEEDED},
    "clear_messages": {},
    "destroy": {},
    "enable_bookmarking": {"client": NEEDED},
    "message_stream_context": {},
    "messages": {
        "format": MISSING,
        "token_limits": None,
        "transform_user": "all",
        "transform_assistant": False,
    },
    "on_user_submit": {"fn": None},
    "set_user_message": {"value": NEEDED},
    "transform_assistant_response": {"fn": None},
    "transform_user_input": {"fn": None},
    "ui": {
        "messages": None,
        "placeholder": "Enter a message...",
        "width": "min(680px, 100%)",
        "height": "auto",
        "fill": True,
        "icon_assistant": None,
    },
    "update_user_input": {"value": None, "placeholder": None, "submit": False, "focus": False},
    "user_input": {"transform": False},
}
"""What may be given by position, or by name but for `client`; methods by name."""

BY_NAME: dict[str, dict[str, Any]] = {
    "__init__": {"messages": (), "on_error": "auto", "tokenizer": None},
    "append_message": {"icon": None},
    "append_message_stream": {"icon": None},
    "enable_bookmarking": {"bookmark_store": None, "bookmark_on": "response"},
}

WAITED_FOR = {"append_message", "append_message_stream", "clear_messages"}


def parameters(method: str) -> dict[str, inspect.Parameter]:
    """The parameters of our method of this name, without `self`."""
    found = dict(inspect.signature(getattr(Chat, method)).parameters)
    del found["self"]
    return found


@pytest.mark.parametrize("method", POSITIONAL)
def test_what_may_be_given_by_position_may_be_so_here_in_the_same_order(method: str) -> None:
    ours = [
        each.name
        for each in parameters(method).values()
        if each.kind in (each.POSITIONAL_ONLY, each.POSITIONAL_OR_KEYWORD)
    ]
    assert ours[: len(POSITIONAL[method])] == list(POSITIONAL[method])


@pytest.mark.parametrize("method", POSITIONAL)
def test_whatever_is_not_given_is_the_same(method: str) -> None:
    ours = parameters(method)
    for name, default in (POSITIONAL[method] | BY_NAME.get(method, {})).items():
        if default is not NEEDED:
            assert ours[name].default == default, name
        if name != "client":
            assert ours[name].kind in (
                inspect.Parameter.KEYWORD_ONLY,
                inspect.Parameter.POSITIONAL_OR_KEYWORD,
            )


@pytest.mark.parametrize("method", POSITIONAL)
def test_nothing_more_has_to_be_given(method: str) -> None:
    known = POSITIONAL[method] | BY_NAME.get(method, {})
    for name, ours in parameters(method).items():
        is_rest = ours.kind in (ours.VAR_KEYWORD, ours.VAR_POSITIONAL)
        assert is_rest or name in known or ours.default is not NEEDED, name


def test_ui_takes_further_attributes() -> None:
    assert parameters("ui")["kwargs"].kind is inspect.Parameter.VAR_KEYWORD


def test_a_stream_is_read_as_an_attribute_and_opened_with_async_with() -> None:
    assert isinstance(Chat.latest_message_stream, property)
    assert inspect.isasyncgenfunction(inspect.unwrap(Chat.message_stream_context))


@pytest.mark.parametrize("method", POSITIONAL)
def test_what_was_waited_for_is_waited_for(method: str) -> None:
    is_async = inspect.iscoroutinefunction(getattr(Chat, method))
    assert is_async == (method in WAITED_FOR)
