"""Studies as users write them, unedited: several people come, wait, talk, answer, and leave."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from tests.browser._participants import Participant
from tests.browser.conftest import People, Serve
from tests.support.server import Server

Come = Callable[[int, Server], list[Participant]]


@pytest.fixture
def come(people: People) -> Come:
    """So many come to an app."""

    def arrive(n: int, app: Server, **asked: str) -> list[Participant]:
        new = people(n, app, settled=False, **asked)
        return [Participant(person.page, person.chat.id) for person in new]

    return arrive


def test_two_who_wait_get_a_room_of_their_own(come: Come, serve: Serve):
    app = serve("wanted/group_please.py")
    ann, bob = come(2, app)
    for each in (ann, bob):
        each.is_ready()
    for each in (ann, bob):
        each.is_in_group()
        each.reads_on_page("Your group")
        each.sees(re.compile(r"Hello .* and .*\. You may begin\."))
    ann.says("hi")
    bob.sees("hi", by=ann)
    ann.reloads()
    ann.sees_only(re.compile("You may begin"), "hi")
    assert not [line for line in app.log if "Traceback" in line or "rror" in line]
