"""`labchat check` finds what is wrong with a data set, and accepts what is valid."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from shiny_labchat import Lab
from shiny_labchat.cli import main
from shiny_labchat.export import read
from shiny_labchat.export.checks import check_folder
from shiny_labchat.export.folder import SUMS, sums_of
from shiny_labchat.lab.importing import import_export
from tests.contract.odd_texts import ALL_FORMATS, Exported
from tests.support.backend import FreshUrl
from tests.support.database import labchat
from tests.support.sample_study import make_groups, make_study

FIXTURES = Path(__file__).parent / "fixtures" / "psych-ds"
PUBLISHED = ("bfi-dataset", "face-body", "macrophage-conditioning")
DESCRIPTION = "dataset_description.json"
Fault = Callable[[Path], object]


def errors(folder: Path) -> set[str]:
    return {each.code for each in check_folder(folder) if each.is_error}


def notes(folder: Path) -> set[str]:
    return {each.code for each in check_folder(folder) if not each.is_error}


# ── what is valid ──


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_shape_of_a_published_data_set_is_accepted(name: str) -> None:
    assert errors(FIXTURES / name) == set()


@pytest.mark.parametrize("which", ["csv", "all"])
def test_an_export_is_accepted_and_nothing_is_noted(exported: Exported, which: str) -> None:
    assert list(check_folder(getattr(exported, which))) == []


@pytest.mark.parametrize("formats", [("csv",), ALL_FORMATS], ids="+".join)
@pytest.mark.parametrize(
    "how",
    [{}, {"anonymise": True}, {"public": True}, {"rooms": 1}, {"since": 1}],
    ids=str,
)
async def test_an_export_of_a_whole_study_is_accepted_however_it_was_made(
    lab: Lab, tmp_path: Path, how: dict[str, Any], formats: tuple[str, ...]
) -> None:
    """With people, groups, bots, payments, private and streamed messages."""
    rooms = await make_study(lab)
    third = (await rooms[0].messages())[2]
    limits = {"rooms": [rooms[0]], "since": third.at}
    given = {name: limits.get(name, value) for name, value in how.items()}
    await lab.export(tmp_path / "out", study="s", formats=formats, **given)
    assert [str(each) for each in check_folder(tmp_path / "out")] == []
    data = read(tmp_path / "out", check=True)
    assert all(len(data[table].columns) > 1 for table in data.tables)


async def test_a_record_about_who_is_no_member_is_accepted(lab: Lab, tmp_path: Path) -> None:
    room = await lab.create_room("r", study="s")
    await room.record("guess", {"who": "human"}, member="p17")
    await lab.export(tmp_path / "out")
    assert [str(each) for each in check_folder(tmp_path / "out")] == []


async def test_answers_of_an_earlier_group_are_accepted_in_an_export_of_the_last_one(
    lab: Lab, tmp_path: Path
) -> None:
    earlier, last = await make_groups(lab)
    assert earlier != last
    await lab.export(tmp_path / "out", rooms=[last])
    assert read(tmp_path / "out").answers["room"].to_list() == [earlier]
    assert [str(each) for each in check_folder(tmp_path / "out")] == []


async def test_an_import_of_a_public_export_may_be_exported_with_all_there_is(
    lab: Lab, tmp_path: Path, fresh_url: FreshUrl
) -> None:
    await make_study(lab)
    await lab.export(tmp_path / "public", public=True)
    new = Lab(fresh_url())
    try:
        await import_export(new.log, tmp_path / "public")
        await new.export(tmp_path / "out")
    finally:
        new.log.close()
    assert [str(each) for each in check_folder(tmp_path / "out")] == []


@pytest.mark.parametrize("formats", ["csv", "csv,psych-ds"])
async def test_an_export_for_excel_is_accepted_and_read_unguarded_if_it_can_be(
    lab: Lab, tmp_path: Path, formats: str
) -> None:
    room = await lab.create_room("r", study="s")
    await room.post("=1+1")
    lab.log.close()
    command = ["export", "--out", str(tmp_path / "out"), "--format", formats, "--excel-safe"]
    run = await asyncio.to_thread(labchat, lab.url, *command)
    assert run.exit_code == 0, run.output
    assert [str(each) for each in check_folder(tmp_path / "out")] == []
    texts = read(tmp_path / "out").messages["text"].to_list()
    assert texts == (["'=1+1"] if formats == "csv" else ["=1+1"])


# ── faults of a data set ──


def described(**fields: Any) -> Fault:
    """The description with other fields; None takes one away."""

    def plant(folder: Path) -> None:
        path = folder / DESCRIPTION
        data = json.loads(path.read_text("utf-8"))
        for key, value in fields.items():
            key = key.replace("at_", "@")
            data[key] = value
            if value is None:
                del data[key]
        path.write_text(json.dumps(data), encoding="utf-8")

    return plant


def renamed(path: str, to: str) -> Fault:
    return lambda folder: (folder / path).rename(folder / to)


def written(path: str, content: bytes) -> Fault:
    return lambda folder: (folder / path).write_bytes(content)


def added(path: str, content: bytes) -> Fault:
    return lambda folder: (folder / path).write_bytes((folder / path).read_bytes() + content)


def removed(path: str) -> Fault:
    return lambda folder: (folder / path).unlink()


def with_variable(variable: Any) -> Fault:
    def plant(folder: Path) -> None:
        data = json.loads((folder / DESCRIPTION).read_text("utf-8"))
        described(variableMeasured=[*data["variableMeasured"], variable])(folder)

    return plant


DATA = "data/study-1_data.csv"
FAULTS: dict[str, tuple[str, Fault]] = {
    "no description": ("no-description", removed(DESCRIPTION)),
    "a description that is no JSON": ("json", written(DESCRIPTION, b'{"name": "x",}')),
    "a description that is a list": ("json", written(DESCRIPTION, b"[]")),
    "a description in UTF-16": ("json-encoding", written(DESCRIPTION, '{"ä": 1}'.encode("utf-16"))),
    "no context": ("no-context", described(at_context=None)),
    "another context": ("context", described(at_context="https://example.org/")),
    "no type": ("no-type", described(at_type=None)),
    "another type": ("type", described(at_type="DataSet")),
    "no name": ("no-name", described(name=None)),
    "no description of what it is": ("no-description", described(description=None)),
    "no variables": ("no-variableMeasured", described(variableMeasured=None)),
    "variables that are a number": ("variables", described(variableMeasured=7)),
    "a variable of no file": ("variable-not-in-data", with_variable("mood")),
    "a column that is not described": ("column-not-described", written(
        DATA, b"group,donor_strand,il6_secretion_abs,mood\n1,A1,2,3\n")),
    "no folder for data": ("no-data-folder", renamed("data", "Data")),
    "no data file": ("no-data-file", renamed(DATA, "data/study-1.csv")),
    "a name without a keyword": ("file-name", renamed(DATA, "data/study_data.csv")),
    "a name in capitals": ("file-name", renamed(DATA, "data/Study-1_data.csv")),
    "a value with a hyphen": ("file-name", renamed(DATA, "data/study-a-b_data.csv")),
    "a file without a header": ("csv-header", written(DATA, b"")),
    "a header with an empty name": ("csv-header", written(DATA, b"group,,il6_secretion_abs\n")),
    "a header with a name twice": ("csv-header-twice", written(DATA, b"group,group\n1,2\n")),
    "a row that is too long": ("csv-width", added(DATA, b"1,A1,2,3\r\n")),
    "an empty line": ("csv-width", added(DATA, b"\r\n")),
    "a quotation mark that is not closed": ("csv-quotes", added(DATA, b'1,"A1,2\r\n')),
    "text after a quotation mark": ("csv-quotes", added(DATA, b'1,"A"1,2\r\n')),
    "a file in Latin-1": ("csv-encoding", added(DATA, "1,ä,2\r\n".encode("latin-1"))),
    "an id of a row twice": ("row-id", written(
        DATA, b"row_id,group,donor_strand,il6_secretion_abs\n1,1,A,2\n1,1,A,2\n")),
    "a sidecar that is no JSON": ("json", written("data/study-1_data.json", b"{")),
    "a sidecar that describes other columns": ("column-not-described", written(
        "data/study-1_data.json", b'{"variableMeasured": ["group"]}')),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_of_a_data_set_is_found(fault: str, tmp_path: Path) -> None:
    folder = shutil.copytree(FIXTURES / "macrophage-conditioning", tmp_path / "set")
    assert errors(folder) == set()
    code, plant = FAULTS[fault]
    plant(folder)
    assert code in errors(folder)


NOTES: dict[str, tuple[str, Fault]] = {
    "no README": ("recommended", removed("README.md")),
    "no CHANGES": ("recommended", removed("CHANGES.md")),
    "a description in another place": ("description-place", written(f"data/{DESCRIPTION}", b"{}")),
    "a CSV file with another name": ("not-a-data-file", written("data/notes.csv", b"a\n")),
    "a sidecar of no file": ("not-a-sidecar", written("data/study-2_data.json", b"{}")),
    "an empty name": ("empty-name", described(name="")),
    "a variable without a name": ("variable-name", with_variable({"@type": "PropertyValue"})),
    "an unknown keyword": ("keyword", renamed(DATA, "data/gender-male_data.csv")),
}


@pytest.mark.parametrize("fault", NOTES)
def test_what_is_recommended_is_noted_and_no_error(fault: str, tmp_path: Path) -> None:
    folder = shutil.copytree(FIXTURES / "macrophage-conditioning", tmp_path / "set")
    assert notes(folder) == set()
    code, plant = NOTES[fault]
    plant(folder)
    assert (errors(folder), notes(folder)) == (set(), {code})


def test_a_column_that_the_official_validator_cannot_read_is_noted(tmp_path: Path) -> None:
    folder = shutil.copytree(FIXTURES / "macrophage-conditioning", tmp_path / "set")
    described(variableMeasured=["size"])(folder)
    written(DATA, b"size\n7\n")(folder)
    assert (errors(folder), notes(folder)) == (set(), {"column-size"})


# ── faults of an export ──


def edited(file: str, pattern: str, to: str) -> Fault:
    """Something else stands in place of a pattern's first match, and the hash is that of it."""

    def plant(folder: Path) -> None:
        path = folder / file
        text = path.read_bytes().decode()
        changed, count = re.subn(pattern, to, text, count=1)
        assert count == 1 and changed != text, "the pattern must be there"
        path.write_bytes(changed.encode())
        resummed(folder)

    return plant


def resummed(folder: Path) -> None:
    others = [each for each in folder.rglob("*") if each.is_file() and each.name != SUMS]
    (folder / SUMS).write_text(sums_of(folder, others), encoding="utf-8")


def first_row_again(file: str) -> Fault:
    def plant(folder: Path) -> None:
        head, first, rest = (folder / file).read_bytes().split(b"\n", 2)
        (folder / file).write_bytes(b"\n".join([head, first, first, rest]))
        resummed(folder)

    return plant


MARKER = "labchat-export.json"
OF_EXPORTS: dict[str, tuple[str, Fault]] = {
    "a changed file": ("file-changed", added("flow.csv", b"\n")),
    "a missing file": ("file-missing", removed("study.json")),
    "no list of hashes": ("file-unlisted", removed(SUMS)),
    "a newer format": ("marker", edited(MARKER, '"format": 1', '"format": 99')),
    "a broken marker": ("marker", written(MARKER, b"{")),
    "no codebook": ("marker", removed("codebook.csv")),
    "a column that the codebook does not have": ("columns", edited("rooms.csv", '"title"', '"x"')),
    "a number that is none": ("value", edited(
        "messages.csv", r",(\d+),(\d+),,,,\n", r",\1,x,,,,\n")),
    "a time of Excel": ("value", edited(
        "members.csv", r"\d{4}-\d\d-\d\dT[^,]*", "30.11.2026 09:15")),
    "a flag of Excel": ("value", edited("members.csv", ",true,", ",TRUE,")),
    "a kind that there is not": ("value", edited("messages.csv", '"programme"', '"program"')),
    "a message twice": ("key-twice", first_row_again("messages.csv")),
    "a room twice": ("key-twice", first_row_again("rooms.csv")),
    "a message of no room": ("key-unknown", edited(
        "messages.csv", r'("pilot"),"room 1"', r'\1,"r"')),
    "a message of no member": ("key-unknown", edited("messages.csv", ',"NA"', ',"na"')),
    "an answer of no room": ("key-unknown", edited("answers.csv", '"room 1"', '"r"')),
    "a count that is wrong": ("count", edited("rooms.csv", r",(\d+),(\d+)\n", r",9\1,\2\n")),
    "a text that is longer than it says": ("chars", edited("messages.csv", '"007"', '"0007"')),
    "a flow that does not add up": ("flow", edited(
        "flow.csv", r"\Z", '"pilot","","arrived",2\n"pilot","","still_inside",1\n')),
    "a row that is too short": ("csv-width", edited("rooms.csv", r'\n"pilot",', "\n")),
    "a quotation mark that is not closed": ("csv-quotes", edited(
        "rooms.csv", '\n"pilot"', '\n"pilot')),
}  # fmt: skip


@pytest.mark.parametrize("fault", OF_EXPORTS)
def test_a_fault_of_an_export_is_found(exported: Exported, fault: str, tmp_path: Path) -> None:
    folder = shutil.copytree(exported.csv, tmp_path / "export")
    code, plant = OF_EXPORTS[fault]
    plant(folder)
    assert code in errors(folder)


def test_a_file_that_was_added_to_an_export_is_noted(exported: Exported, tmp_path: Path) -> None:
    folder = shutil.copytree(exported.csv, tmp_path / "export")
    (folder / "analysis.R").write_text("# mine")
    assert (errors(folder), notes(folder)) == (set(), {"new-file"})


def test_an_export_that_has_lost_its_description_is_checked_as_a_data_set(
    exported: Exported, tmp_path: Path
) -> None:
    folder = shutil.copytree(exported.all, tmp_path / "export")
    (folder / DESCRIPTION).unlink()
    assert errors(folder) == {"file-missing", "no-description"}


# ── the command ──


def test_the_command_names_the_file_and_what_to_do_and_fails(tmp_path: Path) -> None:
    folder = shutil.copytree(FIXTURES / "macrophage-conditioning", tmp_path / "set")
    renamed(DATA, "data/study-1_2_data.csv")(folder)
    run = CliRunner().invoke(main, ["check", str(folder)])
    assert run.exit_code == 1
    assert re.search(r"^error: data/study-1_2_data\.csv: .*Name it like", run.output, re.MULTILINE)


def test_the_command_says_that_a_data_set_is_valid(exported: Exported) -> None:
    for folder in (FIXTURES / "face-body", exported.all):
        run = CliRunner().invoke(main, ["check", str(folder)])
        assert run.exit_code == 0 and "is valid" in run.output


def test_the_command_fails_where_there_is_no_folder(tmp_path: Path) -> None:
    run = CliRunner().invoke(main, ["check", str(tmp_path / "nowhere")])
    assert run.exit_code == 1 and "no such folder" in run.output
