"""
The line in which a language model is told who says what, in a form that no text can forge. Pure.

The line begins with the author's pseudonym; all further lines of the message are indented by two
spaces. A pseudonym in quotation marks is a JSON string: so one with a colon does not pass for
another.
"""

from __future__ import annotations

import json
import re

__all__ = ["INDENT", "LINE_BREAK", "UNNAMED", "indented", "named"]

UNNAMED = "Assistant"
"""The author of a programme's unnamed messages, as bots read it; people see the same."""
UNNAMED_USER = "User"
"""The author of a programme's unnamed messages in the role of a user."""
INDENT = "  "
"""Begins all lines of a message but its first one."""

LINE_BREAK = re.compile("\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]")
"""The line breaks of `str.splitlines`."""
_PLAIN_NAME = re.compile(r"""[^\s"\[:\ufe13\ufe55\uff1a](?: ?[^\s:\ufe13\ufe55\uff1a])*""")
"""The names that need no quotation marks: on one line, and without what could end a name."""
_UNNAMED = (UNNAMED.casefold(), UNNAMED_USER.casefold())


def named(text: str, author: str | None, *, role: str, is_members: bool) -> str:
    """
    A message's text after its author's name.

    Parameters
    ----------
    text
        The text.
    author
        The pseudonym; None: a programme spoke without one.
    role
        The message's role.
    is_members
        Whether a member said it: then no name of theirs passes for an unnamed programme.
    """
    return indented(f"{_speaker(author, role, is_members)}: {text}")


def indented(text: str) -> str:
    """A text whose further lines are indented, so that none of them can begin a message."""
    return LINE_BREAK.sub(f"\n{INDENT}", text)


def _speaker(author: str | None, role: str, is_members: bool) -> str:
    if author is None:
        return UNNAMED if role == "assistant" else UNNAMED_USER
    is_taken = is_members and author.casefold() in _UNNAMED
    if _PLAIN_NAME.fullmatch(author) and not is_taken:
        return author
    return json.dumps(author, ensure_ascii=not author.isprintable())
