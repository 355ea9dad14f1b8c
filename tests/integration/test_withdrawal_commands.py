"""The commands by which people are withdrawn, and databases copied and put back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import Result

from shiny_labchat import Lab, Study
from tests.support.backend import FreshUrl
from tests.support.database import contents, labchat

Ask = Callable[..., Result]


@pytest.fixture
def lab(fresh_url: FreshUrl) -> Iterator[Lab]:
    """The database that the commands are for, with ann and ben in a study."""
    lab = Lab(fresh_url())

    async def come() -> None:
        study = Study("pilot", lab=lab, params=["PROLIFIC_PID"])
        for pid in ("ann", "ben"):
            person = (await study.arrive({"PROLIFIC_PID": pid}, f"key of {pid}")).person
            await (await study.person_with_id(person)).record("form", f"words of {pid}")

    asyncio.run(come())
    yield lab
    lab.log.close()


@pytest.fixture
def ask(lab: Lab) -> Ask:
    """``ask("withdraw", "id")``: what the command says."""

    def run(*words: str) -> Result:
        return labchat(lab.url, *words)

    return run


def ids(lab: Lab) -> list[str]:
    return [each.id for each in asyncio.run(Study("pilot", lab=lab).people())]


def test_a_person_is_withdrawn_by_their_id_or_by_what_the_recruiter_says(
    lab: Lab, ask: Ask
) -> None:
    ann, ben = ids(lab)
    said = ask("withdraw", ann, "--study", "pilot")
    assert said.exit_code == 0 and "Nothing is left in the files" in said.stderr
    assert ids(lab) == [said.stdout.strip(), ben]
    said = ask("withdraw", "--find", "PROLIFIC_PID=ben")
    assert said.exit_code == 0 and ben not in ids(lab)
    assert b"words of" not in contents(lab.url)


def test_who_is_not_there_is_named_and_nothing_is_withdrawn(lab: Lab, ask: Ask) -> None:
    before = ids(lab)
    said = ask("withdraw", "nobody-17")
    assert said.exit_code == 1 and "'nobody-17'" in said.output
    assert ask("withdraw", "--find", "PROLIFIC_PID=cem").exit_code == 1
    assert ask("withdraw").exit_code == 2
    assert ask("withdraw", "--vacuum").exit_code == 0
    assert ids(lab) == before


def test_what_is_kept_until_when_is_printed(lab: Lab, ask: Ask) -> None:
    study = Study("pilot", lab=lab)
    study.retain(ids="2020-01-31", words="2999-12-31")
    asyncio.run(study.describe())
    said = ask("retain")
    assert said.stdout.strip().split("\t") == [
        "pilot",
        "ids until 2020-01-31, of 2 people deleted now",
        "words until 2999-12-31, of 0 people deleted now",
    ]


@pytest.mark.parametrize("damage", ["header", "middle", "text"])
def test_a_damaged_database_is_replaced(lab: Lab, ask: Ask, damage: str, sqlite_only: None) -> None:
    path = Path(lab.url.removeprefix("sqlite:///"))
    before = ids(lab)
    assert ask("backup", str(path.with_name("copy.db"))).exit_code == 0
    lab.log.close()
    whole = path.read_bytes()
    half = len(whole) // 2
    path.write_bytes(
        {
            "header": bytes(100) + whole[100:],
            "middle": whole[:half] + b"\7" * (len(whole) - half),
            "text": b"hello" * 1000,
        }[damage]
    )
    said = ask("restore", str(path.with_name("copy.db")), "--force")
    assert said.exit_code == 0, said.output
    assert ids(Lab(lab.url)) == before
    Lab(lab.url).log.close()


def test_a_copy_is_put_back_without_those_who_have_withdrawn_since(
    lab: Lab, ask: Ask, sqlite_only: None
) -> None:
    copy = Path(lab.url.removeprefix("sqlite:///")).with_name("copy.db")
    ann, ben = ids(lab)
    said = ask("backup", str(copy))
    assert said.exit_code == 0 and said.stdout == "" and "5 events in 1 logs" in said.stderr
    assert ask("backup", str(copy)).exit_code == 1
    new = ask("withdraw", ann).stdout.strip()
    lab.log.close()
    assert "--force" in ask("restore", str(copy)).output
    said = ask("restore", str(copy), "--force")
    assert said.exit_code == 0 and "Withdrew 1 people again" in said.stderr
    assert ids(Lab(lab.url)) == [new, ben]
    Lab(lab.url).log.close()


def test_a_copy_that_cannot_be_put_back_leaves_nothing_and_one_that_can_has_the_same_mode(
    lab: Lab, ask: Ask, sqlite_only: None
) -> None:
    path = Path(lab.url.removeprefix("sqlite:///"))
    copy, ledger = path.with_name("copy.db"), path.with_name("lab.db.withdrawn")
    assert ask("backup", str(copy)).exit_code == 0
    lab.log.close()
    path.chmod(0o664)
    ledger.mkdir()  # it cannot be read
    before = path.read_bytes()
    assert ask("restore", str(copy), "--force").exit_code != 0
    assert {each.name for each in path.parent.iterdir()} == {
        each.name for each in (path, copy, ledger)
    }
    assert path.read_bytes() == before
    ledger.rmdir()
    assert ask("restore", str(copy), "--force").exit_code == 0
    assert path.stat().st_mode & 0o777 == 0o664
