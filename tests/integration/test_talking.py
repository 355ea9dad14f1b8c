"""Several browsers in one room, over real sockets to a real server."""

from __future__ import annotations

import asyncio
import json

from shiny_labchat import Lab, Room, Rules
from shiny_labchat.domain.opaque import id_of
from shiny_labchat.live.room import MAX_MISSED_EVENTS
from shiny_labchat.protocol import VERSION
from tests.support.client import browser
from tests.support.ids import seq_in
from tests.support.server import Server, shiny_run

from .conftest import APP, Come, log_of


async def test_all_see_all_in_one_order(come: Come) -> None:
    async with come("ann") as ann, come("bob") as bob, come("carl") as carl:
        everyone = (ann, bob, carl)
        for n in range(20):
            await asyncio.gather(*(each.send(f"{k}:{n}") for k, each in enumerate(everyone)))
        for each in everyone:
            await each.until(lambda each=each: len(each.items) == 60)
        assert ann.texts == bob.texts == carl.texts
        for k in range(3):
            assert [t for t in ann.texts if t[0] == str(k)] == [f"{k}:{n}" for n in range(20)]


async def test_a_message_is_stored_before_anybody_sees_it(come: Come, room: Room) -> None:
    async with come("ann") as ann, come("bob") as bob:
        for n in range(20):
            await ann.send(f"{n}")
            await bob.sees(f"{n}")
            assert (await room.messages(last=1))[0].content == f"{n}"


async def test_the_author_gets_an_ack_with_the_id_that_all_see(come: Come) -> None:
    async with come("ann") as ann, come("bob") as bob:
        id = await ann.says("hi")
        await bob.sees("hi")
        assert list(bob.items) == [id]
        await ann.sees("hi")
        assert list(ann.items) == [id]


async def test_a_message_sent_twice_is_one(come: Come, room: Room) -> None:
    async with come("ann") as one, come("ann") as other:
        id = await one.says("hi", cid="same")
        assert await one.says("hi", cid="same") == await other.says("hi", cid="same") == id
        assert len(await room.messages()) == 1


async def test_two_people_may_use_the_same_id(come: Come, room: Room) -> None:
    async with come("ann") as ann, come("bob") as bob:
        assert await ann.says("a", cid="1") != await bob.says("b", cid="1")
    assert await room.post("developer", id="1")
    assert len(await room.messages()) == 3


async def test_everybody_sees_the_same_author_and_nobody_an_id(come: Come, room: Room) -> None:
    async with come("SECRET-ann") as ann, come("SECRET-bob") as bob:
        await ann.says("hi")
        await bob.sees("hi")
        await bob.tell(t="typing")
        await ann.hears("typing")
        await ann.settles()
        [item] = bob.items.values()
        members = {m.id: m.pseudonym for m in await room.members()}
        assert item["name"] == members["SECRET-ann"] == ann.welcome["you"]["name"]
        assert item["h"] == ann.welcome["you"]["h"] != bob.welcome["you"]["h"]
        for frame in ann.frames + bob.frames:
            sent = json.dumps(frame)
            assert "SECRET" not in sent and room.id not in sent


async def test_text_arrives_character_for_character(come: Come) -> None:
    texts = [
        "<b>&amp;</b>",
        "a\nb\nc\td",
        "🦦👩🏽‍🚀",
        "\u202emirrored",
        "مرحبا",
        "a\u2028b",
        " x ",
    ]
    async with come("ann") as ann, come("bob", compression="deflate") as bob:
        for text in texts:
            await ann.says(text)
        await bob.sees(*texts)
        await ann.sees(*texts)


async def test_every_line_ends_the_same_way_whoever_sends_it(come: Come) -> None:
    async with come("ann") as ann, come("bob") as bob:
        for text in ("a\r\nb", "a\rb", "a\n\rb", "a\nb"):
            await ann.says(text)
        for one in (ann, bob):
            await one.sees("a\nb", "a\nb", "a\n\nb", "a\nb")


async def test_a_late_comer_sees_it_all(come: Come, room: Room) -> None:
    async with come("ann") as ann:
        for n in range(10):
            await ann.says(f"{n}")
        async with come("late") as late:
            assert late.texts == [f"{n}" for n in range(10)]
            assert late.welcome["more"] is False and late.welcome["reset"] is True
            assert await seq_in(room, late.upto) == (await room.messages())[-1].seq


async def test_older_pages_reach_back_to_the_beginning(come: Come, room: Room) -> None:
    await asyncio.gather(*(room.post(f"{n}") for n in range(420)))
    async with come("ann") as ann:
        assert ann.texts == [f"{n}" for n in range(370, 420)]
        more = ann.welcome["more"]
        while more:
            await ann.tell(t="older", before=next(iter(ann.items)))
            more = (await ann.hears("older"))["more"]
        assert ann.texts == [f"{n}" for n in range(420)]
        await ann.tell(t="older", before=next(iter(ann.items)))
        assert (await ann.hears("older")) == {"t": "older", "more": False, "e": []}


async def test_what_was_missed_comes_with_resume_and_nothing_twice(
    come: Come, room: Room, server: Server
) -> None:
    async with come("ann") as ann:
        await ann.says("one")
        await ann.sees("one")
        token, upto = ann.welcome["resume"], ann.upto
    await room.post("two")
    await room.post("three")
    for _ in range(2):  # a resume token is good again and again
        async with browser(server.port) as again:
            welcome = await again.hello(resume=token, after=upto)
            await again.until(lambda: again.texts == ["two", "three"])
            assert not welcome.get("reset")
            assert welcome["resume"] == token


async def test_who_missed_more_than_memory_holds_gets_exactly_that(
    come: Come, room: Room, server: Server
) -> None:
    await room.post("before")
    async with come("ann") as ann:
        token, upto = ann.welcome["resume"], ann.upto
    await asyncio.gather(*(room.post(f"{n}") for n in range(700)))
    async with browser(server.port) as again:
        await again.hello(resume=token, after=upto)
        await again.until(lambda: again.texts == [f"{n}" for n in range(700)])
        assert not any(frame.get("reset") for frame in again.frames)


async def test_who_missed_thousands_gets_the_newest_screen(
    come: Come, room: Room, server: Server
) -> None:
    await room.post("before")
    async with come("ann") as ann:
        token, upto = ann.welcome["resume"], ann.upto
    await asyncio.gather(*(room.post(f"{n}") for n in range(MAX_MISSED_EVENTS + 1)))
    async with browser(server.port) as again:
        welcome = await again.hello(resume=token, after=upto)
        assert welcome["reset"] and welcome["more"]
        assert again.texts == [f"{n}" for n in range(MAX_MISSED_EVENTS - 49, MAX_MISSED_EVENTS + 1)]


async def test_a_cursor_from_the_future_starts_afresh(come: Come, room: Room) -> None:
    """As after the database was exchanged for an older copy."""
    await room.post("hi")
    seed = (await room.state()).seed
    async with come("ann", after=id_of(seed, 2**40)) as ann:
        assert ann.welcome["reset"] and ann.texts == ["hi"]


async def test_an_open_page_goes_on_after_a_crash_of_the_server(lab: Lab, room: Room, come: Come):
    """Also when no page has been opened since the restart."""
    server = Server(shiny_run(APP), lab.url)
    server.start()
    try:
        async with come("ann", port=server.port) as ann:
            await ann.says("before")
            await ann.sees("before")
            token, upto = ann.welcome["resume"], ann.upto
            server.kill()
            await ann.ends()
        await room.post("meanwhile")
        server.start()
        async with browser(server.port) as again:
            await again.hello(resume=token, after=upto)
            await again.sees("meanwhile")
            await again.says("after")
        assert [m.content for m in await room.messages()] == ["before", "meanwhile", "after"]
    finally:
        server.stop()


async def test_the_first_line_of_the_log_says_where_the_data_lies(server: Server, lab: Lab) -> None:
    assert lab.url.removeprefix("sqlite:///") in server.logs(r"labchat: the record is ")


# ── audiences ──


async def test_a_private_message_reaches_its_audience_and_its_author_only(
    come: Come, room: Room, server: Server
) -> None:
    async with come("ann") as ann, come("bob") as bob, come("carl") as carl:
        await room.post("psst", author="bob", audience=["ann"])
        await room.post("all")
        await ann.sees("psst", "all")
        await bob.sees("psst", "all")
        await carl.sees("all")
        assert carl.texts == ["all"] and carl.upto == ann.upto
        assert "psst" not in json.dumps(carl.frames)
        assert [item.get("only") for item in ann.items.values()] == [True, None]
        token = carl.welcome["resume"]
    async with come("carl") as late, browser(server.port) as resumed:
        assert late.texts == ["all"]
        await resumed.hello(resume=token)
        await resumed.until(lambda: resumed.upto == ann.upto)
        assert resumed.texts == ["all"]


async def test_older_pages_keep_private_messages_private(come: Come, room: Room) -> None:
    await room.add_member("ann")
    for n in range(120):
        await room.post(f"{n}", audience=["ann"] if n % 2 else None)
    async with come("bob") as bob:
        while bob.welcome["more"] and min(int(t) for t in bob.texts) > 0:
            await bob.tell(t="older", before=next(iter(bob.items)))
            await bob.hears("older")
        assert bob.texts == [f"{n}" for n in range(0, 120, 2)]
        assert bob.welcome["more"] is True


# ── who is here, who is typing ──


async def test_presence_counts_each_person_once(come: Come) -> None:
    async with come("ann") as ann:
        await ann.hears("presence", n=1)
        async with come("bob") as bob, come("bob"):
            there = await ann.hears("presence", n=2)
            assert sorted(h for h, _, _ in there["who"]) == sorted(
                each.welcome["you"]["h"] for each in (ann, bob)
            )
        await ann.hears("presence", n=1)


async def test_pages_are_sent_who_came_and_who_went(come: Come, room: Room) -> None:
    async with come("ann") as ann, come("other"):
        await ann.hears("here", n=2)
        async with come("bob") as bob:
            you = bob.welcome["you"]
            came = await ann.hears("here", n=3)
            assert (came["came"], came["went"]) == ([[you["h"], you["name"], "participant"]], [])
            await room.add_member("bob", "Bobby")
            assert (await ann.hears("here", n=3))["came"] == [[you["h"], "Bobby", "participant"]]
        gone = await ann.hears("here", n=2)
        assert (gone["came"], gone["went"]) == ([], [you["h"]])


async def test_typing_is_shown_until_the_message_comes(come: Come) -> None:
    async with come("ann") as ann, come("bob") as bob:
        await bob.tell(t="typing")
        you = bob.welcome["you"]
        assert (await ann.hears("typing"))["who"] == [[you["h"], you["name"]]]
        await bob.send("hi")
        assert (await ann.hears("typing"))["who"] == []


async def test_who_types_on_after_a_message_is_shown_typing(come: Come) -> None:
    """Also at once: pages have stopped showing it with the message."""
    async with come("ann") as ann, come("bob") as bob:
        you = bob.welcome["you"]
        await bob.tell(t="typing")
        await ann.hears("typing", who=[[you["h"], you["name"]]])
        await bob.send("ok")
        await ann.sees("ok")
        await bob.tell(t="typing")
        await ann.hears("typing", who=[[you["h"], you["name"]]])


async def test_typing_and_presence_are_not_in_the_log(come: Come, room: Room) -> None:
    async with come("ann") as ann, come("bob") as bob:
        await bob.tell(t="typing")
        await ann.hears("typing")
    assert {event.kind for event in await log_of(room)} == {"configured", "joined"}


async def test_nobody_is_shown_typing_who_may_not_write(come: Come, room: Room) -> None:
    async with come("ann") as ann, come("bob") as bob, come("carl") as carl:
        await room.add_member("bob", role="observer")
        await bob.hears("state")
        await bob.tell(t="typing")
        await bob.settles()
        await room.mute("carl")
        await carl.hears("state")
        await carl.tell(t="typing")
        await carl.settles()
        await ann.tell(t="typing")
        you = ann.welcome["you"]
        assert (await ann.hears("typing"))["who"] == [[you["h"], you["name"]]]


# ── what the organisers do, from another process ──


async def test_a_removed_member_is_sent_away_from_all_sockets(
    come: Come, room: Room, server: Server
) -> None:
    async with come("ann") as ann, come("bob") as one, come("bob") as other:
        await ann.hears("presence", n=2)
        token = one.welcome["resume"]
        await room.remove_member("bob")
        await room.post("secret")
        for each in (one, other):
            assert await each.is_sent_away() == ("removed", 4403)
            assert "secret" not in json.dumps(each.frames)
        await ann.hears("presence", n=1)
        async with browser(server.port) as again:
            await again.tell(t="hello", v=VERSION, resume=token, after="")
            assert await again.is_sent_away() == ("removed", 4403)
            assert "secret" not in json.dumps(again.frames)


async def test_what_a_member_sends_while_being_removed_is_refused(come: Come, room: Room) -> None:
    async with come("ann") as ann, come("bob") as bob:
        for n in range(50):
            await bob.send(f"{n}")
        await room.remove_member("bob")
        assert await bob.is_sent_away() == ("removed", 4403)
        await ann.settles()
    log = await log_of(room)
    removal = next(event.seq for event in log if event.kind == "removed")
    assert all(event.seq < removal for event in log if event.kind == "message")


async def test_closing_is_shown_and_refuses_and_opening_lets_write(come: Come, room: Room) -> None:
    async with come("ann") as ann:
        await room.close("time is up")
        state = (await ann.hears("state"))["state"]
        assert (state["is"], state["write"], state["reason"]) == ("closed", False, "time is up")
        assert await ann.tries("hi") == "closed"
        async with come("late") as late:
            assert late.welcome["state"]["is"] == "closed"
        await room.open()
        assert (await ann.hears("state"))["state"]["write"] is True
        await ann.says("hi")


async def test_who_is_muted_is_told_and_nobody_else(come: Come, room: Room) -> None:
    async with come("ann") as ann, come("bob") as bob:
        await room.mute("ann")
        state = (await ann.hears("state"))["state"]
        assert (state["write"], state["code"]) == (False, "muted")
        assert await ann.tries("hi") == "muted"
        await room.unmute("ann")
        assert (await ann.hears("state"))["state"]["write"] is True
        await ann.says("hi")
        await bob.sees("hi")
        assert all(frame["t"] != "state" for frame in bob.frames)


async def test_observers_read_only(come: Come, room: Room) -> None:
    await room.add_member("eve", role="observer")
    async with come("eve") as eve, come("ann") as ann:
        assert eve.welcome["state"]["code"] == "read_only"
        assert await eve.tries("hi") == "read_only"
        await ann.says("hi")
        await eve.sees("hi")


async def test_a_new_name_is_shown_at_once(come: Come, room: Room) -> None:
    async with come("ann") as ann, come("bob") as bob:
        await bob.hears("presence", n=2)
        await room.add_member("ann", "Anna")
        assert (await ann.hears("state"))["state"]["name"] == "Anna"
        assert "Anna" in [name for _, name, _ in (await bob.hears("presence"))["who"]]


async def test_clearing_empties_one_view_or_all(come: Come, room: Room) -> None:
    async with come("ann") as ann, come("bob") as bob:
        await room.post("old")
        await ann.sees("old")
        await room.clear("ann")
        await ann.until(lambda: ann.items == {})
        await bob.sees("old")
        await room.clear()
        await bob.until(lambda: bob.items == {})
        await room.post("new")
        await ann.sees("new")
        async with come("bob") as late:
            assert late.texts == ["new"]


# ── limits ──


async def test_a_room_says_its_limits_and_keeps_them(come: Come, lab: Lab) -> None:
    rules = Rules(max_length=5, rate=1.0, burst=3)
    room = await lab.create_room("limited", study="tests", rules=rules)
    async with come("ann", room=room) as ann:
        assert ann.welcome["max"] == 5
        assert await ann.tries("123456") == "too_long"
        assert await ann.tries("  ") == "empty"
        for n in range(3):
            await ann.says(f"{n}")
        assert await ann.tries("4") == "too_fast"


async def test_a_flood_of_frames_is_read_slowly_and_delays_nobody(come: Come, room: Room) -> None:
    async with come("ann") as ann, come("bob") as bob:
        for _ in range(400):
            await ann.tell(t="check")
        async with asyncio.timeout(1.5):
            await bob.says("hi")
            await bob.sees("hi")
        await ann.until(lambda: sum(f["t"] == "checked" for f in ann.frames) == 400)


# ── found by reading, kept as rules ──


async def test_who_joins_while_others_talk_misses_nothing(come: Come, room: Room) -> None:
    """Also where the newest screen has to be read from the log, as behind private messages."""
    await room.add_member("bob")
    await room.post("first")
    for _ in range(4):
        await asyncio.gather(*(room.post("for bob", audience=["bob"]) for _ in range(60)))
    for n in range(8):
        talk = asyncio.gather(*(room.post(f"{n}.{k}") for k in range(5)))
        async with come(f"late-{n}") as late:
            await talk
            await room.post(f"end {n}")
            await late.sees(f"end {n}")
            spoken = [m.content for m in await room.messages() if m.audience is None]
            assert late.texts == spoken[-len(late.texts) :]
            assert len(late.texts) == len(spoken)


async def test_a_second_tab_is_told_at_once_who_is_here(come: Come) -> None:
    async with come("ann") as ann:
        await ann.hears("presence", n=1)
        async with come("ann") as tab:
            assert (await tab.hears("presence"))["n"] == 1


async def test_a_flood_of_questions_is_answered_in_full(come: Come) -> None:
    async with come("ann") as ann:
        id = await ann.says("hi")
        for _ in range(400):
            await ann.tell(t="older", before=id)
        await ann.settles()
        assert sum(frame["t"] == "older" for frame in ann.frames) == 400
