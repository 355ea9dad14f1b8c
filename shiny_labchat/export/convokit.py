"""
The format ConvoKit: a corpus for Cornell's toolkit (https://convokit.cornell.edu).

A conversation is what the same people could read in a room: what was said to all, and for each
audience what was said among these people; all that people say in a room with a network is one. Its
id is that of its first utterance. An utterance replies to the message that its bot reacted to, if
that is in the conversation, else to the one before it; the first one replies to nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from shiny_labchat.export.columns import Column
from shiny_labchat.export.convokit_files import JsonObject, dumped, types_of
from shiny_labchat.export.format import About, Destination, Row, Table
from shiny_labchat.export.times import Times

__all__ = ["PROGRAMME", "ConvoKitFormat"]

PROGRAMME = "(programme)"
"""The speaker of messages that no member has written."""
_APART = ("row_id", "study", "room", "member", "text")
"""The columns of a message that are not in the utterance's meta, as they stand elsewhere."""
_VERSION = 1
_CONVERSATION_TYPES = {"study": str, "room": str, "audience": list}
_SPEAKER_TYPES = {"study": str, "member": str, "pseudonym": str, "kind_true": str, "is_ai": bool}
_OVERALL_TYPES = {"studies": list, "source": str}


class ConvoKitFormat:
    """
    A corpus that ConvoKit's `Corpus(filename=)` loads.

    Parameters
    ----------
    to
        Where to.
    """

    def __init__(self, to: Destination) -> None:
        self._folder = to.folder
        self._prefixes = {study: f"{study}/" for study in to.studies if len(to.studies) > 1}
        self._columns: Sequence[Column] = ()

    def open(self, table: Table) -> _Utterances | None:
        """Begin a table: messages are written, other tables are not."""
        if table.name != "messages":
            return None
        self._columns = table.columns
        return _Utterances(self._folder, table.columns, self._prefixes)

    def finish(self, about: About) -> Mapping[str, Path]:
        """Write what is said of the whole corpus; no table can be read from it."""
        meta = [column for column in self._columns if column.name not in _APART]
        conditions = {c.name: str for c in meta if c.name.startswith("condition")}
        index: dict[str, Any] = {
            "utterances-index": types_of({column.name: _TYPES[column.type] for column in meta}),
            "speakers-index": types_of(_SPEAKER_TYPES),
            "conversations-index": types_of(_CONVERSATION_TYPES | conditions),
            "overall-index": types_of(_OVERALL_TYPES),
            "version": _VERSION,
            "vectors": [],
        }
        corpus = {"studies": list(about.marker.get("studies") or ()), "source": "shiny_labchat"}
        (self._folder / "index.json").write_bytes(dumped(index))
        (self._folder / "corpus.json").write_bytes(dumped(corpus))
        return {}


_TYPES = {"text": str, "time": str, "integer": int, "number": float, "boolean": bool}


@dataclass(slots=True)
class _Conversation:
    """A conversation of the room whose messages come now: its ids, and whom it is among."""

    id: str
    meta: Mapping[str, Any]
    last: str
    seqs: set[int] = field(default_factory=set[int])


class _Utterances:
    """Writes messages, room after room; only one room's conversations are in memory."""

    def __init__(
        self, folder: Path, columns: Sequence[Column], prefixes: Mapping[str, str]
    ) -> None:
        self._columns = [column.name for column in columns]
        self._conditions = [name for name in self._columns if name.startswith("condition")]
        self._times = [column.name for column in columns if column.type == "time"]
        self._prefixes = prefixes
        self._texts = Times()
        self._utterances = (folder / "utterances.jsonl").open("wb")
        self._conversations = JsonObject(folder / "conversations.json")
        self._speakers_path = folder / "speakers.json"
        self._speakers: dict[str, dict[str, Any]] = {}
        self._room: tuple[str, str] | None = None
        self._open: dict[frozenset[str] | None, _Conversation] = {}

    def write(self, rows: Sequence[Row]) -> None:
        for row in rows:
            message = dict(zip(self._columns, row, strict=True))
            room = message["study"], message["room"]
            if room != self._room:
                self._end_room()
                self._room = room
            self._utterances.write(dumped(self._utterance(message)))

    def close(self) -> None:
        self._end_room()
        self._utterances.close()
        self._conversations.close()
        speakers = JsonObject(self._speakers_path)
        for id, meta in self._speakers.items():
            speakers.add(id, {"meta": meta, "vectors": []})
        speakers.close()

    def _utterance(self, message: dict[str, Any]) -> dict[str, Any]:
        prefix = self._prefixes.get(message["study"], "")
        id = f"{prefix}{message['room']}:{message['seq']}"
        speaker = self._speaker(message, prefix)
        conversation, reply_to = self._placed(message, id, prefix)
        at: int = message["sent_at"]
        meta = {name: value for name, value in message.items() if name not in _APART}
        for name in self._times:
            (meta[name],) = self._texts.texts([meta[name]], None)
        return {
            "id": id,
            "conversation_id": conversation.id,
            "text": message["text"] or "",  # ConvoKit reads no null
            "speaker": speaker,
            "meta": meta,
            "reply-to": reply_to,
            "timestamp": at / 1e6,
            "vectors": [],
        }

    def _placed(
        self, message: Mapping[str, Any], id: str, prefix: str
    ) -> tuple[_Conversation, str | None]:
        """The message's conversation, which it may begin, and what it replies to there."""
        among = _among(message)
        found = self._open.get(among)
        reply_to: str | None = None
        if found is None:
            meta = {"study": message["study"], "room": message["room"]}
            meta |= {name: message[name] for name in self._conditions}
            meta["audience"] = None if among is None else sorted(among)
            found = self._open[among] = _Conversation(id, meta, id)
        else:
            to = message["trigger"]
            reply_to = f"{prefix}{message['room']}:{to}" if to in found.seqs else found.last
        found.last = id
        found.seqs.add(message["seq"])
        return found, reply_to

    def _speaker(self, message: Mapping[str, Any], prefix: str) -> str:
        """The id of a message's speaker, of whom is noted what the newest message shows."""
        member = message["member"]
        id = PROGRAMME if member is None else f"{prefix}{member}"
        known = self._speakers.setdefault(id, dict.fromkeys(_SPEAKER_TYPES))
        kind = message["kind_true"]
        if member is None:  # of all studies
            known |= {"kind_true": kind, "is_ai": False}
            return id
        known |= {"study": message["study"], "member": member, "pseudonym": message["pseudonym"]}
        if kind != "programme" or known["kind_true"] is None:  # it may post in a person's name
            known |= {"kind_true": kind, "is_ai": kind == "bot"}
        return id

    def _end_room(self) -> None:
        for each in self._open.values():
            self._conversations.add(each.id, {"meta": each.meta, "vectors": []})
        self._open = {}


def _among(message: Mapping[str, Any]) -> frozenset[str] | None:
    """The members who can read a message, its author included; None: everybody."""
    if message["audience"] is None:
        return None
    author = () if message["member"] is None else (message["member"],)
    audience: list[str] = orjson.loads(message["audience"])
    return frozenset({*audience, *author})
