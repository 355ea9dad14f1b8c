"""What a Chat and its place in a page are given: wrong things are errors that name them."""

from __future__ import annotations

import html
import json
import re
from collections.abc import AsyncIterator, Sequence
from typing import Any, cast

import pytest
from htmltools import HTML, HTMLDependency, Tag, TagList, tags
from shiny.express._stub_session import ExpressStubSession
from shiny.session import session_context
from shinychat import chat_greeting

from shiny_labchat import Chat, chat_ui
from shiny_labchat.chat.content import Part, as_html
from shiny_labchat.chat.greeting import as_drawn
from shiny_labchat.chat.transforms import Transforms
from shiny_labchat.domain.commands import Post
from shiny_labchat.express import Chat as ExpressChat


def transforms() -> Transforms:
    return Transforms(cast(Any, None))  # it needs its session only to run them


@pytest.mark.parametrize("fn", [lambda: None, lambda a, b: None])
def test_a_users_transform_takes_the_text(fn: Any) -> None:
    with pytest.raises(ValueError, match="transform_user_input"):
        transforms().set_for_user(fn)


@pytest.mark.parametrize("fn", [lambda: None, lambda a, b: None, lambda a, b, c, d: None])
def test_an_assistants_transform_takes_one_thing_or_three(fn: Any) -> None:
    with pytest.raises(ValueError, match="transform_assistant_response"):
        transforms().set_for_assistant(fn)


@pytest.mark.parametrize("fn", [html.escape, lambda text, by=1: text, lambda *all: all[0]])
def test_what_a_users_transform_takes_besides_may_have_a_default(fn: Any) -> None:
    transforms().set_for_user(fn)


@pytest.mark.parametrize(
    ("fn", "shown"),
    [
        (html.escape, "&lt;"),
        (lambda *all: str(len(all)), "1"),
        (lambda content, *, by=3: str(by), "3"),
        (lambda content, chunk, done: chunk, "new"),
        (lambda content="", chunk="", done=True: chunk, "new"),
    ],
)
async def test_what_an_assistants_transform_takes_besides_may_have_a_default(
    fn: Any, shown: str
) -> None:
    given = transforms()
    given.set_for_assistant(fn)
    assert given.stream_transform is not None
    assert await given.stream_transform("<", "new", True) == ("markdown", shown)


def test_another_key_to_submit_is_an_error() -> None:
    with pytest.raises(ValueError, match="submit_key"):
        chat_ui("chat", submit_key=cast(Any, "space"))


@pytest.mark.parametrize("wrong", [True, "", " ", 1])
def test_the_button_for_who_is_done_has_a_text(wrong: Any) -> None:
    with pytest.raises(TypeError, match="done must be the text of a button"):
        chat_ui("chat", done=wrong)


@pytest.mark.parametrize("wrong", ["trust", "", None, True])
def test_html_is_sanitized_or_trusted(wrong: Any) -> None:
    with pytest.raises(ValueError, match='html must be "sanitize" or "trusted"'):
        chat_ui("chat", html=wrong)
    with session_context(ExpressStubSession()), pytest.raises(ValueError, match="html must be"):
        Chat("chat", html=wrong)


def test_the_pages_messages_are_as_trusted_as_the_app_says() -> None:
    def kinds(room: Tag) -> list[str]:
        drawn = json.loads(str(room.attrs["data-messages"]))
        return [kind for item in drawn for kind, _ in item["parts"]]

    first: list[Any] = ["<i>Hi</i>", {"content": "<i>Hi</i>", "role": "user"}]
    assert kinds(chat_ui("chat", messages=first)) == ["markdown", "markdown"]
    assert kinds(chat_ui("chat", messages=first, html="trusted")) == ["trusted", "markdown"]
    with session_context(ExpressStubSession()):
        assert kinds(ExpressChat("chat", html="trusted").ui(first)) == ["trusted", "markdown"]


@pytest.mark.parametrize(
    ("parts", "shown"),
    [
        ([("trusted", "<b>a</b>")], ("trusted", "<B>A</B>")),
        ([("trusted", "<b>a</b>"), ("html", "<i></i>")], ("markdown", "<B>A</B><I></I>")),
        ([("markdown", "<b>a</b>")], ("markdown", "<B>A</B>")),
    ],
)
async def test_what_is_made_of_a_text_is_as_trusted_as_the_text(parts: Any, shown: Part) -> None:
    given = transforms()
    given.set_for_assistant(str.upper)
    made = await given.apply(Post(parts))
    assert made is not None and made.parts == [shown]


async def words() -> AsyncIterator[str]:
    yield "word"


@pytest.mark.parametrize("greeting", [words, words(), chat_greeting(words()), 7])
def test_a_greeting_is_text_or_ui(greeting: Any) -> None:
    with pytest.raises(TypeError, match="a greeting must be"):
        chat_ui("chat", greeting=greeting)


@pytest.mark.parametrize(
    ("greeting", "part"),
    [
        ("Hi *you*", ["markdown", "Hi *you*"]),
        (HTML("<i>Hi</i>"), ["html", "<i>Hi</i>"]),
        (tags.b("Hi"), ["html", "<b>Hi</b>"]),
        (chat_greeting("Hi *you*"), ["markdown", "Hi *you*"]),
    ],
)
def test_a_greeting_comes_before_the_pages_messages(greeting: Any, part: list[str]) -> None:
    room = chat_ui("chat", greeting=greeting, messages=["First"])
    drawn = json.loads(str(room.attrs["data-messages"]))
    assert [item["parts"] for item in drawn] == [[part], [["markdown", "First"]]]
    assert [item.get("greeting") for item in drawn] == [True, None]


def test_a_greeting_may_be_persistent_and_bring_what_it_needs() -> None:
    needed = HTMLDependency("needed", "1.0", head="<meta>")
    item, ui = as_drawn(chat_greeting(TagList(tags.b("Hi"), needed), persistent=True))
    assert item["persistent"] is True and needed in ui
    assert as_drawn("Hi")[0]["persistent"] is False


def test_an_icon_brings_what_it_needs() -> None:
    needed = HTMLDependency("needed", "1.0", head="<meta>")
    room = chat_ui("chat", icon_assistant=tags.i(needed, class_="robot"))
    assert needed in room.get_dependencies()
    assert 'class="robot"' in str(room.attrs["data-icon-assistant"])


def test_an_icon_may_be_a_string_of_html() -> None:
    assert chat_ui("chat", icon_assistant="<i></i>").attrs["data-icon-assistant"] == "<i></i>"
    assert as_html("<i></i>") == "<i></i>"


def test_sizes_that_are_numbers_are_pixels() -> None:
    style = str(chat_ui("chat", width=400, height=300.5).attrs["style"])
    assert re.match(r"width:400(\.0+)?px;height:300\.50*px;", style)
    assert "width:50%;height:auto;" in str(chat_ui("chat", width="50%").attrs["style"])


def test_only_an_app_that_says_so_has_no_button_to_stop() -> None:
    assert "data-enable-cancel" not in chat_ui("chat").attrs
    assert "data-enable-cancel" not in chat_ui("chat", enable_cancel=True).attrs
    assert chat_ui("chat", enable_cancel=False).attrs["data-enable-cancel"] == "false"


@pytest.mark.parametrize("wrong", [{"content": "Be brief.", "role": "boss"}, {"text": "hi"}])
def test_what_a_room_cannot_begin_with_is_an_error_where_it_is_written(wrong: object) -> None:
    """Not when a page comes, which then could not be let in."""
    with session_context(ExpressStubSession()), pytest.raises(ValueError, match="role|'content'"):
        Chat("chat", messages=["Hello", wrong])


def test_a_room_may_begin_with_instructions_to_its_model_in_text() -> None:
    wrong = {"content": TagList("Be brief."), "role": "system"}
    with session_context(ExpressStubSession()):
        Chat("chat", messages=[{"content": "Be brief.", "role": "system"}, "Hello"])
        with pytest.raises(TypeError, match="must have text as its content, not TagList"):
            Chat("chat", messages=[wrong])


# ── a model ──


class Model:
    """As much of a client as can be looked at before it is asked."""

    def get_turns(self) -> list[Any]:
        return []

    def set_turns(self, turns: Sequence[Any]) -> None: ...

    async def stream_async(self, *asked: object, **options: object) -> None: ...


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("client", "gpt-4.1"),
        ("client", lambda: Model()),
        ("client", ""),
        ("reply", lambda: True),
        ("reply", lambda room, member, message: True),
    ],
)
def test_a_model_that_could_never_reply_is_an_error_at_once(name: str, wrong: Any) -> None:
    given: dict[str, Any] = {"client": Model(), name: wrong}
    with session_context(ExpressStubSession()), pytest.raises(TypeError, match=f"^{name} must be"):
        Chat("chat", **given)
