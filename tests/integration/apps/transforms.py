"""A room in which what people and programmes say is transformed, and a way to look inside."""

from __future__ import annotations

import asyncio
import warnings
from collections import Counter
from collections.abc import AsyncIterator, Iterator

from htmltools import HTML
from shiny import App, Inputs, Outputs, Session, reactive, render, req, ui
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Mount, Route

from shiny_labchat import Chat, Lab, Rules, chat_ui
from shiny_labchat.live import rooms

lab = Lab()
room = lab.room("transforms", study="tests", rules=Rules(rate=None, max_length=200))
ran: Counter[str] = Counter()
handled: Counter[str] = Counter()
released = asyncio.Event()

OUTPUTS = ("all", "none", "last", "models", "shown", "wrote", "became", "result")


class Odd(Exception):
    """One that says nothing of itself."""

    def __str__(self) -> str:
        raise self

    __repr__ = __str__


class Words:
    """Every word is a token."""

    def encode(self, text: str) -> list[str]:
        return text.split()


def server(input: Inputs, output: Outputs, session: Session) -> None:
    """Make the chat; what it does depends on the first word of what is said."""
    chat = Chat("chat", room=room, tokenizer=Words())

    @chat.transform_user_input
    async def transform(text: str) -> str | HTML | None:
        ran[text] += 1
        match text.split(" ", 1):
            case ["drop", _]:
                return None
            case ["blank", _]:
                return "  "
            case ["none", _]:
                req(False)
            case ["fail", words]:
                raise RuntimeError(words)
            case ["odd", _]:
                raise Odd
            case ["cancelled", _]:
                await what_was_cancelled()
            case ["number", _]:
                return 42  # pyright: ignore[reportReturnType]
            case ["bold", words]:
                return HTML(f"<b>{words}</b>")
            case ["slow", words]:
                await released.wait()
                return words.upper()
            case ["explain", words]:
                await chat.append_message(f"not {words}!", audience="me")
                return None
            case _:
                return text.upper()

    @chat.transform_assistant_response
    def respond(content: str, chunk: str, done: bool) -> str | HTML | None:
        ran[f"[{chunk}]"] += 1
        if content.startswith("hush"):
            return None
        if content.startswith("html"):
            return HTML(f"<i>{content}</i>")
        if content.startswith("broken"):
            raise RuntimeError("no transform today")
        return content.replace("secret", "******") + ("." if done else "")

    @chat.on_user_submit
    async def _(text: str) -> None:
        handled[text] += 1
        match text.split(" ", 1):
            case ["APPEND", words]:
                await chat.append_message(words.lower())
            case ["STREAM", words]:
                await chat.append_message_stream(pieces(words.lower()))
            case ["ONCE", words]:
                await chat.append_message(words.lower(), id="once")
            case ["LATER", words]:
                await released.wait()
                await chat.append_message_stream(pieces(words.lower()), author=chat.member())
            case ["BREAK", _]:
                await chat.append_message_stream(broken())
            case ["CANCEL", _]:
                await what_was_cancelled()
            case ["MINE", words]:
                await chat.append_message({"role": "user", "content": words.lower()})
            case _:
                pass

    @render.text
    def all() -> str:
        return " / ".join(message.content for message in chat.messages())

    @render.text
    def none() -> str:
        return " / ".join(message.content for message in chat.messages(transform_user="none"))

    @render.text
    def last() -> str:
        return " / ".join(message.content for message in chat.messages(transform_user="last"))

    @render.text
    def shown() -> str:
        messages = chat.messages(transform_assistant=True)
        return " / ".join(message.content for message in messages)

    @render.text
    def models() -> str:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            told = chat.messages("openai", token_limits=(110, 100), transform_user="none")
        said = " / ".join(f"{message['role']}: {message['content']}" for message in told)
        return f"{said} ({', '.join(each.category.__name__ for each in caught)})"

    @render.text
    def wrote() -> str:
        return str(chat.user_input())

    @render.text
    def became() -> str:
        return str(chat.user_input(transform=True))

    @render.text
    def result() -> str:
        stream = chat.latest_message_stream
        return stream.result() if stream.status() == "success" else stream.status()


def pieces(words: str) -> Iterator[str]:
    """The words, one by one."""
    for word in words.split():
        yield f"{word} "


async def broken() -> AsyncIterator[str]:
    """Something, and then it is cancelled from inside."""
    yield "half "
    await what_was_cancelled()


async def what_was_cancelled() -> None:
    """Wait for a task of the app's own that it has cancelled."""
    task = asyncio.create_task(asyncio.Event().wait())
    task.cancel()
    await task


def late(input: Inputs, output: Outputs, session: Session) -> None:
    """Make a chat that is given its transform when it is at work."""
    chat = Chat("chat", room=room)

    @reactive.effect
    @reactive.event(input.go)
    def _() -> None:
        @chat.transform_user_input()
        def transform(text: str) -> str:
            return text.upper()


def early(input: Inputs, output: Outputs, session: Session) -> None:
    """Append before it is known who the person is: what cannot be said, and what can."""
    chat = Chat("chat", room=room)

    @reactive.effect
    async def _() -> None:
        await chat.append_message("under the log's own id", audience="me", id="stream:1")
        await chat.append_message("hello", audience="me")


async def runs(request: Request) -> JSONResponse:
    """How often the transforms ran, by what they were given."""
    return JSONResponse(ran)


async def what_was_handled(request: Request) -> JSONResponse:
    """How often the handler ran, by what it was given."""
    return JSONResponse(handled)


async def quickly(request: Request) -> JSONResponse:
    """Let pages that have gone be waited for half a second only."""
    rooms.PAGE_RETURNS_WITHIN = 0.5
    return JSONResponse(True)


async def release(request: Request) -> JSONResponse:
    """Let those go on that are slow."""
    released.set()
    return JSONResponse(True)


page = ui.page_fillable(chat_ui("chat"), *(ui.output_text(name) for name in OUTPUTS))
app = Starlette(
    routes=[
        Route("/runs", runs),
        Route("/handled", what_was_handled),
        Route("/quickly", quickly),
        Route("/release", release),
        Mount("/late", app=App(page, late)),
        Mount("/early", app=App(page, early)),
        Mount("/", app=App(page, server)),
    ]
)
