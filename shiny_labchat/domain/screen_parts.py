"""The parts of which screens are made, and what is known when they are made. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, get_args

from markdown_it import MarkdownIt

from shiny_labchat.domain.lobby import LobbyState
from shiny_labchat.domain.study import StudyState
from shiny_labchat.words import ENGLISH, Words

__all__ = ["ACTIONS", "Button", "Json", "Screen", "View", "html_of", "stop_words"]

Json = Mapping[str, Any]

ScreenKind = Literal[
    "none",
    "consent",
    "name",
    "waiting",
    "ready",
    "wait_again",
    "idle",
    "moment",
    "barrier",
    "ended",
    "other_window",
]

Action = Literal[
    "consent",
    "refuse",
    "name",
    "ready",
    "wait_again",
    "confirm",
    "longer",
    "leave",
    "stop",
    "debriefed",
    "here",
]
ACTIONS: tuple[Action, ...] = get_args(Action)
"""What a person can do on a screen."""


@dataclass(frozen=True, slots=True)
class View:
    """
    What is known of a person when it is decided what they see.

    Parameters
    ----------
    study
        The study's state.
    person
        The person's id.
    lobby
        The state of the lobby in which they are; None: in none.
    at
        The time, in microseconds since 1970 (UTC).
    words
        The words of the lab.
    is_newest
        Whether the page is in the newest of the person's browsers.
    end_link
        The token of the link of their end; None: it is not made yet, or there is none.
    programmes
        The pseudonyms of the members of their rooms that were programmes and shown as people.
    replaced
        Those of others in whose place a programme went on.
    rules
        The rules of the rooms of all lobbies of the study, which the consent has to tell of.
    receipt
        The code with which they can withdraw later; None: it is not made yet, or there is none.
    """

    study: StudyState
    person: str
    lobby: LobbyState | None = None
    at: int = 0
    words: Words = ENGLISH
    is_newest: bool = True
    end_link: str | None = None
    programmes: Sequence[str] = ()
    replaced: Sequence[str] = ()
    receipt: str | None = None
    rules: Sequence[Json] = ()

    def contact(self) -> Json:
        """Whom to write to, as a field of a screen, if the study says it."""
        contact = self.study.settings.get("contact")
        return {} if not contact else {"contact": self.words.filled("contact", contact=contact)}


@dataclass(frozen=True, slots=True)
class Button:
    """
    Something that a person can do on a screen.

    Parameters
    ----------
    action
        What it does: one of `ACTIONS`.
    label
        What stands on it.
    is_primary
        Whether it is what most people are to do.
    told
        What is sent with the action.
    ask
        The words of the question that is asked first; None: none is.
    """

    action: Action
    label: str
    is_primary: bool = False
    told: Json | None = None
    ask: Json | None = None

    @property
    def data(self) -> dict[str, Any]:
        """The button as JSON values."""
        said = {"do": self.action, "label": self.label, "primary": self.is_primary}
        more = {"with": self.told, "ask": self.ask}
        return {**said, **{name: value for name, value in more.items() if value is not None}}


@dataclass(frozen=True, slots=True)
class Screen:
    """
    What a person sees.

    Parameters
    ----------
    is_
        Which screen it is.
    title
        Its heading.
    fields
        The rest that is drawn, as JSON values.
    buttons
        What they can do.
    until
        When the time on its clock is over, in microseconds since 1970 (UTC); None: it has none.
    clock
        What stands on the clock; ``{time}`` is the time that is left.
    changes
        When it may become another one without any event, in microseconds (UTC); None: never.
    """

    is_: ScreenKind
    title: str = ""
    fields: Json = field(default_factory=dict[str, Any])
    buttons: tuple[Button, ...] = ()
    until: int | None = None
    clock: str = ""
    changes: int | None = None

    def plus(self, **fields: Any) -> Screen:
        """The same with more fields."""
        return replace(self, fields={**self.fields, **fields})

    def with_button(self, button: Button) -> Screen:
        """The same with a button before the others."""
        return replace(self, buttons=(button, *self.buttons))

    def until_then(self, until: int | None, clock: str, changes: int | None = None) -> Screen:
        """The same with a clock, and another time at which it changes."""
        return replace(self, until=until, clock=clock, changes=changes)

    def data(self, now: int) -> dict[str, Any]:
        """The screen as JSON values, at a time in microseconds (UTC)."""
        data: dict[str, Any] = {"is": self.is_, "title": self.title, "lines": [], **self.fields}
        data["buttons"] = [button.data for button in self.buttons]
        if self.until is not None:
            data["clock"] = {"left": max(0, self.until - now) // 1000, "text": self.clock}
        return data


def stop_words(words: Words) -> Json:
    """The words of the question that is asked of somebody who wants to stop taking part."""
    stop = {name: words[f"stop.{name}"] for name in _STOP}
    return {"label": words["stop.button"], **stop}


_STOP = ("title", "text", "data", "keep", "delete", "limits", "cancel")


def html_of(markdown: str) -> str:
    """The developer's own text as HTML; HTML in it stays text."""
    return _MARKDOWN.render(markdown)


_MARKDOWN = MarkdownIt("commonmark", {"html": False})
