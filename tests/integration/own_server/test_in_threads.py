"""What runs in a thread, as it is not async, may use Shiny as in the event loop."""

from __future__ import annotations

import pytest

from shiny_labchat import Lab, Room, Rules
from tests.support.client import browser
from tests.support.models.model import Model, Reply, Tool
from tests.support.page import page
from tests.support.server import Server

APP = ["-m", "uvicorn", "tests.integration.apps.in_threads:app"]


@pytest.fixture
async def room(lab: Lab) -> Room:
    return await lab.create_room("in-threads", study="tests", rules=Rules(rate=None))


@pytest.mark.parametrize("how", ["iterable", "tool"])
async def test_it_changes_values_and_inputs_and_shows_notifications(
    model: Model, server: Server, room: Room, how: str
) -> None:
    async with page(server.port, outputs=("shown",)) as opened, browser(server.port) as ann:
        await ann.hello(ticket=await opened.ticket())
        await opened.until(lambda: opened.values.get("shown") == "nothing")
        if how == "iterable":
            await ann.says("cats")
            await ann.sees("before it was nothing, now it is cats")
        else:
            model.will(Reply("", tools=[Tool("keep", {"text": "cats"})]), Reply("I kept it."))
            await ann.says("@assistant keep cats")
            await ann.until(lambda: ann.texts[-1].endswith("I kept it."))
            assert "before it was nothing" in str(model.calls[-1].body)
        await opened.until(lambda: opened.values["shown"] == "cats")
        await opened.until(lambda: "kept cats" in "".join(opened.notifications))
