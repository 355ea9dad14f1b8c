"""
What developers append, as the parts of a message.

Trust goes by the part and is never mixed: "text" is text, "markdown" is sanitised in the browser,
"html" is the developer's own. `shinychat.message_content` knows the types, so whatever shinychat
accepts is accepted here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, cast

from htmltools import HTML, HTMLDependency, Tag, TagChild, Tagifiable, TagList
from shiny.session import Session
from shinychat import message_content

from shiny_labchat._shiny import render

__all__ = ["Content", "Part", "as_content", "as_html", "as_shown"]

Part = tuple[Literal["text", "markdown", "html"], str]


@dataclass(frozen=True, slots=True)
class Content:
    """A message's parts in order, the role that says it, and what its UI needs in a page."""

    parts: list[Part]
    role: Literal["assistant", "user"] = "assistant"
    deps: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])


def as_content(message: object, session: Session) -> Content:
    """
    The content of anything that may be appended.

    Parameters
    ----------
    message
        Text (markdown), `HTML`, a Tag or TagList, a dictionary with `content` and `role`, or any
        type registered with `shinychat.message_content`.
    session
        Whose app serves what the UI needs.

    Raises
    ------
    ValueError
        The role is neither "assistant" nor "user", or the type is not one of those.
    """
    message, role = _with_role(message)
    if role not in ("assistant", "user"):
        raise ValueError(f'role must be "assistant" or "user", not {role!r}')
    parts: list[Part] = []
    deps: list[dict[str, Any]] = []
    for kind, piece in _pieces(message):
        if kind == "markdown":
            parts.append(("markdown", cast(str, piece)))
        else:
            html, needed = render(session, piece)
            parts.append(("html", html))
            deps += [dep for dep in needed if dep not in deps]
    return Content(parts, cast(Any, role), deps)


def _with_role(message: object) -> tuple[object, str]:
    if isinstance(message, Mapping):
        fields = cast("Mapping[str, object]", message)
        if "content" not in fields:
            raise ValueError("a message given as a dictionary needs the key 'content'")
        return fields["content"], str(fields.get("role", "assistant"))
    return message, str(getattr(message, "role", "assistant"))


def _pieces(message: object) -> Iterable[tuple[Literal["markdown", "html"], TagChild]]:
    if isinstance(message, HTML):
        yield "html", message
    elif isinstance(message, str):
        yield "markdown", message
    elif isinstance(message, TagList):
        # Its own strings are markdown; those inside a tag are the tag's.
        for child in message:
            yield from _pieces(child)
    elif isinstance(message, (Tagifiable, HTMLDependency)):
        yield "html", message
    else:
        for segment in message_content(message).segments:
            if not isinstance(segment, dict):
                yield "markdown", segment.content
            elif segment["type"] == "html_block":
                yield "html", HTML(segment["content"])
            else:
                raise ValueError(f"a {segment['type']} cannot be appended as a whole message")


def as_html(icon: HTML | Tag | TagList | str | None) -> str | None:
    """An icon's HTML."""
    return None if icon is None else str(TagList(icon).render()["html"])


def as_shown(message: object) -> tuple[dict[str, Any], list[TagChild]]:
    """
    A message that is drawn and never logged: its item for the browser, and UI for the page.

    There is no session yet, so the dependencies of its UI must come with the page.
    """
    message, role = _with_role(message)
    parts: list[Part] = []
    needed: list[TagChild] = []
    for kind, piece in _pieces(message):
        if kind == "markdown":
            parts.append(("markdown", cast(str, piece)))
        else:
            rendered = TagList(piece).render()
            parts.append(("html", rendered["html"]))
            needed += rendered["dependencies"]
    return {"role": role, "parts": parts}, needed
