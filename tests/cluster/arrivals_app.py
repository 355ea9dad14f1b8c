"""The app of each worker where people arrive at a study: a consent, a lobby, groups of four."""

from __future__ import annotations

from shiny.express import render, ui

from shiny_labchat import Lobby, Member, Room, Study
from tests.cluster.groups import ALIVE, CONDITIONS, LOBBY, STUDY

study = Study(STUDY, seed=7, contact="lab@example.org")
study.consent("You will talk.", version="1")
study.ends("prolific", complete="C1ABC", lobby_timeout="LT22", not_ready="NR33")
lobby = Lobby(
    LOBBY,
    study=study,
    group_size=4,
    conditions=CONDITIONS,
    max_wait=60,
    ready=30,
    alive=ALIVE,
    extends=0,
    settle=0,
)


@lobby.after_grouping
async def welcome(room: Room, members: list[Member]) -> None:
    """Post something that must be there once, whoever posts it."""
    await room.post(f"Hello {len(members)}.")
    await room.post(f"It is {room.condition}.")


@render.express
def page():
    if lobby.room() is None:
        lobby.ui()
    else:
        ui.h2("Your group")
