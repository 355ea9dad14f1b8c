"""Bookmarks, as a page's server and whoever has the address know them."""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
import secrets
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from itertools import count
from typing import Any
from urllib.parse import parse_qs, urlencode

import pytest
import sqlalchemy as sa
from websockets.exceptions import ConnectionClosed

from shiny_labchat import Lab, Room
from tests.integration.test_sessions import room_says
from tests.support.backend import Databases
from tests.support.beside import beside
from tests.support.client import browser
from tests.support.database import contents, rows
from tests.support.page import Page, page
from tests.support.server import Server

CHATS = ("chat", "inner-chat")
_numbers = count(1)


def _server(app: str, lab: Lab) -> Server:
    return Server(["-m", "uvicorn", f"tests.integration.apps.bookmarks:{app}"], lab.url)


@pytest.fixture(scope="module")
def kept_lab(databases: Databases) -> Iterator[Lab]:
    lab = Lab(databases.make())
    yield lab
    lab.log.close()


@pytest.fixture(scope="module")
def app(kept_lab: Lab) -> Iterator[Server]:
    """A server that keeps bookmarks in its pages' addresses."""
    server = _server("app", kept_lab)
    server.start()
    yield server
    server.stop()


@pytest.fixture
async def place(kept_lab: Lab) -> Room:
    """A room that no other test uses."""
    return await kept_lab.create_room(f"place-{next(_numbers)}", study="tests")


class Visit:
    """Somebody in front of a page, whose browser keeps a key."""

    def __init__(self, opened: Page, port: int) -> None:
        self.page = opened
        self._port = port

    async def answer(self) -> dict[str, Any]:
        """What the page is told when it asks who it is."""
        await self.page.until(lambda: bool(self.page.notices["chat"]))
        return self.page.notices["chat"][0]

    async def who(self) -> str:
        """The handle of the person it is let in as."""
        answer = await self.answer()
        assert answer["do"] == "admit", answer
        return answer["who"]

    async def address(self) -> str:
        """Its address with the chat's bookmark in it."""
        await self.page.until(lambda: "chat--place" in self.page.search)
        return self.page.search

    async def both(self) -> str:
        """The part of its address with both chats' bookmarks, made by the app itself."""
        await self.page.until(lambda: bool(self.page.notices["inner-chat"]))
        await self.says("bookmark")
        await self.page.until(lambda: self.page.search.count("--place=") == 2)
        return self.page.search[self.page.search.index("_values_") :]

    async def says(self, *texts: str) -> None:
        """Send, and wait until it is stored."""
        async with browser(self._port) as socket:
            await socket.hello(ticket=await self.page.asks_again())
            for text in texts:
                await socket.says(text)


@asynccontextmanager
async def visit(
    server: Server, search: str = "", key: str | None = None, **asked: str
) -> AsyncIterator[Visit]:
    search = search or f"?{urlencode(asked)}"
    outputs = ("where", "turns")
    async with page(server.port, chats=CHATS, outputs=outputs, search=search, key=key) as opened:
        yield Visit(opened, server.port)


async def bookmarked(server: Server, key: str, **asked: str) -> tuple[str, str]:
    """Come, and go again; gives who it was, and the address that the page had then."""
    async with visit(server, key=key, **asked) as ann:
        return await ann.who(), await ann.address()


def token_in(search: str) -> str:
    return json.loads(parse_qs(search.removeprefix("?"))["chat--place"][0])


async def is_kept(lab: Lab, room: Room, words: str) -> None:
    """Wait until a client's state with these words is in the database."""
    wanted = "SELECT 1 FROM token WHERE kind = 'seat' AND room = :room AND data LIKE :words"
    values = {"room": room.id, "words": f"%{words}%"}
    async with asyncio.timeout(20):
        while not await lab.log.read(lambda conn: conn.execute(sa.text(wanted), values).all()):
            pass


def new_key() -> str:
    return secrets.token_hex(16)


def seats(lab: Lab) -> list[tuple[str, str, str]]:
    """The hash, member and room of all seats that are kept."""
    wanted = "SELECT hash, member, room FROM token WHERE kind = 'seat' ORDER BY hash"
    return [(hash, member, room) for hash, member, room in rows(lab.url, wanted)]


# ── what is in a bookmark ──


async def test_an_address_holds_a_random_token_and_the_database_only_its_sha256(
    app: Server, kept_lab: Lab, place: Room
) -> None:
    key = new_key()
    async with visit(app, key=key, room=place.id, member="p17", client="tally") as ann:
        await ann.who()
        await ann.says("my secret")
        address = await ann.address()
    token = token_in(address)
    query = parse_qs(address.removeprefix("?"), keep_blank_values=True)
    kept = {"_values_", "chat--place", "inner-chat--place"}
    assert set(query) == {"room", "member", "client"} | kept
    assert "secret" not in address and key not in address
    assert len(token) >= 43
    assert token.encode() not in contents(kept_lab.url)
    mine = [seat for seat in seats(kept_lab) if seat[2] == place.id]
    assert mine == [(hashlib.sha256(token.encode()).hexdigest(), "p17", place.id)]


async def test_an_app_that_says_what_to_leave_out_gives_no_key_away(app: Server) -> None:
    key = new_key()
    async with visit(app, key=key, exclude="yes") as ann:
        await ann.page.update(chat_user_input="a draft", topic="cats", other="dogs")
        await ann.both()
        await ann.page.until(lambda: "dogs" in ann.page.search)
        query = parse_qs(ann.page.search.removeprefix("?"), keep_blank_values=True)
    kept = {"_inputs_", "other", "_values_", "chat--place", "inner-chat--place"}
    assert set(query) == {"exclude"} | kept


async def test_what_the_app_asks_for_in_the_address_stays_but_not_a_personal_link(
    app: Server, kept_lab: Lab, place: Room
) -> None:
    link = await kept_lab.invite("p5", room=place)
    key = new_key()
    come = {"room": place.id, "identity": "link"}
    who, address = await bookmarked(app, key, **come, labchat=link)
    query = parse_qs(address.removeprefix("?"))
    assert "labchat" not in query and link not in address
    assert query["room"] == [place.id]
    async with visit(app, address, key) as again:
        assert await again.who() == who
    async with visit(app, address) as elsewhere:
        assert (await elsewhere.answer())["code"] == "not_invited"
    assert [m.id for m in await place.members()] == ["p5"]


async def test_a_bookmark_that_restores_nobody_leaves_the_personal_link_where_it_was(
    app: Server, kept_lab: Lab, place: Room
) -> None:
    link = await kept_lab.invite("p5", room=place)
    _, address = await bookmarked(app, new_key(), room=place.id, restore="no", labchat=link)
    assert parse_qs(address.removeprefix("?"))["labchat"] == [link]


async def test_coming_back_keeps_the_address_and_makes_no_further_seat(
    app: Server, kept_lab: Lab, place: Room
) -> None:
    key = new_key()
    async with visit(app, key=key, room=place.id) as ann:
        who, both = await ann.who(), await ann.both()
    before = seats(kept_lab)
    for _ in range(3):
        async with visit(app, f"?room={place.id}&{both}", key) as again:
            assert await again.who() == who
            again.page.search = ""
            assert await again.both() == both
    assert seats(kept_lab) == before


async def test_who_only_looks_in_leaves_no_seat_behind(
    app: Server, kept_lab: Lab, place: Room
) -> None:
    async with visit(app, room=place.id, client="tally") as ann:
        await ann.says("hush")
    assert not [seat for seat in seats(kept_lab) if seat[2] == place.id]


async def test_a_bookmark_outlives_the_server(kept_lab: Lab, place: Room) -> None:
    server = _server("app", kept_lab)
    key = new_key()
    server.start()
    try:
        who, address = await bookmarked(server, key, room=place.id)
        server.kill()
        server.start()
        async with visit(server, address, key) as again:
            assert await again.who() == who
            assert again.page.search == address
    finally:
        server.stop()


async def test_on_the_server_too_nothing_is_kept_but_the_token(kept_lab: Lab, place: Room) -> None:
    server = _server("on_server", kept_lab)
    key = new_key()
    server.start()
    try:
        async with visit(server, key=key, client="tally", room=place.id) as ann:
            who = await ann.who()
            await ann.says("one", "two")
            await ann.page.until(lambda: "_state_id_" in ann.page.search)
            address = ann.page.search
        await is_kept(kept_lab, place, "two")
        id = parse_qs(address.removeprefix("?"))["_state_id_"][0]
        folder = beside(kept_lab.url, "bookmarks") / id
        values = json.loads((folder / "values.json").read_text())
        assert set(values) == {"chat--place", "inner-chat--place"}
        assert re.search(r"[?&]room=", address)
        async with visit(server, address, key) as again:
            assert await again.who() == who
            await again.says("three")
        await room_says(place, "3: three")
    finally:
        server.stop()


# ── who comes with it ──


async def test_in_the_same_browser_one_is_the_same_person(
    app: Server, kept_lab: Lab, place: Room
) -> None:
    link = await kept_lab.invite("p9")
    key = new_key()
    who, address = await bookmarked(app, key, room=place.id, labchat=link)
    async with visit(app, address, key) as again:
        assert await again.who() == who
    assert [m.id for m in await place.members()] == ["p9"]


async def test_in_another_browser_it_invites_and_does_not_impersonate(
    app: Server, place: Room
) -> None:
    who, address = await bookmarked(app, new_key(), room=place.id)
    async with visit(app, address) as bob:
        assert await bob.who() != who
        assert token_in(await _new_address(bob, address)) != token_in(address)
    assert len(await place.members()) == 2


async def test_anywhere_means_whoever_has_the_address_is_the_person(
    app: Server, place: Room
) -> None:
    who, address = await bookmarked(app, new_key(), room=place.id, restore="anywhere")
    async with visit(app, address) as again:
        assert await again.who() == who
    assert len(await place.members()) == 1


async def test_an_address_that_invited_does_not_impersonate_when_the_app_is_changed(
    app: Server, place: Room
) -> None:
    who, address = await bookmarked(app, new_key(), room=place.id, restore="same")
    async with visit(app, address.replace("restore=same", "restore=anywhere")) as bob:
        assert await bob.who() != who


async def test_false_brings_nobody_back_as_themselves(
    app: Server, kept_lab: Lab, place: Room
) -> None:
    link = await kept_lab.invite("p9")
    key = new_key()
    who, address = await bookmarked(app, key, room=place.id, restore="no", labchat=link)
    async with visit(app, address.replace(f"labchat={link}&", ""), key) as again:
        assert await again.who() != who


# ── which room it leads to ──


@pytest.mark.parametrize("how", ["choose", "require"])
async def test_where_the_app_names_no_room_it_is_the_bookmarks(app: Server, how: str) -> None:
    key = new_key()
    async with visit(app, key=key, room=how) as ann:
        assert (await ann.answer())["do"] == "wait"
        await ann.page.until(lambda: ann.page.values.get("where") == "nowhere")
        await ann.page.update(go="chosen-1")
        await ann.page.until(lambda: ann.page.values["where"] == "tests/chosen-1")
        address = await ann.address()
    async with visit(app, address, key) as again:
        await again.who()
        assert [n["do"] for n in again.page.notices["chat"]] == ["admit"]  # it never waited
        await again.page.until(lambda: again.page.values.get("where") == "tests/chosen-1")
        await again.page.update(go="chosen-2")  # now the app names one
        await again.page.until(lambda: again.page.values["where"] == "tests/chosen-2")
        await again.page.update(go="")  # and none again: that is to wait
        await again.page.until(lambda: again.page.values["where"] == "nowhere")
    async with visit(app, address) as bob:  # and whoever is invited gets there
        await bob.who()
        await bob.page.until(lambda: bob.page.values.get("where") == "tests/chosen-1")


async def test_a_chat_that_is_made_when_the_page_is_open_has_its_bookmark_too(
    app: Server, place: Room
) -> None:
    key = new_key()
    async with visit(app, key=key, room="choose") as ann:
        await ann.page.update(go=place.id)
        address = await ann.address()
    async with visit(app, address.replace("room=choose", "late=yes"), key) as again:
        await again.page.update(go="anything")
        await again.who()
    assert len(await place.members()) == 1


async def test_the_address_never_leads_to_another_room_than_the_one_that_is_shown(
    app: Server, place: Room
) -> None:
    """With a client too, which else makes no bookmark before it has answered."""
    key = new_key()
    async with visit(app, key=key, room="choose", client="tally") as ann:
        await ann.page.update(go="astray-1")
        await ann.answer()
        await ann.page.until(lambda: ann.page.notices["chat"][-1]["do"] == "admit")
        await ann.says("hello")
        first = await ann.address()
    async with visit(app, first, key) as ann:
        await ann.who()
        await ann.page.update(go=place.id)
        second = await _new_address(ann, first)
    async with visit(app, second, key) as again:
        await again.who()
        where = f"tests/{place.id}"
        await again.page.until(lambda: again.page.values.get("where") == where)


async def test_a_room_and_a_member_that_the_app_names_beat_the_bookmark(
    app: Server, kept_lab: Lab, place: Room
) -> None:
    key = new_key()
    who, address = await bookmarked(app, key, room=place.id, member="p1")
    other = await kept_lab.create_room(f"{place.id}-other", study="tests")
    async with visit(app, address.replace(f"room={place.id}", f"room={other.id}"), key) as ann:
        await ann.who()
    assert [m.id for m in await other.members()] == ["p1"]
    async with visit(app, address.replace("member=p1", "member=p2"), key) as ann:
        assert await ann.who() != who
    assert [m.id for m in await place.members()] == ["p1", "p2"]


async def test_a_removed_member_is_told_so_and_their_address_lets_nobody_else_in(
    app: Server, place: Room
) -> None:
    ann, bob = new_key(), new_key()
    _, address = await bookmarked(app, ann, room=place.id)
    async with visit(app, address, bob):
        who, _ = await bookmarked(app, bob, room=place.id)
    (removed, _) = await place.members()
    await place.remove_member(removed)
    async with visit(app, address, ann) as again:
        answer = await again.answer()
        assert (answer["do"], answer["code"]) == ("refuse", "removed")
        assert answer["say"] == "You have been removed from this room."
    async with visit(app, address) as stranger:
        answer = await stranger.answer()
        assert (answer["do"], answer["code"]) == ("refuse", "link_over")
        assert "does not lead into the room any more" in answer["say"]
    async with visit(app, address, bob) as member:
        assert await member.who() == who


@pytest.mark.parametrize("told", ['"bogus"', "17", '{"a":[1]}', '"' + "z" * 9000 + '"'])
async def test_an_address_that_no_lab_has_made_is_refused_in_words(app: Server, told: str) -> None:
    since = len(app.log)
    query = urlencode({"chat--place": told})
    async with visit(app, f"?_inputs_&_values_&{query}") as ann:
        answer = await ann.answer()
        assert (answer["do"], answer["code"]) == ("refuse", "no_room")
        assert answer["say"].startswith("This room does not exist any more. To begin anew, open")
    async with visit(app, f"?room=known&_values_&{query}") as ann:
        await ann.who()  # the app names a room
    assert not [line for line in app.log[since:] if "Traceback" in line]


@pytest.mark.parametrize("cut", ["", "%22", "%22abc", "null", "abc%22", "%7B"])
async def test_an_address_that_was_cut_off_is_refused_in_words(app: Server, cut: str) -> None:
    """Shiny leaves out what it cannot read, as if nothing had been there."""
    async with visit(app, f"?_inputs_&_values_&chat--place={cut}") as ann:
        answer = await ann.answer()
        assert (answer["do"], answer["code"]) == ("refuse", "no_room")
    async with visit(app, f"?room=known&_values_&chat--place={cut}") as ann:
        await ann.who()
    async with visit(app, "?_inputs_&_values_&utm_source=mail") as ann:
        await ann.who()  # nothing of the chat's was in there


async def test_what_the_server_does_not_have_any_more_is_refused_in_words(kept_lab: Lab) -> None:
    server = _server("on_server", kept_lab)
    server.start()
    try:
        async with visit(server, "?_state_id_=0123456789abcdef") as ann:
            answer = await ann.answer()
            assert (answer["do"], answer["code"]) == ("refuse", "no_room")
        async with visit(server, "?room=known&_state_id_=0123456789abcdef") as ann:
            await ann.who()
    finally:
        server.stop()


# ── what comes with it ──


async def test_a_clients_state_comes_back_to_its_person_alone(
    app: Server, kept_lab: Lab, place: Room
) -> None:
    key = new_key()
    async with visit(app, key=key, room=place.id, client="tally") as ann:
        await ann.says("apples", "pears")
        await room_says(place, "2: pears")
        address = await ann.address()
        assert "apples" not in address and "pears" not in address
    await is_kept(kept_lab, place, "pears")
    async with visit(app, address) as bob:
        await bob.says("plums")
        await room_says(place, "1: plums")
    async with visit(app, address, key) as again:
        await again.says("cherries")
        await room_says(place, "3: cherries")


async def test_a_chatlas_clients_turns_are_made_anew_from_the_log(app: Server, place: Room) -> None:
    key = new_key()
    async with visit(app, key=key, room=place.id, client="model") as ann:
        await ann.says("apples")
        address = await ann.address()
        assert "apples" not in address
    await place.post("said meanwhile")
    async with visit(app, address, key) as again:
        await again.page.until(lambda: "meanwhile" in str(again.page.values.get("turns")))
        assert re.fullmatch(
            r"[\w ]+: apples \| 1: apples \| said meanwhile", again.page.values["turns"]
        )


async def test_a_client_that_fails_is_told_in_words_and_the_chat_goes_on(
    app: Server, place: Room
) -> None:
    async with visit(app, room=place.id, client="tally") as ann:
        await ann.says("break it", "and then")
        await ann.page.until(lambda: bool(ann.page.notifications))
        assert "the tally is broken" in ann.page.notifications[0]
    await room_says(place, "2: and then")


# ── when ──


@pytest.mark.parametrize("text", ["anything", "stream", "context"])
async def test_with_a_model_the_address_changes_when_a_response_is_done(
    app: Server, place: Room, text: str
) -> None:
    async with (
        visit(app, room=place.id, client="tally") as ann,
        visit(app, room=place.id, client="tally") as bob,
    ):
        await bob.who()
        await ann.says("hush")
        assert "seat" not in ann.page.search
        await ann.says(text)
        await ann.address()
        await bob.page.asks_again()
        assert "seat" not in bob.page.search  # it was not their session's


async def test_without_a_model_the_address_changes_on_coming_in(app: Server, place: Room) -> None:
    async with visit(app, room=place.id) as ann:
        await ann.address()


async def test_with_none_only_the_app_makes_bookmarks(app: Server, place: Room) -> None:
    async with visit(app, room=place.id, on="none") as ann:
        await ann.says("anything", "bookmark")
        await ann.address()
        await ann.page.asks_again()
    async with visit(app, room=place.id, on="none") as ann:
        await ann.says("anything")
        await ann.page.asks_again()
        assert "seat" not in ann.page.search


async def test_cancelled_bookmarking_leaves_nothing_behind(app: Server, place: Room) -> None:
    key = new_key()
    _, address = await bookmarked(app, key, room=place.id)
    async with visit(app, room=place.id, cancel="yes") as ann:
        await ann.says("anything", "bookmark")
        await ann.page.until(lambda: "inner-chat--place" in ann.page.search)  # the app's own
        assert "&chat--place" not in ann.page.search
    async with visit(app, address + "&cancel=yes&", key) as again:
        await again.who()


async def test_two_chats_of_a_page_share_its_address(app: Server, place: Room) -> None:
    async with visit(app, room=place.id) as ann:
        query = parse_qs(await ann.both())
    assert query["chat--place"] != query["inner-chat--place"]


# ── errors ──


async def test_an_app_without_bookmarks_is_a_value_error(kept_lab: Lab) -> None:
    server = _server("off", kept_lab)
    server.start()
    try:
        with pytest.raises(ConnectionClosed):
            async with visit(server) as ann:
                await ann.answer()
        server.logs("ValueError: bookmarking is not enabled in this app")
    finally:
        server.stop()


async def test_a_client_that_cannot_be_kept_is_a_value_error(app: Server) -> None:
    since = len(app.log)
    with pytest.raises(ConnectionClosed):
        async with visit(app, client="wrong") as ann:
            await ann.answer()
    app.logs("ValueError: client must be a chatlas Chat, or have its methods", since=since)


async def _new_address(ann: Visit, old: str) -> str:
    await ann.page.until(lambda: "chat--place" in ann.page.search and ann.page.search != old)
    return ann.page.search
