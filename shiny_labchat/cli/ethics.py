"""The command `labchat ethics`."""

from __future__ import annotations

import json
import sys
import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path

import click

from shiny_labchat.cli.database import db_option, file_of, lab_of, run, study_of
from shiny_labchat.domain.messages import to_datetime
from shiny_labchat.report.ethics import Ethics, ethics_of
from shiny_labchat.report.kept import Kept
from shiny_labchat.store.kept import Called

__all__ = ["ethics"]

WIDTH = 100

UNREACHABLE = (
    "what others have written of somebody, and bots in their own words (verbatim quotes go with "
    'quotes="blank")',
    "what was sent to the models above: ask their providers",
    "exports that were taken: destroy those that are listed above",
    "copies of the database, until they are restored by labchat restore, with the ledger",
    "what a recruiter, a proxy's log or a mail has",
)
"""What a withdrawal does not reach."""


@click.command(epilog="Example: labchat ethics --study pilot. For a program: labchat ethics --json")
@click.option("--study", help="The study; it may be left out if there is one only.")
@db_option
@click.option("--json", "as_json", is_flag=True, help="Print all of it as JSON.")
def ethics(study: str | None, db: Path | None, as_json: bool) -> None:
    """
    Print what a board of ethics asks of a study, and which safeguards are missing.

    The exit status is 1 if a safeguard is NOT MET.
    """
    found: list[Ethics] = []

    async def print_ethics() -> None:
        lab = lab_of(db)
        name = (await study_of(lab, study, or_rooms=True)).name
        told = await ethics_of(lab.log, name)
        found.append(told)
        if as_json:
            click.echo(json.dumps(told.as_dict(), ensure_ascii=False, indent=1))
            return
        click.echo(f"Study {told.study} in {file_of(lab)}")
        for title, lines in _sections(told):
            click.echo(f"\n{title}")
            for line in lines:
                click.echo(_wrapped(line))

    run(print_ethics())
    if not all(each.is_met for each in found):
        sys.exit(1)


def _wrapped(line: str) -> str:
    return textwrap.fill(
        line, WIDTH, initial_indent="  ", subsequent_indent="      ",
        break_long_words=False, break_on_hyphens=False,
    )  # fmt: skip


def _sections(told: Ethics) -> Iterator[tuple[str, Sequence[str]]]:
    yield "What it says", [f"{name}: {value or 'not said'}" for name, value in told.said.items()]
    yield "What is kept of people", _kept(told)
    yield (
        "Until when",
        [
            f"what recruiters say: {told.retain['ids'] or 'no day is set'}",
            f"everything else: {told.retain['words'] or 'no day is set'}",
        ],
    )
    yield "Models that were called", _models(told)
    yield "Who can read it", _readers(told)
    yield "Exports that were taken", _exports(told)
    yield "What a withdrawal does not reach", UNREACHABLE
    yield "Safeguards", _safeguards(told)


def _kept(told: Ethics) -> list[str]:
    none = [each.what for each in told.kept if each.number == 0]
    return [
        *(_kept_line(each) for each in told.kept if each.number != 0),
        *([f"nothing yet of: {', '.join(none)}"] if none else ()),
    ]


def _kept_line(each: Kept) -> str:
    number = "" if each.number is None else f" ({each.number})"
    return (
        f"{each.what}{number}: {', '.join(each.fields)}. Until: {each.until}. "
        f"After a withdrawal: {each.withdrawn}"
    )


def _models(told: Ethics) -> list[str]:
    if not told.models:
        return ["none by bots. Models that the app itself calls are not on record"]
    sent = (
        "Each call sends the bot's system prompt, and all messages of its room that everybody "
        "there could read, with pseudonyms; no ids. labchat export has every prompt (bot_calls)."
    )
    return [*map(_model, told.models), sent]


def _model(each: Called) -> str:
    first, last = to_datetime(each.first).date(), to_datetime(each.last).date()
    days = f"{first}" if first == last else f"{first} to {last}"
    calls = f"{each.calls} calls, {days}"
    if each.is_function:
        return f"function {each.model} of the app: {calls}; where it sends words is not on record"
    return f"{each.base_url or 'address not on record'}: {each.provider}, {each.model}; {calls}"


def _readers(told: Ethics) -> list[str]:
    kinds = {"invite": "link", "browser": "browser", "seat": "bookmark"}
    return [
        *(f"{each.path}: {each.mode or 'not there, as nobody has withdrawn'}"
          f"{', others can read it' if each.others else ''}" for each in told.files),
        *(f"{each.member}, {each.role or 'by their role in a room'}: {each.number} valid "
          f"{kinds[each.kind]}{'s' * (each.number > 1)}" for each in told.opened),
    ]  # fmt: skip


def _exports(told: Ethics) -> list[str]:
    return [
        f"{each.at}: {', '.join(each.formats)}; words of {each.people} people"
        f"{', anonymised' if each.anonymised else ''}{', public' if each.public else ''}; "
        f"sha256 {each.sha256}"
        for each in told.exports
    ] or ["none"]


def _safeguards(told: Ethics) -> list[str]:
    return [
        f"MET      {each.name}: {each.says}"
        if each.is_met
        else f"NOT MET  {each.name}: {each.says}. {each.todo}"
        for each in told.safeguards
    ]
