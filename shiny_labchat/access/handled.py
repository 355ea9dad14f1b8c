"""
Which of its messages a page's sessions have taken, so that each is handled once.

A page may lose its session and get the next one at another worker, while the earlier one still
takes itself for the page's. So each message is taken in the database before it is handled.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import NamedTuple

import sqlalchemy as sa

from shiny_labchat.domain.events import LogKey
from shiny_labchat.store import Grant, look_up, note, reissue

__all__ = ["ChatOfPage", "take_messages"]


class ChatOfPage(NamedTuple):
    """
    A chat of a page, in a room.

    Parameters
    ----------
    page, chat
        The ids of the page and of the chat.
    room
        The room.
    """

    page: str
    chat: str
    room: LogKey


def take_messages(
    conn: sa.Connection, now: int, of: ChatOfPage, member: str, seqs: Collection[int]
) -> list[int]:
    """
    Take messages of a page, to be handled by whoever asks.

    It is known for as long as the page may come back with its resume token.

    Parameters
    ----------
    conn, now
        A transaction, and its time.
    of, member
        The chat, and its page's person.
    seqs
        The messages, in order.

    Returns
    -------
    list of int
        Those that nobody has taken, nor any later one of the page.
    """
    name = json.dumps([of.page, of.chat, *of.room])
    known = look_up(conn, "handled", name)
    last = 0 if known is None else known.data["seq"]
    taken = [seq for seq in seqs if seq > last]
    if taken and known is not None:
        note(conn, "handled", name, {"seq": taken[-1]})
    elif taken:
        data = {"seq": taken[-1]}
        reissue(conn, "handled", Grant(member, of.room, data=data), now, raw=name)
    return taken
