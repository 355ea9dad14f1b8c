"""Who comes to a study, and whether they have taken part before."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, cast

from shiny_labchat.access.recruits import Arrived, arrive, find_elsewhere
from shiny_labchat.domain.commands.study import study_log
from shiny_labchat.domain.ended import params_in
from shiny_labchat.domain.records import took_part
from shiny_labchat.domain.study import StudyState
from shiny_labchat.lab.runtime import Runtime

__all__ = ["Came", "come"]


class Came(NamedTuple):
    """
    Somebody whose page has come to a study.

    Attributes
    ----------
    arrived
        The person, and which of their browsers it is.
    is_known
        Whether the study's log has them.
    took_part
        Whether they have taken part before, in this study or in one that it excludes.
    """

    arrived: Arrived
    is_known: bool
    took_part: bool = False


async def come(
    runtime: Runtime,
    study: str,
    said: Mapping[str, str | None],
    browser_key: str,
    count_new: Callable[[], None] | None,
) -> Came:
    """
    Find or make the person whose page has come, see `Study.arrive`.

    Raises
    ------
    Refused
        ``revoked``: the key was revoked.
    """
    state = await _state(runtime, study)
    params = {name: said.get(name) for name in params_in(state.settings)}
    arrived = await arrive(runtime.log, study, params, browser_key, count_new=count_new)
    if arrived.person in state.people:
        return Came(arrived, is_known=True)
    if arrived.earlier is not None and took_part(state, arrived.earlier):
        return Came(arrived, is_known=False, took_part=True)
    others: Sequence[str] = state.settings.get("exclude") or ()
    found = await find_elsewhere(runtime.log, others, params, browser_key)
    before = [took_part(await _state(runtime, other), person) for other, person in found.items()]
    return Came(arrived, is_known=False, took_part=any(before))


async def _state(runtime: Runtime, study: str) -> StudyState:
    return cast(StudyState, await runtime.live.logs.read(study_log(study)))
