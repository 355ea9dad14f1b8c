"""
Which of its messages a page's sessions have taken, so that each is handled once.

A page may lose its session and get the next one at another worker, while the earlier one still
takes itself for the page's. So each message is taken in the database before it is handled.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa

from shiny_labchat.domain.events import LogKey
from shiny_labchat.store import Grant, note, reissue, tokens

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
    conn: sa.Connection,
    now: int,
    of: ChatOfPage,
    member: str,
    seqs: Sequence[int],
    session: str,
    before: int | None = None,
) -> Sequence[int]:
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
    session
        The id of whoever asks. They may ask again, if they do not know whether it was stored.
    before
        The last one that they have taken; None: none. If it still is the page's last one, nothing
        has to be read.

    Returns
    -------
    sequence of int
        Those that nobody has taken, nor any later one of the page.
    """
    name = json.dumps([of.page, of.chat, *of.room])
    newest = _taken(seqs[-1], session)
    if before is not None:
        last_own = _taken(before, session)
        if tokens.note_after(conn, "handled", name, now, before=last_own, data=newest):
            return seqs
    known = tokens.claim(conn, "handled", name, now)
    is_again = known is not None and known.data == newest
    last = 0 if known is None or is_again else known.data["seq"]
    taken = [seq for seq in seqs if seq > last]
    if taken and known is not None:
        note(conn, "handled", name, newest)
    elif taken:
        reissue(conn, "handled", Grant(member, of.room, data=newest), now, raw=name)
    return taken


def _taken(seq: int, session: str) -> dict[str, Any]:
    return {"seq": seq, "by": session}
