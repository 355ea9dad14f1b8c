"""What an app appends in a handler reaches those who have heard the message that it handles."""

from __future__ import annotations

import json

from shiny_labchat import Lab, Room, Rules
from tests.integration.own_server.conftest import Person
from tests.support.client import Browser

APP = ["-m", "uvicorn", "tests.integration.apps.networked:app"]


async def a_pair_and_a_third(room: Room, people: list[Browser]) -> None:
    """The first two hear each other; nobody hears the third."""
    ids = {member.pseudonym: member.id for member in await room.members()}
    one, two, _ = (ids[str(person.welcome["you"]["name"])] for person in people)
    await room.configure(network={one: [two], two: [one]})


async def test_what_a_handler_appends_and_is_told_is_what_its_message_s_hearers_know(
    person: Person, lab: Lab
) -> None:
    room = await lab.create_room("networked", study="tests", rules=Rules(rate=None))
    async with person() as ann, person() as bob, person() as eve:
        await a_pair_and_a_third(room, [ann, bob, eve])
        await room.announce("welcome")
        await ann.says("from ann")
        said = ["welcome", "from ann", "told before from ann: [welcome]", "streamed after from ann"]
        for each in (ann, bob):
            await each.until(lambda each=each: len(each.items) == 4 and each.texts[-1] == said[-1])
            assert each.texts == said
        await eve.says("from eve")
        await eve.until(lambda: eve.texts[-1] == "streamed after from eve")
        assert eve.texts == [
            *("welcome", "from eve", "told before from eve: [welcome]", "streamed after from eve")
        ]
        await ann.says("ann again")
        await bob.until(lambda: bob.texts[-1] == "streamed after ann again")
        told = next(text for text in bob.texts if text.startswith("told before ann again"))
        assert "from ann" in told and "from eve" not in told
        for each, others in ((eve, (ann, bob)), (ann, (eve,)), (bob, (eve,))):
            await each.settles()
            since = json.dumps(each.frames[next_to_welcome(each) :])
            for other in others:
                assert str(other.welcome["you"]["name"]) not in since
                assert other.welcome["you"]["h"] not in since


def next_to_welcome(person: Browser) -> int:
    """Where the frames begin that somebody was sent after the announcement."""
    return next(
        n
        for n, frame in enumerate(person.frames)
        if frame["t"] == "events" and any(item.get("role") == "system" for item in frame["e"])
    )
