"""No frame says who the machine of a group is to somebody who has not guessed yet."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, WebSocket

from tests.browser._organiser import Organiser
from tests.browser._participants import Participant
from tests.browser.conftest import People, Serve
from tests.support.models.model import Model, Reply
from tests.support.models.tls_door import TlsDoor

TELLTALES = re.compile(r"assistant|computer program|machine\"|\bbots?\b|chatgpt|openai", re.I)
"""What says, in a name of a field or a value, that somebody is a machine."""


class Frames:
    """All that comes to a page over its websockets, and the page's own text."""

    def __init__(self, page: Page) -> None:
        self.heard: list[tuple[str, str]] = []
        page.on("websocket", self._listen)

    def _listen(self, socket: WebSocket) -> None:
        path = socket.url.split("://")[1].partition("/")[2].split("?")[0]

        def note(payload: str | bytes) -> None:
            told = payload if isinstance(payload, str) else payload.decode("utf-8", "replace")
            self.heard.append((path, told))

        socket.on("framereceived", note)

    def telltales(self) -> list[str]:
        return [told for _, told in self.heard if TELLTALES.search(told)]

    def roles(self) -> set[str]:
        """All roles of members that the frames of the chat name."""
        told = " ".join(told for path, told in self.heard if path.endswith("labchat/ws"))
        return set(re.findall(r'"role"\s*:\s*"([^"]*)"', told))


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What the machine speaks to."""
    with (
        Model(lambda call: Reply("Who is who?")) as model,
        TlsDoor("api.openai.com", model.port) as door,
    ):
        for name, value in {**door.environ, "OPENAI_API_KEY": "key"}.items():
            monkeypatch.setenv(name, value)
        yield


def test_the_second_to_guess_is_told_nothing_before(
    model: None, people: People, serve: Serve, organiser: Organiser
):
    app = serve("wanted/turing.py")
    ann, bob = (Participant(each.page) for each in people(2, app, settled=False))
    frames = Frames(bob.page)
    bob.page.reload()  # all of its frames are heard
    for each in (ann, bob):
        each.consents()
    for each in (ann, bob):
        each.is_ready()
    for each in (ann, bob):
        each.is_in_group()
    ann.says("hello")
    bob.sees("Who is who?")
    names = ann.name, bob.name
    (machine,) = {name for _, name, _ in bob.transcript()} - {*names}
    bob.reloads()  # a page that comes later is told no more
    organiser.does(organiser.lab(app).room("lobby-1", study="turing").close())
    ann.chooses("Who was the machine?", machine)
    ann.presses_button("Tell me")
    ann.reads_in_study(f"In your group, {machine} was a computer program, not a person.")
    bob.reads_on_page("Who was the machine?")
    bob.page.reload()
    bob.reads_on_page("Who was the machine?")
    paths = {path for path, _ in frames.heard}
    assert {"labchat/ws", "labchat/study"} <= paths and any("websocket" in each for each in paths)
    assert frames.roles() == {"participant"}
    assert [json.dumps(told)[:400] for told in frames.telltales()] == []
    bob.chooses("Who was the machine?", names[0])
    bob.presses_button("Tell me")
    bob.reads_in_study(f"In your group, {machine} was a computer program, not a person.")
    assert frames.telltales() != []  # what is looked for would have been found
