"""What an event has left when somebody's data is withdrawn. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from typing import Any, NamedTuple, cast

from shiny_labchat.domain.events import Event
from shiny_labchat.domain.messages import is_text
from shiny_labchat.domain.network import renamed

__all__ = [
    "BLANKED",
    "CHANGES",
    "KEPT_WHOLE",
    "MARK",
    "REWRITES",
    "Renaming",
    "changes_states",
    "changes_the_past",
    "is_random",
    "rewritten",
    "runs_of",
    "without_quotes",
]

RUN = 30
"""How many characters in a row make a quotation."""
MARK = "[…]"
"""What stands in the place of a quotation."""


class Renaming(NamedTuple):
    """
    Somebody's id, and the random one that comes in its place.

    Parameters
    ----------
    old, new
        The ids.
    bots
        The ids of bots that went on in their place: what these said was said under their name.
    """

    old: str
    new: str
    bots: frozenset[str] = frozenset()

    def of(self, text: str) -> str:
        """A text that may be the id, or have it in it where no other word can be equal to it."""
        if is_random(self.old):
            return text.replace(self.old, self.new)
        return self.new if text == self.old else text


def is_random(id: str) -> bool:
    """Whether an id was made at random: no text has it in it by chance, or as somebody's word."""
    return _RANDOM.fullmatch(id) is not None


_RANDOM = re.compile("(anon|person|visitor|withdrawn)-[0-9a-f]{16}")


CHANGES = ("retracted", "withdrawn")
"""The kinds of events after which earlier ones are others."""


def changes_the_past(event: Event) -> bool:
    """Whether earlier events are others than before this one: whoever has read them reads again."""
    return event.kind in CHANGES


def changes_states(event: Event) -> bool:
    """Whether a state that was made of earlier events is another one, too: it is made anew."""
    return event.kind == "withdrawn"


def rewritten(event: Event, renaming: Renaming, theirs: Collection[int] = ()) -> Event:
    """
    What is left of an event.

    Of somebody's own events their words and their name go, as of those of a bot that went on in
    their place. Of others, only the id is another one.

    Parameters
    ----------
    event
        The event.
    renaming
        Whose data is withdrawn.
    theirs
        The seqs of their messages in this log: so the ends of their streams are known.
    """
    is_own = event.member == renaming.old
    if is_own or event.member in renaming.bots:
        data = REWRITES.get(event.kind, _blanked)(event.data)
    elif event.data.get("of") in theirs and event.kind in _ABOUT:
        data = _ABOUT[event.kind](event.data)
    else:
        data = event.data
    data = _renamed(event.kind, data, renaming)
    cid = None if event.cid is None else renaming.of(event.cid)
    return event._replace(member=renaming.new if is_own else event.member, data=data, cid=cid)


# ── the words ──

_Data = Mapping[str, Any]


def _whole(data: _Data) -> _Data:
    return data


def _blanked(data: _Data) -> _Data:
    """Nothing, of a kind of events that this version does not know."""
    return {"withdrawn": True}


def _message(data: _Data) -> _Data:
    return {**_only(data, _OF_MESSAGE), "parts": [], "withdrawn": True}


_OF_MESSAGE = (
    *("role", "h", "audience", "by_network", "page", "id", "submitted", "sent", "by", "by_h"),
    *("cause", "retracted"),
)


def _submitted(data: _Data) -> _Data:
    return {"text": "", **_only(data, ("page", "again", "sent")), "withdrawn": True}


def _withheld(data: _Data) -> _Data:
    return {"original": "", **_only(data, ("code", "submitted", "page")), "withdrawn": True}


def _joined(data: _Data) -> _Data:
    kept = _only(data, ("handle", "role", "is_bot", "shown", "is_muted", "replaces", "returns"))
    return {**kept, "pseudonym": "", "is_withdrawn": True}


def _changed(data: _Data) -> _Data:
    name = {"pseudonym": ""} if "pseudonym" in data else {}
    return {**_only(data, ("handle", "role", "shown", "is_muted", "is_bot", "rules")), **name}


def _named(data: _Data) -> _Data:
    return {"name": ""}


def _recorded(data: _Data) -> _Data:
    return {"kind": data["kind"], "value": None, "withdrawn": True}


def _arrived(data: _Data) -> _Data:
    return {}


def _stepped(data: _Data) -> _Data:
    return {"step": ""}


def _streamed(data: _Data) -> _Data:
    kept = _only(data, ("of", "is", "audience", "by_network", "retracted"))
    return {**kept, "parts": [], "withdrawn": True}


def _passed_over(data: _Data) -> _Data:
    return {**_only(data, ("callback", "of", "tries")), "error": ""}


def _retracted(data: _Data) -> _Data:
    return {**_only(data, ("of", "audience", "by_network")), "reason": None}


def _only(data: _Data, keys: Collection[str]) -> dict[str, Any]:
    return {key: data[key] for key in keys if key in data}


BLANKED: Mapping[str, Callable[[_Data], _Data]] = {
    "arrived": _arrived,
    "changed": _changed,
    "joined": _joined,
    "message": _message,
    "named": _named,
    "recorded": _recorded,
    "retracted": _retracted,
    "stepped": _stepped,
    "submitted": _submitted,
    "withheld": _withheld,
}
"""By kind, what is left of the data of somebody's own events."""
KEPT_WHOLE = (
    *("cleared", "code_shown", "composed", "consented", "debriefed", "disclosed", "done"),
    *("ended", "entered", "extended", "idle_confirmed", "idle_prompt", "left", "name_asked"),
    *("not_ready", "paid", "paid_out", "presence", "presence_asked", "presence_confirmed"),
    *("presence_unanswered", "ready", "removed", "revoked", "turn", "withdrawn"),
)
"""The kinds whose events have no words of people; of all others nothing is left."""
REWRITES: Mapping[str, Callable[[_Data], _Data]] = {
    **dict.fromkeys(KEPT_WHOLE, _whole),
    **BLANKED,
}
_ABOUT = {"streamed": _streamed, "passed_over": _passed_over}
"""The kinds of events about somebody's messages."""


# ── the id ──


def _renamed(kind: str, data: _Data, renaming: Renaming) -> _Data:
    if is_random(renaming.old):
        return cast(_Data, _walked(data, renaming.of))
    changed = dict(data)
    for key in _WITH_IDS & data.keys():
        if key != "parts" or isinstance(data[key], Mapping):
            changed[key] = _walked(data[key], renaming.of)
    if kind == "configured":
        changed |= _renamed_networks(data, renaming)
    return changed


def _renamed_networks(data: _Data, renaming: Renaming) -> dict[str, Any]:
    """What the settings of a room, and the app's code, say of its network, where they do."""
    changed: dict[str, Any] = {}
    if "network" in data:
        changed["network"] = renamed(data["network"], renaming.of)
    code = cast(_Data, data.get("code", {}))
    if "network" in code:
        changed["code"] = {**code, "network": renamed(code["network"], renaming.of)}
    return changed


_WITH_IDS = {
    *("audience", "by", "edges", "gone", "met", "missing", "parts", "people", "present", "ready"),
    *("replaces", "to", "value"),
}
"""Where events have ids of people: an id that the app has chosen may be a word elsewhere."""


def _walked(value: Any, of: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return of(value)
    if isinstance(value, Mapping):
        pairs = cast("Mapping[str, Any]", value).items()
        return {of(key): _walked(each, of) for key, each in pairs}
    if isinstance(value, (list, tuple)):
        return [_walked(each, of) for each in cast("list[Any]", value)]
    return value


# ── quotations by others ──


def runs_of(texts: Collection[str]) -> frozenset[str]:
    """All runs of `RUN` characters in texts."""
    return frozenset(text[at : at + RUN] for text in texts for at in range(len(text) - RUN + 1))


def without_quotes(text: str, runs: Collection[str]) -> str:
    """A text with `MARK` in the place of each of its longest parts that consist of runs."""
    left: list[str] = []
    at = kept = 0
    while at <= len(text) - RUN:
        if text[at : at + RUN] not in runs:
            at += 1
            continue
        left.append(text[kept:at])
        end = at + RUN
        while text[end - RUN + 1 : end + 1] in runs and end < len(text):
            end += 1
        left.append(MARK)
        at = kept = end
    return "".join([*left, text[kept:]])


def without_quotes_in(event: Event, runs: Collection[str]) -> Event:
    """A message, or the end of a stream, of somebody else, without quotations."""
    data = dict(event.data)
    for key in _QUOTING & data.keys():
        if isinstance(data[key], str):
            data[key] = without_quotes(data[key], runs)
    parts = cast("list[tuple[str, Any]]", data.get("parts", []))
    data["parts"] = [
        (kind, without_quotes(content, runs) if is_text(kind) else content)
        for kind, content in parts
    ]
    if all(_same(data.get(key), event.data.get(key)) for key in {*_QUOTING, "parts"}):
        return event
    return event._replace(data={**data, "quoted": True})


_QUOTING = {"original", "text", "transformed"}


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, list) and isinstance(other, list):
        pairs = zip(cast("list[Any]", one), cast("list[Any]", other), strict=False)
        return all(tuple(a) == tuple(b) for a, b in pairs)
    return one == other
