"""
The tables of an export, and what each of their columns means.

Whatever says something of a column has it from here: the files, the codebook and the docs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

__all__ = [
    "CODEBOOK",
    "TABLES",
    "WIDE",
    "Column",
    "ColumnType",
    "columns_of",
    "with_families",
]

ColumnType = Literal["text", "integer", "number", "boolean", "time"]


@dataclass(frozen=True, slots=True)
class Column:
    """
    A column of a table.

    Parameters
    ----------
    name
        Its name. One that ends in ``*`` stands for several: one for each factor of the conditions,
        item of the consent, or field of a form.
    type
        "text" (always quoted in CSV), "integer", "number", "boolean" (true, false) or "time"
        (ISO 8601, UTC, with microseconds).
    meaning
        What it says, and when it is missing.
    unit
        The unit of its numbers, such as "s"; "": they have none.
    values
        The values that it may have, if they are few.
    """

    name: str
    type: ColumnType
    meaning: str
    unit: str = ""
    values: tuple[str, ...] = ()

    @property
    def is_family(self) -> bool:
        """Whether it stands for several columns."""
        return self.name.endswith("*")


def _text(name: str, meaning: str, *values: str) -> Column:
    return Column(name, "text", meaning, values=values)


def _count(name: str, meaning: str) -> Column:
    return Column(name, "integer", meaning)


def _ms(name: str, meaning: str) -> Column:
    return Column(name, "integer", meaning, "ms")


def _number(name: str, meaning: str, unit: str = "") -> Column:
    return Column(name, "number", meaning, unit)


def _flag(name: str, meaning: str) -> Column:
    return Column(name, "boolean", meaning, values=("true", "false"))


def _time(name: str, meaning: str) -> Column:
    return Column(name, "time", meaning, "UTC")


# ── columns that several tables have ─────────────────────────────────────────────────────────

_STUDY = _text("study", "The study.")
_ROOM = _text("room", "The room's id in the study.")
_ROUND = (
    _count("round", "The round for which the group of the room was formed; missing: for none."),
    _count("cohort", "The number in its lobby of the cohort of that group; missing: it has none."),
)
_SEQ = _count("seq", "The number in the log of the room. Order by it, never by a time.")
_MEMBER = _text("member", "The member's private id; a person of a study has it in all rooms.")
_CONDITION = (
    _text("condition", "The condition that was drawn for the group, in one line; missing: none."),
    _text("condition_*", "The level of one factor of the condition; missing: the group has none."),
)
_KINDS = "human", "bot", "programme"
_KIND_TRUE = _text(
    "kind_true",
    "Who it truly is: a person at a page, a bot, or the programme (also where it posts in the "
    "name of a person).",
    *_KINDS,
)
_KIND_SHOWN = _text(
    "kind_shown",
    'Whom others are shown: who is shown in the role "assistant" is shown as a bot.',
    *_KINDS,
)

# ── messages ─────────────────────────────────────────────────────────────────────────────────

_MESSAGES = (
    _text("row_id", "The id of the row in this table: study, room and seq."),
    _STUDY,
    _ROOM,
    *_ROUND,
    *_CONDITION,
    _count("seq", "The message's number in its room: the order, for everybody. Some are missing."),
    _text("member", "The private id of its author; missing: the programme."),
    _text("pseudonym", "The name that it was shown with; missing: it had none."),
    _text("part", "The part that its author has in the group; missing: none."),
    _KIND_TRUE,
    _KIND_SHOWN,
    _text("role", "What a model is told it is.", "user", "assistant", "system"),
    _text(
        "audience",
        "The ids of the members to whom the app has said it, as a JSON list; missing: it has named "
        "none. Its author sees it, too.",
    ),
    _text(
        "heard_by",
        "The ids of the members who may see it, its author among them, as a JSON list: those of "
        "`audience`, or those who heard it in the network of the room. Missing: everybody. What "
        "was heard in a network is also seen by observers and experimenters, who are not named.",
    ),
    _text("text", "Its text, as it was shown. Empty if it was withdrawn."),
    _text("text_original", "What the programme posted, if the app has changed it into `text`."),
    _text("text_transformed", "What the app and its model read in place of a person's `text`."),
    _flag(
        "retracted",
        "Whether it was retracted: from then on nobody was shown it. When and why is in `events`.",
    ),
    _flag("withdrawn", "Whether its author has withdrawn it: then its words are gone."),
    _time("sent_at", "When the server stored it; of a stream: when all of it was there."),
    _time("opened_at", "When its stream began; missing: it was not streamed."),
    _ms("ms_since_open", "From the `opened_at` of the room to `sent_at`."),
    _ms(
        "ms_since_prev",
        "From the `sent_at` of the last message that its author could see when it was stored (of "
        "a stream: when it began) to that moment. Their own count, too; missing: there was none.",
    ),
    _ms(
        "first_key_ms",
        "From when its author's page last showed a message, or first let them "
        "write, to the first key of this one. It and the next ones are as that page says, and "
        "known only where the rules of the room ask for it (`telemetry`).",
    ),
    _ms("typing_ms", "From its first key to the last."),
    _count("pauses", "How often there were 2 s or more between two of its keys."),
    _count(
        "keystrokes",
        "How many changes of its text were made by a key, as its author's browser counts them.",
    ),
    _count("deletions", "How many of these have deleted something."),
    _count(
        "pasted_chars",
        "How many characters (Unicode code points) were pasted or dropped into "
        "it; known also where `paste` is marked or refused.",
    ),
    _count(
        "focus_losses",
        "How often its author has left the page for another window or program "
        "since the message before.",
    ),
    _text(
        "rhythm",
        "The times between its keys, in milliseconds, as a JSON list; known only with "
        'telemetry="rhythm".',
    ),
    _count("chars", "The number of characters (Unicode code points) of `text`."),
    _count("words", "The number of words of `text`: runs of Unicode letters or digits."),
    _text("bot_model", "The model that has written it, as it was asked for; missing: none."),
    _count("bot_call", "The `call` in `bot_calls` that it comes from; missing: none on record."),
    _count(
        "trigger",
        "The seq of the message that it reacts to, or of the event that has set it off; "
        "missing: none on record.",
    ),
    _text(
        "interrupted",
        "Why a stream is not complete; missing: it is.",
        *("stopped", "failed", "interrupted"),
    ),
)

# ── people and rooms ─────────────────────────────────────────────────────────────────────────

_MEMBERS = (
    _STUDY,
    _text("room", "The room that the row is about; missing: they have been in none."),
    *_ROUND,
    _MEMBER,
    _flag("is_last", "True in one row of each person: that of the room of their last group; if "
          "they had none, of the room that they joined last. Filter by it for a table of people."),
    *_CONDITION,
    _text("part", "The part that they have in the group; missing: none."),
    _text("pseudonym", "The name that others in the room see."),
    _text("kind_true", "Who it truly is.", "human", "bot"),
    _text("kind_shown", _KIND_SHOWN.meaning, "human", "bot"),
    _text("role", "Their true role in the room.",
          "participant", "observer", "experimenter", "assistant"),
    _time("joined_at", "When they became a member of the room."),
    _time("left_at", "When they were removed from it; missing: they were not."),
    _time("arrived_at", "When they first came to the study."),
    _time("consented_at", "When they consented; missing: they did not, or were not asked."),
    _text("consent_version", "The version of the text that they consented to."),
    _flag("consent_*", "What they answered to one item of the consent."),
    _text("lobby", "The lobby in which they waited for the room, or have waited last."),
    _time("lobby_at", "When they began to wait there."),
    _number("wait_s", "How long they have waited there, until they were grouped or left.", "s"),
    _time("grouped_at", "When the group of the room was formed."),
    _time("seated_at", "When the room was first shown to them, as a member of it."),
    _time("first_message_at", "When they first wrote there."),
    _time("gate_at", "When they had written as much as the room's rules ask for before they "
          "may be done; missing: they have not, or nothing is asked for."),
    _time("done_at", "When they first said there that they are done."),
    _text("replaces", "The member in whose place this bot went on, under their name; missing: in "
          "nobody's."),
    _time("replaced_at", "When a bot took their place in the room; missing: none did."),
    _time("ended_at", "When their part in the study ended."),
    _text("end", "How it ended; missing: they take part."),
    _text("end_pay", "What the study says is paid for that: full, partial, none, or an amount in "
          "the currency."),
    _number("bonus", "All payments to them beyond the end's, in the currency. It is the same in "
            "each of their rows: add up `payments`, not this."),
    _count("messages", "How many messages they have in the room (rows of `messages`)."),
    _count("characters", "How many characters these have."),
    _number("share", "Their share of all characters of people and bots in the room, from 0 to 1; "
            "missing: there are none."),
    _number("connected_s", "How long a page of theirs was there, while the room was open. Known "
            "only where presence is logged.", "s"),
    _number("hidden_s", "How much of that all their pages were hidden. Known only where presence "
            "is logged.", "s"),
    _count("disconnects", "How often they were gone. Known only where presence is logged."),
    _time("debriefed_at", "When they were last shown the debrief, or answered to it."),
    _flag("keep", "What they said to whether their data may be kept; missing: nothing."),
    _time("withdrew_at", "When they withdrew their data."),
    _text("step", "The app's word for how far they have come."),
    _text("device", "The kind of device they came with, as their browser says."),
    _text("language", "The language that their browser asks for."),
)  # fmt: skip

_ROOMS = (
    _STUDY,
    _ROOM,
    *_ROUND,
    *_CONDITION,
    _text("title", "The title shown above it."),
    _text("lobby", "The lobby in which its people were grouped; missing: they were not."),
    _count("number", "The number of the group in that lobby."),
    _count("block", "The number of the block in which the condition was drawn; missing: it was "
           "not drawn in blocks."),
    _count("size_planned", "How many people the lobby's groups are to have."),
    _count("size_actual", "How many people were in it, as participants, since its making."),
    _count("bots", "How many bots were in it."),
    _time("opened_at", "When its people could first use it: when it was made, or, for a group, "
          "when it was shown to them."),
    _time("started_at", "When the time of its people started; missing: it has none."),
    _time("closed_at", "When it was last closed; missing: it is open."),
    _text("reason", "Why it was closed."),
    _count("messages", "How many messages it has (rows of `messages`)."),
    _count("characters", "How many characters these have."),
)  # fmt: skip

# ── answers and pay ──────────────────────────────────────────────────────────────────────────

_ANSWER = (
    _STUDY,
    _text("room", "The room whose record it is, or that of the person's group then; missing: "
          "there was none."),
    *_ROUND,
    _text("member", "Whom it was recorded about; missing: nobody."),
    *_CONDITION,
    _text("kind", "The kind of the record, such as the name of a form."),
    _text("log", "The log that has it: that of the study, or of the room.", "study", "room"),
    _SEQ,
    _flag("is_latest", "Whether no later one of its kind is in that log of this member, and of "
          "this round where there are rounds: the latest one counts."),
    _time("sent_at", "When the server stored it."),
    _ms("filled_ms", "From showing the form to sending it, by the clock of the page; missing: it "
        "was no form."),
    _ms("first_change_ms", "From showing the form to the first change in it."),
)  # fmt: skip

_ANSWERS = (
    *_ANSWER,
    _text("field", 'The field of the form, or of the record; "value" if the record has no fields.'),
    _text("value", "What it says: text as it is, all else as JSON; missing: null."),
    _text("value_type", "What the value is.", "text", "number", "boolean", "json", "null"),
)

WIDE = (
    *_ANSWER,
    Column("*", "text", "What the field of this name says; missing: nothing, or null."),
)
"""The columns of the tables of one kind of answers each, ``answers-KIND``."""

_PAYMENTS = (
    _STUDY,
    _MEMBER,
    _text(
        "kind",
        "What it is: a payment of the app, the amount of the end, or what was noted as sent. What "
        "is still due is the sum of the first two, less that of the last.",
        *("bonus", "end", "paid_out"),
    ),
    _text("key", "The key of the payment; of an end: its reason."),
    Column("cents", "integer", "The amount in hundredths of the currency's unit.", "cents"),
    _text("amount", "The amount in the currency, with two decimals."),
    _text("currency", "The currency's code."),
    _time("at", "When it was recorded."),
)

# ── the log, bots, flow, changes ─────────────────────────────────────────────────────────────

_EVENTS = (
    _STUDY,
    _text("log", "What the log is of.", "study", "lobby", "room"),
    _text("room", "The id of the room or lobby; of a study's own log: the study."),
    _count("seq", "The event's number in its log. Exports are events, too, and left out here."),
    _time("at", "When the server stored it. Order by seq, never by this."),
    _text("kind", "What happened."),
    _text("member", "Who did it, or whom it is about; missing: the programme."),
    _text("data", "The rest, as JSON."),
    _text("cid", "The id of what made it: nothing is done twice; missing: it has none. In an "
          "anonymous or public export only those that this package makes itself are there."),
)  # fmt: skip

_BOT_CALLS = (
    _STUDY,
    _ROOM,
    _count("call", "The number of the call, or of the decision to say nothing, in the database."),
    _text("bot", "The member id of the bot."),
    _count("trigger", "The seq of the message that it reacts to, or of the event that has set it "
           "off."),
    _count("knew", "The seq of the newest event that it knew of."),
    _text("outcome", "What became of it.", "open", "posted", "shadow", "silent", "covered",
          "dropped", "redrafted", "failed", "stopped", "interrupted", "tool"),
    _text("reason", "Why it said nothing, was dropped or failed."),
    _flag("is_call", "Whether a model was called."),
    _flag("is_fallback", "Whether the bot's fallback was called."),
    _text("provider", 'Who offers the model; of a function: "respond".'),
    _text("model", "The model that was asked; of a function: its name."),
    _text("parameters", "The model's settings, as JSON."),
    _count("seed", "The seed that it was asked with."),
    _text("prompt", "The whole prompt: turns as JSON, the system prompt first; of a function: the "
          "messages."),
    _text("reply", "What the call has answered, unchanged."),
    Column("tokens_in", "integer", "Tokens of the prompt that were not cached.", "tokens"),
    Column("tokens_out", "integer", "Tokens of the reply.", "tokens"),
    Column("tokens_cached", "integer", "Tokens of the prompt that were cached.", "tokens"),
    _number("cost", "What the call has cost; missing: it is not known.", "USD"),
    _time("at", "When the entry was written."),
    _time("asked_at", "When the model was asked."),
    _time("first_at", "When the first piece of its reply came."),
    _time("done_at", "When the reply was complete, or no more came."),
    _time("posted_at", "When the message was in the log."),
    _count("became", "The seq of the message that the reply became; missing: it became none."),
    _text("trigger_name", 'Which condition of the bot was met, or which moment had come; "ask": it '
          "was asked to write; missing: none."),
)  # fmt: skip

_FLOW = (
    _STUDY,
    _text("condition", "The condition of the person's last group, in one line; the empty text: "
          "none was drawn."),
    _text("step", "How far people came: arrived, consented, waited (in a lobby), grouped, started "
          "(the time of their room has, or the room was shown), finished (said that they are done, "
          "completed, or were there when the room closed, unless their group was dissolved); "
          "then end_ and each reason for which people left, and still_inside. These last ones add "
          "up to arrived."),
    _count("people", "How many people."),
)  # fmt: skip

_CHANGES = (
    _STUDY,
    _ROOM,
    _SEQ,
    _text("row_id", "The row of `messages` that an earlier export may have had."),
    _text("member", "The id that its author has now; of who has withdrawn, a random one."),
    _text(
        "change",
        "What has become of it: its words are to be deleted, as their author has "
        "withdrawn; or it was retracted, so that nobody is shown it any more.",
        "withdrawn",
        "retracted",
    ),
    _time("at", "When."),
)

CODEBOOK = (
    _text("table", "The table; *: what is said of all tables."),
    _text("column", "The column."),
    _text("type", "The type of its values.", "text", "integer", "number", "boolean", "time"),
    _text("unit", "The unit of its numbers."),
    _text("values", "The values that it may have, with semicolons between; missing: any."),
    _text("meaning", "What it means, and when it is missing."),
)
"""The columns of the codebook itself."""

TABLES: Mapping[str, Sequence[Column]] = {
    "messages": _MESSAGES,
    "members": _MEMBERS,
    "rooms": _ROOMS,
    "answers": _ANSWERS,
    "payments": _PAYMENTS,
    "events": _EVENTS,
    "bot_calls": _BOT_CALLS,
    "flow": _FLOW,
    "changes": _CHANGES,
    "codebook": CODEBOOK,
}
"""
The columns of each table; those of the kinds of answers are `WIDE`. ``changes`` is there only in an
export with `since`.
"""


def with_families(
    columns: Iterable[Column], families: Mapping[str, Sequence[Column]]
) -> tuple[Column, ...]:
    """
    The columns of a table as they are in a certain export.

    Parameters
    ----------
    columns
        The columns, some of which may stand for several.
    families
        By the name of such a column, such as "condition_*", those that it stands for.
    """
    found: list[Column] = []
    for column in columns:
        found += families.get(column.name, ()) if column.is_family else [column]
    return tuple(found)


def columns_of(
    table: str, *, factors: Sequence[str] = (), items: Sequence[str] = ()
) -> tuple[Column, ...]:
    """
    The columns of a table, with one for each factor of conditions and item of the consent.

    Parameters
    ----------
    table
        The table's name, one of `TABLES`.
    factors
        The names of the factors.
    items
        The ids of the items.
    """
    given = {"condition_*": factors, "consent_*": items}
    columns = TABLES[table]
    families = {
        column.name: [_member_of(column, name) for name in given[column.name]]
        for column in columns
        if column.name in given
    }
    return with_families(columns, families)


def _member_of(family: Column, name: str) -> Column:
    meaning = f"{family.meaning} Here: {name}."
    return Column(family.name[:-1] + name, family.type, meaning, family.unit, family.values)
