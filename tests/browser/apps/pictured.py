# For pictures: who asks "@assistant" gets a reply that goes on until it is stopped; a bot moderates
# rooms whose names end with "-moderated".

import asyncio
from collections.abc import AsyncIterator, Sequence

from _asked import asked
from shiny.express import ui

from shiny_labchat import Bot, Lab, Message
from shiny_labchat.bots import Every
from shiny_labchat.express import Chat

ui.page_opts(window_title="A picture", fillable=True, lang="en")

REPLY = """**Yes.** The mean of a skewed sample is drawn to its tail; the median is not:

```python
guesses = [180, 250, 300, 310, 2000]
sum(guesses) / 5   # 608
sorted(guesses)[2] # 300
```

| | candies |
|---|--:|
| mean | 608 |
| median | 300 |

So I would take """


async def reply() -> AsyncIterator[str]:
    yield REPLY
    await asyncio.Event().wait()


def moderate(messages: Sequence[Message]) -> str:
    return "You are 240 candies apart. What have you counted, each of you?"


name = asked("room", "lobby")
lab = Lab()
lab.add_bot(
    Bot("moderator", respond=moderate, pseudonym="Moderator", disclose=True, when=Every(2),
        reading=None, typing=None),
    "*-moderated",
)  # fmt: skip
chat = Chat("chat", room=lab.room(name, title=asked("title") or None))
chat.ui(placeholder="Write to the group, or to @assistant...")


@chat.on_user_submit
async def _(text: str):
    if "@assistant" in text:
        await chat.append_message_stream(reply())
