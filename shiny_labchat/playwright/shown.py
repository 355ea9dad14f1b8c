"""What a chat shows, as text: errors of expectations say it."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import TypedDict

from playwright.sync_api import Page
from playwright.sync_api import TimeoutError as NotInTime

__all__ = ["explained", "shown"]

MOST_MESSAGES = 20
"""How many messages an error has; the newest."""


class ShownMessage(TypedDict):
    """A message, as it is drawn."""

    author: str
    own: bool
    text: str


class ShownChat(TypedDict):
    """A chat, as it is drawn."""

    messages: list[ShownMessage]
    state: str
    words: str
    people: list[str]
    typing: str
    refusal: str
    box: str


@contextmanager
def explained(page: Page, id: str, wanted: str) -> Generator[None]:
    """
    Have an expectation or an action that fails say what was wanted, and what the chat shows.

    Parameters
    ----------
    page, id
        The page, and the chat's id in it.
    wanted
        What is expected, such as ``"2 people to be here"``.
    """
    try:
        yield
    except (AssertionError, NotInTime) as exc:
        raise type(exc)(f"expected {wanted}\n{shown(page, id)}\n\n{exc}") from None


def shown(page: Page, id: str) -> str:
    """
    What the chat shows, as text.

    Parameters
    ----------
    page, id
        The page, and the chat's id in it.

    Returns
    -------
    str
        Its messages by their places, its state and its people; or which chats the page has, if it
        has none with this id.
    """
    found: ShownChat | list[str] = page.evaluate(_READ, id)
    if isinstance(found, list):
        there = f"it has {', '.join(map(repr, found))}" if found else "it has none"
        return f"{page.url} has no chat with the id {id!r}; {there}"
    return "\n".join(_lines(id, found))


def _lines(id: str, chat: ShownChat) -> Iterator[str]:
    messages = chat["messages"]
    yield f"chat {id!r} shows {_number_of(messages)}"
    skipped = max(0, len(messages) - MOST_MESSAGES)
    if skipped:
        yield f"  (0 to {skipped - 1} are not printed)"
    for place, message in enumerate(messages[skipped:], start=skipped):
        yield f"  {place}: {_author(message)}{_indented(message['text'])}"
    yield f"state: {_with_words(chat['state'] or 'not drawn yet', chat['words'])}"
    yield f"here: {', '.join(chat['people']) or 'nobody'}"
    for name in ("typing", "refusal", "box"):
        if chat[name]:
            yield f"{name}: {_indented(chat[name])}"


def _number_of(messages: list[ShownMessage]) -> str:
    if not messages:
        return "no messages"
    return "1 message:" if len(messages) == 1 else f"{len(messages)} messages:"


def _author(message: ShownMessage) -> str:
    name = f"{message['author']} (You)" if message["own"] else message["author"]
    return f"{name}: " if name else ""


def _with_words(state: str, words: str) -> str:
    return f"{state} ({words})" if words else state


def _indented(text: str) -> str:
    return text.replace("\n", "\n     ")


_READ = """(id) => {
  const chat = document.getElementById(id);
  if (!chat?.matches("labchat-room"))
    return [...document.querySelectorAll("labchat-room")].map((other) => other.id);
  const text = (selector, within = chat) => within.querySelector(selector)?.innerText.trim() ?? "";
  const own = (message) => message.hasAttribute("data-own");
  const name = (of) => of.querySelector("bdi")?.textContent ?? "";
  return {
    messages: [...chat.querySelectorAll("[role=log] .labchat-message")].map((message) => ({
      author: name(message), own: own(message), text: text(".labchat-content", message),
    })),
    state: chat.querySelector(".labchat-status")?.dataset.status ?? "",
    words: text(".labchat-status"),
    people: [...chat.querySelectorAll(".labchat-people li")].map((row) =>
      [...row.querySelectorAll("bdi, .labchat-note")].map((part) => part.textContent).join(" ")),
    typing: text(".labchat-typing"),
    refusal: text(".labchat-alert"),
    box: chat.querySelector("textarea")?.value ?? "",
  };
}"""
