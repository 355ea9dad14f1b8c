"""Which database a URL names."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from shiny_labchat.store.choosing import ledger_of, parse

HOST = "me:secret@db.example.org:5433/lab"


@pytest.mark.parametrize("name", ["postgres", "postgresql", "postgresql+psycopg"])
def test_a_server_has_one_url_whatever_a_host_calls_it(name: str) -> None:
    assert parse(f"{name}://{HOST}") == parse(f"postgresql://{HOST}")
    assert parse(f"{name}://{HOST}").drivername == "postgresql+psycopg"


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("postgresql+asyncpg://h/db", "'asyncpg' is not supported"),
        ("postgres://h", "names no database"),
        ("postgresql://h:port/db", "is not a URL"),
    ],
)
def test_a_url_that_names_no_database_that_can_be_used_says_why(url: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        parse(url)


def test_a_password_is_never_shown() -> None:
    for url in (f"postgres://{HOST}", "postgres://me@h/lab?password=secret&sslmode=require"):
        parsed = parse(url)
        assert parsed.password == "secret" and "secret" not in parsed.render_as_string()
    assert parsed.query == {"sslmode": "require"}


def test_the_ledger_of_a_database_on_a_server_is_in_the_current_folder() -> None:
    ledger = ledger_of(parse(f"postgres://{HOST}"))
    assert ledger.parent == Path.cwd() and re.fullmatch("lab-[0-9a-f]{8}.withdrawn", ledger.name)


@pytest.fixture
def name_ledger() -> Iterator[Callable[[object], None]]:
    """Sets LABCHAT_LEDGER for a test."""
    before = os.environ.get("LABCHAT_LEDGER")

    def name(path: object) -> None:
        os.environ["LABCHAT_LEDGER"] = str(path)

    yield name
    os.environ.pop("LABCHAT_LEDGER", None)
    os.environ |= {} if before is None else {"LABCHAT_LEDGER": before}


def test_a_folder_that_is_named_has_the_ledger_of_each_database(
    tmp_path: Path, name_ledger: Callable[[object], None]
) -> None:
    """Also the current one; databases with one name have two, if they are at two addresses."""
    for folder in (tmp_path, Path()):
        name_ledger(folder)
        urls = [
            *("postgres://h1/lab", "postgres://h1:5433/lab", "postgres://h2/lab"),
            "postgres://h1/lab?options=-csearch_path%3Dpilot",
            *("sqlite:////srv/one/lab.db", "sqlite:////srv/two/lab.db"),
        ]
        ledgers = {ledger_of(parse(url)) for url in urls}
        assert len(ledgers) == len(urls)
        assert {ledger.parent for ledger in ledgers} == {folder}
        assert {ledger.name.partition("-")[0] for ledger in ledgers} == {"lab", "lab.db"}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("me:secret@localhost/lab", "you@127.0.0.1:5432/lab?sslmode=require"),
        ("DB.example.org/lab", "db.example.org/lab?application_name=app"),
        ("/lab?host=db.example.org&port=5433", "db.example.org:5433/lab"),
    ],
)
def test_a_database_has_one_ledger_whoever_connects_to_it(one: str, other: str) -> None:
    assert ledger_of(parse(f"postgresql://{one}")) == ledger_of(parse(f"postgresql://{other}"))


def test_a_ledger_that_an_earlier_version_has_made_is_used(
    tmp_path: Path, name_ledger: Callable[[object], None]
) -> None:
    name_ledger(tmp_path)
    for name, url in {"lab": f"postgres://{HOST}", "lab.db": "sqlite:////srv/lab.db"}.items():
        earlier = tmp_path / f"{name}.withdrawn"
        assert ledger_of(parse(url)) != earlier
        earlier.touch()
        assert ledger_of(parse(url)) == earlier


def test_an_empty_name_of_a_ledger_is_none(name_ledger: Callable[[object], None]) -> None:
    name_ledger("")
    assert ledger_of(parse("sqlite:////srv/lab.db")) == Path("/srv/lab.db.withdrawn")
