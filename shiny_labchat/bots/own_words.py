"""
A bot's own words in its model's text, cut anywhere between chunks. Pure.

Models that read a conversation with names also write names, and go on with what others might say.
"""

from __future__ import annotations

from collections.abc import Iterable

from shiny_labchat.domain.events import Part
from shiny_labchat.domain.speakers import LINE_BREAK
from shiny_labchat.models.thoughts import ThoughtSplitter

__all__ = ["OwnWords", "ReplyWords"]

_MARKS = " \t>*_#\"'`\u201c\u201d\u2018\u2019"
"""May stand around the name at the beginning of a line."""
_EMPHASIS = "*_"
_COLONS = ":\ufe13\ufe55\uff1a"
MARKS_READ = 40
"""The most marks around a name, in characters; more of them, and it is no name of a speaker."""


class ReplyWords:
    """
    Takes from a model's reply what its bot says: neither thoughts nor the words of others.

    Parameters
    ----------
    own, others
        See `OwnWords`.
    """

    def __init__(self, own: str, others: Iterable[str]) -> None:
        self._thoughts = ThoughtSplitter()
        self._words = OwnWords(own, others)

    def add(self, piece: str | None) -> str:
        """The words that are decided now; None, such as a call of a tool, ends a text."""
        if piece is None:
            return self.end()
        return self._words.add(_said(self._thoughts.add([("markdown", piece)])))

    def end(self) -> str:
        """The rest of the words of a text; another one may follow."""
        return self._words.add(_said(self._thoughts.end())) + self._words.end()


def _said(parts: Iterable[Part]) -> str:
    return "".join(content for kind, content in parts if kind == "markdown")


class OwnWords:
    """
    Takes from a text what a bot says itself, while the text comes in chunks.

    A line that begins with the name of somebody else and a colon, and the lines after it, are
    theirs; a line that begins with the bot's own name, and those after it, are its own. The bot
    says its first lines, up to the first line of somebody else, without its name and without white
    space around them.

    Parameters
    ----------
    own
        The bot's pseudonym.
    others
        The names of the others in the conversation.
    """

    def __init__(self, own: str, others: Iterable[str]) -> None:
        self._own = _read(own)
        self._names = {_read(name) for name in (own, *others)} - {""}
        self._longest = max(map(len, self._names), default=0) + MARKS_READ
        self._line = ""
        self._is_line_begun = self._is_over = self._has_spoken = False
        self._speaks = True
        self._skipped = ""
        self._space: str = ""

    def add(self, text: str) -> str:
        """The bot's words that are decided now; the rest waits for more text, or for `end`."""
        self._line += text
        return self._take(is_last=False)

    def end(self) -> str:
        """The rest of the bot's words, where the text ends; another one may follow."""
        words = self._take(is_last=True)
        self._line = self._skipped = ""
        self._is_line_begun = self._is_over = False
        self._speaks = True
        return words

    def _take(self, is_last: bool) -> str:
        words: list[str] = []
        while self._line and (self._is_line_begun or self._begin_line(is_last)):
            found = LINE_BREAK.search(self._line)
            end = found.end() if found else len(self._line)
            words.append(self._say(self._line[:end]))
            self._line = self._line[end:]
            self._is_line_begun = found is None
        return "".join(words)

    def _begin_line(self, is_last: bool) -> bool:
        """Find out who says this line; return False if that needs more text."""
        while (head := self._head_of_line()) is not None:
            is_own = _read(head) == self._own
            self._is_over = self._is_over or (self._has_spoken and not is_own)
            self._speaks = is_own
            self._line = self._line[len(head) + 1 :]
            self._skipped = _EMPHASIS if head.strip(" \t>")[:1] in tuple(_EMPHASIS) else " \t"
        line = LINE_BREAK.split(self._line, maxsplit=1)[0]
        is_whole = is_last or len(line) < len(self._line) or len(line) > self._longest
        if not is_whole and any(name.startswith(_read(line)) for name in self._names):
            return False
        self._is_line_begun = True
        self._skipped = ""
        return bool(self._line)

    def _head_of_line(self) -> str | None:
        """What stands before the colon after a name, at the beginning of the line."""
        if self._skipped:
            self._line = self._line.lstrip(self._skipped)
            if self._line and self._skipped == _EMPHASIS:
                self._skipped = " \t"
                self._line = self._line.lstrip(self._skipped)
        line = LINE_BREAK.split(self._line, maxsplit=1)[0][: self._longest + 1]
        ends = (at for at, character in enumerate(line) if character in _COLONS)
        return next((line[:at] for at in ends if _read(line[:at]) in self._names), None)

    def _say(self, text: str) -> str:
        if self._is_over or not self._speaks:
            return ""
        text = self._space + text if self._has_spoken else text.lstrip()
        words = text.rstrip()
        self._space = text[len(words) :]
        self._has_spoken = self._has_spoken or bool(words)
        return words


def _read(name: str) -> str:
    """A name without the marks around it, and without regard to case and white space."""
    return " ".join(name.strip(_MARKS).casefold().split())
