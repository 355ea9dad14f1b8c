"""A small study in a database, with most of what a log may have."""

from __future__ import annotations

from typing import Any

from shiny_labchat import Lab, Room
from shiny_labchat.audit import entries
from shiny_labchat.audit.prompts import Prompt
from shiny_labchat.domain import commands as c
from shiny_labchat.domain.ends import End, data_of
from shiny_labchat.lab.stream import RoomStream

__all__ = ["NASTY", "PEOPLE", "make_groups", "make_study", "say", "stream"]

PEOPLE = tuple(f"person-{number:016x}" for number in range(7))
"""Four are grouped, one waits, one has refused consent, one has been screened out."""
NASTY = 'He said "no",\n\t=1+1; ünïcödé 🦦 \u202eabc'


async def say(room: Room, member: str, text: str, cid: str | None = None) -> int:
    """A person writes; the seq of the message."""
    outcome = await room.submit(c.Say(member, text, cid or f"{member}{text}"[:60], "page"))
    return outcome.events[-1].seq


async def stream(room: Room, *pieces: str, how: Any = "done", **post: Any) -> int:
    """A streamed message; its seq."""
    made = await RoomStream.open(room, c.Post([], is_live=True, **post), lambda: None)
    assert made is not None
    for piece in pieces:
        await made.append([("markdown", piece)])
    await made.close(how)
    return made.seq


async def make_study(lab: Lab, study: str = "s") -> list[Room]:
    """Make the study; its two rooms."""
    ends = {"complete": End("DONE", pay=2.50), "withdrew": End("BYE", pay="none")}
    consent = {"text": "?", "version": "2", "items": {"share": "Share?", "film": "Film?"}}
    settings = {
        "consent": {**consent, "required": ["film"]},
        "ends": {reason: data_of(end) for reason, end in ends.items()},
        "currency": "EUR",
    }
    await lab.log.submit_together(c.DescribeStudy(study, "seed", settings))
    rules = {"duration": 600, "starts": "code", "min_messages": 2, "log_presence": True}
    conditions = {"tone": ["calm", "heated"], "stakes": ["low"]}
    lobby = {"group_size": [2, 2, 2], "settle": 0, "ready": None, "conditions": conditions}
    await lab.log.submit_together(c.DescribeLobby(study, "l", "seed", {
        **lobby, "rules": rules, "parts": {"leader": 1}, "title": "Talk",
    }))  # fmt: skip
    for number, person in enumerate(PEOPLE):
        await lab.log.submit_together(c.Arrive(study, person, "phone", "de-DE"))
        agrees = number != 5
        answers = {"share": number % 2 == 0, "film": True}
        await lab.log.submit_together(c.Consent(study, person, "2", agrees, answers))
        if number < 5:
            await lab.log.submit_together(c.EnterLobby(study, "l", person))
            signs = c.LobbySigns({person: 2**60 for person in PEOPLE})
            await lab.log.submit_together(c.Advance(study, "l", signs, f"random {number}"))
    await lab.log.submit_together(c.EndPerson(study, PEOPLE[6], "screened_out"))
    return await _talk(lab, study, await lab.rooms(study))


async def _talk(lab: Lab, study: str, rooms: list[Room]) -> list[Room]:
    first, _ = rooms
    a, b, d = PEOPLE[0], PEOPLE[1], PEOPLE[3]
    await first.submit(c.Join("helper", "h1", is_bot=True, role="assistant", shown="participant"))
    for room in rooms:
        await lab.log.submit_together(c.ShowRoom(study, room.id, "none"))
    await first.submit(c.NotePresence(a, "here"))
    await first.submit(c.Start())
    about = await say(first, a, NASTY)
    await say(first, b, "NA")
    await first.submit(c.Post([("text", "for your eyes")], audience=[b], member=a, role="user"))
    called = await _call(lab, first, about)
    posted = await stream(first, "Hello ", "everybody", member="helper")
    await _became(lab, called, posted)
    await stream(first, "never shown", how="withheld")
    await stream(first, "cut", how="stopped")
    await say(first, a, "second of mine")
    await first.submit(c.NotePresence(a, "away"))
    await first.submit(c.NotePresence(a, "gone"))
    await first.submit(c.NotePresence(a, "here"))
    await first.submit(c.PressDone(a))
    times = {"shown_at": 1_000, "first_change_at": 2_500, "sent_at": 9_000}
    for value in ("A", "B"):
        answer = c.RecordAnswer(study, a, "choice!", {"pick": value, "sure": 7}, value, times)
        await lab.log.submit_together(answer)
    await first.record("note", {"big": 2**70, "who": a}, member=b)
    await lab.log.submit_together(c.Pay(study, a, "bonus", 155))
    await lab.log.submit_together(c.Pay(study, a, "more", 1))
    await lab.log.submit_together(c.PayOut(study, a, "file", 100))
    await lab.log.submit_together(c.EndPerson(study, a, "complete"))
    await lab.log.submit_together(c.Debrief(study, a, keep=True))
    await lab.log.submit_together(c.EndPerson(study, d, "withdrew"))
    return rooms


async def make_groups(lab: Lab, study: str = "s") -> tuple[str, str]:
    """
    Group a person twice; the ids of the earlier and of the last group's room.

    The person has filled in a form in between. Each lobby has one condition, which is its id.
    """
    person = PEOPLE[0]
    settings: dict[str, Any] = {"group_size": [1, 1, 1], "settle": 0, "ready": None}
    await lab.log.submit_together(c.DescribeStudy(study, "seed", {}))
    await lab.log.submit_together(c.Arrive(study, person, "phone", "de-DE"))
    rooms: list[str] = []
    for lobby in ("first", "last"):
        conditions = {**settings, "conditions": [lobby]}
        await lab.log.submit_together(c.DescribeLobby(study, lobby, "seed", conditions))
        await lab.log.submit_together(c.EnterLobby(study, lobby, person))
        signs = c.LobbySigns({person: 2**60})
        await lab.log.submit_together(c.Advance(study, lobby, signs, f"random {lobby}"))
        rooms += [each.id for each in await lab.rooms(study) if each.id not in rooms]
        if lobby == "first":
            form = c.RecordAnswer(study, person, "choice!", {"pick": "A"}, "A", {})
            await lab.log.submit_together(form)
    earlier, last = rooms
    return earlier, last


async def _call(lab: Lab, room: Room, about: int) -> int:
    turns = [{"role": "system", "contents": []}, {"role": "user", "who": PEOPLE[0]}]
    about_call = {"seq": about, "knew": about, "outcome": "open", "is_call": True, "model": "m-1"}
    return await lab.log.write(
        lambda conn, now: entries.add(
            conn, now, room.key, "helper", Prompt(turns), **about_call, provider="p", asked=now
        )
    )


async def _became(lab: Lab, call: int, seq: int) -> None:
    used = {"tokens_in": 10, "tokens_out": 5, "tokens_cached": None, "cost": 0.25}
    await lab.log.write(
        lambda conn, now: entries.settle(conn, call, outcome="posted", became=seq, **used)
    )
