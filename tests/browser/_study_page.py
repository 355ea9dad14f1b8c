"""A page of a study, and the script that its server follows."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
from playwright.sync_api import Locator, expect

from tests.browser._people import Person
from tests.browser._screens import SCREENS

__all__ = ["StudyPage"]

Frame = dict[str, Any]


class StudyPage:
    """
    Somebody in front of the page of a study whose server does what it is told here.

    Parameters
    ----------
    person
        Who has the page open; the room in its address is the script's name.
    """

    def __init__(self, person: Person) -> None:
        self.person = person
        self.page = person.page
        address = urlsplit(self.page.url)
        room = parse_qs(address.query)["room"][0]
        self._script = f"http://{address.netloc}/script/{room}"

    @property
    def view(self) -> Locator:
        """What is drawn of the study."""
        return self.page.locator(".labchat-study-view")

    def told(self, **told: object) -> list[Frame]:
        """Have the server do something; gives what it has heard so far."""
        return httpx.post(self._script, json=told, trust_env=False, timeout=60).json()

    def heard(self, kind: str = "do") -> list[Frame]:
        """The frames of a kind that the server has heard."""
        return [frame for frame in self.told() if frame["t"] == kind]

    def hears(self, n: int, kind: str = "do") -> list[Frame]:
        """Wait until the server has heard so many frames of a kind, and give them."""
        self.person.waits_until(lambda: len(self.heard(kind)) >= n)
        assert len(heard := self.heard(kind)) == n
        return heard

    def is_connected(self) -> StudyPage:
        """Wait until the page has said hello to the study's socket."""
        self.person.waits_until(lambda: len(self.heard("hello")) > 0)
        return self

    def shows(self, name: str, **changed: object) -> None:
        """Have the server show a screen, and wait until it is drawn."""
        screen = {**SCREENS[name], **changed}
        self.told(screen=screen)
        expect(self.page.locator(f'[data-is="{screen["is"]}"]')).to_be_attached()
        if screen.get("title"):
            expect(self.view.get_by_role("heading", name=str(screen["title"]))).to_be_visible()

    def button(self, name: str) -> Locator:
        return self.page.get_by_role("button", name=name, exact=True)
