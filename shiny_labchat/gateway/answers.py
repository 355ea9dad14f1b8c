"""What one page says of its person: whether it is alive, and they still there."""

from __future__ import annotations

import asyncio
import logging
import time
from functools import partial

from shiny_labchat import protocol
from shiny_labchat.access import tickets
from shiny_labchat.domain.commands import ConfirmPresence
from shiny_labchat.domain.events import LogKey
from shiny_labchat.domain.membership import Membership
from shiny_labchat.domain.opaque import id_of
from shiny_labchat.domain.presence import Signs
from shiny_labchat.live.room import LiveRoom
from shiny_labchat.store import Outcome

__all__ = ["Answers"]

logger = logging.getLogger("shiny_labchat")


class Answers:
    """
    What is heard of one socket's person, and asked of them.

    Parameters
    ----------
    entry
        What the socket's token lets it do.
    room
        The live room.
    """

    def __init__(self, entry: tickets.Entry, room: LiveRoom) -> None:
        self._entry = entry
        self._room = room
        self._shown = 0

    def note(self, frame: protocol.Frame) -> None:
        """Note what a frame tells of its person."""
        if not self._room.signs.is_asking:
            return
        now = asyncio.get_running_loop().time() * 1e6
        if isinstance(frame, protocol.Pong):
            visible, active = now - frame.hidden * 1e3, now - frame.quiet * 1e3
            signs = Signs(round(now), round(visible), round(active))
        elif isinstance(frame, _ACTS):
            signs = Signs(round(now), 0, round(now))
        else:
            return
        self._room.signs.note(self._entry.member, signs)

    def questions(self, membership: Membership) -> list[str]:
        """The frame that has the person asked whether they are there, or not any more, if owed."""
        question, left = membership.question, membership.answer_by - time.time_ns() // 1000
        if left <= 0:
            question = 0
        if question == self._shown:
            return []
        self._shown = question
        id = id_of(self._room.state.seed, question) if question else None
        return [protocol.asked(id, max(0, left // 1000))]

    def confirm(self, question: int) -> None:
        """Store that the person has answered a question."""
        command = ConfirmPresence(self._entry.member, question)
        room = self._entry.room
        self._entry.log.put(room, command, partial(_note_failure, room))


_ACTS = (protocol.Send, protocol.Typing, protocol.Stop, protocol.Confirm, protocol.Done)
"""Frames that a page sends as its person does something."""


def _note_failure(room: LogKey, outcome: Outcome | None, error: BaseException | None) -> None:
    if error is not None:
        logger.error(
            "somebody's answer that they are in room %r could not be stored: %s", room.id, error
        )
