"""Personal links as a table and as QR codes, and the people whom a recruiter means."""

from __future__ import annotations

import asyncio
import csv
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import Result

from shiny_labchat import Lab
from shiny_labchat.access.identity import invitation
from shiny_labchat.access.recruits import arrive
from tests.support.backend import FreshUrl
from tests.support.database import labchat

MEMBERS = ["ann", "ben, the 2nd", "../évà"]
Ask = Callable[..., Result]


@pytest.fixture
def lab(fresh_url: FreshUrl) -> Iterator[Lab]:
    """The database that the command is for."""
    lab = Lab(fresh_url())
    yield lab
    lab.log.close()


@pytest.fixture
def ask(lab: Lab) -> Ask:
    """``ask("links", "ann")``: what the command says."""

    def run(*words: str) -> Result:
        return labchat(lab.url, *words)

    return run


def test_links_are_written_as_a_table_that_only_its_owner_may_read(
    ask: Ask, lab: Lab, tmp_path: Path
) -> None:
    file = tmp_path / "links.csv"
    told = ask("links", *MEMBERS, "--csv", str(file))
    assert (told.stdout, told.exit_code) == ("", 0) and f"Wrote 3 links to {file}" in told.stderr
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    with file.open(newline="", encoding="utf-8") as opened:
        rows = list(csv.DictReader(opened))
    assert [row["member"] for row in rows] == MEMBERS
    for row in rows:
        token = row["url"].partition("?labchat=")[2]
        grant = asyncio.run(invitation(lab.log, token))
        assert grant is not None and grant.member == row["member"]


def test_a_table_is_printed_for_a_dash(ask: Ask) -> None:
    told = ask("links", *MEMBERS, "--csv", "-")
    head, *rows = csv.reader(told.stdout.splitlines())
    assert head == ["member", "url"] and [row[0] for row in rows] == MEMBERS


def test_each_link_is_drawn_as_png_and_svg(ask: Ask, tmp_path: Path) -> None:
    folder = tmp_path / "codes"
    told = ask("links", *MEMBERS, "--qr", str(folder))
    assert len(told.stdout.splitlines()) == 3 and f"Drew 3 QR codes in {folder}" in told.stderr
    names = sorted(path.name for path in folder.iterdir())
    stems = ("1-ann", "2-ben_the_2nd", "3-_v_")
    assert names == [f"{stem}.{kind}" for stem in stems for kind in ("png", "svg")]
    assert (folder / "1-ann.png").read_bytes().startswith(b"\x89PNG\r\n")
    assert b"<svg" in (folder / "1-ann.svg").read_bytes()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


@pytest.mark.parametrize(
    ("option", "sentence"),
    [
        (("--csv", "there.csv"), "is there already; name a new file"),
        (("--csv", "no/links.csv"), "there is no folder"),
        (("--qr", "."), "is not empty; name a new one"),
        (("--qr", "no/codes"), "there is no folder"),
    ],
)
def test_nothing_is_overwritten_and_then_no_link_is_made(
    ask: Ask, tmp_path: Path, option: tuple[str, str], sentence: str
) -> None:
    (tmp_path / "there.csv").touch()
    told = ask("links", "ann", option[0], str(tmp_path / option[1]))
    assert told.exit_code == 1 and sentence in told.stderr and told.stdout == ""
    assert ask("links", "ann", "--revoke").stdout == "ann\trevoked 0\n"


@pytest.mark.parametrize("option", [["--csv", "-"], ["--qr", "codes"]])
def test_tables_and_codes_are_not_for_revoking(ask: Ask, option: list[str]) -> None:
    told = ask("links", "ann", "--revoke", *option)
    assert told.exit_code == 2 and "leave them out to revoke" in told.output


# ── whom a recruiter means ──


def test_a_person_is_found_by_what_their_recruiter_said(ask: Ask, lab: Lab) -> None:
    said = {"PROLIFIC_PID": "5f3c", "SESSION_ID": "aa=11"}
    first = asyncio.run(arrive(lab.log, "pilot", said, "a key"))
    second = asyncio.run(arrive(lab.log, "main", said, "a key"))
    both = ask("find", "PROLIFIC_PID=5f3c", "SESSION_ID=aa=11").stdout.splitlines()
    assert both == [f"pilot\t{first.person}", f"main\t{second.person}"]
    told = ask("find", "PROLIFIC_PID=5f3c", "--study", "main")
    assert told.stdout == f"main\t{second.person}\n"


@pytest.mark.parametrize(
    ("params", "sentence"),
    [
        (["PROLIFIC_PID=nobody"], "nobody has come to"),
        (["PROLIFIC_PID"], "'PROLIFIC_PID' is not a name and a value"),
        (["=x"], "is not a name and a value"),
    ],
)
def test_nobody_is_found_in_words(ask: Ask, params: list[str], sentence: str) -> None:
    told = ask("find", *params)
    assert told.exit_code != 0 and told.stdout == "" and sentence in told.stderr
