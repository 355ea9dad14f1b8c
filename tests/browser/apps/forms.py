# All forms of a handler, on one chat.

from _asked import asked
from shiny import reactive
from shiny.express import render

from shiny_labchat.express import Chat

heard: reactive.value[tuple[str, ...]] = reactive.value((), name="heard")
chat = Chat("chat", room=asked("room", "lobby"))
chat.ui()


def note(form: str) -> None:
    heard.set((*heard(), form))


@render.text
def forms():
    return ", ".join(sorted(heard()))


@chat.on_user_submit
def sync_nothing():
    note("sync nothing")


@chat.on_user_submit
def sync_text(text: str):
    note(f"sync {text}")


@chat.on_user_submit()
def sync_both(text: str, attachments: list[object]):
    note(f"sync {text} {attachments}")


@chat.on_user_submit()
async def async_nothing():
    note("async nothing")


@chat.on_user_submit()
async def async_text(text: str):
    note(f"async {text}")


@chat.on_user_submit
async def async_both(text: str, attachments: list[object]):
    note(f"async {text} {attachments}")
