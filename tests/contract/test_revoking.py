"""Links, browsers' keys and bookmarks that were revoked let nobody in, nor what came of them."""

from __future__ import annotations

from collections.abc import Awaitable

import pytest

from shiny_labchat import Lab, Member, Refused, Room
from shiny_labchat.access import tickets
from shiny_labchat.access.bookmarks import BookmarkedSeat, BookmarkToken, find_bookmark
from shiny_labchat.access.identity import identify, invitation
from shiny_labchat.access.revoking import Source
from tests.support.reconnecting_client import log_of


async def refusal(doing: Awaitable[object]) -> str | None:
    """The code of the refusal; None: it was done."""
    try:
        await doing
    except Refused as exc:
        return exc.code
    return None


async def a_link(lab: Lab, room: Room, member: str) -> str:
    return await lab.invite(member, room=room)


async def a_bookmark(lab: Lab, room: Room, member: str) -> str:
    bookmark = BookmarkToken(BookmarkedSeat(room.key, member, None))
    await bookmark.store(lab.log)
    return bookmark.token


KINDS = {
    "links": ("invite", a_link, invitation),
    "bookmarks": ("seat", a_bookmark, find_bookmark),
}


@pytest.mark.parametrize("what", KINDS)
async def test_it_lets_nobody_in_any_more(what: str, room: Room, lab: Lab, reopen: Lab) -> None:
    _, make, find = KINDS[what]
    mine, another, others = [await make(lab, room, member) for member in ("a", "a", "b")]
    assert await lab.revoke("a", what) == 2  # pyright: ignore[reportArgumentType]
    for log in (lab.log, reopen.log):
        assert [await refusal(find(log, raw)) for raw in (mine, another)] == ["revoked"] * 2
        assert await find(log, others) is not None
        assert await find(log, "never made") is None
    assert await lab.revoke("a", what) == 0  # pyright: ignore[reportArgumentType]
    assert await find(lab.log, await make(lab, room, "a")) is not None, "a new one is valid"


async def test_a_browser_whose_key_was_revoked_is_nobody(room: Room, lab: Lab, reopen: Lab) -> None:
    """It is not a new person either; its person may still come by a link."""
    member = await identify(lab.log, "key")
    await room.add_member(member)
    assert await lab.revoke(Member(member, "Ann"), "browsers") == 1
    for log in (lab.log, reopen.log):
        assert await refusal(identify(log, "key")) == "revoked"
    assert member in {each.id for each in await room.members()}, "nobody is removed"
    assert await identify(lab.log, "another key") != member


async def test_all_of_a_person_is_revoked_at_once_and_nothing_of_others(
    room: Room, lab: Lab
) -> None:
    link, bookmark = await a_link(lab, room, "a"), await a_bookmark(lab, room, "a")
    others = await a_link(lab, room, "b")
    assert await lab.revoke("a") == 2
    assert await refusal(invitation(lab.log, link)) == "revoked"
    assert await refusal(find_bookmark(lab.log, bookmark)) == "revoked"
    assert await invitation(lab.log, others) is not None
    assert await lab.revoke("nobody") == 0


async def test_of_a_study_only_what_is_limited_to_it(room: Room, lab: Lab) -> None:
    here, elsewhere, anywhere = [await lab.invite("a", study=study) for study in ("s", "t", None)]
    assert await lab.revoke("a", study="s") == 1
    assert await refusal(invitation(lab.log, here)) == "revoked"
    for raw in (elsewhere, anywhere):
        assert await invitation(lab.log, raw) is not None


async def come(lab: Lab, room: Room, source: Source | None) -> tuple[str, str]:
    """A ticket of a's that is not used yet, and the resume token of another."""
    unused, used = [
        await tickets.ticket(lab.log, room.key, "a", "page", source=source) for _ in range(2)
    ]
    entry = await tickets.enter([lab.log], used, False)
    assert entry.by == (source and source.kind)
    again = await tickets.enter([lab.log], entry.resume, True)
    assert again.by == entry.by
    return unused, entry.resume


@pytest.mark.parametrize("what", KINDS)
async def test_nor_does_what_a_page_was_given_that_had_come_by_it(
    what: str, room: Room, lab: Lab, reopen: Lab
) -> None:
    kind, make, _ = KINDS[what]
    source = Source.of(kind, await make(lab, room, "a"))
    ticket, resume = await come(lab, room, source)
    other_ticket, other_resume = await come(lab, room, None)
    await lab.revoke("a", what)  # pyright: ignore[reportArgumentType]
    for log in (lab.log, reopen.log):
        assert await refusal(tickets.enter([log], ticket, False)) == "revoked"
        assert await refusal(tickets.enter([log], resume, True)) == "revoked"
    late = tickets.ticket(lab.log, room.key, "a", "page", source=source)
    assert await refusal(late) == "revoked", "as it was revoked while the page was let in"
    assert (await tickets.enter([lab.log], other_ticket, False)).member == "a"
    assert (await tickets.enter([lab.log], other_resume, True)).member == "a"


async def test_each_room_of_the_person_has_it_on_record(room: Room, lab: Lab) -> None:
    other = await lab.create_room("other", study="t")
    await other.add_member("a")
    third = await lab.create_room("third", study="t")
    await lab.invite("a")
    await lab.revoke("a")
    for each, expected in ((room, 1), (other, 1), (third, 0)):
        found = [event for event in await log_of(each) if event.kind == "revoked"]
        assert [event.member for event in found] == ["a"] * expected
    assert await room.post("still a member", author="a")


async def test_wrong_arguments_are_named(lab: Lab) -> None:
    with pytest.raises(ValueError, match="what must be"):
        await lab.revoke("a", "tickets")  # pyright: ignore[reportArgumentType]
    with pytest.raises(TypeError, match="member must be"):
        await lab.revoke(7)  # pyright: ignore[reportArgumentType]
