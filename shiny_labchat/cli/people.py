"""The commands about the people of a study: `labchat find`, `ends`, `pay` and `study`."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import click

from shiny_labchat.access.private_tables import check_new_table, write_rows
from shiny_labchat.cli.database import db_option, file_of, lab_of, run, study_of
from shiny_labchat.domain.ended import in_units
from shiny_labchat.store import find_arrivals, studies
from shiny_labchat.study.payments import due_in, mark_paid
from shiny_labchat.study.study import Study
from shiny_labchat.study.table_of_ends import table_of_ends

__all__ = ["as_params", "ends", "find", "pay", "study"]


_study_option = click.option("--study", help="The study; it may be left out if there is one only.")


def as_params(
    context: click.Context, argument: click.Parameter, value: tuple[str, ...]
) -> dict[str, str]:
    """The values of an argument or option that are each a name and a value."""
    params: dict[str, str] = {}
    for each in value:
        name, sign, said = each.partition("=")
        if not (name and sign and said):
            raise click.BadParameter(f"{each!r} is not a name and a value: PROLIFIC_PID=5f3c0ffee0")
        params[name] = said
    return params


@click.command(
    epilog="Example: labchat find PROLIFIC_PID=5f3c0ffee0. With a study: "
    "labchat find PROLIFIC_PID=5f3c0ffee0 SESSION_ID=aa11 --study pilot"
)
@click.argument("params", nargs=-1, required=True, callback=as_params, metavar="NAME=VALUE...")
@db_option
@click.option("--study", help="Only people of this study.")
def find(params: dict[str, str], db: Path | None, study: str | None) -> None:
    """
    Print whom a recruiter means, one line each: study, person's id.

    All NAME=VALUE that are given must be what the recruiter said in the address of the app.
    """

    async def print_found() -> None:
        lab = lab_of(db)
        found = await lab.log.read(lambda conn: find_arrivals(conn, params, study))
        for each in found:
            click.echo(f"{each.study}\t{each.person}")
        if not found:
            raise click.ClickException(
                f"nobody has come to {file_of(lab)} with this, or it was deleted on its date"
            )

    run(print_found())


@click.command(
    epilog="Example: labchat ends --study pilot. As a table, with what the recruiter says of "
    "people: labchat ends --study pilot --csv ends.csv"
)
@_study_option
@db_option
@click.option("--csv", "table", type=click.Path(dir_okay=False, allow_dash=True), metavar="[FILE]",
              is_flag=False, flag_value="-",
              help="Write a table to a new file that only you may read; without FILE, or with -, "
              "print it.")  # fmt: skip
def ends(study: str | None, db: Path | None, table: str | None) -> None:
    """
    Print how people have ended, one line each: person's id, reason, code.

    With --csv it is a table of all people, with what their recruiter said of them.
    """

    async def print_ends() -> None:
        lab = lab_of(db)
        if table is not None:
            check_new_table(table, "so that no other one is lost")
        found = await study_of(lab, study)
        head, rows = await table_of_ends(found)
        if table is not None:
            write_rows(table, head, rows)
            if table != "-":
                click.echo(f"Wrote {len(rows)} people of study {found.name!r} to {table}", err=True)
            return
        for row in rows:
            cells = dict(zip(head, row, strict=True))
            if cells["end"]:
                click.echo(f"{cells['person']}\t{cells['end']}\t{cells['code']}".rstrip())

    run(print_ends())


@click.command(
    epilog="Example: labchat pay --study pilot --prolific > bonus.csv. When the recruiter has paid "
    "them: labchat pay --study pilot --paid bonus.csv"
)
@_study_option
@db_option
@click.option("--prolific", is_flag=True,
              help="Print Prolific's ids, as its bulk payment of bonuses takes them.")  # fmt: skip
@click.option("--paid", type=click.Path(exists=True, dir_okay=False, path_type=Path),
              metavar="FILE",
              help="Note that the payments in this file were sent, so that they are not due any "
              "more. A file is noted once.")  # fmt: skip
def pay(study: str | None, db: Path | None, prolific: bool, paid: Path | None) -> None:
    """
    Print what is due to people beyond the recruiter's own reward, one line each: id,amount.

    These are bonuses, and ends with an amount. What was noted as sent is left out.
    """

    lines = None if paid is None else paid.read_text(encoding="utf-8-sig").splitlines()

    async def print_due() -> None:
        found = await study_of(lab_of(db), study)
        if paid is not None and lines is not None:
            await _note_paid(found, paid.name, lines)
            return
        currency = (await found.state()).settings.get("currency") or "USD"
        payments = await due_in(found)
        amounts = Counter[str]()  # somebody may have come twice
        for each in payments:
            id = each.recruited if prolific else each.person
            if id is not None:
                amounts[id] += each.cents
        for id, cents in amounts.items():
            click.echo(f"{id},{in_units(cents)}")
        total = in_units(sum(each.cents for each in payments))
        click.echo(f"In all {total} {currency} for {len(payments)} people", err=True)
        unknown = [each.person for each in payments if each.recruited is None]
        if prolific and unknown:
            people = ", ".join(unknown)
            click.echo(f"Left out, as nothing is known of their ids: {people}", err=True)

    run(print_due())


async def _note_paid(study: Study, name: str, lines: list[str]) -> None:
    marked = await mark_paid(study, name, lines)
    click.echo(f"Noted {marked.now} payments as sent", err=True)
    if marked.before:
        click.echo(
            f"{marked.before} had been noted before from a file of this name with these lines; if "
            "they were sent once more, give the file another name",
            err=True,
        )


@click.command(epilog="Example: labchat study. What one of them is like: labchat study pilot")
@click.argument("name", required=False)
@db_option
def study(name: str | None, db: Path | None) -> None:
    """
    Print the studies of the app, one line each: name, how many people, how many take part.

    With a NAME, print what the study has been told: one line for each setting and each way in
    which people have ended.
    """

    async def print_study() -> None:
        lab = lab_of(db)
        if name is not None:
            await _print_settings(await study_of(lab, name))
            return
        for each in await lab.log.read(studies):
            people = (await Study(each, lab=lab).state()).people.values()
            here = sum(person.ended is None for person in people)
            click.echo(f"{each}\t{len(people)} people\t{here} take part")

    run(print_study())


async def _print_settings(study: Study) -> None:
    state = await study.state()
    for setting, value in sorted(state.settings.now.items()):
        said = state.settings.code.get(setting, value)
        note = "" if said == value else f"\t(the code says {_in_line(said)})"
        click.echo(f"{setting}\t{_in_line(value)}{note}")
    people = state.people.values()
    click.echo(f"people\t{len(people)}")
    click.echo(f"groups\t{len(state.groups)}")
    counts = Counter("take part" if each.ended is None else each.ended.reason for each in people)
    for reason, number in counts.most_common():
        click.echo(f"people: {reason}\t{number}")


def _in_line(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
