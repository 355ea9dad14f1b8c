"""
The rules: ``decide(state, command, at)`` returns events, or raises `Refused`.

The one writer calls it inside its transaction, in queue order, with a state that *includes all
earlier decisions*, so no check is ever stale. No rule is checked anywhere else. Pure: the random
parts of a command (a handle, a room's seed) are given in the command. Each family of commands has
a file here, with a table of its rules.
"""

from __future__ import annotations

from shiny_labchat.domain.commands import StudyCommand
from shiny_labchat.domain.decide import lobby, replacing, rounds, study, withdrawing
from shiny_labchat.domain.decide.in_room import decide
from shiny_labchat.domain.decide.proposals import Unproposed
from shiny_labchat.domain.decide.shared import check_text
from shiny_labchat.domain.decide.together import MoreLogs, RuleTogether
from shiny_labchat.domain.events import Event, LogKey
from shiny_labchat.domain.logs import States

__all__ = ["MoreLogs", "Unproposed", "check_text", "decide", "decide_together"]


def decide_together(states: States, command: StudyCommand, at: int) -> dict[LogKey, list[Event]]:
    """
    The events that a command about a study or a lobby causes in several logs, all or nothing.

    Parameters
    ----------
    states
        The states of the command's logs, all earlier decisions included; of a log that is not
        there yet, the empty state.
    command
        The command to decide.
    at
        The time, in microseconds since 1970 (UTC).

    Returns
    -------
    dict
        By log, the events to be appended. A log that is not there yet is made with its first.

    Raises
    ------
    Refused
        A rule does not allow it.
    MoreLogs
        The rule needs the states of further logs.
    """
    return _RULES_TOGETHER[type(command)](states, command, at).events


_RULES_TOGETHER: dict[type, RuleTogether] = {
    **study.RULES,
    **lobby.RULES,
    **rounds.RULES,
    **replacing.RULES,
    **withdrawing.RULES,
}
