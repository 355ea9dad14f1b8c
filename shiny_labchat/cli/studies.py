"""The command `labchat study`: the studies of an app, and what one of them is like."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click
from rich import box
from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from shiny_labchat.cli.database import db_option, lab_of, run, study_of
from shiny_labchat.cli.study_in_words import end_cells, lobby_rows, people_rows, setting_rows
from shiny_labchat.store import studies
from shiny_labchat.study.overview import overview, people_of
from shiny_labchat.study.study import Study

__all__ = ["study"]

PLAIN_WIDTH = 110
"""The width of what is no terminal, such as a file, in characters."""


@click.command(epilog="Example: labchat study. What one of them is like: labchat study pilot")
@click.argument("name", required=False)
@db_option
@click.option("--json", "as_json", is_flag=True, help="Print all of it for a program, as JSON.")
def study(name: str | None, db: Path | None, as_json: bool) -> None:
    """
    Print the studies of the app, and how many of their people do what.

    With a NAME, print what the study has been told, its lobbies with their settings, its
    conditions, and how people have ended.
    """

    async def print_study() -> None:
        lab = lab_of(db)
        if name is not None:
            about = await overview(await study_of(lab, name))
            return _print_json(about) if as_json else _print_one(about)
        names = await lab.log.read(studies)
        found = {each: people_of(await Study(each, lab=lab).state()) for each in names}
        if as_json:
            _print_json([{"study": each, "people": people} for each, people in found.items()])
        elif found:
            _print_all(found)
        else:
            click.echo("nobody has come to a study yet", err=True)

    run(print_study())


def _print_json(said: object) -> None:
    click.echo(json.dumps(said, ensure_ascii=False, indent=2))


# ── tables ──


def _print_all(found: dict[str, dict[str, Any]]) -> None:
    table = _table(None, "study", *_NUMBERS)
    for name, people in found.items():
        complete = people["ended"].get("complete", 0)
        rest = sum(people["ended"].values()) - complete
        numbers = people["came"], people["at_consent"], people["take_part"], complete, rest
        _add(table, [name, *map(str, numbers)])
    _console().print(table)


_NUMBERS = ("came", "at the consent", "take part", "completed", "ended otherwise")
_OF_CONDITION = ("groups", "dissolved", "people", "take part", "completed", "ended otherwise")


def _print_one(about: dict[str, Any]) -> None:
    console = _console()
    console.print(_filled(f"Study {about['study']}", ("setting", "value"), setting_rows(about)))
    console.print(_filled("People", ("people", "how many"), people_rows(about["people"])))
    heads = ("end", "people", "pay", "code", "leads to", "debrief")
    rows = [end_cells(each, about["settings"].get("currency")) for each in about["ends"]]
    if rows:
        console.print(_filled("Ends", heads, rows))
    if about["unsaid"]:
        console.print(
            Text(
                f"study.ends() says nothing of: {', '.join(about['unsaid'])}. Who comes to one "
                "gets no code, and is told that they are paid in full."
            ),
            "",
            sep="\n",
        )
    for each in about["lobbies"]:
        title = f"Lobby {each['lobby']}: {each['waiting']} wait, {each['grouped']} were grouped"
        console.print(_filled(title, ("option", "value", ""), lobby_rows(each)))
    _print_conditions(console, about)


def _print_conditions(console: Console, about: dict[str, Any]) -> None:
    names = ("groups", "dissolved", "people", "take_part", "complete", "ended_otherwise")
    rows = [
        [each["lobby"], each["condition"] or "(none)", *(str(each[name]) for name in names)]
        for each in about["conditions"]
    ]
    if rows:
        console.print(_filled("Conditions", ("lobby", "condition", *_OF_CONDITION), rows))


def _filled(title: str, heads: Iterable[str], rows: Iterable[Iterable[str]]) -> Group:
    table = _table(title, *heads)
    for row in rows:
        _add(table, row)
    return Group(table, "")


def _table(title: str | None, *heads: str) -> Table:
    heading = None if title is None else Text(title, style="bold")
    table = Table(title=heading, title_justify="left", box=box.SIMPLE_HEAD, show_edge=False)
    for head in heads:
        is_number = head in (*_NUMBERS, *_OF_CONDITION, "how many") and heads[0] != head
        table.add_column(Text(head), justify="right" if is_number else "left", overflow="fold")
    return table


def _add(table: Table, cells: Iterable[str]) -> None:
    table.add_row(*map(Text, cells))  # as text: brackets in it are no markup


def _console() -> Console:
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=PLAIN_WIDTH)
