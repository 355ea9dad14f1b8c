"""What is recorded of how people write, and what was retracted, in exports; and the consent."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from shiny_labchat import Lab, Room, Rules
from shiny_labchat.access.tickets import StudyEntry
from shiny_labchat.domain import commands as c
from shiny_labchat.gateway.study_view import StudyView
from shiny_labchat.lab.importing import import_export
from shiny_labchat.lab.runtime import Runtime
from shiny_labchat.report.ethics import ethics_of
from shiny_labchat.words import ENGLISH
from tests.support.csv_text import table

pytestmark = pytest.mark.anyio

TYPED: dict[str, Any] = {
    "first_key_ms": 900, "typing_ms": 4_000, "pauses": 1, "keystrokes": 12, "deletions": 2,
    "pasted_chars": 0, "focus_losses": 3, "rhythm": [120, 2_800, 80],
}  # fmt: skip
EXPORTED = {name: str(value) for name, value in TYPED.items()} | {"rhythm": "[120,2800,80]"}
NOTHING = dict.fromkeys(TYPED)


async def write(room: Room, member: str, text: str, **typed: Any) -> None:
    await room.submit(c.Say(member, text, f"b:{text}", "page", typed={**TYPED, **typed}))


def typed_in(row: dict[str, str | None]) -> dict[str, str | None]:
    return {name: row[name] for name in TYPED}


async def test_exports_have_how_messages_were_written(lab: Lab, tmp_path: Path) -> None:
    room = await lab.create_room("r", study="s", rules=Rules(telemetry="rhythm"))
    await room.add_member("a")
    await write(room, "a", "hello")
    await room.post("posted", author="a")
    await room.configure(rules=Rules(telemetry="off"))
    await write(room, "a", "not counted")
    await room.configure(rules=Rules(paste="mark"))
    await write(room, "a", "pasted", pasted_chars=6)
    await lab.export(tmp_path / "out", study="s")
    counted, posted, off, marked = table(tmp_path / "out" / "messages.csv")
    assert typed_in(counted) == EXPORTED
    assert typed_in(posted) == typed_in(off) == NOTHING
    assert typed_in(marked) == {**NOTHING, "pasted_chars": "6"}
    assert all(message.content for message in await room.messages())
    assert "keystrokes" not in repr([message.as_dict() for message in await room.messages()])


async def test_an_import_of_an_export_has_it_again_and_exports_the_same(
    lab: Lab, tmp_path: Path
) -> None:
    room = await lab.create_room("r", study="s", rules=Rules(telemetry="rhythm"))
    await room.add_member("a")
    await write(room, "a", "hello")
    await room.retract((await room.messages())[0], "rude")
    await lab.export(tmp_path / "out", study="s")
    again = Lab(f"sqlite:///{tmp_path / 'again.db'}")
    await import_export(again.log, tmp_path / "out")
    await again.export(tmp_path / "again", study="s")
    for name in ("messages.csv", "events.csv"):
        assert (tmp_path / "out" / name).read_bytes() == (tmp_path / "again" / name).read_bytes()
    assert await again.room("r", study="s").messages() == []
    again.log.close()


async def test_who_withdraws_takes_it_with_them(lab: Lab, tmp_path: Path) -> None:
    room = await lab.create_room("r", study="s", rules=Rules(telemetry="rhythm"))
    await room.add_member("a")
    await write(room, "a", "hello")
    await lab.withdraw("a")
    await lab.export(tmp_path / "out", study="s")
    [row] = table(tmp_path / "out" / "messages.csv")
    assert (row["text"], row["withdrawn"]) == ("", "true") and typed_in(row) == NOTHING
    [event] = [e for e in table(tmp_path / "out" / "events.csv") if e["kind"] == "message"]
    assert "typed" not in json.loads(str(event["data"]))


async def test_a_public_export_lacks_it_where_words_are_not_shared(
    lab: Lab, tmp_path: Path
) -> None:
    room = await lab.create_room("r", study="s", rules=Rules(telemetry="rhythm"))
    await room.add_member("a")
    await write(room, "a", "hello")
    await room.retract((await room.messages())[0], "said hello")
    await lab.export(tmp_path / "out", study="s", public=True)
    [row] = table(tmp_path / "out" / "messages.csv")
    assert row["text"] is None and typed_in(row) == NOTHING and row["retracted"] == "true"
    events = (tmp_path / "out" / "events.csv").read_text("utf-8")
    assert "keystrokes" not in events and "hello" not in events


async def test_the_report_for_a_board_counts_it(lab: Lab) -> None:
    room = await lab.create_room("r", study="s", rules=Rules(telemetry="counts"))
    await room.add_member("a")
    await write(room, "a", "hello")
    await room.post('not "typed":{"keystrokes":1}', author="a")
    kept = {each.what: each.number for each in (await ethics_of(lab.log, "s")).kept}
    assert kept["how messages were written"] == 1


# ── what was retracted ──


async def test_exports_keep_what_was_retracted_and_say_so(lab: Lab, tmp_path: Path) -> None:
    room = await lab.create_room("r", study="s")
    gone, stays = await room.post("gone"), await room.post("stays")
    await room.retract(gone, "rude")
    await lab.export(tmp_path / "out", study="s", formats=("csv", "text"))
    rows = table(tmp_path / "out" / "messages.csv")
    assert [(row["text"], row["retracted"]) for row in rows] == [
        ("gone", "true"),
        ("stays", "false"),
    ]
    [event] = [e for e in table(tmp_path / "out" / "events.csv") if e["kind"] == "retracted"]
    assert json.loads(str(event["data"])) == {"of": gone.seq, "reason": "rude"}
    [text] = [each.read_text("utf-8") for each in (tmp_path / "out").rglob("r.txt")]
    assert text.startswith("(retracted) ") and text.count("(retracted)") == 1
    assert stays.seq > gone.seq


async def test_a_later_export_says_what_was_retracted_of_an_earlier_one(
    lab: Lab, tmp_path: Path
) -> None:
    room = await lab.create_room("r", study="s")
    await room.add_member("a")
    earlier, other = await room.post("earlier", author="a"), await room.post("stays")
    since = datetime.now(UTC)
    later = await room.post("later", author="a")
    for message in (earlier, later):
        await room.retract(message)
    await lab.export(tmp_path / "out", study="s", since=since)
    changes = table(tmp_path / "out" / "changes.csv")
    assert [(row["seq"], row["row_id"], row["member"], row["change"]) for row in changes] == [
        (str(earlier.seq), f"s:r:{earlier.seq}", "a", "retracted")
    ]
    assert other.seq > earlier.seq
    [row] = table(tmp_path / "out" / "messages.csv")
    assert (row["text"], row["retracted"]) == ("later", "true")


# ── the consent ──


async def screen_of(lab: Lab, person: str) -> dict[str, Any]:
    entry = StudyEntry(lab.log, "s", person, "p", None, "")
    view = StudyView(entry, Runtime.of(lab.log).live, lab.words, lambda: None)
    await view.open()
    screen = await view.look(is_newest=True)
    view.close()
    return screen.data(0)


async def test_the_consent_tells_of_the_rules_of_all_lobbies(lab: Lab) -> None:
    consent = {"text": "You will talk.", "version": "1", "items": {}, "required": []}
    await lab.log.submit_together(c.DescribeStudy("s", "seed", {"consent": consent}))
    for lobby, rules in (("plain", None), ("counted", {"telemetry": "counts"})):
        settings = {"group_size": [2, 2, 2], "rules": rules}
        await lab.log.submit_together(c.DescribeLobby("s", lobby, "seed", settings))
    await lab.log.submit_together(c.Arrive("s", "ann"))
    shown = await screen_of(lab, "ann")
    assert shown["is"] == "consent" and shown["lines"] == [ENGLISH["consent.telemetry.counts"]]
    settings = {"group_size": [2, 2, 2], "rules": {"paste": "mark"}}
    await lab.log.submit_together(c.DescribeLobby("s", "counted", "seed", settings))
    assert (await screen_of(lab, "ann"))["lines"] == [ENGLISH["consent.paste"]]
