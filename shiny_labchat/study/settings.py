"""What an app says of a study, checked, as JSON values. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, cast

from shiny_labchat.arguments import as_id, check_choice, study_name
from shiny_labchat.domain.ends import End, end_with_code
from shiny_labchat.domain.retention import as_date

__all__ = ["as_end", "as_names", "as_seed", "consent", "debrief", "retain"]


def as_seed(seed: object) -> int | str | None:
    """Check that the argument is a seed or None; return it."""
    if isinstance(seed, bool) or not isinstance(seed, int | str | None):
        raise TypeError(f"seed must be a whole number or text, not {seed!r}")
    return seed


def as_names(exclude: object, own: str) -> list[str]:
    """The names of the studies to exclude; `own`: the name of the study itself."""
    if isinstance(exclude, str) or not isinstance(exclude, Sequence):
        raise TypeError(f"exclude must be several studies or their names, not {exclude!r}")
    names = [study_name(each, "exclude") for each in cast("Sequence[object]", exclude)]
    if own in names:
        raise ValueError(f"exclude has {own!r} itself, in which nobody could take part then")
    return names


def consent(
    text: str,
    version: str,
    items: Mapping[str, str],
    required: Sequence[str],
    replacement: bool = False,
) -> dict[str, Any]:
    """The consent that people are asked for, see `Study.consent`."""
    if isinstance(required, str):
        raise TypeError(f"required must be several ids, such as [{required!r}], not one text")
    for id in required:
        if id not in items:
            raise ValueError(f"required has {id!r}, but items has {', '.join(items) or 'none'}")
    by_id = {as_id("an id in items", id): _as_text("items", said) for id, said in items.items()}
    version = as_id("version", version)
    check_choice("replacement", replacement, (True, False))
    said: dict[str, Any] = {"text": _as_text("text", text), "version": version}
    said |= {"replacement": True} if replacement else {}
    return {**said, "items": by_id, "required": list(required)}


def debrief(text: str, keep: bool) -> dict[str, Any]:
    """What people are told at the end, see `Study.debrief`."""
    return {"text": _as_text("text", text), "keep": bool(keep)}


def retain(ids: str | date | None, words: str | date | None) -> dict[str, str | None]:
    """The days until which a study keeps what it has of people, see `Study.retain`."""
    if ids is None and words is None:
        raise ValueError('retain() needs a day: ids="2027-01-31", words="2036-12-31", or both')
    return {"ids": as_date("ids", ids), "words": as_date("words", words)}


def _as_text(what: str, text: object) -> str:
    if not isinstance(text, str):
        raise TypeError(f"{what} must be text, not {text!r}")
    if not text.strip():
        raise ValueError(f"{what} is empty")
    return text


def as_end(reason: str, given: object) -> End:
    """The end that an app gives for a reason: an End, or a completion code."""
    if not isinstance(given, str | End):
        raise TypeError(f"{reason} must be a completion code or an End, not {given!r}")
    return given if isinstance(given, End) else end_with_code(reason, End(given))
