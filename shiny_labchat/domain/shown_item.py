"""What an event of a room is in a page: a message, or what became of some. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from shiny_labchat.domain.commands import REPLY
from shiny_labchat.domain.events import Event
from shiny_labchat.domain.messages import is_retracted, is_void, role_of
from shiny_labchat.domain.opaque import id_of

__all__ = ["shown_deps", "shown_item", "shown_withdrawal"]


def shown_item(event: Event, seed: str) -> dict[str, Any] | None:
    """The item of an event, in the room with this seed; None: it is not shown."""
    if event.kind == "message":
        return None if is_void(event) or is_retracted(event) else _message(event, seed)
    id = id_of(seed, event.seq)
    if event.kind == "cleared":
        greeting = {"greeting": True} if "greeting" in event.data else {}
        return {"k": "cleared", "id": id, **greeting}
    if event.kind == "retracted":
        return {"k": "retracted", "id": id, "of": id_of(seed, event.data["of"])}
    if event.kind == "streamed" and not is_retracted(event):
        of = id_of(seed, event.data["of"])
        return {"k": "end", "id": id, "of": of, "is": event.data["is"]}
    if event.kind == "withdrawn" and "h" in event.data:
        return shown_withdrawal(event.seq, seed, event.data["h"], anew="quotes" in event.data)
    return None


def shown_withdrawal(seq: int, seed: str, handle: str, *, anew: bool = False) -> dict[str, Any]:
    """What says that all messages of somebody are blank; `anew`: those of others have changed."""
    told = {"k": "withdrawn", "id": id_of(seed, seq), "h": handle}
    return {**told, "anew": True} if anew else told


def _message(event: Event, seed: str) -> dict[str, Any]:
    data, parts, role = event.data, event.data["parts"], role_of(event)
    shown: dict[str, Any] = {"id": id_of(seed, event.seq)}
    for key in ("h", "name"):
        if data.get(key) is not None:
            shown[key] = data[key]
    if role != "user":
        shown["role"] = role
    shown["at"] = event.at // 1000
    if data.get("withdrawn"):
        shown["withdrawn"] = True
    elif len(parts) == 1 and parts[0][0] == "text":
        shown["text"] = parts[0][1]
    else:
        shown["parts"] = parts
    for key, name in (("icon", "icon"), ("live", "live"), ("by_h", "by"), ("is", "is")):
        if key in data:
            shown[name] = data[key]
    if "id" in data and not data["id"].startswith(REPLY):
        shown["as"] = data["id"]
    if "deps" in data:
        shown["deps"] = shown_deps(data["deps"])
    if "audience" in data and "by_network" not in data:
        shown["only"] = True
    return shown


def shown_deps(deps: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """HTML dependencies as a page is told of them."""
    # "source" is a folder of the server: browsers must not know it
    return [{k: v for k, v in dep.items() if k != "source"} for dep in deps]
