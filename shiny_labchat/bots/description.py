"""What a bot is, as JSON values for a study's record."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from shiny_labchat.bots.budget import Budget
from shiny_labchat.bots.spec import BotSpec
from shiny_labchat.bots.when import At, BeforeClose, Chance, Every, Silence, Unequal
from shiny_labchat.models.description import description_of

__all__ = ["clients_of", "outline_of"]


def outline_of(spec: BotSpec) -> dict[str, Any]:
    """All settings of a bot, but for its models, which may not have been made yet."""
    name = spec.pseudonym
    return {
        "id": spec.id,
        "pseudonym": name if name is None or isinstance(name, str) else _function(name),
        "disclosed": spec.disclose,
        "respond": None if spec.respond is None else _function(spec.respond),
        "when": _when(spec.when[0]) if len(spec.when) == 1 else [*map(_when, spec.when)],
        "reading": spec.pace.reading,
        "typing": spec.pace.typing,
        "jitter": spec.pace.jitter,
        "seed": None if spec.seed is None else int(spec.seed),
        "moved_on": spec.moved_on,
        "max_messages": spec.max_messages,
        "max_share": spec.max_share,
        "max_in_a_row": spec.max_in_a_row,
        "budget": _budget(spec.budget),
        "study_budget": _budget(spec.study_budget),
        "end": spec.end,
        "closing": spec.closing,
        **({"shadow": True} if spec.shadow else {}),
    }


def clients_of(spec: BotSpec) -> dict[str, Any]:
    """
    The models of a bot; they are made, if they were not yet, which may take long.

    A model that cannot be made, perhaps as a key is missing, is described by the error's name.
    """
    return {"client": _model(spec.client), "fallback": _model(spec.fallback)}


def _model(make: Callable[[], Any] | None) -> dict[str, Any] | None:
    if make is None:
        return None
    try:
        return description_of(make())
    except Exception as exc:  # whatever the app's function raises; its text may be a secret
        return {"failed": type(exc).__name__}


def _when(when: Any) -> Any:
    match when:
        case Every(n):
            return {"every": n}
        case Silence(seconds):
            return {"silence": seconds}
        case Chance(p):
            return {"chance": p}
        case At(seconds=seconds):
            return {"at": list(seconds)}
        case BeforeClose(seconds=seconds):
            return {"before_close": list(seconds)}
        case Unequal(share, window, wait):
            return {"unequal": {"share": share, "window": window, "wait": wait}}
        case str():
            return when
        case _:
            return _function(when)


def _budget(budget: Budget) -> dict[str, Any] | None:
    limits = {name: value for name, value in asdict(budget).items() if value is not None}
    if budget.price is not None:
        limits["price"] = list(budget.price)
    return limits or None


def _function(function: Any) -> dict[str, str]:
    """The name of the app's function; what it does is in the app's files."""
    own: str | None = getattr(function, "__qualname__", None)
    return {"function": own or type(function).__qualname__}
