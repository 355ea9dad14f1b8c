"""OpenAI's own client, as people use it with Shiny's chat, takes messages as they are."""

from __future__ import annotations

from typing import Any, cast

import openai

from shiny_labchat import Room
from tests.support.models.model import Model


async def test_the_rooms_messages_are_its_messages(room: Room) -> None:
    await room.post("Hello", author="a")
    await room.post("Yes?")
    await room.post("Who?", author="b")
    said = cast(Any, tuple(await room.messages()))
    wanted = [
        {"content": "Hello", "role": "user"},
        {"content": "Yes?", "role": "assistant"},
        {"content": "Who?", "role": "user"},
    ]
    with Model() as model:
        async with openai.AsyncOpenAI(base_url=model.url, api_key="any") as client:
            await client.chat.completions.create(model="m", messages=said)
            await client.responses.create(model="m", input=[*said])
        assert model.calls[0].body["messages"] == wanted
        assert model.calls[1].body["input"] == wanted
