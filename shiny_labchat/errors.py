"""The errors that this package raises, as a tree.

::

    LabChatError
    ├── Refused            a rule refuses a command: a code, and a sentence for the person
    ├── StoreError         the database could not store or read something
    │   └── SchemaTooNew   the database was written by a newer shiny_labchat
    ├── ExportError        a folder is not the export that it should be, or cannot be read
    └── BadFrame           a browser sent something that is not a frame of the protocol
"""

from __future__ import annotations

from collections.abc import Mapping

__all__ = [
    "DETAILS",
    "NOT_STORED",
    "SENTENCES",
    "BadFrame",
    "ExportError",
    "LabChatError",
    "Refused",
    "SchemaTooNew",
    "StoreError",
]

SENTENCES: dict[str, str] = {
    "bad_frame": "The page sent something the server does not understand. Please reload the page.",
    "bad_name": "Please type a name of 1 to 30 characters.",
    "bad_text": "The message contains characters that cannot be shown. Please remove them.",
    "busy": "The server is very busy. This page tries again by itself.",
    "closed": "This room is closed. You can read, but not write.",
    "consent_first": "Please read the consent first, and answer it.",
    "consent_incomplete": "Please agree to everything that is required, or do not take part.",
    "cooldown": "Please wait a moment before your next message. Your text is kept.",
    "empty": "There is nothing to send yet.",
    "end_link": "This link leads nowhere. Please go back to the study, or tell the organisers.",
    "ended": "You have left this study.",
    "failed": "Something went wrong on the server. Please reload the page or tell the organisers.",
    "fixed": "This cannot be changed any more: there are people in the study.",
    "form_incomplete": "Some answers are missing. Please answer all questions, and send it again.",
    "gate": "You cannot go on yet. Please write some more messages first.",
    "link_over": "This link does not lead into the room any more. Please ask for another one.",
    "muted": "You cannot write in this room at the moment.",
    "name_taken": "Somebody else has this name. Please choose another one.",
    "no_chat": "This page shows a chat that its app does not serve. Please tell the organisers.",
    "no_clock": "This room has no time limit.",
    "no_debrief": "This study is not ready yet. Please tell the organisers.",
    "no_element": "This chat cannot work in this page. Please tell the organisers.",
    "no_message": "There is no such message in this room.",
    "no_longer": "You cannot wait longer than that.",
    "no_replacement": "This study is not ready yet. Please tell the organisers.",
    "no_room": "This room does not exist any more.",
    "no_turns": "In this room people do not write in turn.",
    "not_accepted": "This message was not accepted, and nobody has seen it. You can change it.",
    "not_ended": "You still take part in this study.",
    "not_grouped": "These people cannot be grouped now. They go on waiting.",
    "not_in_study": "This study does not know you yet. Please reload the page.",
    "not_invited": "This room can only be entered with a personal link. Please open yours.",
    "not_member": "You are not a member of this room.",
    "not_processed": "This message could not be processed. Nobody has seen it. Please try again.",
    "not_waiting": "You do not wait in this lobby.",
    "not_yet": "It has not begun yet. Your text is kept.",
    "not_your_turn": "It is not your turn yet. Your text is kept.",
    "old_consent": "The text of the consent has changed. Please read it again.",
    "old_page": "This page is of an earlier version. Please reload it; your text is kept.",
    "origin": "This page may not use this chat server.",
    "out_of_hours": "Nobody can write at this time. Your text is kept.",
    "paid": "There is a payment with this name already.",
    "pasted": "Nothing can be pasted here. Please type your message.",
    "read_only": "You can read this room, but not write in it.",
    "removed": "You have been removed from this room.",
    "revoked": "Your access to this room was withdrawn. Please ask the organisers.",
    "store_broken": "The server's database failed. Please try again, or tell the organisers.",
    "store_busy": "The server's database is busy. Please try again in a moment.",
    "store_full": "The server's disk is full. Please tell the organisers.",
    "store_gone": "The server has lost its database. Please tell the organisers.",
    "store_missing": "The server has no database yet. Please tell the organisers.",
    "store_moved": "The server's database is moving to another place. Please try again in a few "
    "minutes.",
    "store_read_only": "The server may not write to its database. Please tell the organisers.",
    "taken": "Somebody else has this place. Please tell the organisers.",
    "ticket": "This page's permission has run out. Please reload the page.",
    "too_big": "That is far too much for one message.",
    "too_early": "You cannot go on yet. Please wait a little.",
    "too_fast": "You are sending messages very fast. Please wait a few seconds.",
    "too_late": "This answer came too late.",
    "too_long": "The message is too long.",
    "too_many": "You have written as much as you may in this room.",
    "too_many_people": "Very many new people have come at once. This page tries again by itself.",
    "too_many_tabs": "This chat is open in too many tabs. Please close some, then reload this one.",
    "too_much": "With this you would write more than you may in this room.",
}
"""The sentences that participants read, by code. A lab or a page may have its own words."""

DETAILS: dict[str, str] = {
    "anew.detail": "To begin anew, open the address of this page without the part after its "
    "question mark.",
    "origin.detail": "Its origin is {origin}.",
    "out_of_hours.detail": "You can write from {opens} to {closes} ({zone}).",
    "too_long.detail": "At most {max} characters, please.",
    "too_much.detail": "{n} characters are left.",
}
"""What is said after the sentence of some refusals, by key, with slots."""

NOT_STORED = "Your message was not stored."
"""Said before the sentence of a `StoreError` to a person who has sent a message."""


class LabChatError(Exception):
    """Base of every error this package raises on purpose."""


class Refused(LabChatError):
    """
    A rule of the room refused a command; nothing was stored.

    Parameters
    ----------
    code
        A key of :data:`SENTENCES`, for programmes.
    room
        The room's id, where there is one.
    detail
        More words for the person, after the code's sentence: a key of :data:`DETAILS`, or a text.
    member
        The id of the member it is about, where that is not clear; never shown to a person.
    values
        What the slots of the detail are filled with.
    """

    def __init__(
        self,
        code: str,
        room: str | None = None,
        detail: str = "",
        member: str | None = None,
        values: Mapping[str, object] | None = None,
    ) -> None:
        self.code = code
        self.room = room
        self.member = member
        self.detail = detail
        self.values = values or {}
        more = DETAILS[detail].format(**self.values) if detail in DETAILS else detail
        self.say = f"{SENTENCES[code]} {more}".strip()
        super().__init__(code, room, detail, member, values)

    def __str__(self) -> str:
        about = [f"{what} {name!r}" for what, name in _named(self.member, self.room)]
        return f"{self.code}: {self.say}" + (f" ({', '.join(about)})" if about else "")


def _named(member: str | None, room: str | None) -> list[tuple[str, str]]:
    return [(what, name) for what, name in (("member", member), ("room", room)) if name]


class StoreError(LabChatError):
    """
    The database failed; nothing was stored, and trying again is safe.

    Where a connection to PostgreSQL was lost in a commit and the server cannot be asked, the reason
    says that it is not known whether it was stored. Trying again is safe for what has an id.

    Parameters
    ----------
    code
        One of the ``store_*`` keys of :data:`SENTENCES`.
    url
        The database's URL, without its password.
    reason
        What the driver said.
    """

    def __init__(self, code: str, url: str, reason: str) -> None:
        self.code = code
        self.url = url
        self.say = SENTENCES[code]
        super().__init__(f"{code}: {url}: {reason}")


class SchemaTooNew(StoreError):
    """A newer version of this package wrote the database; install that version."""


class ExportError(LabChatError):
    """
    A folder is not the export that it should be, or cannot be read or replaced.

    Parameters
    ----------
    folder
        The folder.
    reason
        What is wrong with it, and what to do.
    """

    def __init__(self, folder: object, reason: str) -> None:
        self.folder = str(folder)
        self.reason = reason
        super().__init__(folder, reason)

    def __str__(self) -> str:
        return f"{self.folder}: {self.reason}"


class BadFrame(LabChatError):
    """
    A browser's frame broke the protocol.

    Parameters
    ----------
    code
        ``"bad_frame"``, ``"bad_text"`` or ``"too_big"``.
    reason
        What was wrong, for the server's log.
    """

    def __init__(self, code: str, reason: str) -> None:
        self.code = code
        self.say = SENTENCES[code]
        super().__init__(f"{code}: {reason}")
