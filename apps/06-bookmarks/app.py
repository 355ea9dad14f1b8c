# Conversations that a link leads back to.
#
# Shows: a room that people begin when they like, bookmarks in the page's address, and a client
# whose state comes back with its person. Begin a conversation and say something. Then
#   - reload: you are the same person in the same room, and the score goes on where it was;
#   - open the address in another browser: it lets somebody new in, to talk with you.
# The address holds a random token. What was said, who you are and your score stay on the server.

import secrets
from typing import Any

from shiny import reactive
from shiny.express import input, render, ui

from shiny_labchat.express import Chat

ui.page_opts(title="Conversations with a link", lang="en", fillable=True)
ui.input_dark_mode(hidden=True)  # light or dark, as the system prefers

talk = reactive.Value[str | None](None, name="talk")


class Umpire:
    """Counts the words with an "s" that its person says; needs no model and no key."""

    def __init__(self) -> None:
        self.score = 0

    def judge(self, text: str) -> str:
        """Say how the score stands."""
        self.score += sum("s" in word.lower() for word in text.split())
        return f"Words with an s so far: {self.score}"

    def get_state(self) -> dict[str, Any]:
        """What is kept; it may be async, and must be something that JSON can hold."""
        return {"score": self.score}

    def set_state(self, state: dict[str, Any]) -> None:
        """Be again as it was."""
        self.score = state["score"]


with ui.sidebar(title="Your conversation"):
    ui.input_action_button("begin", "Begin a new one")
    ui.input_text("topic", "What is it about?")  # in the address, too

    @render.text
    def advice():
        if chat.state() != "open":
            return None
        if not chat.messages():
            return "Say something: with the first answer the address of this page leads back here."
        return "Pass on the address of this page to invite others."


umpire = Umpire()
chat = Chat("chat", room=talk)  # None until one is begun, or the address names one
chat.ui(placeholder="Say something with an s...", labels={"waiting": "Begin a conversation."})
chat.enable_bookmarking(umpire, bookmark_store="url", restore_member="same-browser")


@reactive.effect
@reactive.event(input.begin, ignore_init=True)  # not when Shiny's session comes back by itself
def begin():
    talk.set(f"talk-{secrets.token_hex(8)}")


@chat.on_user_submit
async def judge(text: str):
    await chat.append_message(umpire.judge(text), audience="me")
