"""What people do in a study, one after the other: consent, wait, talk, answer, and leave."""

from __future__ import annotations

from typing import Any

from tests.support.client import Browser, Frame
from tests.support.visitor import Visitor

__all__ = [
    "answers",
    "chat_of",
    "comes_into_a_group",
    "consents",
    "is_done",
    "is_refused",
    "reads_the_end",
    "talks",
    "texts",
]


async def consents(page: Visitor) -> None:
    """Agree to take part."""
    screen = await page.sees("consent")
    answer = await page.does("consent", version=screen["version"], answers={})
    assert answer["t"] == "did", answer


async def comes_into_a_group(page: Visitor) -> None:
    """Say that one is there whenever that is asked, until there is a group."""
    while (screen := await page.sees("ready", "wait_again", "moment"))["is"] != "moment":
        for button in screen.get("buttons", ())[:1]:
            await page.does(button["do"])
        await page.until(lambda seen=screen: page.screen is not seen)
    await chat_of(page)


async def chat_of(page: Visitor) -> Browser:
    """Wait until somebody is in a room; its chat."""
    await page.until(lambda: page.chat is not None and bool(page.chat.welcome))
    assert page.chat is not None
    return page.chat


def texts(page: Visitor) -> list[str]:
    """The texts of the messages that a page shows."""
    return [] if page.chat is None else page.chat.texts


async def talks(page: Visitor, *said: str) -> None:
    """Write in the room, one message after the other."""
    chat = await chat_of(page)
    for text in said:
        cid = await chat.send(text)
        await page.until(lambda cid=cid: cid in chat.stored)


async def is_refused(page: Visitor, text: str) -> str:
    """Write a message; why it is refused."""
    chat = await chat_of(page)
    cid = await chat.send(text)

    def codes() -> list[str]:
        return [f["code"] for f in chat.frames if f["t"] == "refused" and f["cid"] == cid]

    await page.until(lambda: bool(codes()))
    return codes()[0]


async def is_done(page: Visitor) -> None:
    """Press the button with which people are done in a room."""
    await (await chat_of(page)).tell(t="done", cid="done")


async def answers(page: Visitor, form: str, **given: Any) -> None:
    """Wait until the page has a form, and fill it in."""
    await page.until(lambda: form in page.page)
    cid = await page.sends(form, **given)
    assert await page.is_stored(form, cid) == "stored"


async def reads_the_end(page: Visitor, *words: str) -> None:
    """Go past the debriefing, if there is one, and wait until the last screen has these words."""
    screen = await page.sees("ended")
    if is_asked(screen, "debriefed"):
        await page.does("debriefed")
        await page.until(lambda: not is_asked(page.screen, "debriefed"))
    await page.until(lambda: all(each in str(page.screen) for each in words))


def is_asked(screen: Frame, action: str) -> bool:
    """Whether a screen has a button of this kind."""
    return action in [button["do"] for button in screen.get("buttons", ())]
