"""The chat's element in a page: it draws the room, and holds Shiny's own text area."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from inspect import signature
from typing import Any, Literal, cast

from htmltools import HTML, Tag, TagAttrValue, TagChild, TagList, css
from shiny import ui
from shiny.module import ResolvedId, resolve_id
from shiny.types import MISSING, MISSING_TYPE
from shiny.ui.css import CssUnit, as_css_unit
from shinychat import chat_ui as shinychat_ui

from shiny_labchat.arguments import check_choice
from shiny_labchat.chat.assets import element_dependency
from shiny_labchat.chat.content import MarkdownHtml, as_html, as_shown, is_trusted
from shiny_labchat.chat.greeting import Greeting, as_drawn
from shiny_labchat.chat.labels import element_words
from shiny_labchat.chat.people import words_here
from shiny_labchat.lab.lab import Lab
from shiny_labchat.words import ENGLISH, Words

__all__ = ["PLACEHOLDER", "chat_ui"]

PLACEHOLDER = ENGLISH["placeholder"]
"""The hint in the text box, in English as in shinychat; a lab may have other words for it."""


def chat_ui(
    id: str,
    *,
    messages: Iterable[Any] | None = None,
    placeholder: str = PLACEHOLDER,
    width: CssUnit = "min(680px, 100%)",
    height: CssUnit = "auto",
    fill: bool = True,
    icon_assistant: HTML | Tag | TagList | str | None = None,
    labels: Mapping[str, str] | None = None,
    greeting: Greeting | None = None,
    enable_cancel: bool | MISSING_TYPE = MISSING,
    submit_key: Literal["enter", "enter+modifier"] = "enter",
    footer: TagChild = None,
    icon_send: HTML | Tag | TagList | str | None = None,
    breaks: bool = False,
    done: str | None = None,
    html: MarkdownHtml = "sanitize",
    lab: Lab | None = None,
    **kwargs: TagAttrValue,
) -> Tag:
    """
    The UI of a :class:`~shiny_labchat.Chat` in a page.

    Parameters
    ----------
    id
        The chat's id.
    messages
        Shown to each visitor before the conversation, and never logged: text (markdown), UI,
        or dictionaries with `content` and `role`.
    placeholder
        The hint shown while the text box is empty.
    width, height
        CSS sizes; numbers are pixels.
    fill
        Whether the chat fills the height that is left in a fillable container.
    icon_assistant
        Shown beside a programme's messages: UI, or a string of HTML. None: a default icon.
    labels
        Replacements for the words that the chat uses, by key: ``{"send": "Say it"}``. The page
        "Words and languages" of the documentation lists them.
    greeting
        Shown to each visitor above all messages, and never logged: text (markdown), UI, or a
        ``shinychat.chat_greeting()`` of these. It disappears from a person's screen when they send
        a message, unless it is persistent. See also ``Chat.set_greeting()``.
    enable_cancel
        Whether the person who gets an answer has a button to stop it. If missing, they have.
        Experimenters can stop every answer that they see.
    submit_key
        The keys that send: "enter" (Shift+Enter breaks the line), or "enter+modifier", which is
        Ctrl+Enter (Enter breaks the line).
    footer
        UI below the text box; each browser has its own inputs and outputs in it.
    icon_send
        The sign on the button that sends: UI, or a string of HTML. None: an arrow.
    breaks
        Whether a single line break in markdown is shown as one, as in a comment on GitHub. If not,
        it is shown as a space, as in shinychat. Trusted strings are shown as in shinychat.
    done
        The text of a button with which people say that they are done, such as "Continue"; they may
        once they have sent as many messages as the room's rules ask for, see
        ``Rules(min_messages=, ends=)`` and ``Chat.state()``. None: there is no button.
    html
        What becomes of HTML in the strings of `messages`: "sanitize" or "trusted", see
        :class:`~shiny_labchat.Chat`.
    lab
        The lab whose words are shown, see :class:`~shiny_labchat.Lab`. None: ``Lab()``.
    kwargs
        Further attributes of the element.

    Returns
    -------
    Tag
        A ``<labchat-room>``.

    Raises
    ------
    TypeError
        An argument that only shinychat has; the error says what to do instead. Or `done` is no
        text.
    ValueError
        There is no such `submit_key`, or no such key in `labels`.
    """
    _refuse_others(kwargs)
    check_choice("submit_key", submit_key, ("enter", "enter+modifier"))
    if done is not None and not (isinstance(cast(object, done), str) and done.strip()):
        raise TypeError(f"done must be the text of a button, or None, not {done!r}")
    # Lab(): so a page left open over a restart finds its lab before the app's server function runs
    words = words_here(Lab() if lab is None else lab)
    replaced = element_words(words, {} if labels is None else labels)
    resolved = resolve_id(id)
    if placeholder == PLACEHOLDER:
        placeholder = words["placeholder"]
    if words.language != ENGLISH.language:
        kwargs.setdefault("lang", words.language)
    drawn = [as_drawn(greeting)] if greeting is not None else []
    trusts = is_trusted(html)
    drawn += [as_shown(message, trusts=trusts) for message in messages or ()]
    needed = [needed for _, needed in drawn]
    if isinstance(icon_assistant, Tag | TagList):
        needed.append([*icon_assistant.get_dependencies()])
    room = Tag(
        "labchat-room",
        {"class": "labchat", "style": _size(as_css_unit(width), as_css_unit(height))},
        ui.div(
            _composer(resolved, placeholder, submit_key, icon_send, words),
            class_="labchat-composer",
        ),
        None if footer is None else ui.div(footer, class_="labchat-footer"),
        element_dependency(),
        needed,
        id=resolved,
        data_placeholder=placeholder,
        data_messages=_json([item for item, _ in drawn]) if drawn else None,
        data_icon_assistant=as_html(icon_assistant),
        data_enable_cancel="false" if enable_cancel is False else None,
        data_breaks="" if breaks else None,
        data_done=done,
        data_labels=_json(replaced) if replaced else None,
        **kwargs,
    )
    return ui.fill.as_fill_item(room) if fill else room


def _size(width: str, height: str) -> str | None:
    # The style sheet's minimum height must not override a smaller height that the app sets.
    is_given = height and height != "auto" and "%" not in height
    least = f"min(20rem, 100dvh, {height})" if is_given else None
    return css(width=width, height=height, min_height=least)


def _composer(
    id: ResolvedId,
    placeholder: str,
    submit_key: Literal["enter", "enter+modifier"],
    icon_send: HTML | Tag | TagList | str | None,
    words: Words,
) -> Tag:
    send = ui.tags.button(
        HTML(icon_send) if isinstance(icon_send, str) else icon_send,
        class_="btn btn-primary btn-sm labchat-send",
        type="button",
        aria_label=words["send"],
    )
    return ui.input_submit_textarea(
        ResolvedId(f"{id}_user_input"),
        placeholder=placeholder,
        width="100%",
        button=send,
        submit_key=submit_key,
        aria_label=placeholder,
    )


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


_ONLY_SHINYCHATS = {
    "allow_attachments": "files cannot be sent to a room; leave it out",
    "drawer": "a room has no drawer; put an offcanvas or a sidebar beside the chat",
    "show_history": "a room has one conversation, which everybody there sees; leave it out",
    "show_thinking_after_s": "thoughts are shown folded, as soon as they come; leave it out",
    "tool_grouping": "each call of a tool is shown by itself, where it was made; leave it out",
    "toolbar_input": "there is no toolbar; put what it has into footer=, below the text box",
}
"""Arguments of shinychat's `chat_ui`: why they are not offered, and what to do instead."""

_OF_CHAT = (
    "client",
    "failures",
    "identity",
    "join",
    "member",
    "names",
    "on_error",
    "pseudonym",
    "reply",
    "room",
    "show_observers",
    "study",
    "tokenizer",
)
"""Arguments of `Chat` that are no attributes of an HTML element."""


def _refuse_others(given: Iterable[str]) -> None:
    """Refuse arguments of others: as attributes of the element they would do nothing."""
    theirs = signature(shinychat_ui).parameters
    for name in given:
        if name in _OF_CHAT:
            raise TypeError(f"chat_ui(): {name}= belongs to the Chat: Chat({name}=...)")
        if name in theirs and name != "kwargs":
            why = _ONLY_SHINYCHATS.get(name, "see docs/shinychat.md for what is")
            raise TypeError(f"chat_ui(): {name}= is not offered: {why}")
