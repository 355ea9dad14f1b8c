"""Which database a URL names."""

from __future__ import annotations

import os
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
    assert ledger_of(parse(f"postgres://{HOST}")) == Path.cwd() / "lab.withdrawn"


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
    """Also the current one."""
    for folder in (tmp_path, Path()):
        name_ledger(folder)
        assert ledger_of(parse(f"postgres://{HOST}")) == folder / "lab.withdrawn"
        assert ledger_of(parse("sqlite:////srv/lab.db")) == folder / "lab.db.withdrawn"


def test_an_empty_name_of_a_ledger_is_none(name_ledger: Callable[[object], None]) -> None:
    name_ledger("")
    assert ledger_of(parse("sqlite:////srv/lab.db")) == Path("/srv/lab.db.withdrawn")
