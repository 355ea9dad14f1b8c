"""
What a process serves a study with, among the study's settings: its environment and its bots.

A program that says nothing of a study, and to which nobody comes, only reads it, as the command
`labchat` does: it notes nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from shiny_labchat.concurrency import in_thread
from shiny_labchat.errors import LabChatError
from shiny_labchat.lab.environment import environment_of
from shiny_labchat.lab.lab import Lab
from shiny_labchat.lab.runtime import Runtime

__all__ = ["BOTS", "ENVIRONMENT", "deceives", "environment", "note_bots_soon"]

logger = logging.getLogger("shiny_labchat")

BOTS, ENVIRONMENT = "bots", "environment"
"""The names of these settings."""
_MODELS = "client", "fallback"

Store = Callable[[Sequence[Mapping[str, Any]]], Awaitable[None]]
"""Stores the bots of the study."""


async def environment(lab: Lab, known: Mapping[str, Any]) -> dict[str, Any]:
    """The environment of the program as a setting; nothing if this process has noted it."""
    if ENVIRONMENT in known:
        return {}
    return {ENVIRONMENT: await in_thread(environment_of, lab.folder)}


def deceives(runtime: Runtime, study: str) -> bool:
    """Whether a bot that is not disclosed may be in a study's rooms, as far as is known here."""
    bots = runtime.bots.of_study(study)
    return not all(getattr(bot, "is_disclosed", True) for _, bot in bots)


def note_bots_soon(runtime: Runtime, study: str, store: Store, *, is_served: bool) -> None:
    """
    Have the bots of a study's rooms stored, if they are not those that this process has noted.

    Nobody waits for that, as the models are described, too, and may take long to be made.

    Parameters
    ----------
    runtime, study
        The lab, and the study.
    store
        Stores the bots.
    is_served
        Whether people come here: then it is noted, too, that there are no bots any more.
    """
    noted: Sequence[Mapping[str, Any]] | None = runtime.described.get(study, {}).get(BOTS)
    # Models are not compared: they do not change while a process runs.
    before = [{k: v for k, v in bot.items() if k not in _MODELS} for bot in noted or ()]
    now = _described(runtime, study, with_clients=False)
    if before != now or (noted is None and is_served):
        runtime.tasks.spawn(_note_bots(runtime, study, store))


async def _note_bots(runtime: Runtime, study: str, store: Store) -> None:
    said = await in_thread(_described, runtime, study, with_clients=True)
    try:
        await store(said)
    except LabChatError as exc:
        logger.warning("the bots of study %r are not on record: %s", study, exc)


def _described(runtime: Runtime, study: str, *, with_clients: bool) -> list[dict[str, Any]]:
    return [
        {"rooms": scope.shown, **each}
        for scope, bot in runtime.bots.of_study(study)
        for each in bot.described(with_clients=with_clients)
    ]
