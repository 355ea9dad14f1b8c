"""A study whose people arrive, wait and are grouped; what is decided is kept in a journal."""

import os

from shiny.express import render, ui

from shiny_labchat import Lobby, Study
from tests.support.journal import record_commands


def given(name: str, usual: float) -> float:
    """A setting of the test's."""
    return float(os.environ.get(name, usual))


record_commands()
study = Study("arrivals", seed=7, contact="lab@example.org")
study.consent("You will talk.", version="1")
study.ends("prolific", complete="C1ABC", lobby_timeout="LT22", not_ready="NR33")
lobby = Lobby(
    "lobby",
    study=study,
    group_size=4,
    conditions=["calm", "heated", "plain"],
    max_wait=given("MAX_WAIT", 40),
    ready=given("READY", 15),
    alive=given("ALIVE", 10),
    extends=0,
    settle=0,
)


@lobby.after_grouping
async def welcome(room, members):
    await room.post(f"Hello {len(members)}.")
    await room.post(f"It is {room.condition}.")


@render.express
def page():
    if lobby.room() is None:
        lobby.ui()
    else:
        ui.h2("Your group")
