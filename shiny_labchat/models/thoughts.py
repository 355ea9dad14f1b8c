"""
A model's thoughts in its text: ``<think>...</think>``, cut anywhere between chunks. Pure.

Models that have no other place for their thoughts write them into their text, between tags.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from shiny_labchat.domain.events import Part

__all__ = ["ThoughtSplitter", "split_thoughts", "without_thoughts"]

_TAGS = ("think", "thinking", "reasoning")
_OPENING = tuple(f"<{tag}>" for tag in _TAGS)
_CLOSING = tuple(f"</{tag}>" for tag in _TAGS)
_ANY_TAG = re.compile("|".join(_OPENING), re.IGNORECASE)

_OUTSIDE = re.compile(r"\\[\\`<]?|`+|\n|<")
"""What matters outside code; a backslash makes the next character an ordinary one."""
_IN_SPAN = re.compile(r"`+|\n|<")
_MARKERS = re.compile(r"(?:[ \t]|>|[-*+](?=[ \t])|\d{1,9}[.)](?=[ \t])|#{1,6}(?=[ \t]))*")
"""What may stand before the text of a line: indentation, and marks of quotations and lists."""
_HALF_MARKER = re.compile(r"[-*+]|\d{1,9}[.)]?|#{1,6}")
_RUN = re.compile(r"`+|~+")
_BLOCK = re.compile(r"[-*+#\d]")
"""In markers: the line does not continue a paragraph."""
_BACKTICK_OR_BREAK = re.compile("[`\n]")
_HALF_FENCE_END = re.compile(r"[ \t>]*(?:`*|~*)[ \t]*")


def split_thoughts(parts: Iterable[Part]) -> list[Part]:
    """The parts of a whole message of a model, with the thoughts in its markdown as "thinking"."""
    found: list[Part] = []
    for kind, content in parts:
        if kind != "markdown" or not _ANY_TAG.search(content):
            found.append((kind, content))
            continue
        splitter = ThoughtSplitter()
        found += _merged([*splitter.add([(kind, content)]), *splitter.end()])
    return found


def without_thoughts(text: str) -> str:
    """A model's whole text without the thoughts in it."""
    parts = split_thoughts([("markdown", text)])
    return "".join(content for kind, content in parts if kind == "markdown")


def _merged(parts: Sequence[Part]) -> list[Part]:
    merged: list[Part] = []
    for kind, content in parts:
        if merged and merged[-1][0] == kind:
            merged[-1] = kind, merged[-1][1] + content
        else:
            merged.append((kind, content))
    return merged


class ThoughtSplitter:
    """
    Splits a model's message into its words and its thoughts, while it comes in chunks.

    A thought begins with ``<think>``, ``<thinking>`` or ``<reasoning>``, in capitals or not, and
    ends with the next closing tag of these, or where the text ends. Tags in code, inline or fenced,
    are words. Text is kept back only while what follows decides what it is: half a tag, or a tag
    after a backtick that may begin code. So the result does not depend on where the chunks are cut.
    """

    def __init__(self) -> None:
        self._text = _Text()

    def add(self, parts: Iterable[Part]) -> list[Part]:
        """The parts that are decided now; a part of another kind than markdown ends the text."""
        found: list[Part] = []
        for kind, content in parts:
            if kind == "markdown" and type(content) is str:
                found += self._text.add(content)
            else:
                found += [*self.end(), (kind, content)]
        return found

    def end(self) -> list[Part]:
        """The rest, where the text ends; what is added after it is another text."""
        rest = self._text.end()
        self._text = _Text()
        return rest


class _Text:
    """
    One text of a model while it comes; see `ThoughtSplitter`.

    Attributes
    ----------
    _buffer
        The text, without what is not needed any more.
    _told
        How many of its characters were returned, or dropped.
    _at
        Where reading goes on.
    _span, _span_at
        The backticks that may have begun inline code, and where it begins; "": none. If the
        paragraph ends without such backticks again, they were ordinary characters.
    _tag
        Where the first tag in that code is; None: there is none.
    _fence
        The beginning of the fence around the code that is being read; "": none.
    _is_line_begun
        Whether the markers before the text of the line were read.
    _is_blank, _is_thought_blank
        Whether there were no words yet; whether the thought has none yet.
    _has_thought
        Whether there was a thought.
    """

    def __init__(self) -> None:
        self._buffer = self._span = self._fence = ""
        self._told = self._at = self._span_at = 0
        self._tag: int | None = None
        self._is_line_begun = self._is_thought = self._has_thought = self._is_last = False
        self._is_blank = self._is_thought_blank = True
        self._found: list[Part] = []

    def add(self, text: str) -> list[Part]:
        self._buffer += text
        while self._reads_on():
            pass
        self._forget(min(self._told, self._span_at) if self._span else self._told)
        found, self._found = self._found, []
        return found

    def end(self) -> list[Part]:
        self._is_last = True
        return self.add("")

    def _forget(self, upto: int) -> None:
        self._buffer = self._buffer[upto:]
        self._told -= upto
        self._at -= upto
        self._span_at -= upto
        self._tag = None if self._tag is None else self._tag - upto

    def _reads_on(self) -> bool:
        """Read on; return False where more text is needed."""
        if self._is_thought:
            return self._think()
        if not self._is_line_begun:
            return self._begin_line_of_fence() if self._fence else self._begin_line()
        return self._finish_line_of_fence() if self._fence else self._read()

    def _is_open(self, end: int) -> bool:
        """Whether what ends here may go on in the next chunk."""
        return end == len(self._buffer) and not self._is_last

    def _wait(self, upto: int) -> bool:
        """Return what is before a position: it is words. More text is needed."""
        if self._is_last and self._span:
            return self._leave_span()
        self._at = upto
        self._tell(upto if self._tag is None else min(upto, self._tag))
        return False

    def _tell(self, upto: int) -> None:
        words = self._buffer[self._told : upto]
        if self._is_blank and not self._is_last and not words.strip():
            return  # dropped if a thought comes next
        if self._is_blank and self._has_thought:
            words = words.lstrip()
        if words:
            self._found.append(("markdown", words))
            self._is_blank = False
        self._told = max(self._told, upto)

    # ── lines ──

    def _begin_line(self) -> bool:
        markers = _MARKERS.match(self._buffer, self._at)
        assert markers is not None
        text = markers.end()
        half = _HALF_MARKER.match(self._buffer, text)
        run = _RUN.match(self._buffer, text)
        ends = [text, *(found.end() for found in (half, run) if found is not None)]
        is_fence = run is not None and self._is_fence(run)
        if any(map(self._is_open, ends)) or is_fence is None:
            return self._wait(self._at)
        is_blank = self._buffer[text : text + 1] in ("", "\n")
        if self._span and (is_fence or is_blank or _BLOCK.search(markers[0])):
            return self._leave_span()
        self._is_line_begun = True
        self._at = text
        if is_fence and run is not None:
            self._fence = run[0]
        return True

    def _is_fence(self, run: re.Match[str]) -> bool | None:
        """Whether a run at the beginning of a line begins a fence; None: that is open."""
        if len(run[0]) < 3 or run[0][0] == "~":
            return len(run[0]) >= 3
        found = _BACKTICK_OR_BREAK.search(self._buffer, run.end())
        if found is None:
            return True if self._is_last else None
        return found[0] == "\n"

    def _begin_line_of_fence(self) -> bool:
        end = self._buffer.find("\n", self._at)
        line = self._buffer[self._at : end if end >= 0 else None]
        may_end = _HALF_FENCE_END.fullmatch(line) is not None
        if may_end and end < 0 and not self._is_last:
            return self._wait(self._at)
        self._is_line_begun = True
        if may_end and line.lstrip(" \t>").startswith(self._fence):
            self._fence = ""
        return True

    def _finish_line_of_fence(self) -> bool:
        end = self._buffer.find("\n", self._at)
        if end < 0:
            return self._wait(len(self._buffer))
        self._at = end + 1
        self._is_line_begun = False
        return True

    # ── words ──

    def _read(self) -> bool:
        found = (_IN_SPAN if self._span else _OUTSIDE).search(self._buffer, self._at)
        if found is None:
            return self._wait(len(self._buffer))
        if found[0] == "<":
            return self._meet_tag(found.start())
        if found[0] == "\n":
            self._is_line_begun = False
        elif self._is_open(found.end()):
            return self._wait(found.start())
        elif found[0][0] == "`":
            self._meet_backticks(found)
        self._at = found.end()
        return True

    def _meet_backticks(self, found: re.Match[str]) -> None:
        if not self._span:
            self._span, self._span_at = found[0], found.end()
        elif self._span == found[0]:
            self._span, self._tag = "", None

    def _leave_span(self) -> bool:
        """Read the text after backticks again: they have not begun inline code."""
        self._at = self._span_at
        self._span, self._tag = "", None
        self._is_line_begun = True
        return True

    def _meet_tag(self, at: int) -> bool:
        tag = self._tag_at(at, _OPENING)
        if tag is None:
            return self._wait(at)
        if tag and not self._span:
            self._begin_thought(at, at + len(tag))
            return True
        if tag and self._tag is None:
            self._tag = at
        self._at = at + 1
        return True

    def _tag_at(self, at: int, tags: Sequence[str]) -> str | None:
        """The tag at a position; "": there is none; None: there may be one."""
        pieces = [(tag, self._buffer[at : at + len(tag)].casefold()) for tag in tags]
        for tag, piece in pieces:
            if piece == tag:
                return tag
        halves = (tag.startswith(piece) and self._is_open(at + len(piece)) for tag, piece in pieces)
        return None if any(halves) else ""

    # ── thoughts ──

    def _begin_thought(self, at: int, text: int) -> None:
        if not self._is_blank or self._buffer[self._told : at].strip():
            self._tell(at)
        self._told = self._at = text
        self._is_thought = self._is_thought_blank = self._has_thought = True

    def _think(self) -> bool:
        at, tag = self._at, ""
        while not tag and (at := self._buffer.find("<", at)) >= 0:
            tag = self._tag_at(at, _CLOSING)
            if tag is None:
                break
            at += not tag
        self._at = at if at >= 0 else len(self._buffer)
        self._tell_thought(self._at)
        if not tag:
            return False
        self._told = self._at = self._at + len(tag)
        self._is_thought = self._is_line_begun = False
        return True

    def _tell_thought(self, upto: int) -> None:
        """Return the thought up to a position, without white space around the whole thought."""
        text = self._buffer[self._told : upto]
        if self._is_thought_blank:
            self._told += len(text) - len(text.lstrip())
            text = text.lstrip()
        if text := text.rstrip():
            self._found.append(("thinking", text))
            self._is_thought_blank = False
            self._told += len(text)
