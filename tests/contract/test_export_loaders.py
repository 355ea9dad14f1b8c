"""An export is read by R and by ConvoKit itself as what the log has. Both are installed for it."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

import pytest

from shiny_labchat import Lab
from tests.contract.odd_texts import NAMED, Exported
from tests.support.convokit import loaded
from tests.support.r_language import run_r
from tests.support.sample_study import make_study

pytestmark = pytest.mark.long

# Each text is written as the hexadecimal digits of its bytes, a missing one as a hyphen.
SCRIPT = """
given <- commandArgs(trailingOnly = TRUE)
source(given[1])
data <- read_labchat(given[2])
hex <- function(texts) vapply(texts, USE.NAMES = FALSE, FUN.VALUE = "", FUN = function(text) {
  if (is.na(text)) "-" else paste(c(":", as.character(charToRaw(enc2utf8(text)))), collapse = "")
})
writeLines(hex(data$messages$text), file.path(given[3], "texts"))
writeLines(hex(data$messages$text_original), file.path(given[3], "originals"))
writeLines(hex(data$messages$member), file.path(given[3], "members"))
writeLines(hex(data$answers$value), file.path(given[3], "answers"))
writeLines(hex(unlist(data[["answers-odd"]][as.character(0:(nrow(data$answers) - 1))])),
           file.path(given[3], "wide"))
writeLines(names(data), file.path(given[3], "tables"))
classes <- lapply(data[setdiff(names(data), "codebook")], function(table) {
  vapply(table, function(column) class(column)[1], "")
})
writeLines(unlist(lapply(names(classes), function(table) {
  paste(table, names(classes[[table]]), classes[[table]], sep = "\\t")
})), file.path(given[3], "classes"))
seconds <- format(as.numeric(data$messages$sent_at), digits = 20)
writeLines(seconds, file.path(given[3], "times"))
"""
CLASSES = {
    "text": {"character"},
    "integer": {"integer", "numeric"},
    "number": {"numeric"},
    "boolean": {"logical"},
    "time": {"POSIXct"},
}


def texts(path: Path) -> list[str | None]:
    lines = path.read_text("utf-8").splitlines()
    return [None if each == "-" else bytes.fromhex(each[1:]).decode() for each in lines]


@pytest.mark.parametrize("which", ["csv", "all"])
def test_r_reads_texts_character_for_character_and_types_as_the_codebook_says(
    exported: Exported, tmp_path: Path, which: str
) -> None:
    folder: Path = getattr(exported, which)
    (script,) = folder.rglob("read_labchat.R")
    (tmp_path / "test.R").write_text(SCRIPT, encoding="utf-8")
    run_r(tmp_path / "test.R", str(script), str(folder), str(tmp_path))
    assert texts(tmp_path / "texts") == exported.texts
    assert {*texts(tmp_path / "originals")} == {None}
    assert {*texts(tmp_path / "members")} == {"NA"}
    assert texts(tmp_path / "answers") == list(NAMED) == texts(tmp_path / "wide")
    tables = (tmp_path / "tables").read_text().split()
    (codebook,) = folder.rglob("codebook.csv")
    with codebook.open(encoding="utf-8", newline="") as file:
        said = [row for row in csv.DictReader(file) if row["table"] not in ("*", "codebook")]
    assert {*tables} == {"codebook", *(row["table"] for row in said)}
    lines = (tmp_path / "classes").read_text("utf-8").splitlines()
    classes = {tuple(line.split("\t")[:2]): line.split("\t")[2] for line in lines}
    assert len(classes) == len(said)
    for row in said:
        assert classes[row["table"], row["column"]] in CLASSES[row["type"]], row
    times = [float(each) for each in (tmp_path / "times").read_text().splitlines()]
    assert len(times) == len(exported.texts) and min(times) > 1.7e9


def test_convokit_loads_the_corpus_with_all_messages_in_whole_conversations(
    exported: Exported, tmp_path: Path
) -> None:
    found = loaded(exported.all / "products" / "convokit", tmp_path)
    assert list(found["texts"].values()) == exported.texts
    assert found["broken"] == []
    assert len(found["conversations"]) == 2, "one for each room, as nobody was talked to apart"
    assert Counter(map(len, found["conversations"].values())) == Counter(
        [len(NAMED), len(exported.texts) - len(NAMED)]
    )
    assert [*found["speakers"]] == ["NA"]
    assert {"meta.condition", "meta.kind_true"} <= {*found["columns"]}


async def test_convokit_loads_private_talk_bots_and_conditions(lab: Lab, tmp_path: Path) -> None:
    rooms = await make_study(lab)
    await lab.export(tmp_path / "out", study="s", formats=("convokit",))
    (tmp_path / "home").mkdir()
    found = loaded(tmp_path / "out" / "convokit", tmp_path / "home")
    said = [(room, message) for room in rooms for message in await room.messages()]
    ids = [f"{room.id}:{message.seq}" for room, message in said]
    assert found["texts"] == {id: m.content for id, (_, m) in zip(ids, said, strict=True)}
    assert found["broken"] == [] and found["bots"] == ["helper"]
    private = [id for id, (_, m) in zip(ids, said, strict=True) if m.audience is not None]
    assert found["conversations"] == {
        ids[0]: [id for id in ids if id not in private],
        private[0]: private,
    }
    assert {"meta.condition_tone", "meta.trigger"} <= {*found["columns"]}
