"""The command `labchat links`."""

from __future__ import annotations

from itertools import zip_longest
from pathlib import Path
from urllib.parse import urlsplit

import click

from shiny_labchat.access.printed_links import check_new, write_codes, write_links
from shiny_labchat.cli.database import db_option, file_of, lab_of, run
from shiny_labchat.domain.membership import Role
from shiny_labchat.lab.lab import Lab
from shiny_labchat.store import studies
from shiny_labchat.urls import with_parameter

__all__ = ["links"]


def _as_address(context: click.Context, option: click.Parameter, value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise click.BadParameter(
            f"{value!r} is not the address of a page, such as https://lab.example.org/chat/"
        )
    return value


@click.command(
    epilog="Example: labchat links p1 p2 --address https://lab.example.org/ --study pilot. "
    "For a mailing, and as QR codes to print: labchat links p1 p2 --csv links.csv --qr codes. "
    "To make the links of p1 useless: labchat links p1 --revoke"
)
@click.argument("members", nargs=-1, required=True)
@click.option("--address", default="http://127.0.0.1:8000/", show_default=True,
              callback=_as_address, help="The address of the app, with its port.")  # fmt: skip
@db_option
@click.option("--study", help="Limit the links to rooms of this study.")
@click.option("--role", type=click.Choice(["participant", "observer", "experimenter"]),
              help="Their role in the rooms, also if they are members already. Default: the one "
              "that the app sets; members keep theirs.")  # fmt: skip
@click.option("--pseudonym", "pseudonyms", multiple=True, metavar="NAME",
              help="The name that others see; give one for each member, in the same order. Where "
              "it is taken, a number is added; members keep the name that they have. "
              "Default: the one that the app sets, else a generated one.")  # fmt: skip
@click.option("--csv", "table", type=click.Path(dir_okay=False, allow_dash=True), metavar="FILE",
              help="Write a table (member, url) to a new file that only you may read; "
              "- prints it.")  # fmt: skip
@click.option("--qr", "codes", type=click.Path(file_okay=False, path_type=Path), metavar="DIR",
              help="Also draw each link as a QR code, in a new folder, "
              "as PNG and SVG.")  # fmt: skip
@click.option("--revoke", is_flag=True,
              help="Make no links, but revoke all that these members have; with --study only those "
              "that are limited to it. Whoever is on the page by one is sent away.")  # fmt: skip
def links(
    members: tuple[str, ...],
    address: str,
    db: Path | None,
    study: str | None,
    role: Role | None,
    pseudonyms: tuple[str, ...],
    table: str | None,
    codes: Path | None,
    revoke: bool,
) -> None:
    """
    Print personal links, one line each: member, link. Whoever opens a link is that member.

    With --csv they are written to a file instead. With --revoke, revoke them: one line each, with
    the number of links that were valid.
    """
    if revoke and (role or pseudonyms or table or codes):
        raise click.UsageError(
            "--role, --pseudonym, --csv and --qr are for new links; leave them out to revoke"
        )
    if pseudonyms and len(pseudonyms) != len(members):
        raise click.UsageError(
            f"--pseudonym is given {len(pseudonyms)} times for {len(members)} members: give one "
            "for each"
        )

    async def print_links() -> None:
        lab = lab_of(db)
        check_new(table, codes)
        click.echo(f"For the rooms in {file_of(lab)}", err=True)
        await _warn_of_study(lab, study)
        if revoke:
            for member in members:
                click.echo(f"{member}\trevoked {await lab.revoke(member, 'links', study=study)}")
            return
        made: list[tuple[str, str]] = []
        for member, pseudonym in zip_longest(members, pseudonyms):
            token = await lab.invite(member, study=study, role=role, pseudonym=pseudonym)
            made.append((member, with_parameter(address, "labchat", token)))
        _hand_out(made, table, codes)

    run(print_links())


def _hand_out(made: list[tuple[str, str]], table: str | None, codes: Path | None) -> None:
    if table is None:
        for member, link in made:
            click.echo(f"{member}\t{link}")
    else:
        write_links(table, made)
        if table != "-":
            click.echo(f"Wrote {len(made)} links to {table}", err=True)
    if codes is not None:
        write_codes(codes, made)
        click.echo(f"Drew {len(made)} QR codes in {codes}", err=True)


async def _warn_of_study(lab: Lab, study: str | None) -> None:
    known = {room.study for room in await lab.rooms()}
    known |= set(await lab.log.read(studies))
    if study is not None and known and study not in known:
        names = ", ".join(sorted(known))
        click.echo(f"Note: there is no room of study {study!r} yet, only of: {names}", err=True)
