"""The command `labchat`."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import threading
import time
import webbrowser
from collections.abc import Coroutine
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

import click
import uvicorn

from shiny_labchat.access.printed_links import check_new, write_codes, write_table
from shiny_labchat.domain.state import Role
from shiny_labchat.errors import LabChatError
from shiny_labchat.lab.lab import Lab
from shiny_labchat.store import find_arrivals
from shiny_labchat.urls import with_parameter

if TYPE_CHECKING:
    import chatlas

__all__ = ["main"]


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="shiny-labchat", prog_name="labchat")
def main() -> None:
    """Group chat for Shiny for Python, made for people who study people."""


@main.command(epilog="Example: labchat demo --port 8080 --db /tmp/try.db")
@click.option(
    "--port", default=8000, show_default=True, help="Port to listen on; 0 takes a free one."
)
@click.option("--host", default="127.0.0.1", show_default=True,
              help="Address to listen on; 0.0.0.0 admits other devices.")  # fmt: skip
@click.option("--db", type=click.Path(dir_okay=False, path_type=Path), default="labchat-demo.db",
              show_default=True, help="The database file.")  # fmt: skip
@click.option("--model", metavar="PROVIDER[/NAME]",
              help="A model that replies, such as openai or ollama/llama3.2.")  # fmt: skip
@click.option("--no-browser", is_flag=True, help="Do not open a browser.")
def demo(port: int, host: str, db: Path, model: str | None, no_browser: bool) -> None:
    """
    Show two people in one room, side by side, and a link for more people.

    Messages with @assistant get a reply: from the --model, or from a script.
    """
    from shiny_labchat.demo import make_app

    client = None if model is None else _client_of(model)

    logging.basicConfig(level=logging.INFO, format="labchat: %(message)s")
    for noisy in ("alembic", "httpx", "asyncio"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    listening = _listen(host, port)
    port = listening.getsockname()[1]
    is_local = host in ("127.0.0.1", "localhost", "::1")
    link = f"http://{'127.0.0.1' if is_local else _own_address()}:{port}/"
    lab = Lab(f"sqlite:///{db.expanduser().resolve()}")
    app = make_app(lab, link, is_local=is_local, client=client)
    click.echo(f"Two people wait at {link}  (stop with Ctrl+C)")
    click.echo(f"The record is kept in {db.resolve()}")
    if not no_browser:
        _open_when_ready(host if is_local else "127.0.0.1", port)
    config = uvicorn.Config(app, host=host, port=port, log_level="warning", ws="auto")
    uvicorn.Server(config).run(sockets=[listening])


PROMPT = "You take part in a group chat. People are told apart by their names. Be brief."


def _client_of(model: str) -> chatlas.Chat[Any, Any]:
    try:
        from chatlas import ChatAuto  # pyright: ignore[reportUnknownVariableType]
    except ImportError:
        raise click.ClickException(
            "--model needs chatlas; install it with: pip install 'shiny-labchat[llm]'"
        ) from None
    try:
        return cast("chatlas.Chat[Any, Any]", ChatAuto(model, system_prompt=PROMPT))
    except Exception as exc:  # each provider has its own
        raise click.ClickException(f"cannot use --model {model!r}: {exc}") from exc


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except OSError as exc:
        listening.close()
        raise click.ClickException(
            f"cannot listen on {host}:{port} ({exc.strerror}); choose another port with --port"
        ) from exc
    return listening


def _own_address() -> str:
    """This computer's address in its network; no packet is sent to find it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # an address for documentation, RFC 5737
            return probe.getsockname()[0]
        except OSError:
            return "127.0.0.1"


def _open_when_ready(host: str, port: int) -> None:
    def wait_and_open() -> None:
        for _ in range(100):
            with socket.socket() as probe:
                if probe.connect_ex((host, port)) == 0:
                    break
            time.sleep(0.1)
        webbrowser.open(f"http://{host}:{port}/")

    threading.Thread(target=wait_and_open, daemon=True).start()


def _as_address(context: click.Context, option: click.Parameter, value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise click.BadParameter(
            f"{value!r} is not the address of a page, such as https://lab.example.org/chat/"
        )
    return value


def _as_params(
    context: click.Context, argument: click.Parameter, value: tuple[str, ...]
) -> dict[str, str]:
    params: dict[str, str] = {}
    for each in value:
        name, sign, said = each.partition("=")
        if not (name and sign and said):
            raise click.BadParameter(f"{each!r} is not a name and a value: PROLIFIC_PID=5f3c0ffee0")
        params[name] = said
    return params


_DB_HELP = (
    "The app's database file. Default: the one in LABCHAT_URL, else labchat.db in this folder."
)


@main.command(
    epilog="Example: labchat links p1 p2 --address https://lab.example.org/ --study pilot. "
    "For a mailing, and as QR codes to print: labchat links p1 p2 --csv links.csv --qr codes. "
    "To make the links of p1 useless: labchat links p1 --revoke"
)
@click.argument("members", nargs=-1, required=True)
@click.option("--address", default="http://127.0.0.1:8000/", show_default=True,
              callback=_as_address, help="The address of the app, with its port.")  # fmt: skip
@click.option("--db", type=click.Path(dir_okay=False, path_type=Path), help=_DB_HELP)
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

    async def run() -> None:
        lab = _lab_of(db)
        check_new(table, codes)
        click.echo(f"For the rooms in {_file_of(lab)}", err=True)
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

    _run(run())


def _hand_out(made: list[tuple[str, str]], table: str | None, codes: Path | None) -> None:
    if table is None:
        for member, link in made:
            click.echo(f"{member}\t{link}")
    else:
        write_table(table, made)
        if table != "-":
            click.echo(f"Wrote {len(made)} links to {table}", err=True)
    if codes is not None:
        write_codes(codes, made)
        click.echo(f"Drew {len(made)} QR codes in {codes}", err=True)


@main.command(
    epilog="Example: labchat find PROLIFIC_PID=5f3c0ffee0. With a study: "
    "labchat find PROLIFIC_PID=5f3c0ffee0 SESSION_ID=aa11 --study pilot"
)
@click.argument("params", nargs=-1, required=True, callback=_as_params, metavar="NAME=VALUE...")
@click.option("--db", type=click.Path(dir_okay=False, path_type=Path), help=_DB_HELP)
@click.option("--study", help="Only people of this study.")
def find(params: dict[str, str], db: Path | None, study: str | None) -> None:
    """
    Print whom a recruiter means, one line each: study, person's id.

    All NAME=VALUE that are given must be what the recruiter said in the address of the app.
    """

    async def run() -> None:
        lab = _lab_of(db)
        found = await lab.log.read(lambda conn: find_arrivals(conn, params, study))
        for each in found:
            click.echo(f"{each.study}\t{each.person}")
        if not found:
            raise click.ClickException(
                f"nobody has come to {_file_of(lab)} with this, or it was deleted on its date"
            )

    _run(run())


def _run(command: Coroutine[Any, Any, None]) -> None:
    """Run a command, and say in words why it cannot be done."""
    try:
        asyncio.run(command)
    except (LabChatError, OSError, TypeError, ValueError) as exc:
        raise click.ClickException(str(exc)) from exc


def _lab_of(db: Path | None) -> Lab:
    """The lab that a command is for; its database must be there."""
    lab = Lab(_url_of(db))
    if not lab.log.exists:
        raise click.ClickException(
            f"there is no database {_file_of(lab)}: start the app once, which makes it, or name "
            "its file with --db"
        )
    return lab


def _file_of(lab: Lab) -> str:
    return lab.url.removeprefix("sqlite:///")


async def _warn_of_study(lab: Lab, study: str | None) -> None:
    studies = {room.study for room in await lab.rooms()}
    if study is not None and studies and study not in studies:
        known = ", ".join(sorted(studies))
        click.echo(f"Note: there is no room of study {study!r} yet, only of: {known}", err=True)


def _url_of(db: Path | None) -> str:
    if db is None and (said := os.environ.get("LABCHAT_URL")):
        return said
    return f"sqlite:///{(db or Path('labchat.db')).expanduser().resolve()}"
