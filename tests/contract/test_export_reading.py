"""An export is read as what the log has: text character for character, and nothing guessed."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pytest

from shiny_labchat.errors import ExportError
from shiny_labchat.export import Export, read
from shiny_labchat.export.frames import ENGINES, Engine, frame_of, installed
from shiny_labchat.export.marker import read_marker
from shiny_labchat.export.reading import codebook_types
from tests.contract.odd_texts import MADE, NAMED, Exported

FORMATS = ("csv", "jsonl", "parquet", "psych-ds")


def frame(folder: Path, table: str, format: str, engine: Engine) -> Any:
    marker = read_marker(folder)
    path = folder / marker.tables[table][format]
    return frame_of([path], codebook_types(folder, marker)[table], engine)


def values(frame: Any, column: str) -> list[Any]:
    if isinstance(frame, pl.DataFrame):
        return frame[column].to_list()
    return [None if each is pd.NA or each is pd.NaT else each for each in frame[column]]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("format", FORMATS)
def test_texts_are_read_character_for_character(
    exported: Exported, format: str, engine: Engine
) -> None:
    assert len(exported.texts) > MADE and {*NAMED} <= {*exported.texts}
    messages = frame(exported.all, "messages", format, engine)
    assert values(messages, "text") == exported.texts, "and there are as many rows as messages"
    assert {*values(messages, "member")} == {"NA"}
    assert {*values(messages, "text_original")} == {None}


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("format", FORMATS)
def test_answers_are_read_as_texts_with_the_empty_one_and_those_missing(
    exported: Exported, format: str, engine: Engine
) -> None:
    answers = frame(exported.all, "answers", format, engine)
    assert values(answers, "value") == list(NAMED)
    assert {*values(answers, "condition")} == {None}
    wide = frame(exported.all, "answers-odd", format, engine)
    assert [values(wide, str(n)) for n in range(len(NAMED))] == [[text] for text in NAMED]


@pytest.mark.parametrize("format", FORMATS)
def test_polars_and_pandas_read_the_same_and_the_types_are_those_of_the_codebook(
    exported: Exported, format: str
) -> None:
    types = codebook_types(exported.all, read_marker(exported.all))
    for table in ("messages", "members", "rooms", "events", "flow"):
        one, other = (frame(exported.all, table, format, engine) for engine in ENGINES)
        for column, type in types[table].items():
            assert values(one, column) == values(other, column), (table, column)
            assert str(one[column].dtype) == POLARS[type], (table, column)
            assert str(other[column].dtype) == PANDAS[type], (table, column)


POLARS = {
    "text": "String",
    "integer": "Int64",
    "number": "Float64",
    "boolean": "Boolean",
    "time": "Datetime(time_unit='us', time_zone='UTC')",
}
PANDAS = {
    "text": "string",
    "integer": "Int64",
    "number": "Float64",
    "boolean": "boolean",
    "time": "datetime64[us, UTC]",
}


def test_times_are_read_to_the_microsecond_in_utc(exported: Exported) -> None:
    lines = (exported.all / "products/jsonl/messages.jsonl").read_bytes().splitlines()
    said = [datetime.fromisoformat(json.loads(line)["sent_at"]) for line in lines]
    sent = values(frame(exported.all, "messages", "csv", "polars"), "sent_at")
    assert sent == said and sent[0].utcoffset() == datetime.now(UTC).utcoffset()


def test_a_table_is_an_attribute_and_read_once(exported: Exported) -> None:
    data = read(exported.csv)
    assert isinstance(data.messages, pl.DataFrame), "polars comes before pandas"
    assert data.messages is data["messages"]
    assert data.answers_odd is data["answers-odd"]
    assert "messages" in dir(data) and "answers_odd" in dir(data)
    assert set(data.tables) == set(data) and len(data) == len(data.tables)
    assert data.codebook["column"].to_list().count("row_id") == 1


def test_without_polars_it_is_pandas(exported: Exported) -> None:
    data = Export(exported.csv, read_marker(exported.csv), "pandas")
    assert isinstance(data.messages, pd.DataFrame)
    assert installed(exported.csv, ["pandas"]) == "pandas"


def test_without_either_it_says_what_to_install(exported: Exported) -> None:
    with pytest.raises(ExportError, match="pip install polars"):
        installed(exported.csv, [])


def test_a_table_that_is_not_there_is_named_with_those_that_are(exported: Exported) -> None:
    data = read(exported.csv)
    with pytest.raises(AttributeError, match=r"no table 'mesages'; it has: messages, members"):
        _ = data.mesages
    with pytest.raises(KeyError, match="no table 'nope'; it has: messages"):
        _ = data["nope"]


def test_a_folder_without_an_export_is_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match=r"no labchat-export\.json"):
        read(tmp_path)
    with pytest.raises(ExportError, match="no such folder"):
        read(tmp_path / "nowhere")


def test_an_export_of_a_newer_version_is_refused_in_words(tmp_path: Path) -> None:
    (tmp_path / "labchat-export.json").write_text('{"format": 2, "tables": {}}')
    with pytest.raises(ExportError, match="pip install -U shiny-labchat"):
        read(tmp_path)


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"format": 1}', '{"format": "1"}', "{"])
def test_a_broken_marker_is_refused_in_words(tmp_path: Path, content: str) -> None:
    (tmp_path / "labchat-export.json").write_text(content)
    with pytest.raises(ExportError, match="export again"):
        read(tmp_path)


def test_a_changed_file_is_found_if_it_is_asked_for(exported: Exported, tmp_path: Path) -> None:
    folder = shutil.copytree(exported.csv, tmp_path / "changed")
    assert len(read(folder, check=True).messages) == len(exported.texts)
    with (folder / "rooms.csv").open("a") as file:
        file.write("\n")
    (folder / "members.csv").unlink()
    with pytest.raises(ExportError, match=r"members\.csv \(missing\), rooms\.csv \(changed\)"):
        read(folder, check=True)
    assert len(read(folder).messages) == len(exported.texts), "the others are read"
    with pytest.raises(ExportError, match=r"members\.csv is missing"):
        _ = read(folder).members


def test_a_file_with_other_columns_than_the_codebook_is_refused(
    exported: Exported, tmp_path: Path
) -> None:
    folder = shutil.copytree(exported.csv, tmp_path / "changed")
    (folder / "flow.csv").write_text('"study"\n"pilot"\n')
    with pytest.raises(ExportError, match="other columns than the codebook"):
        _ = read(folder).flow


def test_reading_does_not_import_data_frames_before_a_table_is_asked_for(
    exported: Exported,
) -> None:
    code = (
        "import sys; from shiny_labchat.export import read; read(sys.argv[1]);"
        "assert not {'polars', 'pandas', 'pyarrow'} & {*sys.modules}"
    )
    subprocess.run([sys.executable, "-c", code, str(exported.csv)], check=True)
