# Streams that do what people tell them: "open Oracle" begins one, "Oracle says WORDS" goes on.

from typing import Any, cast

from _asked import asked
from _told import told
from chatlas import ContentToolRequest, ContentToolResult
from chatlas.types import (
    ContentCitation,
    ContentThinkingDelta,
    ContentToolRequestSearch,
    ContentToolResponseSearch,
    WebSource,
)
from htmltools import HTML, tags
from shiny.express import ui
from shinychat import message_content_chunk
from shinychat.types import ChatMessage, ToolResultDisplay

from shiny_labchat import Lab, Rules
from shiny_labchat.express import Chat

ui.page_opts(title="Streams", fillable=True, lang="en")

name = asked("room", "lobby")
chat = Chat(
    "chat",
    room=Lab().room(name, rules=Rules(rate=None)),
    role=cast(Any, asked("role") or None),
)
chat.ui(messages=[{"role": "assistant", "content": "Hello"}])

CALL = ContentToolRequest(id="c1", name="get_weather", arguments={"city": "Oslo"})


class Drawn(ContentToolResult):
    """What a tool found, drawn as the app draws it."""


@message_content_chunk.register
def _(found: Drawn):
    return ChatMessage(tags.p(tags.b(str(found.value)), class_="drawn"))


def made(order: str, words: str) -> Any:
    """What a stream says."""
    match order:
        case "thinks":
            return ContentThinkingDelta(thinking=words, phase="body")
        case "asks":
            return CALL
        case "hears":
            return ContentToolResult(value=words, request=CALL)
        case "plots":
            shown = {"display": ToolResultDisplay(html=tags.b(words))}
            return ContentToolResult(value=words, request=CALL, extra=shown)
        case "draws":
            return Drawn(value=words, request=CALL)
        case "searches":
            return ContentToolRequestSearch(query=words)
        case "finds":
            return ContentToolResponseSearch(sources=[source(url) for url in words.split()])
        case "cites":
            return ContentCitation(source=source(words))
        case "fails":
            return ContentToolResult(value=None, error=ValueError(words), request=CALL)
        case "shows":
            return tags.div(tags.b(words), HTML("<i class='mine'>as written</i>"))
        case "breaks":
            raise RuntimeError(words)
        case "repeats":
            times, _, what = words.partition(" ")
            return lines(what) * int(times)
        case _:
            return lines(words)


def lines(words: str) -> str:
    return words.replace("\\n", "\n")


def source(url: str):
    return WebSource(url=url, title=url.rpartition("/")[2].capitalize())


async def orders(author: str):
    """What one is told to do, until that is to end."""
    while True:
        order, _, words = (await told[name, author].get()).partition(" ")
        if order == "ends":
            return
        yield order, words


async def spoken(author: str):
    async for order, words in orders(author):
        yield made(order, words)


async def by_hand():
    async with chat.message_stream_context() as stream:
        async for order, words in orders("Assistant"):
            if order == "replaces":
                await stream.replace(words)
            elif order == "clears":
                await stream.clear()
            else:
                await stream.append(made(order, words))


@chat.on_user_submit
async def direct(text: str):
    match text.split(maxsplit=1):
        case ["open", "Assistant"]:
            await by_hand()  # whoever opens it has no other handler meanwhile
        case ["whisper", words]:
            await chat.append_message(lines(words), audience="me")
        case ["open", author]:
            await chat.append_message_stream(spoken(author), author=author)
        case [author, order]:
            told[name, author].put_nowait(order)
        case _:
            pass
