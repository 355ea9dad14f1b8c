"""The commands to a room; the one writer has `decide` accept or refuse them. Pure."""

from __future__ import annotations

from shiny_labchat.domain.commands.members import Change, Disclose, Join, Mute, Remove
from shiny_labchat.domain.commands.messages import (
    SUBMITTED,
    WITHHELD,
    Post,
    Publish,
    Resubmit,
    Say,
    Withhold,
)
from shiny_labchat.domain.commands.room import (
    PASSED_OVER,
    Clear,
    Close,
    Configure,
    Open,
    PassOver,
    Record,
)
from shiny_labchat.domain.commands.streams import STREAM, Ending, EndStream

__all__ = [
    "PASSED_OVER",
    "STREAM",
    "SUBMITTED",
    "WITHHELD",
    "Change",
    "Clear",
    "Close",
    "Command",
    "Configure",
    "Disclose",
    "EndStream",
    "Ending",
    "Join",
    "Mute",
    "Open",
    "PassOver",
    "Post",
    "Publish",
    "Record",
    "Remove",
    "Resubmit",
    "Say",
    "Withhold",
]

Command = (
    Configure
    | Join
    | Change
    | Say
    | Publish
    | Withhold
    | Resubmit
    | Post
    | EndStream
    | Record
    | PassOver
    | Remove
    | Mute
    | Disclose
    | Close
    | Open
    | Clear
)
