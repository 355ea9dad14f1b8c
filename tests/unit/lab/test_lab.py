"""Labs and rooms, as programmes use them."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from shiny_labchat import Lab, Member, Refused, Room, Rules, StoreError
from shiny_labchat.access.identity import identify, invitation
from shiny_labchat.access.names import study_pseudonym
from shiny_labchat.access.tickets import enter, ticket
from shiny_labchat.lab.runtime import Runtime, opened_logs
from shiny_labchat.live.window import WINDOW
from shiny_labchat.store import events_after, find_room

FREE = Rules(rate=None)


@pytest.fixture
async def room(lab: Lab) -> Room:
    return await lab.create_room("r", study="s", rules=FREE)


async def kinds(room: Room) -> list[str]:
    def read(conn):  # pyright: ignore[reportMissingParameterType]
        number, _ = find_room(conn, room.key) or (0, 0)
        return [event.kind for event in events_after(conn, number, 0)]

    return await room.log.read(read)


async def refusal(doing) -> str | None:  # pyright: ignore[reportMissingParameterType]
    try:
        await doing
    except Refused as exc:
        return exc.code
    return None


# ── Lab ──


def test_making_a_lab_touches_no_file(tmp_path: Path) -> None:
    Lab(f"sqlite:///{tmp_path / 'new.db'}").room("r")
    assert list(tmp_path.iterdir()) == []


def test_one_url_is_one_lab(tmp_path: Path) -> None:
    one = Lab(f"sqlite:///{tmp_path}/a.db")
    same = Lab(f"sqlite:///{tmp_path}/x/../a.db")
    other = Lab(f"sqlite:///{tmp_path}/b.db")
    assert one == same and one.log is same.log and hash(one) == hash(same)
    assert one != other and one != "a"
    assert repr(one) == f"Lab('sqlite:///{tmp_path}/a.db')"


@pytest.mark.parametrize(
    "url", ["", "lab.db", "sqlite://", "sqlite:///:memory:", "mysql://h/d", "mongodb://h", "x://"]
)
def test_a_url_that_can_hold_no_lab_is_an_error(url: str, tmp_path: Path) -> None:
    if url == "":
        url = "sqlite:///"
    with pytest.raises(ValueError, match="url"):
        Lab(url)


def test_without_a_url_the_database_lies_beside_the_app(tmp_path: Path) -> None:
    (tmp_path / "my_app").mkdir()
    app = tmp_path / "my_app" / "app.py"
    app.write_text(
        "from shiny_labchat import Lab\nlab = Lab()\nprint(lab.url, lab.room('r').study)\n"
    )
    env = {key: value for key, value in os.environ.items() if key != "LABCHAT_URL"}
    done = subprocess.run(
        [sys.executable, str(app)], env=env, cwd="/", capture_output=True, text=True
    )
    assert done.stdout.strip() == f"sqlite:///{app.parent / 'labchat.db'} my_app", done.stderr
    env["LABCHAT_URL"] = f"sqlite:///{tmp_path / 'other.db'}"
    done = subprocess.run([sys.executable, str(app)], env=env, capture_output=True, text=True)
    assert done.stdout.strip() == f"{env['LABCHAT_URL']} my_app", done.stderr


async def test_a_room_comes_into_being_when_it_is_first_used(lab: Lab) -> None:
    room = lab.room("later", study="s")
    assert not await lab.room_exists("later", study="s") and not lab.log.exists
    await lab.create_room("other", study="s")
    assert await room.messages() == [] and await room.members() == []
    await room.post("hi")
    assert await lab.room_exists("later", study="s")
    assert not await lab.room_exists("later", study="other")


async def test_creating_a_room_twice_gives_the_same(lab: Lab) -> None:
    one = await lab.create_room("r", study="s", title="T")
    two = await lab.create_room("r", study="s")
    assert one == two and hash(one) == hash(two) and one != lab.room("q", study="s")
    assert (await two.state()).title == "T"
    assert await kinds(one) == ["configured"]


async def test_rooms_are_listed_by_study_in_order_of_creation(lab: Lab) -> None:
    for study, id in (("s", "b"), ("s", "a"), ("t", "c")):
        await lab.create_room(id, study=study)
    assert [(r.study, r.id) for r in await lab.rooms()] == [("s", "b"), ("s", "a"), ("t", "c")]
    assert [r.id for r in await lab.rooms("s")] == ["b", "a"]
    assert await lab.rooms("nothing") == []


async def test_a_listed_room_leaves_the_settings_it_finds(lab: Lab) -> None:
    await lab.create_room("r", study="s", title="T", write="experimenter", rules=Rules(5))
    [listed] = await lab.rooms()
    await listed.post("hi")
    state = await listed.state()
    assert (state.title, state.write, state.rules) == ("T", ("experimenter",), Rules(5))


async def test_what_the_code_says_of_a_room_holds_from_its_next_use(lab: Lab) -> None:
    await lab.create_room("r", study="s", title="Old")
    await lab.room("r", study="s", title="New").post("hi")
    assert (await lab.room("r", study="s").state()).title == "New"


@pytest.mark.parametrize("wrong", ["", "  ", "a\nb", "\0", "x" * 201, "\ud800", "\u202e"])
def test_an_id_is_up_to_200_printable_characters(lab: Lab, wrong: str) -> None:
    with pytest.raises(ValueError, match="id must be"):
        lab.room(wrong)
    if wrong:
        with pytest.raises(ValueError, match="study must be"):
            lab.room("r", study=wrong)


async def test_wrong_arguments_are_named(lab: Lab, room: Room) -> None:
    with pytest.raises(TypeError, match="id must be text"):
        lab.room(7)  # pyright: ignore[reportArgumentType]
    with pytest.raises(ValueError, match="write must be"):
        lab.room("r", write="boss")  # pyright: ignore[reportArgumentType]
    with pytest.raises(ValueError, match="role must be"):
        await lab.invite("p", role="boss")  # pyright: ignore[reportArgumentType]
    with pytest.raises(TypeError, match="member must be text"):
        await room.add_member(7)  # pyright: ignore[reportArgumentType]
    with pytest.raises(TypeError, match="pseudonym must be text"):
        await room.add_member("a", pseudonym=lambda id: 7)  # pyright: ignore
    with pytest.raises(ValueError, match="role must be"):
        await room.add_member("a", role="boss")  # pyright: ignore[reportArgumentType]
    with pytest.raises(TypeError, match="content must be text"):
        await room.post(b"x")  # pyright: ignore[reportArgumentType]
    assert await kinds(room) == ["configured"]


async def test_odd_ids_are_only_text(lab: Lab) -> None:
    for odd in ("'; DROP TABLE room; --", "a/b?c#d", "Ünï 🦦", '"', "%", "*", "../.."):
        room = await lab.create_room(odd, study=odd)
        await room.add_member(odd)
        await room.post("hi", author=odd, id=odd)
        assert [m.member for m in await room.messages()] == [odd]
    assert len(await lab.rooms()) == 7


# ── members ──


async def test_a_member_is_added_once_and_keeps_pseudonym_and_role(room: Room) -> None:
    first = await room.add_member("p17", role="experimenter")
    again = await room.add_member("p17")
    assert first == again and first.role == "experimenter" and len(first.pseudonym.split()) == 2
    assert await room.members() == [first]
    assert await kinds(room) == ["configured", "joined"]


async def test_adding_a_member_again_with_another_name_or_role_changes_it(room: Room) -> None:
    await room.add_member("a", "Ann")
    assert await room.add_member("a", "Anna", "observer") == Member("a", "Anna", "observer")
    assert await room.add_member(Member("a", "ignored")) == Member("a", "Anna", "observer")


async def test_pseudonyms_may_be_templates_and_functions(room: Room) -> None:
    shown = [(await room.add_member(m, "Player {n}")).pseudonym for m in ("x", "y")]
    assert shown == ["Player 1", "Player 2"]
    assert (await room.add_member("z", lambda id: id.upper())).pseudonym == "Z"
    assert len((await room.add_member("w", lambda id: None)).pseudonym.split()) == 2


async def test_a_member_keeps_the_name_over_a_restart(lab: Lab) -> None:
    room = await lab.create_room("r", study="s")
    before = [await room.add_member(f"m{n}") for n in range(20)]
    code = (
        "import asyncio, sys\nfrom shiny_labchat import Lab\n"
        "room = Lab(sys.argv[1]).room('r', study='s')\n"
        "names = [m.pseudonym for m in asyncio.run(room.members())]\n"
        "print('|'.join(names))"
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, lab.url, stdout=asyncio.subprocess.PIPE
    )
    said, _ = await process.communicate()
    assert said.decode().strip().split("|") == [m.pseudonym for m in before]


async def test_a_removed_member_can_neither_speak_nor_come_in_by_a_page(room: Room) -> None:
    await room.add_member("a")
    await room.remove_member("a")
    assert await room.members() == []
    assert await refusal(room.post("hi", author="a")) == "removed"
    assert await refusal(room.join("a", None, None)) == "removed"
    assert (await room.add_member("a")).id == "a"
    assert await refusal(room.post("hi", author="a")) is None


async def test_removing_or_muting_a_stranger_is_refused(room: Room) -> None:
    for doing in (room.remove_member("x"), room.mute("x"), room.unmute("x")):
        assert await refusal(doing) == "not_member"


async def test_a_muted_member_speaks_again_when_unmuted(room: Room) -> None:
    ann = await room.add_member("a")
    await room.mute(ann)
    assert (await room.members())[0].is_muted
    assert await refusal(room.post("hi", author="a")) == "muted"
    await room.unmute(ann)
    assert await refusal(room.post("hi", author=ann)) is None


# ── messages ──


async def test_a_posted_message_comes_back_whole(room: Room) -> None:
    await room.add_member("a", "Ann")
    before = datetime.now(UTC)
    said = await room.post("é\n<b>&\u2028🦦", author="a")
    assert (said.content, said.role, said.author, said.member) == (
        "é\n<b>&\u2028🦦", "user", "Ann", "a",
    )  # fmt: skip
    assert before - timedelta(seconds=1) < said.at < datetime.now(UTC)
    assert await room.messages() == [said]


async def test_the_programme_speaks_in_nobodys_name(room: Room) -> None:
    said = await room.post("hi", markdown=True)
    assert (said.role, said.author, said.member) == ("assistant", None, None)
    notice = await room.announce("soon")
    assert (notice.role, notice.author) == ("system", None)


async def test_the_same_id_twice_is_one_message(room: Room) -> None:
    first = await room.post("hi", id="greeting")
    again = await room.post("other", id="greeting")
    assert first == again and first.id == "greeting"
    assert len(await room.messages()) == 1
    assert len(await asyncio.gather(*(room.post("x", id="same") for _ in range(20)))) == 20
    assert len(await room.messages()) == 2


async def test_the_same_id_of_two_authors_is_two_messages(room: Room) -> None:
    for member in ("a", "b"):
        await room.add_member(member)
        await room.post(member, author=member, id="1")
    await room.post("programme", id="1")
    assert [m.content for m in await room.messages()] == ["a", "b", "programme"]


async def test_an_id_that_cannot_be_stored_is_an_error_at_once(room: Room) -> None:
    with pytest.raises((ValueError, Refused)):
        await asyncio.wait_for(room.post("hi", id="\ud800"), 10)
    assert await refusal(room.post("the log lives")) is None


async def test_messages_are_read_in_order_from_either_end(room: Room) -> None:
    await asyncio.gather(*(room.post(str(n)) for n in range(10)))
    everything = await room.messages()
    assert [m.content for m in everything] == [str(n) for n in range(10)]
    assert await room.messages(after=everything[3].seq) == everything[4:]
    assert await room.messages(after=everything[3].seq, limit=2) == everything[4:6]
    assert await room.messages(last=3) == everything[-3:]
    assert await room.messages(after=everything[8].seq, last=3) == everything[-1:]
    assert await room.messages(limit=0) == await room.messages(last=0) == []
    for wrong in ({"limit": 1, "last": 1}, {"limit": -1}, {"last": -1}, {"after": -1}):
        with pytest.raises(ValueError):
            await room.messages(**wrong)


async def test_an_audience_is_kept_with_the_message(room: Room) -> None:
    ann = await room.add_member("a")
    said = await room.post("psst", audience=[ann, "b"])
    assert said.audience == ("a", "b")
    assert (await room.messages())[0] == said


async def test_who_may_not_post_is_refused_with_room_code_and_sentence(room: Room) -> None:
    with pytest.raises(Refused, match="not a member") as caught:
        await room.post("hi", author="x")
    assert (caught.value.code, caught.value.room) == ("not_member", "r")
    assert caught.value.say.startswith("You are not a member")


async def test_text_that_cannot_be_stored_is_refused(room: Room) -> None:
    for text in ("\0", "\ud800"):
        assert await refusal(room.post(text)) == "bad_text"
        assert await refusal(room.announce(text)) == "bad_text"
        assert await refusal(room.close(text)) == "bad_text"


# ── the room itself ──


async def test_a_closed_room_takes_no_messages_until_it_is_opened(room: Room) -> None:
    await room.add_member("a")
    await room.close("time is up")
    assert await refusal(room.post("hi", author="a")) == "closed"
    assert (await room.state()).reason == "time is up"
    await room.open()
    assert await refusal(room.post("hi", author="a")) is None


async def test_clearing_keeps_the_record(room: Room) -> None:
    await room.post("hi")
    await room.clear()
    assert len(await room.messages()) == 1
    assert (await room.state()).cleared == 3


async def test_what_a_study_records_is_in_the_log_and_no_message(room: Room) -> None:
    await room.record("guess", {"value": [1, 2.5, None, "ü"]}, member="a")
    assert await kinds(room) == ["configured", "recorded"]
    assert await room.messages() == []


@pytest.mark.parametrize("data", [object(), {1, 2}, b"x", datetime.now(UTC), float("nan")])
async def test_what_json_cannot_hold_is_not_recorded(room: Room, data: object) -> None:
    with pytest.raises((TypeError, ValueError)):
        await room.record("guess", data)
    assert await kinds(room) == ["configured"]


async def test_a_state_read_from_the_log_is_the_one_decided(room: Room) -> None:
    await room.add_member("a", "Ann")
    await room.close("x")
    state = await room.state()
    assert state.seq == 3 and not state.is_open and state.memberships["a"].pseudonym == "Ann"


# ── the door ──


async def test_a_browser_is_known_by_its_key_and_by_nothing_else(lab: Lab) -> None:
    lab.log.serve()
    member = await identify(lab.log, "key")
    assert await identify(lab.log, "key") == member != "key"
    for other in ("kex", member, "\ud800"):
        assert await identify(lab.log, other) != member


async def test_all_chats_of_a_new_browser_agree_who_it_is(lab: Lab) -> None:
    lab.log.serve()
    people = await asyncio.gather(*(identify(lab.log, "key") for _ in range(10)))
    assert len(set(people)) == 1


async def test_a_ticket_opens_one_socket_once(lab: Lab, room: Room) -> None:
    raw = await ticket(lab.log, room.key, "a", "page")
    entry = await enter(opened_logs(), raw, is_resume=False)
    assert (entry.room, entry.member, entry.page) == (room.key, "a", "page")
    assert await refusal(enter(opened_logs(), raw, is_resume=False)) == "ticket"
    assert await refusal(enter(opened_logs(), raw, is_resume=True)) == "ticket"
    again = await enter(opened_logs(), entry.resume, is_resume=True)
    assert (again.room, again.member, again.resume) == (room.key, "a", entry.resume)
    assert await refusal(enter(opened_logs(), entry.resume, is_resume=False)) == "ticket"


async def test_one_ticket_for_many_at_once_lets_one_in(lab: Lab, room: Room) -> None:
    raw = await ticket(lab.log, room.key, "a", "page")
    codes = await asyncio.gather(
        *(refusal(enter(opened_logs(), raw, is_resume=False)) for _ in range(10))
    )
    assert sorted(map(str, codes)) == ["None"] + ["ticket"] * 9


async def test_a_token_is_not_in_the_database(lab: Lab, room: Room) -> None:
    raw = await ticket(lab.log, room.key, "a", "page")
    path = Path(lab.url.removeprefix("sqlite:///"))
    stored = b"".join(file.read_bytes() for file in path.parent.glob(path.name + "*"))
    assert b"page" in stored and raw.encode() not in stored


async def test_an_invitation_says_who_where_and_what(lab: Lab, room: Room) -> None:
    grant = await invitation(lab.log, await lab.invite("p1", room=room, role="observer"))
    assert grant is not None
    assert (grant.member, grant.room, grant.role) == ("p1", room.key, "observer")
    by_id = await invitation(lab.log, await lab.invite("p1", room="r", study="s"))
    assert by_id is not None and by_id.room == room.key
    whole = await invitation(lab.log, await lab.invite("p1", study="s"))
    assert whole is not None and (whole.room, whole.study) == (None, "s")
    assert await invitation(lab.log, "forged") is None


async def test_a_broken_lab_keeps_nobody_out_of_another(lab: Lab, room: Room, url: str) -> None:
    broken = Lab(url.replace("lab.db", "no/such/folder/lab.db"))
    works = Lab(url.replace("lab.db", "second.db"))
    with pytest.raises(StoreError):
        await broken.create_room("r")
    other = await works.create_room("r")
    raw = await ticket(works.log, other.key, "a", "page")
    try:
        assert (await enter(opened_logs(), raw, is_resume=False)).log is works.log
    finally:
        works.log.close()
        broken.log.close()


async def test_a_closed_lab_keeps_nobody_out_of_another(lab: Lab, room: Room, url: str) -> None:
    other = Lab(url.replace("lab.db", "other.db"))
    await other.create_room("r")
    lab.log.close()
    raw = await ticket(other.log, other.room("r").key, "a", "page")
    try:
        assert (await enter(opened_logs(), raw, is_resume=False)).log is other.log
    finally:
        other.log.close()


async def test_a_room_that_is_refused_is_not_made(lab: Lab) -> None:
    assert await refusal(lab.create_room("odd", title="\0")) == "bad_text"
    assert not await lab.room_exists("odd")


async def test_two_loops_may_watch_one_room(room: Room) -> None:
    """The first to stop must not make the other deaf."""
    here = await Runtime.of(room.log).live.open(room.key)
    heard: asyncio.Queue[object] = asyncio.Queue()
    here.follow(lambda events: heard.put_nowait(events))

    async def look_in() -> None:
        (await Runtime.of(room.log).live.open(room.key)).leave()

    await asyncio.to_thread(asyncio.run, look_in())
    await room.post("still there?")
    await asyncio.wait_for(heard.get(), 10)


async def test_a_conversation_is_whole_however_it_is_first_read(room: Room) -> None:
    await room.add_member("ann")
    await asyncio.gather(*(room.post(f"{n}") for n in range(WINDOW + 50)))
    for waits in (True, False):
        live = await Runtime.of(room.log).live.open(room.key)
        seat = live.state.memberships["ann"]
        reading = asyncio.create_task(live.read()) if waits else None
        at_once = None if waits else live.read_now()
        await room.post("newest")
        whole = at_once if reading is None else await reading
        assert whole is not None
        await live.loaded()
        said = await room.messages()
        while live.state.seq < said[-1].seq:
            await live.catch_up()
        assert whole.seen(live.state, seat, live.state.seq) == tuple(said)
        assert whole.seen(live.state, seat, said[-2].seq) == tuple(said[:-1])
        live.leave()


# ── reading makes nothing ──


@pytest.mark.parametrize(
    "read",
    [
        lambda lab: lab.rooms(),
        lambda lab: lab.audit(),
        lambda lab: lab.room("r").messages(),
        lambda lab: lab.room("r").members(),
        lambda lab: lab.room("r").audit(),
    ],
)
async def test_reading_from_a_file_that_is_not_there_is_an_error_and_makes_none(
    tmp_path: Path, read: Callable[[Lab], Awaitable[object]]
) -> None:
    with pytest.raises(StoreError, match="typo.db: nothing has been stored there yet; correct"):
        await read(Lab(f"sqlite:///{tmp_path}/typo.db"))
    assert list(tmp_path.iterdir()) == []


async def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    lab = Lab(f"sqlite:///{tmp_path}/no/lab.db")
    for doing in (lab.rooms(), lab.create_room("r")):
        with pytest.raises(StoreError, match=f"there is no folder {tmp_path}/no") as caught:
            await doing
        assert caught.value.code == "store_missing"
        assert "stored" not in caught.value.say


async def test_a_programmes_error_is_raised_and_not_logged_as_well(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(StoreError):
        await Lab(f"sqlite:///{tmp_path}/no/lab.db").create_room("r")
    assert caplog.records == []


async def test_an_author_who_is_no_member_is_named(room: Room) -> None:
    with pytest.raises(Refused) as caught:
        await room.post("hi", author="nobody")
    assert str(caught.value).endswith("(member 'nobody', room 'r')")
    assert "nobody" not in caught.value.say


# ── one name in a study ──


async def test_a_person_has_one_name_in_all_rooms_of_a_study(lab: Lab) -> None:
    lab.log.serve()
    names = [await study_pseudonym(lab.log, "s", f"p{n}") for n in range(50)]
    assert len(set(names)) == 50
    assert [await study_pseudonym(lab.log, "s", f"p{n}") for n in range(50)] == names
    assert await study_pseudonym(lab.log, "other", "p0") != names[0]


async def test_people_who_come_at_once_have_different_names(lab: Lab) -> None:
    lab.log.serve()
    both = [study_pseudonym(lab.log, "s", f"p{n % 20}") for n in range(40)]
    names = await asyncio.gather(*both)
    assert names[:20] == names[20:] and len(set(names)) == 20


async def test_a_personal_link_may_give_a_name(lab: Lab) -> None:
    raw = await lab.invite("p1", pseudonym="Ann")
    grant = await invitation(lab.log, raw)
    assert grant is not None and grant.pseudonym == "Ann"
    other = await invitation(lab.log, await lab.invite("p2"))
    assert other is not None and other.pseudonym is None


async def test_a_programme_that_names_no_study_is_told_where_the_room_is(
    lab: Lab, caplog: pytest.LogCaptureFixture
) -> None:
    await lab.create_room("group-1", study="pilot")
    assert await lab.room("group-1", study="elsewhere").messages() == []
    assert "study 'elsewhere' has no room 'group-1', but study 'pilot' has one" in caplog.text
    caplog.clear()
    assert await lab.room("never").messages() == [] and not caplog.records
