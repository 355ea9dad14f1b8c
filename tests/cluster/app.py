"""The app of each worker: rooms, and a callback that notes when it begins and when it ends."""

from __future__ import annotations

import os
from pathlib import Path

from shiny.express import ui

from shiny_labchat import Lab, Member, Message, Room
from shiny_labchat.express import Chat
from tests.bench.clock import pause
from tests.cluster.journal import JOURNAL, Entry, note

TAKES = 0.02
"""How long the callback takes, in seconds: some worker is killed inside it."""

lab = Lab()
chat = Chat("chat", room="page", study="tests")
chat.ui()
ui.p("A page")
_journal = Path(os.environ[JOURNAL])


@lab.on_message(rooms="room-*", name="noted")
async def noted(room: Room, member: Member | None, message: Message) -> None:
    """Note that it begins, and that it ends."""
    assert message.seq is not None
    entry = Entry(room.id, message.seq, "begins", message.is_repeat, os.getpid())
    note(_journal, entry)
    await pause(TAKES)
    note(_journal, entry._replace(what="ends"))
