"""Whose place a bot takes in one round, and what becomes of that in the next; and every end."""

from __future__ import annotations

from typing import Any

import pytest

from shiny_labchat.domain.commands import (
    Arrive,
    Consent,
    DescribeStudy,
    EndPerson,
    EnterLobby,
    Replace,
    ShowRoom,
)
from shiny_labchat.domain.end_screen import has_debrief
from shiny_labchat.domain.ends import REASONS
from shiny_labchat.domain.events import Event, LogKey
from shiny_labchat.domain.screen_parts import View
from shiny_labchat.domain.screens import screen_of
from shiny_labchat.gateway.programmes import Programmes, programmes_in
from tests.unit.domain.test_cohorts import Rounds, people
from tests.unit.domain.test_lobby import Waiting
from tests.unit.domain.test_replacing import DEBRIEF, RULES, TOLD, Group


class ReplacingRounds(Rounds):
    """A cohort in rounds; a bot takes the place of who goes."""

    def __init__(self, count: int, **settings: Any) -> None:
        given = {"rules": {**RULES}, "group_size": [2, 2, 2], **settings}
        usual = {"cohort": count, "rounds": 3, "rematch": "strangers", "next_on": "done"}
        Waiting.__init__(self, **{**usual, **given})
        said = {"consent": TOLD, "debrief": DEBRIEF, "deceives": True}
        self.tell(DescribeStudy("s", "seed", said))
        for person in people(count):
            self.tell(Arrive("s", person))
            self.tell(Consent("s", person, "1"))
            self.tell(EnterLobby("s", "l", person))
        self.advance()
        self.shows()

    def shows(self) -> None:
        for room in self.cohort.rooms:
            self.tell(ShowRoom("s", room, "none", also=(LogKey("s", room),)))

    def lose(self, person: str) -> list[Event]:
        room = self.person(person).room or ""
        return self.tell(Replace("s", room, (person,), "random"))

    def met(self, person: str) -> Programmes:
        """The programmes of all their rooms, as their debrief names them."""
        each = [programmes_in(self.room(room), person) for room in self.person(person).rooms]
        return Programmes(
            tuple(name for some in each for name in some.own),
            tuple(name for some in each for name in some.replaced),
        )


def partner_of(rounds: ReplacingRounds, person: str) -> str:
    [group] = [group for group in rounds.round if person in group]
    return next(each for each in group if each != person)


def test_who_is_replaced_in_a_round_is_in_no_next_one_and_their_partner_is_told_in_the_end() -> (
    None
):
    rounds = ReplacingRounds(6)
    gone, partner = "p0", partner_of(rounds, "p0")
    room = rounds.person(gone).room or ""
    name = rounds.room(room).memberships[gone].pseudonym
    rounds.lose(gone)
    assert rounds.reason(gone) == "replaced" and len(rounds.room(room).bots()) == 1
    rest = [each for each in people(6) if each != gone]
    rounds.records(*rest)
    assert rounds.goes_on() == [1], "nobody waits for whose place is taken"
    rounds.shows()
    seated = {person for group in rounds.round for person in group}
    assert gone not in seated
    for other in rounds.cohort.rooms:
        assert rounds.room(other).bots() == [], "the bot goes on in that round only"
    assert not rounds.room(room).is_open
    rounds.ends(partner, reason="complete")
    assert rounds.met(partner).replaced == (name,), "whatever rooms they were in since"
    strangers = [each for each in rest if each != partner]
    assert all(rounds.met(each) == Programmes() for each in strangers)


def test_another_one_is_replaced_in_the_next_round_by_a_bot_of_the_same_id() -> None:
    rounds = ReplacingRounds(6, short="sit_out")
    rounds.lose("p0")
    rounds.records(*people(6)[1:])
    rounds.goes_on()
    rounds.shows()
    one = next(person for group in rounds.round for person in group)
    assert rounds.lose(one) and rounds.reason(one) == "replaced"
    [bot] = rounds.room(rounds.person(one).room or "").bots()
    assert (bot.member, bot.replaces) == ("stand-in", one)


@pytest.mark.parametrize("reason", [each for each in REASONS if each != "replaced"])
def test_everybody_is_told_of_a_bot_in_a_place_whatever_their_end(reason: str) -> None:
    group = Group("ann", "bob", "carl")
    name = group.member("ann").pseudonym
    group.lose("ann")
    group.tell(EndPerson("s", "bob", reason))
    ended = group.person("bob").ended
    assert ended is not None and ended.reason == reason
    met = programmes_in(group.room("l-1"), "bob")
    view = View(group.study, "bob", replaced=met.replaced, programmes=met.own)
    assert has_debrief(view, group.person("bob"))
    [line] = screen_of(view).data(0)["debrief"]["lines"]
    assert name in line
