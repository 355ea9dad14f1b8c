"""Whether the tables of an export fit each other: keys are there and unique, counts add up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from shiny_labchat.export.checks.finding import Finding, error

__all__ = ["Relations"]

Key = tuple[str, ...]
Reference = tuple[Key, str, Key]

UNIQUE: Mapping[str, Key] = {
    "messages": ("study", "room", "seq"),
    "rooms": ("study", "room"),
    "members": ("study", "member", "room"),
    "events": ("study", "log", "room", "seq"),
    "bot_calls": ("study", "room", "call"),
    "flow": ("study", "condition", "step"),
    "codebook": ("table", "column"),
}
"""The columns that tell the rows of a table apart."""

_ROOM, _MEMBER = ("study", "room"), ("study", "member")
REFERENCES: Mapping[str, Sequence[Reference]] = {
    "members": ((_ROOM, "rooms", _ROOM),),
    "messages": ((_ROOM, "rooms", _ROOM), (_MEMBER, "members", _MEMBER)),
    "answers": ((_ROOM, "rooms", _ROOM),),
    "payments": ((_MEMBER, "members", _MEMBER),),
    "bot_calls": ((_ROOM, "rooms", _ROOM), (("study", "bot"), "members", _MEMBER)),
}
"""
By table, its columns that name a row of another table, that table, and the columns there.

A record may be about somebody who is no member, so the members of answers are not among them.
"""

TOLD = 3
"""How many wrong rows of a table are told for one rule."""
_AGAIN = "Export again"
_COUNTED: Mapping[str, Key] = {
    "messages": ("study", "room", "text", "chars"),
    "rooms": ("study", "room", "messages", "characters"),
    "flow": ("study", "condition", "step", "people"),
}


class Relations:
    """
    Takes the rows of all tables, one table after the other, and says what does not fit.

    Parameters
    ----------
    is_whole
        Whether the export has all messages; if not, they are not counted.
    has_texts
        Whether it has the texts of messages as they are; if not, their lengths are not compared.
    has_all_rooms
        Whether it has all rooms; if not, answers may be of the time of a group that is not in it.
    """

    def __init__(
        self, *, is_whole: bool = True, has_texts: bool = True, has_all_rooms: bool = True
    ) -> None:
        self._is_whole = is_whole
        self._has_texts = has_texts
        self._has_all_rooms = has_all_rooms
        self._files: dict[str, str] = {}
        self._keys: dict[tuple[str, Key], set[Key]] = {}
        self._found: list[Finding] = []
        self._told = Counter[tuple[str, str]]()
        self._said: dict[Key, tuple[str, str]] = {}
        self._counted = Counter[Key]()
        self._characters = Counter[Key]()
        self._flow: dict[Key, dict[str, int]] = {}
        self._at: Mapping[str, int] = {}
        self._table = ""
        self._unique: Key = ()
        self._kept: Sequence[Key] = ()
        self._references: Sequence[Reference] = ()

    def begin(self, table: str, file: str, header: Sequence[str]) -> None:
        """Begin a table; what it refers to has been taken."""
        self._table = table
        self._files[table] = file
        self._at = {name: index for index, name in enumerate(header)}
        # A table without these columns is not as the codebook of this version says.
        self._unique = self._there(UNIQUE.get(table, ()))
        self._kept = [columns for columns in _kept(table) if self._there(columns)]
        references = REFERENCES.get(table, ())
        if table == "answers" and not self._has_all_rooms:
            references = ()
        self._references = [each for each in references if self._there(each[0])]
        for columns in self._kept:
            self._keys.setdefault((table, columns), set())

    def add(self, line: int, row: Sequence[str]) -> None:
        """Take a row of the table that was begun."""
        for columns in self._kept:
            key = self._key(row, columns)
            known = self._keys[self._table, columns]
            if columns == self._unique and key in known:
                self._tell("key-twice", line, f"{', '.join(columns)} is there before: {key}")
            known.add(key)
        for columns, other, theirs in self._references:
            key = self._key(row, columns)
            known_there = self._keys.get((other, theirs))
            if key[-1] and known_there is not None and key not in known_there:
                what = f"{columns[-1]} {key[-1]!r} is not in {self._files[other]}"
                self._tell("key-unknown", line, what)
        if self._there(_COUNTED.get(self._table, ())):
            self._count(line, row)

    def findings(self) -> Iterator[Finding]:
        """What does not fit, once all tables were taken."""
        yield from self._found
        yield from self._wrong_counts()
        yield from self._wrong_flow()

    def _there(self, columns: Key) -> Key:
        """The columns, if the table has them all."""
        return columns if all(name in self._at for name in columns) else ()

    def _key(self, row: Sequence[str], columns: Sequence[str]) -> Key:
        return tuple(row[self._at[name]] for name in columns)

    def _tell(self, code: str, line: int, problem: str) -> None:
        self._told[self._table, code] += 1
        if self._told[self._table, code] <= TOLD:
            file = self._files[self._table]
            self._found.append(error(code, file, f"line {line}: {problem}", _AGAIN))

    # ── counts ──

    def _count(self, line: int, row: Sequence[str]) -> None:
        if self._table == "messages":
            room = self._key(row, _ROOM)
            text, chars = self._key(row, ("text", "chars"))
            self._counted[room] += 1
            self._characters[room] += int(chars) if chars.isdecimal() else 0
            # One that was imported from a public export has a length, and no text.
            if self._has_texts and text and chars != str(len(text)):
                self._tell(
                    "chars", line, f"chars is {chars or 'missing'}, and text has {len(text)}"
                )
        elif self._table == "rooms":
            messages, characters = self._key(row, ("messages", "characters"))
            self._said[self._key(row, _ROOM)] = messages, characters
        else:
            step, people = self._key(row, ("step", "people"))
            steps = self._flow.setdefault(self._key(row, ("study", "condition")), {})
            steps[step] = int(people) if people.isdecimal() else 0

    def _wrong_counts(self) -> Iterator[Finding]:
        if "messages" not in self._files or not self._is_whole:
            return
        for room, said in self._said.items():
            there = str(self._counted[room]), str(self._characters[room])
            if said != there:
                problem = (
                    f"room {room[-1]!r} has {said[0]} messages of {said[1]} characters, but "
                    f"{self._files['messages']} has {there[0]} of {there[1]}"
                )
                yield error("count", self._files["rooms"], problem, _AGAIN)

    def _wrong_flow(self) -> Iterator[Finding]:
        for (study, condition), steps in self._flow.items():
            ended = sum(
                people
                for step, people in steps.items()
                if step.startswith("end_") or step == "still_inside"
            )
            if steps.get("arrived", 0) != ended:
                problem = (
                    f"in study {study!r}, condition {condition!r}, {steps.get('arrived', 0)} have "
                    f"arrived, but {ended} have ended or are inside"
                )
                yield error("flow", self._files["flow"], problem, _AGAIN)


def _kept(table: str) -> Sequence[Key]:
    """The columns of a table whose values are kept: those of its key, and what others refer to."""
    unique = UNIQUE.get(table, ())
    theirs = {
        columns
        for references in REFERENCES.values()
        for _, other, columns in references
        if other == table and columns != unique
    }
    return [*([unique] if unique else ()), *sorted(theirs)]
