"""The commands; the one writer has `decide` or `decide_together` accept or refuse them. Pure."""

from __future__ import annotations

from shiny_labchat.domain.commands.clock import AdvanceRoom, Extend, PassTurn, PressDone, Start
from shiny_labchat.domain.commands.lobby import (
    Advance,
    Confirm,
    DescribeLobby,
    EnterLobby,
    LobbySigns,
    NextRound,
    Ready,
    TakeName,
    WaitLonger,
)
from shiny_labchat.domain.commands.members import (
    Change,
    Disclose,
    Join,
    Mute,
    Remove,
    SendAway,
    SetRules,
)
from shiny_labchat.domain.commands.messages import (
    REPLY,
    SUBMITTED,
    WITHHELD,
    Post,
    Publish,
    Resubmit,
    Say,
    Withhold,
)
from shiny_labchat.domain.commands.presence import (
    AskPresence,
    ConfirmPresence,
    EndQuestion,
    NotePresence,
)
from shiny_labchat.domain.commands.retraction import Retract
from shiny_labchat.domain.commands.room import (
    PASSED_OVER,
    Clear,
    Close,
    Configure,
    Connect,
    Open,
    PassOver,
    Record,
)
from shiny_labchat.domain.commands.streams import STREAM, Ending, EndStream, Piece
from shiny_labchat.domain.commands.study import (
    Arrive,
    Barrier,
    CallLate,
    Consent,
    Debrief,
    DescribeStudy,
    Dissolve,
    EndPerson,
    NamePerson,
    OfStudy,
    Pay,
    PayOut,
    RecordAnswer,
    RecordExport,
    RemoveMember,
    Replace,
    SetStep,
    SetStudyStep,
    ShowCode,
    ShowRoom,
    Withdraw,
    WithdrawnBy,
)
from shiny_labchat.domain.commands.triggers import TRIGGER, Trigger

__all__ = [
    "PASSED_OVER",
    "REPLY",
    "STREAM",
    "SUBMITTED",
    "TRIGGER",
    "WITHHELD",
    "Advance",
    "AdvanceRoom",
    "Arrive",
    "AskPresence",
    "Barrier",
    "CallLate",
    "Change",
    "Clear",
    "Close",
    "Command",
    "Configure",
    "Confirm",
    "ConfirmPresence",
    "Connect",
    "Consent",
    "Debrief",
    "DescribeLobby",
    "DescribeStudy",
    "Disclose",
    "Dissolve",
    "EndPerson",
    "EndQuestion",
    "EndStream",
    "Ending",
    "EnterLobby",
    "Extend",
    "Join",
    "LobbySigns",
    "Mute",
    "NamePerson",
    "NextRound",
    "NotePresence",
    "OfStudy",
    "Open",
    "PassOver",
    "PassTurn",
    "Pay",
    "PayOut",
    "Piece",
    "Post",
    "PressDone",
    "Publish",
    "Ready",
    "Record",
    "RecordAnswer",
    "RecordExport",
    "Remove",
    "RemoveMember",
    "Replace",
    "Resubmit",
    "Retract",
    "Say",
    "SendAway",
    "SetRules",
    "SetStep",
    "SetStudyStep",
    "ShowCode",
    "ShowRoom",
    "Start",
    "StudyCommand",
    "TakeName",
    "Trigger",
    "WaitLonger",
    "Withdraw",
    "WithdrawnBy",
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
    | SendAway
    | SetRules
    | Mute
    | Disclose
    | Close
    | Open
    | Clear
    | Connect
    | NotePresence
    | AskPresence
    | ConfirmPresence
    | EndQuestion
    | Start
    | Extend
    | PressDone
    | PassTurn
    | AdvanceRoom
    | Retract
    | Trigger
)

StudyCommand = (
    DescribeStudy
    | DescribeLobby
    | EnterLobby
    | TakeName
    | WaitLonger
    | Confirm
    | Advance
    | Ready
    | NextRound
    | Arrive
    | Consent
    | RecordAnswer
    | RecordExport
    | SetStep
    | SetStudyStep
    | NamePerson
    | ShowCode
    | Pay
    | PayOut
    | Debrief
    | EndPerson
    | RemoveMember
    | Barrier
    | CallLate
    | ShowRoom
    | Dissolve
    | Replace
    | Withdraw
)
"""A command whose rule needs the states of several logs: those that it names."""
