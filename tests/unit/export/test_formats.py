"""ConvoKit, text, Psych-DS and Stata, from rows of messages."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from shiny_labchat.export.columns import TABLES, Column, columns_of
from shiny_labchat.export.convokit import PROGRAMME, ConvoKitFormat
from shiny_labchat.export.format import About, Destination, Format, Table
from shiny_labchat.export.plain_text import TextFormat, file_name
from shiny_labchat.export.psych_ds import PsychDsFormat, keyword_value
from shiny_labchat.export.stata import do_file, variable_names

MESSAGES = Table("messages", columns_of("messages", factors=["tone"]))
AT = 1_764_494_100_123_456


def row(seq: int, text: str = "Hello", **fields: Any) -> Sequence[Any]:
    """A row of messages; what is not said is as for a message of ann to all."""
    said: dict[str, Any] = {
        "study": "pilot", "room": "r", "seq": seq, "member": "ann", "pseudonym": "Teal Otter",
        "kind_true": "human", "role": "user", "text": text, "sent_at": AT + seq,
        "withdrawn": False,
    } | fields  # fmt: skip
    if "audience" in fields:
        said["audience"] = json.dumps(fields["audience"])
    return tuple(said.get(column.name) for column in MESSAGES.columns)


def write(format: Format, rows: Sequence[Sequence[Any]], studies: Sequence[str]) -> None:
    sink = format.open(MESSAGES)
    assert sink is not None
    for each in rows:
        sink.write([each])
    sink.close()
    format.finish(About({"studies": list(studies)}, {}, [MESSAGES]))


# ── ConvoKit ──


def corpus(
    folder: Path, rows: Sequence[Sequence[Any]], studies: Sequence[str] = ("pilot",)
) -> list[dict[str, Any]]:
    write(ConvoKitFormat(Destination(folder, folder, studies=tuple(studies))), rows, studies)
    lines = (folder / "utterances.jsonl").read_bytes().splitlines()
    return [json.loads(line) for line in lines]


def read(folder: Path, name: str) -> dict[str, Any]:
    return json.loads((folder / name).read_bytes())


def test_an_utterance_replies_to_the_one_before_it_and_the_first_to_nothing(tmp_path: Path) -> None:
    found = corpus(tmp_path, [row(4), row(5, "Hi"), row(9)])
    assert [each["id"] for each in found] == ["r:4", "r:5", "r:9"]
    assert [each["reply-to"] for each in found] == [None, "r:4", "r:5"]
    assert {each["conversation_id"] for each in found} == {"r:4"}
    assert found[1]["text"] == "Hi" and found[1]["timestamp"] == (AT + 5) / 1e6


def test_a_bot_replies_to_what_it_reacted_to(tmp_path: Path) -> None:
    rows = [row(4), row(5), row(6, trigger=4), row(7, trigger=99)]
    assert [each["reply-to"] for each in corpus(tmp_path, rows)] == [None, "r:4", "r:4", "r:6"]


def test_what_is_said_among_some_is_a_conversation_of_its_own(tmp_path: Path) -> None:
    rows = [
        row(1),
        row(2, audience=["ben"]),
        row(3, member="ben", audience=["ann"]),
        row(4, audience=["ben", "cem"]),
        row(5, member=None, kind_true="programme", audience=["ben", "ann"]),
        row(6),
        row(7, member=None, audience=[]),
    ]
    found = corpus(tmp_path, rows)
    ids = [each["conversation_id"] for each in found]
    assert ids == ["r:1", "r:2", "r:2", "r:4", "r:2", "r:1", "r:7"]
    assert [each["reply-to"] for each in found] == [None, None, "r:2", None, "r:3", "r:1", None]
    meta = {
        id: each["meta"]["audience"] for id, each in read(tmp_path, "conversations.json").items()
    }
    assert meta == {"r:1": None, "r:2": ["ann", "ben"], "r:4": ["ann", "ben", "cem"], "r:7": []}


def test_a_speaker_is_a_member_or_the_programme(tmp_path: Path) -> None:
    rows = [
        row(1, kind_true="programme"),
        row(2),
        row(3, member="bot", kind_true="bot", pseudonym=None),
        row(4, member=None, kind_true="programme", pseudonym="Host"),
    ]
    found = corpus(tmp_path, rows)
    assert [each["speaker"] for each in found] == ["ann", "ann", "bot", PROGRAMME]
    speakers = {id: each["meta"] for id, each in read(tmp_path, "speakers.json").items()}
    assert [(id, each["kind_true"], each["is_ai"]) for id, each in speakers.items()] == [
        ("ann", "human", False), ("bot", "bot", True), (PROGRAMME, "programme", False)
    ]  # fmt: skip


def test_rooms_of_several_studies_do_not_meet(tmp_path: Path) -> None:
    rows = [row(1), row(2), row(1, study="main"), row(1, study="main", room="r:1")]
    found = corpus(tmp_path, rows, ["pilot", "main"])
    assert [each["id"] for each in found] == ["pilot/r:1", "pilot/r:2", "main/r:1", "main/r:1:1"]
    assert [each["speaker"] for each in found] == ["pilot/ann"] * 2 + ["main/ann"] * 2
    assert len(read(tmp_path, "conversations.json")) == 3


def test_the_index_knows_each_field_of_all_metas(tmp_path: Path) -> None:
    found = corpus(tmp_path, [row(1, condition="a", condition_tone="warm")])
    index = read(tmp_path, "index.json")
    assert set(found[0]["meta"]) == set(index["utterances-index"])
    for file, name in (("speakers", "speakers-index"), ("conversations", "conversations-index")):
        for each in read(tmp_path, f"{file}.json").values():
            assert set(each["meta"]) == set(index[name])
    assert set(read(tmp_path, "corpus.json")) == set(index["overall-index"])
    assert index["utterances-index"]["chars"] == ["<class 'int'>"]
    conversation = read(tmp_path, "conversations.json")["r:1"]["meta"]
    assert (conversation["condition"], conversation["condition_tone"]) == ("a", "warm")


def test_the_files_are_ascii_as_convokit_opens_them_as_the_system_does(tmp_path: Path) -> None:
    (found,) = corpus(tmp_path, [row(1, "a\n\u2028\x85ü😀", room="ä")])
    assert found["text"] == "a\n\u2028\x85ü😀" and found["id"] == "ä:1"
    assert all(path.read_bytes().isascii() for path in tmp_path.iterdir())


def test_a_corpus_without_messages_is_whole(tmp_path: Path) -> None:
    assert corpus(tmp_path, []) == []
    assert read(tmp_path, "speakers.json") == read(tmp_path, "conversations.json") == {}


# ── text ──


def texts(
    folder: Path, rows: Sequence[Sequence[Any]], studies: Sequence[str] = ("pilot",)
) -> Mapping[str, str]:
    write(TextFormat(Destination(folder, folder, studies=tuple(studies))), rows, studies)
    return {path.name: path.read_bytes().decode() for path in sorted(folder.iterdir())}


def test_a_message_begins_with_a_name_and_there_is_an_empty_line_between(tmp_path: Path) -> None:
    rows = [row(1, "Hello"), row(2, "Hi", member=None, pseudonym=None, role="assistant")]
    assert texts(tmp_path, rows) == {"r.txt": "Teal Otter: Hello\n\nAssistant: Hi\n"}


def test_no_line_of_a_message_passes_for_another_message(tmp_path: Path) -> None:
    found = texts(tmp_path, [row(1, "a\n\nBen: b\r\nCem: c")])
    assert found["r.txt"] == "Teal Otter: a\n  \n  Ben: b\n  Cem: c\n"


def test_what_was_withdrawn_and_what_only_some_could_read_is_marked(tmp_path: Path) -> None:
    rows = [row(1, "", withdrawn=True), row(2, "psst", audience=["ben", "cem"])]
    assert texts(tmp_path, rows)["r.txt"] == (
        "Teal Otter: [withdrawn]\n\n(to ben, cem) Teal Otter: psst\n"
    )


def test_each_room_has_a_file_of_its_own_on_any_system(tmp_path: Path) -> None:
    rows = [row(1, room=room) for room in ("a/b", "a:b", "A_B", "con", "..", "ä ö")]
    assert [*texts(tmp_path, rows)] == sorted(
        ["a_b.txt", "a_b 2.txt", "A_B 3.txt", "_con.txt", "_.txt", "ä ö.txt"]
    )


def test_rooms_of_several_studies_have_files_with_the_studies_names(tmp_path: Path) -> None:
    rows = [row(1), row(1, study="main")]
    assert [*texts(tmp_path, rows, ["pilot", "main"])] == ["main - r.txt", "pilot - r.txt"]


def test_a_long_name_is_cut(tmp_path: Path) -> None:
    assert len(file_name("x" * 500, set())) == 80


# ── Psych-DS ──


@pytest.mark.parametrize(
    ("name", "value"),
    [("pilot", "pilot"), ("bot_calls", "botCalls"), ("answers-my form", "answersMyForm"),
     ("größe 2", "grE2"), ("", ""), ("研究", "")],
)  # fmt: skip
def test_a_name_in_a_files_name_is_of_letters_and_digits(name: str, value: str) -> None:
    assert keyword_value(name) == value


def psych_ds(folder: Path, tables: Sequence[Table], study: str = "pilot") -> dict[str, Any]:
    format = PsychDsFormat(Destination(folder, folder, studies=(study,)))
    for table in tables:
        sink = format.open(table)
        if sink is not None:
            sink.close()
    format.finish(About({"studies": [study]}, {}, tables))
    return json.loads((folder / "dataset_description.json").read_bytes())


def test_every_column_is_described_once(tmp_path: Path) -> None:
    tables = [Table(name, columns_of(name)) for name in TABLES]
    described = psych_ds(tmp_path, tables)
    names = [each["name"] for each in described["variableMeasured"]]
    assert len(names) == len(set(names))
    columns = {c.name for table in tables if table.name != "codebook" for c in table.columns}
    assert set(names) == columns, "the codebook is no data file"
    assert all(each["description"] for each in described["variableMeasured"])


def test_a_column_that_means_two_things_says_so_for_each_table(tmp_path: Path) -> None:
    one, other = Column("n", "integer", "How many."), Column("n", "text", "A name.")
    tables = [Table("a", [one]), Table("b", [other]), Table("c", [one])]
    (variable,) = psych_ds(tmp_path, tables)["variableMeasured"]
    assert variable["description"] == "In a, c: How many. In b: A name."


def test_tables_and_studies_whose_names_are_alike_have_files_of_their_own(tmp_path: Path) -> None:
    tables = [
        Table(name, [Column("n", "integer", "N.")]) for name in ("answers-a b", "answers-a_b")
    ]
    psych_ds(tmp_path, tables, study="研究")
    assert sorted(path.name for path in (tmp_path / "data").iterdir()) == [
        "study-study_description-answersAB2_data.csv",
        "study-study_description-answersAB_data.csv",
    ]


# ── Stata ──


def test_names_of_variables_are_legal_in_stata_and_unique() -> None:
    long = "a" * 40
    columns = ["row_id", "condition_größe", "1st", "in", "v1", long, long + "b", "", "a b", "a_b"]
    names = variable_names(columns)
    assert len(set(names)) == len(columns) and names[0] == "row_id"
    for name in names:
        assert re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,31}", name), name
        assert name != "in" and not re.fullmatch(r"v\d+", name)


def test_stata_reads_all_columns_as_text_and_labels_them() -> None:
    columns = [
        Column("text", "text", 'What "it" says: `x` costs $5.'),
        Column("n", "integer", "How many.", "ms"),
        Column("is", "boolean", "Whether."),
        Column("at", "time", "When."),
    ]
    made = do_file({"messages": ("data/m.csv", columns)})
    assert 'import delimited using "data/m.csv"' in made
    assert "stringcols(_all)" in made and "bindquote(strict)" in made
    assert [f"rename v{n} {c.name}" in made for n, c in enumerate(columns, 1)] == [True] * 4
    assert "destring n, replace" in made and "destring text" not in made
    assert "label variable text \"What 'it' says: x costs 5.\"" in made
    assert 'label variable n "How many. (ms)"' in made
    assert 'save "m.dta", replace' in made
    assert "`" not in made and "$" not in made, "Stata would take it for a macro"
    assert made.count("{") == made.count("}")
