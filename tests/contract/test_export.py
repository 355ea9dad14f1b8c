"""An export has what the log has, in tables that add up, and is the same each time."""

from __future__ import annotations

import asyncio
import csv
import hashlib
import io
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shiny_labchat import Lab, Study
from shiny_labchat.audit import entries
from shiny_labchat.audit.prompts import Prompt
from shiny_labchat.domain import commands as c
from shiny_labchat.domain.commands.study import study_log
from shiny_labchat.domain.events import Event, LogKey
from shiny_labchat.errors import LabChatError
from shiny_labchat.export.columns import TABLES
from shiny_labchat.export.folder import MARKER, SUMS, NotAnExport
from shiny_labchat.lab.stream import RoomStream
from shiny_labchat.store import events_after, find_room
from shiny_labchat.store import studies as studies_in
from shiny_labchat.store.queries import append_events, row_of
from tests.support.check_export import check, pay_of
from tests.support.csv_text import table
from tests.support.sample_study import NASTY, PEOPLE, make_groups, make_study, say, stream

A, B, C = PEOPLE[:3]
NAMED = [
    *("NA", "null", "None", "n/a", "nan", "007", "1e5", "TRUE", "=1+1", "-", '"', "a,b", "a\tb"),
    *("a\nb", "\u202eabc\u202c", "🦦", "''", '""', " ", "\\", "\\n", "a\u2028b", "\ufeffx", "é"),
]


def rows_of(folder: Path, name: str) -> dict[str | None, dict[str, str | None]]:
    """The rows of a table by their ids: the first column that tells them apart."""
    key = "row_id" if name == "messages" else "member" if name == "members" else "room"
    return {row[key]: row for row in table(folder / f"{name}.csv")}


async def exported(lab: Lab) -> list[Any]:
    """The events that record exports of the study."""

    def read(conn: Any) -> list[Any]:
        found = find_room(conn, LogKey("s", "s", "study"))
        return [] if found is None else events_after(conn, found[0], 0, kinds=["exported"])

    return await lab.log.read(read)


async def test_messages_are_those_of_the_rooms(lab: Lab, tmp_path: Path) -> None:
    rooms = await make_study(lab)
    await lab.export(tmp_path / "out", study="s")
    rows = table(tmp_path / "out" / "messages.csv")
    said = [message for room in rooms for message in await room.messages()]
    assert [row["text"] for row in rows] == [each.content for each in said]
    assert [row["seq"] for row in rows] == [str(each.seq) for each in said]
    assert [row["member"] for row in rows] == [each.member for each in said]
    assert [row["pseudonym"] for row in rows] == [each.author for each in said]
    assert rows[0]["text"] == NASTY and rows[0]["words"] == "7"


async def test_a_row_says_who_wrote_it_and_when(lab: Lab, tmp_path: Path) -> None:
    await make_study(lab)
    await lab.export(tmp_path / "out", study="s")
    nasty, na, private, bots, cut, second = table(tmp_path / "out" / "messages.csv")
    kinds = [(row["kind_true"], row["kind_shown"]) for row in (nasty, private, bots, cut)]
    human = ("human", "human")
    assert kinds == [human, ("programme", "human"), ("bot", "human"), ("programme", "programme")]
    assert private["audience"] == json.dumps([B]) and na["audience"] is None
    assert na["part"] == "leader" and nasty["part"] is None
    assert nasty["condition_tone"] in ("calm", "heated") and nasty["condition_stakes"] == "low"
    assert bots["text"] == "Hello everybody" and str(bots["opened_at"]) < str(bots["sent_at"])
    assert (bots["trigger"], bots["bot_call"], bots["bot_model"]) == (nasty["seq"], "1", "m-1")
    assert cut["interrupted"] == "stopped" and bots["interrupted"] is None
    assert nasty["ms_since_prev"] is None and all(row["ms_since_open"] for row in (na, second))


async def test_the_pause_is_that_since_the_last_message_which_its_author_could_see(
    lab: Lab, tmp_path: Path
) -> None:
    room = await lab.create_room("r", study="s")
    for member in "abc":
        await room.add_member(member)
    await say(room, "a", "one")
    await room.submit(c.Post([("text", "for b")], audience=["b"], member="a", role="user"))
    await say(room, "c", "two")  # has not seen what was for b
    await stream(room, "three")
    await say(room, "b", "four")
    await lab.export(tmp_path / "out", study="s")
    one, private, two, three, four = table(tmp_path / "out" / "messages.csv")
    assert one["ms_since_prev"] is None
    assert int(str(two["ms_since_prev"])) == ms(two["sent_at"], one["sent_at"])
    assert int(str(private["ms_since_prev"])) == ms(private["sent_at"], one["sent_at"])
    assert int(str(three["ms_since_prev"])) == ms(three["opened_at"], two["sent_at"])
    assert int(str(four["ms_since_prev"])) == ms(four["sent_at"], three["sent_at"])


def ms(last: str | None, first: str | None) -> int:
    gap = datetime.fromisoformat(str(last)) - datetime.fromisoformat(str(first))
    return gap.days * 86_400_000 + gap.seconds * 1_000 + gap.microseconds // 1_000


async def test_a_stream_that_goes_on_is_no_message_yet(lab: Lab, tmp_path: Path) -> None:
    room = await lab.create_room("r", study="s")
    made = await RoomStream.open(room, c.Post([], is_live=True), lambda: None)
    assert made is not None
    await made.append([("markdown", "Hel")])
    await lab.export(tmp_path / "out", study="s")
    assert table(tmp_path / "out" / "messages.csv") == []
    await made.close("done")
    await lab.export(tmp_path / "out", study="s")
    assert [row["text"] for row in table(tmp_path / "out" / "messages.csv")] == ["Hel"]


async def test_members_have_their_times(lab: Lab, tmp_path: Path) -> None:
    await make_study(lab)
    await lab.export(tmp_path / "out", study="s")
    members = rows_of(tmp_path / "out", "members")
    a, helper = members[A], members["helper"]
    times = ("arrived_at", "consented_at", "lobby_at", "grouped_at", "seated_at")
    order = [str(a[name]) for name in (*times, "first_message_at", "gate_at", "done_at")]
    assert order == sorted(order) and "None" not in order
    assert (a["end"], a["end_pay"], a["bonus"], a["keep"]) == ("complete", "2.50", "1.56", "true")
    assert (a["disconnects"], members[B]["disconnects"]) == ("1", None)
    assert float(str(a["connected_s"])) >= float(str(a["hidden_s"])) > 0
    assert (a["consent_share"], members[B]["consent_share"]) == ("true", "false")
    assert (helper["kind_true"], helper["kind_shown"]) == ("bot", "human")
    shares = [float(row["share"] or 0) for row in members.values()]
    assert sum(shares) == pytest.approx(1)
    assert members[PEOPLE[4]]["room"] is None and members[PEOPLE[4]]["wait_s"] is None
    assert members[PEOPLE[5]]["end"] == "no_consent"
    assert all(row["is_last"] == "true" for row in members.values())


async def test_time_goes_on_for_who_is_there_when_a_room_is_opened_again(
    lab: Lab, tmp_path: Path
) -> None:
    room = await lab.create_room("r", study="s")
    for member in "abc":
        await room.add_member(member)
        await room.submit(c.NotePresence(member, "here"))
    await room.close()
    await room.submit(c.NotePresence("b", "away"))
    await room.submit(c.NotePresence("c", "gone"))
    await room.open()
    for member in "ab":
        await room.submit(c.NotePresence(member, "gone"))
    await lab.log.write(
        lambda conn, now: conn.exec_driver_sql("UPDATE event SET at = seq * 1000000").rowcount
    )
    await lab.export(tmp_path / "out")
    at = {
        (row["kind"], row["member"], json.loads(str(row["data"])).get("state")): int(
            str(row["seq"])
        )
        for row in table(tmp_path / "out" / "events.csv")
    }
    closed, opened = at["closed", None, None], at["opened", None, None]
    before = {member: closed - at["presence", member, "here"] for member in "abc"}
    after = {member: at["presence", member, "gone"] - opened for member in "ab"}
    rows = rows_of(tmp_path / "out", "members")
    said = {id: (float(str(row["connected_s"])), float(str(row["hidden_s"])))
            for id, row in rows.items()}  # fmt: skip
    assert said == {
        "a": (before["a"] + after["a"], 0),
        "b": (before["b"] + after["b"], after["b"]),
        "c": (before["c"], 0),
    }


async def test_the_last_room_of_a_person_is_that_of_their_last_group(
    lab: Lab, tmp_path: Path
) -> None:
    _, last = await make_groups(lab)
    await (await lab.create_room("later", study="s")).add_member(A)
    await lab.export(tmp_path / "out", study="s")
    rows = [row for row in table(tmp_path / "out" / "members.csv") if row["is_last"] == "true"]
    assert [(row["room"], row["condition"]) for row in rows] == [(last, "last")]


async def test_the_last_room_of_who_had_no_group_is_the_one_that_they_joined_last(
    lab: Lab, tmp_path: Path
) -> None:
    made_first, made_last = [await lab.create_room(id, study="s") for id in ("one", "two")]
    await made_last.add_member("x")
    await made_first.add_member("x")
    await lab.export(tmp_path / "out", study="s")
    rows = table(tmp_path / "out" / "members.csv")
    assert [(row["room"], row["is_last"]) for row in rows] == [("one", "true"), ("two", "false")]


async def test_rooms_have_their_group_and_their_clock(lab: Lab, tmp_path: Path) -> None:
    await make_study(lab)
    await lab.export(tmp_path / "out", study="s")
    first, second = table(tmp_path / "out" / "rooms.csv")
    assert (first["size_planned"], first["size_actual"], first["bots"]) == ("2", "2", "1")
    assert str(first["opened_at"]) < str(first["started_at"]) and first["closed_at"] is None
    assert (second["reason"], second["started_at"]) == ("group_dissolved", None)
    assert (first["lobby"], first["number"], first["block"]) == ("l", "1", "1")


async def test_answers_are_there_long_and_wide(lab: Lab, tmp_path: Path) -> None:
    await make_study(lab)
    await lab.export(tmp_path / "out", study="s")
    long = table(tmp_path / "out" / "answers.csv")
    picks = [(row["value"], row["is_latest"]) for row in long if row["field"] == "pick"]
    assert picks == [("A", "false"), ("B", "true")]
    wide = table(tmp_path / "out" / "answers-choice.csv")
    assert [(row["pick"], row["sure"]) for row in wide] == [("A", "7"), ("B", "7")]
    assert [(row["filled_ms"], row["first_change_ms"]) for row in wide] == [("8000", "1500")] * 2
    (note,) = table(tmp_path / "out" / "answers-note.csv")
    assert (note["big"], note["who"], note["member"]) == (str(2**70), A, B)


async def test_the_flow_adds_up_and_every_cent_is_there(lab: Lab, tmp_path: Path) -> None:
    await make_study(lab)
    await lab.export(tmp_path / "out", study="s")
    assert check(tmp_path / "out") == len(PEOPLE)
    assert pay_of(tmp_path / "out") == {(A, "bonus"): 156, (A, "end"): 250, (A, "paid_out"): 100}


async def test_the_flow_counts_only_the_room_of_the_last_group(lab: Lab, tmp_path: Path) -> None:
    earlier, last = await make_groups(lab)

    async def steps() -> dict[str | None, str | None]:
        await lab.export(tmp_path / "out", study="s")
        rows = table(tmp_path / "out" / "flow.csv")
        assert {row["condition"] for row in rows} == {"last"}
        return {row["step"]: row["people"] for row in rows}

    await lab.log.submit_together(c.ShowRoom("s", earlier, "none"))
    await lab.room(earlier, study="s").close()
    counted = await steps()
    assert (counted["grouped"], counted["started"], counted["finished"]) == ("1", "0", "0")
    await lab.log.submit_together(c.ShowRoom("s", last, "none"))
    counted = await steps()
    assert (counted["grouped"], counted["started"], counted["finished"]) == ("1", "1", "0")


async def test_all_events_are_there_but_for_exports(lab: Lab, tmp_path: Path) -> None:
    await make_study(lab)
    await lab.export(tmp_path / "out", study="s")
    await lab.export(tmp_path / "out", study="s")
    rows = table(tmp_path / "out" / "events.csv")
    stored = await lab.log.read(lambda conn: conn.exec_driver_sql(
        "SELECT study, room.kind, id, event.seq, member, data, cid"
        " FROM event JOIN room ON key = room WHERE event.kind <> 'exported'"
        " ORDER BY room, event.seq"
    ).all())  # fmt: skip
    names = ("study", "log", "room", "seq", "member", "data", "cid")
    assert [tuple(row[name] for name in names) for row in rows] == [
        (study, kind, id, str(seq), *rest) for study, kind, id, seq, *rest in stored
    ]


# ── the same bytes, and its record ───────────────────────────────────────────────────────────


def files_of(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


async def test_a_second_export_is_the_same(lab: Lab, tmp_path: Path) -> None:
    await make_study(lab)
    formats = ("csv", "jsonl", "parquet")
    first = await lab.export(tmp_path / "one", study="s", formats=formats)
    second = await lab.export(tmp_path / "two", study="s", formats=formats)
    assert first.sha256 == second.sha256
    assert files_of(tmp_path / "one") == files_of(tmp_path / "two")
    sums = (tmp_path / "one" / SUMS).read_bytes()
    assert hashlib.sha256(sums).hexdigest() == first.sha256
    for line in sums.decode().splitlines():
        digest, name = line.split("  ")
        content = (tmp_path / "one" / name).read_bytes()
        assert hashlib.sha256(content).hexdigest() == digest
    assert len(sums.splitlines()) == len(files_of(tmp_path / "one")) - 1


async def test_an_export_is_recorded_with_whose_words_it_has(lab: Lab, tmp_path: Path) -> None:
    await make_study(lab)
    made = await lab.export(tmp_path / "out", study="s")
    await lab.export(tmp_path / "public", study="s", public=True, anonymise=True)
    first, second = (event.data for event in await exported(lab))
    assert first["sha256"] == made.sha256 and first["people"] == [A, B]
    assert second["people"] == [A] and second["public"] and second["anonymised"]


async def test_a_study_that_was_only_exported_has_no_people_and_gets_its_seed_later(
    lab: Lab, tmp_path: Path
) -> None:
    await lab.create_room("r", study="s")
    first = await lab.export(tmp_path / "out")
    second = await lab.export(tmp_path / "out")
    assert first.sha256 == second.sha256
    assert await lab.log.read(studies_in) == []
    await lab.log.submit_together(c.DescribeStudy("s", "seed", {}))
    await lab.export(tmp_path / "out")
    said = json.loads((tmp_path / "out" / "study.json").read_bytes())
    assert said["studies"][0]["seed"] == "seed"
    assert await lab.log.read(studies_in) == ["s"]


async def test_study_json_has_all_settings_and_their_changes(lab: Lab, tmp_path: Path) -> None:
    await make_study(lab)
    change = c.DescribeStudy("s", "x", {"currency": "GBP"}, is_default=False)
    await lab.log.submit_together(change)
    await lab.export(tmp_path / "out", study="s")
    (study,) = json.loads((tmp_path / "out" / "study.json").read_bytes())["studies"]
    assert study["seed"] == "seed" and study["settings"]["currency"] == "GBP"
    assert study["code_says"] == {"currency": "EUR"}
    assert [each["settings"].get("currency") for each in study["changes"]] == ["EUR", "GBP"]
    assert study["lobbies"][0]["settings"]["group_size"] == [2, 2, 2]
    assert study["rooms"][0]["rules"]["duration"] == 600
    assert study["rooms"][0]["rules"]["max_length"] > 0


async def test_the_codebook_has_every_column_of_every_table(lab: Lab, tmp_path: Path) -> None:
    await make_study(lab)
    await lab.export(tmp_path / "out", study="s")
    rows = table(tmp_path / "out" / "codebook.csv")
    told = {(row["table"], row["column"]) for row in rows[1:]}
    for path in (tmp_path / "out").glob("*.csv"):
        head = next(csv.reader(io.StringIO(path.read_text(encoding="utf-8"))))
        assert {(path.stem, name) for name in head} <= told, path
    assert "read_csv" in str(rows[0]["meaning"])
    marker = json.loads((tmp_path / "out" / MARKER).read_bytes())
    assert TABLES.keys() - marker["tables"].keys() == {"changes"}


# ── formats ──────────────────────────────────────────────────────────────────────────────────


async def read_back(lab: Lab, folder: Path, texts: Sequence[str]) -> None:
    """Write messages, export them, and read them with the libraries that people use."""
    import pyarrow.parquet

    room = await lab.create_room(f"r{id(texts)}-{hash(tuple(texts))}", study="s")
    for text in texts:
        await room.submit(c.Post([("text", text)]))
    await lab.export(folder, rooms=[room], formats=("csv", "jsonl", "parquet"))
    with (folder / "messages.csv").open(encoding="utf-8", newline="") as file:
        assert [row["text"] for row in csv.DictReader(file)] == list(texts)
    assert [row["text"] for row in table(folder / "messages.csv")] == list(texts)
    lines = (folder / "messages.jsonl").read_bytes().splitlines()
    assert [orjson.loads(line)["text"] for line in lines] == list(texts)
    found = pyarrow.parquet.read_table(folder / "messages.parquet")
    assert found.column("text").to_pylist() == list(texts)
    assert found.column("sent_at").to_pylist()[0].tzinfo is not None


async def test_named_texts_come_back_character_for_character(lab: Lab, tmp_path: Path) -> None:
    await read_back(lab, tmp_path / "out", [*NAMED, ""])


written = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\r"))


@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(written, min_size=1, max_size=100))
def test_any_texts_come_back_character_for_character(
    lab: Lab, tmp_path: Path, texts: list[str]
) -> None:
    asyncio.run(read_back(lab, tmp_path / "out", texts))


async def test_what_excel_takes_for_a_formula_is_guarded_only_if_asked(
    lab: Lab, tmp_path: Path
) -> None:
    room = await lab.create_room("r", study="s")
    await room.submit(c.Post([("text", "=1+1")]))
    assert labchat(lab, "export", "--out", str(tmp_path / "safe"), "--excel-safe")[0] == 0
    await lab.export(tmp_path / "plain")
    safe = (tmp_path / "safe" / "messages.csv").read_bytes()
    assert safe.startswith(b"\xef\xbb\xbf") and b'"\'=1+1"' in safe
    plain = (tmp_path / "plain" / "messages.csv").read_bytes()
    assert b'"=1+1"' in plain and not plain.startswith(b"\xef\xbb\xbf")


# ── people ───────────────────────────────────────────────────────────────────────────────────


async def test_an_anonymous_export_has_no_ids_of_people_and_keeps_those_it_drew(
    lab: Lab, tmp_path: Path
) -> None:
    (room, _) = await make_study(lab)
    await lab.export(tmp_path / "one", study="s", anonymise=True)
    await say(room, A, "later")
    await lab.export(tmp_path / "two", study="s", anonymise=True)
    await lab.export(tmp_path / "new", study="s", anonymise=True, new_ids=True)
    for folder in ("one", "two", "new"):
        everything = b"".join(files_of(tmp_path / folder).values())
        assert b"person-" not in everything and b"helper" in everything
    ids = [[row["member"] for row in table(tmp_path / f / "members.csv")] for f in ("one", "two")]
    assert ids[0] == ids[1] and "helper" in ids[0]
    new = {row["member"] for row in table(tmp_path / "new" / "members.csv")}
    assert new & set(ids[0]) == {"helper"}
    assert check(tmp_path / "one") == len(PEOPLE)


@pytest.mark.parametrize("whole", [True, False])
async def test_an_anonymous_export_has_no_ids_that_an_app_has_put_elsewhere(
    lab: Lab, tmp_path: Path, whole: bool
) -> None:
    await make_study(lab)
    room = await lab.create_room(f"pair-{B}", study="s", title=f"With {B}")
    await name_everywhere(lab, room, B)
    await group_by(lab, B)
    formats = ("csv", "jsonl", "parquet", "psych-ds", "convokit", "text")
    asked: dict[str, Any] = {"study": "s"} if whole else {"rooms": [room]}
    for is_there in (True, False):
        folder = tmp_path / str(is_there)
        await lab.export(folder, formats=formats, anonymise=not is_there, **asked)
        found = [path for path in folder.rglob("*") if path.is_file() and B in content(path)]
        assert bool(found) == is_there, found
    tables = [path.stem for path in (tmp_path / "False").rglob("*.jsonl")]
    assert any(name.startswith("answers-rate-anon-") for name in tables)


async def name_everywhere(lab: Lab, room: Any, member: str) -> None:
    """Put an id wherever an app can, but for texts."""
    await room.add_member(member)
    seq = await say(room, member, "hi")
    await room.record(f"rate-{member}", {f"rate_{member}": 1, "to": {member: 2}}, member=member)
    await room.submit(c.PassOver("callback", seq, 4, f"KeyError: {member}"))
    for command in (
        c.RecordAnswer("s", member, f"form {member}", {f"likes {member}": True}),
        c.Pay("s", member, f"bonus-{member}", 5),
        c.PayOut("s", member, f"file-{member}", 5),
        c.SetStep("s", member, f"meets-{member}"),
    ):
        await lab.log.submit_together(command)
    about = {"seq": seq, "knew": seq, "outcome": "failed", "reason": f"no {member}"}
    said = {"reply": f"@{member}", "parameters": {"user": member, member: 1}}
    await lab.log.write(
        lambda conn, now: entries.add(conn, now, room.key, "bot", Prompt([]), **about, **said)
    )
    await room.close(f"{member} has left")


async def group_by(lab: Lab, member: str) -> None:
    """Have somebody grouped in a lobby and a condition that are called after another person."""
    id = f"lobby-{member}"
    settings: dict[str, Any] = {"group_size": [1, 1, 1], "settle": 0, "ready": None}
    settings["conditions"] = {"meets": [f"{member}, first"], "of": [[member]]}
    for command in (
        c.DescribeLobby("s", id, "seed", settings),
        c.Arrive("s", "zoe"),
        c.Consent("s", "zoe", "2", True, {"film": True}),
        c.EnterLobby("s", id, "zoe"),
        c.Advance("s", id, c.LobbySigns({"zoe": 2**60}), "random"),
    ):
        await lab.log.submit_together(command)
    person = (await Study("s", lab=lab).state()).people["zoe"]
    assert person.condition["meets"] == f"{member}, first"


def content(path: Path) -> str:
    """What a file says, and its name."""
    if path.suffix != ".parquet":
        return f"{path} {path.read_bytes().decode()}"
    import pyarrow.parquet

    found = pyarrow.parquet.read_table(path)
    return f"{path} {found.column_names} {found.to_pylist()} {path.read_bytes()!r}"


async def test_a_public_export_has_the_words_only_of_who_agreed(lab: Lab, tmp_path: Path) -> None:
    rooms = await make_study(lab)
    await say(rooms[0], B, "do not print this")
    await stream(rooms[0], "nor this", member=B, role="user")
    failed = c.PassOver("callback", 1, 4, "ValueError: no error with this")
    await rooms[0].submit(failed)
    about = {"seq": 1, "knew": 1, "outcome": "failed", "reason": "no call with this"}
    await lab.log.write(
        lambda conn, now: entries.add(
            conn, now, rooms[0].key, "helper", Prompt([]), **about, reply="no reply with this"
        )
    )
    answer = c.RecordAnswer("s", B, "choice!", {"pick": "and not this"})
    await lab.log.submit_together(answer)
    await lab.export(tmp_path / "all", study="s")
    await lab.export(tmp_path / "out", study="s", public=True)
    everything = b"".join(files_of(tmp_path / "all").values())
    blanked = b"".join(files_of(tmp_path / "out").values())
    told = b"no error with this", b"no call with this", b"no reply with this"
    for words in (b"do not print this", b"nor this", b"and not this", *told):
        assert words in everything and words not in blanked
    assert b"second of mine" in blanked and b"Hello everybody" in blanked
    rows = table(tmp_path / "out" / "messages.csv")
    assert [row["text"] for row in rows if row["member"] == B] == [None] * 3
    calls = table(tmp_path / "out" / "bot_calls.csv")
    hidden = [call[name] for call in calls for name in ("prompt", "reply", "reason")]
    assert hidden == [None] * 6, "they may have words of all who were there"


async def test_where_words_are_not_shared_texts_say_so_and_a_corpus_has_none(
    lab: Lab, tmp_path: Path
) -> None:
    (room, _) = await make_study(lab)
    await say(room, B, "do not print this")
    await lab.export(tmp_path / "out", study="s", public=True, formats=("convokit", "text"))
    texts = (tmp_path / "out" / "text" / f"{room.id}.txt").read_text(encoding="utf-8")
    assert texts.count(": [not shared]\n") == 2 and ": None" not in texts
    lines = (tmp_path / "out" / "convokit" / "utterances.jsonl").read_bytes().splitlines()
    said = [each["text"] for each in map(orjson.loads, lines) if each["speaker"] == B]
    assert said == ["", ""]


async def test_a_withdrawn_message_keeps_its_row(lab: Lab, tmp_path: Path) -> None:
    room = await lab.create_room("r", study="s")
    await room.add_member("a")
    seq = await say(room, "a", "gone")
    at = (await room.messages())[0].at
    blank = '{"role":"user","parts":[],"withdrawn":true}'
    await lab.log.write(lambda conn, now: conn.exec_driver_sql(
        "UPDATE event SET data = ?, member = 'new', author = 'new' WHERE kind = 'message'", (blank,)
    ).rowcount)  # fmt: skip
    await add_event(lab, "r", "withdrawn", {"messages": [seq]})
    await lab.export(tmp_path / "out", study="s")
    (row,) = table(tmp_path / "out" / "messages.csv")
    assert (row["text"], row["withdrawn"], row["member"]) == ("", "true", "new")
    assert (row["pseudonym"], row["kind_true"]) == (None, "human")
    assert (await exported(lab))[0].data["people"] == []
    await lab.export(tmp_path / "since", study="s", since=later(at))
    assert table(tmp_path / "since" / "messages.csv") == []
    (change,) = table(tmp_path / "since" / "changes.csv")
    assert (change["row_id"], change["change"]) == (f"s:r:{seq}", "withdrawn")


def later(at: Any) -> Any:
    return at + timedelta(microseconds=1)


async def add_event(lab: Lab, room: str, kind: str, data: dict[str, Any]) -> None:
    await lab.log.write(lambda conn, now: append_event(conn, now, LogKey("s", room), kind, data))


def append_event(conn: Any, now: int, log: LogKey, kind: str, data: dict[str, Any]) -> None:
    number, seq = find_room(conn, log) or (0, 0)
    event = Event(seq + 1, now, kind, "new", data)
    assert append_events(conn, [row_of(number, event)], [(number, seq, seq + 1)])


async def test_an_export_is_not_recorded_if_somebody_has_withdrawn_meanwhile(lab: Lab) -> None:
    await lab.log.submit_together(c.DescribeStudy("s", "seed", {}))

    said = study_log("s"), "withdrawn", {"by": "ledger"}
    await lab.log.write(lambda conn, now: append_event(conn, now, *said))
    early = await lab.log.submit_together(c.RecordExport("s", "x", 1, {"people": []}))
    late = await lab.log.submit_together(c.RecordExport("s", "x", 2, {"people": []}))
    assert not early.events and late.events


# ── some of it ───────────────────────────────────────────────────────────────────────────────


async def test_rooms_limit_an_export_to_them_and_their_people(lab: Lab, tmp_path: Path) -> None:
    rooms = await make_study(lab)
    await lab.export(tmp_path / "out", rooms=[rooms[0]])
    assert [row["room"] for row in table(tmp_path / "out" / "rooms.csv")] == [rooms[0].id]
    assert rows_of(tmp_path / "out", "members").keys() == {A, B, "helper"}
    assert {row["log"] for row in table(tmp_path / "out" / "events.csv")} == {"room"}
    assert pay_of(tmp_path / "out")[A, "bonus"] == 156
    flow = table(tmp_path / "out" / "flow.csv")
    assert sum(int(str(row["people"])) for row in flow if row["step"] == "arrived") == 2


async def test_since_leaves_out_what_was_before(lab: Lab, tmp_path: Path) -> None:
    rooms = await make_study(lab)
    last = (await rooms[0].messages())[-1]
    await say(rooms[0], B, "new")
    await lab.export(tmp_path / "out", study="s", since=later(last.at).isoformat())
    assert [row["text"] for row in table(tmp_path / "out" / "messages.csv")] == ["new"]
    assert len(table(tmp_path / "out" / "members.csv")) == 8, "what is added up is whole"
    events = table(tmp_path / "out" / "events.csv")
    assert all(str(row["at"]) > last.at.isoformat()[:26] for row in events) and len(events) > 1


# ── the folder ───────────────────────────────────────────────────────────────────────────────


async def test_a_folder_with_other_files_is_refused_and_left_alone(
    lab: Lab, tmp_path: Path
) -> None:
    await lab.create_room("r", study="s")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work")
    with pytest.raises(NotAnExport, match="mine has files that are no export"):
        await lab.export(tmp_path / "mine")
    assert files_of(tmp_path / "mine") == {"thesis.txt": b"years of work"}
    (tmp_path / "empty").mkdir()
    await lab.export(tmp_path / "empty")
    await lab.export(tmp_path / "empty", formats=("csv", "text"))
    await lab.export(tmp_path / "empty")
    assert not (tmp_path / "empty" / "text").exists(), "it is replaced as a whole"
    assert {path.name for path in tmp_path.iterdir() if path.name[0] == "."} == set()


async def test_an_export_is_not_replaced_if_somebody_has_files_in_its_folder(
    lab: Lab, tmp_path: Path
) -> None:
    await make_study(lab)
    formats, folder = ("csv", "psych-ds", "convokit"), tmp_path / "out"
    await lab.export(folder, formats=formats)
    (folder / ".DS_Store").touch()
    await lab.export(folder, formats=formats)
    for name in ("analysis.R", "products/convokit/messages.dta", "products/mine/notes.txt"):
        mine = folder / name
        mine.parent.mkdir(exist_ok=True)
        mine.write_text("years of work")
        before = files_of(folder)
        with pytest.raises(NotAnExport, match=f"{name}; move them elsewhere, or name another"):
            await lab.export(folder, formats=formats)
        assert files_of(folder) == before
        mine.unlink()
    (folder / SUMS).unlink()
    with pytest.raises(NotAnExport, match=r"CHANGES.md.* and \d+ more; move them"):
        await lab.export(folder)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"formats": ("cvs",)}, 'did you mean "csv"'),
        ({"formats": "csv"}, "several names"),
        ({"formats": ()}, "at least one"),
        ({"study": "nobody"}, "no study 'nobody'"),
        ({"rooms": ["nowhere"]}, "no room 'nowhere'"),
        ({"rooms": "r"}, "several rooms"),
        ({"since": "yesterday"}, "must be a time"),
        ({"since": "2027-01-01T00:00:00"}, "time zone"),
        ({"new_ids": True}, "anonymise=True"),
        ({"progress": 7}, "function"),
    ],
)
async def test_a_wrong_argument_is_refused_in_words(
    lab: Lab, tmp_path: Path, arguments: dict[str, Any], says: str
) -> None:
    await lab.create_room("r", study="s")
    with pytest.raises((TypeError, ValueError), match=says):
        await lab.export(tmp_path / "out", **arguments)
    assert not (tmp_path / "out").exists()


async def test_a_missing_database_is_not_made(tmp_path: Path) -> None:
    lab = Lab(f"sqlite:///{tmp_path / 'gone.db'}")
    with pytest.raises(LabChatError, match="store_missing"):
        await lab.export(tmp_path / "out")
    assert not (tmp_path / "gone.db").exists() and not (tmp_path / "out").exists()


async def test_progress_is_told_up_to_the_end(lab: Lab, tmp_path: Path) -> None:
    await make_study(lab)
    told: list[tuple[int, int]] = []
    await lab.export(tmp_path / "out", progress=lambda done, total: told.append((done, total)))
    assert told[-1][0] == told[-1][1] > 0 and told == sorted(told)


# ── the command ──────────────────────────────────────────────────────────────────────────────


def labchat(lab: Lab, *arguments: str) -> tuple[int, bytes, str]:
    """Run the command; its status, and what it prints."""
    command = [sys.executable, "-c", "from shiny_labchat.cli import main; main()", *arguments]
    env = {**os.environ, "LABCHAT_URL": lab.url}
    done = subprocess.run(command, capture_output=True, timeout=120, env=env)
    return done.returncode, done.stdout, done.stderr.decode()


async def test_the_command_exports(lab: Lab, tmp_path: Path) -> None:
    await make_study(lab)
    out = tmp_path / "out"
    status, printed, said = labchat(
        lab, "export", "--study", "s", "--format", "csv,jsonl", "--out", str(out)
    )
    assert (status, printed) == (0, b"") and "messages\t6 rows" in said
    made = await lab.export(tmp_path / "two", study="s", formats=("csv", "jsonl"))
    assert made.sha256 in said
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "x").touch()
    status, _, said = labchat(lab, "export", "--out", str(tmp_path / "mine"))
    assert status == 1 and "has files that are no export" in said


async def test_a_dash_prints_the_messages_and_is_recorded(lab: Lab, tmp_path: Path) -> None:
    await make_study(lab)
    status, printed, _ = labchat(lab, "export", "--study", "s", "--out", "-")
    await lab.export(tmp_path / "out", study="s")
    assert status == 0 and printed == (tmp_path / "out" / "messages.csv").read_bytes()
    first = (await exported(lab))[0].data
    assert first["sha256"] == hashlib.sha256(printed).hexdigest() and first["people"] == [A, B]


async def test_the_command_reports_on_a_study(lab: Lab, tmp_path: Path) -> None:
    await make_study(lab)
    status, printed, said = labchat(lab, "report", "--study", "s", "--out", "-")
    assert status == 0 and printed.startswith(b"<!DOCTYPE html>"), said
