"""Rooms to be attacked: programmes stream, a bot answers, a callback counts, words are changed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from urllib.parse import parse_qs

from shiny import App, Inputs, Outputs, Session, reactive, ui

from shiny_labchat import Bot, Chat, Lab, Member, Message, Room, chat_ui
from tests.support.reconnecting_client import ticks

RATE = 50
"""Chunks of a stream in a second."""

lab = Lab()
page = lab.room("page", study="tests")
rooms = {id: lab.room(id, study="tests") for id in (f"secret-room-{n}" for n in range(3))}


@lab.on_message(name="count")
async def count(room: Room, member: Member | None, message: Message) -> None:
    await room.record("counted", {"seq": message.seq, "again": message.is_repeat})


def is_honest(message: Message) -> bool:
    return message.content.lower().startswith("honest")


def respond(messages: Sequence[Message]) -> str:
    return "I hear you."


bot = Bot(
    "secret-machine",
    respond=respond,
    when=is_honest,
    reading=None,
    typing=None,
    max_in_a_row=None,
)
lab.add_bot(bot, "secret-room-*")


async def chunks(word: str, number: int) -> AsyncIterator[str]:
    async for n in ticks(RATE, number):
        yield f"{word}{n} "


def server(input: Inputs, output: Outputs, session: Session) -> None:
    """Make the chat; "honest stream WORD N", as it has become, is a command."""

    @reactive.calc
    def room() -> Room:
        asked = parse_qs(session.clientdata.url_search().removeprefix("?")).get("room", [""])
        return rooms.get(asked[-1], page)

    chat = Chat("chat", room=room)

    @chat.transform_user_input
    def shout(text: str) -> str:
        return text.upper()

    @chat.on_user_submit
    async def _(text: str) -> None:
        match text.split():
            case ["HONEST", "STREAM", word, number]:
                await chat.append_message_stream(chunks(word, int(number)), id=word)
            case _:
                pass


app = App(ui.page_fillable(chat_ui("chat")), server)
