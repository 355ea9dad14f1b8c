"""What other processes say of a room, and its log, may come in any order."""

from __future__ import annotations

from shiny_labchat import Lab, Room
from shiny_labchat.lab.runtime import Runtime


async def test_who_is_said_to_be_here_before_they_have_joined_is_here_when_they_have(
    lab: Lab, room: Room
) -> None:
    live = await Runtime.of(lab.log).live.open(room.key)
    live.presence.come_elsewhere("bob")
    assert live.presence.present() == []
    await room.add_member("bob")
    await live.catch_up()
    assert [each.member for each in live.presence.present()] == ["bob"]
    live.leave()
