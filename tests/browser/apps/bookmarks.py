# A room, and a module beside it, that the page's address leads back to.
#
# `?restore=` says where it brings people back as themselves: "same", "anywhere" or "no". There
# is a place, too, for a chat that has not come yet.

from typing import Any, cast

from _asked import asked
from shiny import reactive
from shiny.express import app_opts, input, module, render, ui

from shiny_labchat import chat_ui
from shiny_labchat.express import Chat

ui.page_opts(title="Bookmarks", fillable=True, lang="en")
app_opts(bookmark_store="url")

room = asked("room", "lobby")
restore: Any = {"same": "same-browser", "anywhere": "anywhere", "no": False}[
    asked("restore", "same")
]

chat = Chat(
    "chat",
    room=None if room == "default" else room,
    identity=cast(Any, asked("identity", "browser")),
)


class Tally:
    """Counts, and forgets nothing."""

    asked = 0

    async def get_state(self) -> int:
        return self.asked

    async def set_state(self, state: int) -> None:
        self.asked = state


tally = Tally()


@module
def beside(input: Any, output: Any, session: Any) -> None:
    inner = Chat("chat", room=f"{room}-beside")
    inner.ui()
    inner.enable_bookmarking(tally)

    @inner.on_user_submit
    async def _(text: str) -> None:
        tally.asked += 1
        await inner.append_message(f"{tally.asked}: {text}")


with ui.layout_columns():
    chat.ui()
    beside("inner")

ui.div(chat_ui("later"), hidden=True)

ui.input_text("topic", "Topic")
ui.input_action_button("cancel", "Cancel")
cancel = chat.enable_bookmarking(restore_member=restore)


@reactive.effect
@reactive.event(input.cancel)
def _() -> None:
    cancel()


@render.text
def cancelled() -> str:
    return f"cancelled {input.cancel()} times"
