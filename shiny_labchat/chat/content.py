"""
The content that developers append, whole or in chunks, as the parts of a message.

Each part has one level of trust: "text" is shown as text, "markdown" and "thinking" are sanitised
in the browser, "html" is the developer's own and trusted, and so is "trusted": the developer's own
markdown, in an app that trusts its strings. The other kinds are shinychat's blocks, in which only
icons, footers and html values are trusted. shinychat converts the types, so every type that it
accepts is accepted here.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, cast, get_args

from htmltools import HTML, HTMLDependency, ReprHtml, Tag, TagChild, TagList, tags
from shiny.session import Session
from shinychat import message_content

# Not the public `message_content`: with it, a tool's result that has its own UI would not end the
# tool's call.
from shinychat._chat_normalize import normalize_message, normalize_message_chunk
from shinychat.types import Attachment, ChatMessage

from shiny_labchat.arguments import check_choice
from shiny_labchat.chat.shiny_internals import render
from shiny_labchat.models.thoughts import split_thoughts
from shiny_labchat.storable import storable
from shiny_labchat.streams.content import UnmergedText

__all__ = [
    "Content",
    "Kind",
    "MarkdownHtml",
    "Part",
    "as_chunk",
    "as_content",
    "as_html",
    "as_shown",
    "instruction_of",
    "is_trusted",
]

MarkdownHtml = Literal["sanitize", "trusted"]
"""What becomes of HTML in an app's own markdown."""
Text = Literal["text", "markdown", "trusted", "html", "thinking"]
"""Kinds whose content is a string."""
Block = Literal[
    "tool_request",
    "tool_result",
    "web_search",
    "web_search_results",
    "web_search_citations",
    "web_fetch",
]
"""Kinds whose content is shinychat's block of that type, without its type and version."""
Kind = Text | Block
Part = tuple[Kind, Any]


@dataclass(frozen=True, slots=True)
class Content:
    """A message's parts in order, its role, and the dependencies of its UI."""

    parts: list[Part]
    role: Literal["assistant", "user"] = "assistant"
    deps: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])


def is_trusted(html: MarkdownHtml) -> bool:
    """
    Whether HTML in an app's own markdown is drawn as written.

    Raises
    ------
    ValueError
        `html` is neither "sanitize" nor "trusted".
    """
    check_choice("html", html, get_args(MarkdownHtml))
    return html == "trusted"


def as_content(message: object, session: Session, *, trusts: bool = False) -> Content:
    """
    The content of a message in any type that may be appended.

    Parameters
    ----------
    message
        Text (markdown), `HTML`, a Tag or TagList, a dictionary with `content` and `role`, or any
        type registered with `shinychat.message_content`.
    session
        The session whose app serves the dependencies of the UI.
    trusts
        Whether HTML in strings is drawn as written. Never in the role "user", as in shinychat.

    Raises
    ------
    ValueError
        The role is neither "assistant" nor "user", or the type is not one of those.
    """
    content = _Reading(normalize_message, trusts).read(message).content(session)
    parts: list[Part] = [(kind, storable(part)) for kind, part in content.parts]
    if content.role == "assistant":
        parts = cast("list[Part]", split_thoughts(parts))
    return Content(parts, content.role, content.deps)


def as_chunk(chunk: object, session: Session) -> Content:
    """
    The content of one chunk of a stream; it has no parts if the chunk is empty.

    Parameters
    ----------
    chunk
        As for a whole message, but with the types registered with
        `shinychat.message_content_chunk`.
    session
        The session whose app serves the dependencies of the UI.

    Raises
    ------
    ValueError
        The role is neither "assistant" nor "user", or the type is not one of those.
    """
    content = _Reading(normalize_message_chunk).read(chunk).content(session)
    return Content([part for part in content.parts if part[1]], content.role, content.deps)


def as_html(icon: HTML | Tag | TagList | str | None) -> str | None:
    """An icon's HTML; a string is taken as HTML."""
    if isinstance(icon, str):
        icon = HTML(icon)
    return None if icon is None else str(TagList(icon).render()["html"])


def as_shown(message: object, *, trusts: bool = False) -> tuple[dict[str, Any], list[TagChild]]:
    """
    A message that is never logged, as an item for the browser, and its UI's dependencies.

    There is no session yet, so these dependencies must be part of the page. `trusts` as in
    :func:`as_content`.

    Raises
    ------
    ValueError
        The role is neither "assistant" nor "user", or the type is not one of those of
        :func:`as_content`.
    """
    reading = _Reading(normalize_message, trusts).read(message)
    return {"role": reading.role, "parts": reading.parts}, [*reading.needed]


def instruction_of(message: object) -> str | None:
    """The text of a message of the role "system"; None: it has another role."""
    if not isinstance(message, Mapping):
        return None
    fields = cast("Mapping[str, object]", message)
    if fields.get("role") != "system":
        return None
    content = fields.get("content")
    if not isinstance(content, str):
        raise TypeError(
            'a message of the role "system" must have text as its content, '
            f"not {type(content).__name__}"
        )
    return storable(content)


class _Reading:
    """
    The parts, role and dependencies read from a message.

    Parameters
    ----------
    normalise
        shinychat's function that converts types other than text and UI.
    trusts
        Whether HTML in strings is drawn as written.
    """

    def __init__(self, normalise: Callable[[Any], ChatMessage], trusts: bool = False) -> None:
        self.role = "assistant"
        self.parts: list[Part] = []
        self.needed: list[HTMLDependency] = []
        self._normalise = normalise
        self._trusts = trusts
        self._served: list[dict[str, Any]] = []

    def read(self, message: object) -> _Reading:
        """Read a message; return self."""
        if isinstance(message, Mapping):
            fields = cast("Mapping[str, object]", message)
            if "content" not in fields:
                raise ValueError("a message given as a dictionary needs the key 'content'")
            self._add(fields["content"])
            self.role = str(fields.get("role", "assistant"))
        else:
            self._add(message)
        if self.role not in ("assistant", "user"):
            raise ValueError(
                f'role must be "assistant" or "user", not {self.role!r}; '
                "a system prompt is given to the model's client, not to the chat"
            )
        if self.role == "user":  # a person's words are never HTML
            self.parts = [
                ("markdown" if kind == "trusted" else kind, part) for kind, part in self.parts
            ]
        return self

    def content(self, session: Session) -> Content:
        """The content read so far; the session's app serves the dependencies of its UI."""
        deps = render(session, TagList(*self.needed))[1] if self.needed else []
        deps += [dep for dep in self._served if dep not in deps]
        return Content(self.parts, cast(Any, self.role), deps)

    def _add(self, message: Any) -> None:
        if isinstance(message, (HTML, Tag, HTMLDependency)):
            self._add_ui(message)
        elif isinstance(message, str):
            self.parts.append(("trusted" if self._trusts else "markdown", message))
        elif isinstance(message, int | float):
            self._add(str(message))
        elif isinstance(message, TagList | list | tuple):
            # Strings in the list are markdown; strings inside a tag belong to the tag.
            for child in cast("Iterable[object]", message):
                self._add(child)
        elif _is_figure(message):
            self._add_ui(message)
        elif _is_remote_image(message):
            # shinychat would load the image; as markdown it is not loaded from another server.
            self.parts.append(("markdown", f"![]({message.url})"))
        elif not _is_of_usage(message):
            said = self._normalise(message)
            self.role = said.role
            if _is_turn(message):
                # shinychat would make one text of all contents, with the thoughts in it.
                for content in message.contents:
                    self._add_normalised(self._normalise(content))
            else:
                self._add_normalised(said)

    def _add_ui(self, ui: TagChild) -> None:
        rendered = TagList(ui).render()
        html = rendered["html"]
        self.parts.append(("html", html if isinstance(ui, HTML) else UnmergedText(html)))
        self.needed += rendered["dependencies"]

    def _add_normalised(self, message: ChatMessage) -> None:
        self.needed += message.html_deps
        for segment in message.segments:
            if isinstance(segment, dict):
                self._add_block(cast("dict[str, Any]", segment))
            elif segment.content:  # shinychat puts an empty text before blocks
                self.parts.append((segment.content_type, segment.content))
        for file in message.attachments:
            self._add_ui(_attached(file))

    def _add_block(self, block: dict[str, Any]) -> None:
        kind = block["type"]
        if kind == "html_block":
            self._add_html_block(block)
        elif kind in get_args(Block):
            fields = {key: value for key, value in block.items() if key not in ("type", "version")}
            plain = json.loads(json.dumps(fields, default=str))  # HTML objects become strings
            self.parts.append((kind, plain))
        else:
            raise ValueError(
                f"a block of type {kind!r} cannot be appended; append text, a Tag, or a block of "
                f"one of the types {', '.join(get_args(Block))}"
            )

    def _add_html_block(self, block: dict[str, Any]) -> None:
        if block["content"]:
            self.parts.append(("html", UnmergedText(block["content"])))
        # The app serves those that the message also lists; of the others it has no files.
        known = {dep.name for dep in self.needed}
        self._served += [dep for dep in block.get("html_deps", ()) if dep["name"] not in known]


def _attached(file: Attachment) -> Tag:
    if file.mime.startswith("image/"):
        return tags.img(src=file.data_url, alt=file.name)
    return tags.a(str(file), href=file.data_url, download=file.name)


def _is_remote_image(message: Any) -> bool:
    chatlas = sys.modules.get("chatlas")
    return chatlas is not None and isinstance(message, chatlas.types.ContentImageRemote)


def _is_figure(message: Any) -> bool:
    """Whether a value has its own HTML, as tables and plots do, and shinychat has no converter."""
    draws = isinstance(message, ReprHtml) and not isinstance(message, type)
    return draws and message_content.dispatch(type(message)) is message_content.dispatch(object)


def _is_of_usage(message: Any) -> bool:
    """Whether a chunk has only the usage or the filter results of a reply, and no content."""
    openai = sys.modules.get("openai.types.chat")  # whoever has a chunk has imported it
    is_chunk = openai is not None and isinstance(message, openai.ChatCompletionChunk)
    return is_chunk and not message.choices


def _is_turn(message: Any) -> bool:
    chatlas = sys.modules.get("chatlas")  # whoever has a turn has imported it
    return chatlas is not None and isinstance(message, chatlas.Turn)
