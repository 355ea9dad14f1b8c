"""A page with one room, on a machine whose clock is set as a file beside the database says."""

import os
import time

from shiny import App, Inputs, Outputs, Session, ui

from shiny_labchat import Chat, chat_ui
from tests.support.beside import beside

OFFSET = beside(os.environ["LABCHAT_URL"], "offset")
right = time.time_ns


def time_ns() -> int:
    """What a clock shows that somebody has set: so many seconds off."""
    return right() + int(float(OFFSET.read_text()) * 1e9)


time.time_ns = time_ns
time.time = lambda: time_ns() / 1e9


def server(input: Inputs, output: Outputs, session: Session) -> None:
    Chat("chat", room="page", study="tests")


app = App(ui.page_fillable(chat_ui("chat")), server)
