"""Bots that go on in the places of people who have gone, and those that fill empty places."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from shiny_labchat import Refused, Rules
from shiny_labchat.domain.clock import SECOND
from shiny_labchat.domain.commands import (
    Arrive,
    Consent,
    DescribeStudy,
    EndPerson,
    Post,
    PressDone,
    Replace,
    Say,
    ShowRoom,
)
from shiny_labchat.domain.due import advance_by, dissolving, needs_signs, replacing
from shiny_labchat.domain.end_screen import has_debrief
from shiny_labchat.domain.events import Event, LogKey
from shiny_labchat.domain.membership import Membership
from shiny_labchat.domain.screen_parts import View
from shiny_labchat.domain.screens import screen_of
from shiny_labchat.gateway.programmes import Programmes, programmes_in
from shiny_labchat.protocol import item, presence
from shiny_labchat.words import CATALOGUE, ENGLISH
from tests.unit.domain.test_lobby import Waiting

ROOM = LogKey("s", "l-1")
CONSENT = {"text": "Text", "version": "1", "items": {}, "required": []}
TOLD = {**CONSENT, "replacement": True}
RULES = {"on_gone": "bot:stand-in", "grace": 60, "rate": None}
DEBRIEF = {"text": "It was about machines.", "keep": False}


class Group(Waiting):
    """People who were grouped, and are shown their room; `group_size` as many as there are."""

    def __init__(
        self,
        *people: str,
        consent: Mapping[str, Any] | None = TOLD,
        rules: Mapping[str, Any] = RULES,
    ) -> None:
        size = [len(people)] * 3
        super().__init__(group_size=size, rules={**rules}, avoid=None)
        said = {"consent": consent, "debrief": DEBRIEF, "deceives": True}
        self.tell(DescribeStudy("s", "seed", said))
        for person in people:
            self.tell(Arrive("s", person))
            if consent is not None:
                self.tell(Consent("s", person, "1"))
        self.enter(*people)
        self.advance()
        self.tell(ShowRoom("s", "l-1", "none", also=(ROOM,)))

    def lose(self, *gone: str) -> list[Event]:
        """People have been gone for longer than the rules allow."""
        return self.tell(Replace("s", "l-1", gone, f"random {self.now}"))

    def member(self, id: str) -> Membership:
        return self.room("l-1").memberships[id]

    def says(self, person: str, text: str) -> Event:
        return self.in_room("l-1", Say(person, text, f"c{self.now}", "page"))[-1]


# ── the take-over ──


def test_a_bot_gets_the_place_handle_and_name_of_who_has_gone():
    group = Group("ann", "bob")
    ann = group.member("ann")
    group.lose("ann")
    bot = group.member("stand-in")
    assert group.reason("ann") == "replaced" and group.member("ann").is_removed
    assert (bot.handle, bot.pseudonym) == (ann.handle, ann.pseudonym)
    assert bot.is_bot and bot.role_for("bob") == "participant" and bot.replaces == "ann"
    assert [each.member for each in group.room("l-1").bots()] == ["stand-in"]
    assert group.reason("bob") is None, "the group goes on"
    with pytest.raises(Refused, match="removed"):
        group.says("ann", "I am back.")


def test_what_others_are_shown_of_a_message_is_the_same_before_and_after():
    group = Group("ann", "bob")
    before = group.says("ann", "hello")
    group.lose("ann")
    group.now = group.member("stand-in").returns + 1
    said = Post([("text", "hello")], "user", "stand-in", cid="bot:1", hides_cid=True)
    [after] = group.in_room("l-1", said)
    assert after.member == "stand-in" and before.member == "ann", "the log knows whose words"
    shown = [json.loads(item(event, group.room("l-1").seed) or "") for event in (before, after)]
    for each in shown:
        del each["id"], each["at"]
    assert shown[0] == shown[1]


def test_nothing_of_it_is_an_item_in_any_page():
    group = Group("ann", "bob")
    seq = group.room("l-1").seq
    group.lose("ann")
    made = [event for event in group.events[ROOM] if event.seq > seq]
    assert [event.kind for event in made] == ["removed", "joined"]
    assert [item(event, group.room("l-1").seed) for event in made] == [None, None]


def test_the_members_are_in_the_same_order_and_look_the_same():
    group = Group("ann", "bob", "carl", "dora")
    frames = list[str]()
    for _ in range(2):
        shown = group.room("l-1").members_for("bob")
        frames.append(presence(4, shown, "bob"))
        group.lose("ann")
    assert frames[0] == frames[1]


def test_a_second_one_who_goes_is_replaced_by_another_member():
    group = Group("ann", "bob", "carl")
    handles = {each.handle for each in group.room("l-1").members()}
    group.lose("ann")
    group.lose("carl")
    bots = group.room("l-1").bots()
    assert {each.member: each.replaces for each in bots} == {
        "stand-in": "ann",
        "stand-in:2": "carl",
    }
    assert {each.handle for each in group.room("l-1").members()} == handles


def test_the_last_one_is_not_replaced_and_the_group_ends():
    group = Group("ann", "bob")
    group.lose("ann")
    group.lose("bob")
    assert (group.reason("ann"), group.reason("bob")) == ("replaced", "idle")
    assert not group.room("l-1").is_open and len(group.room("l-1").bots()) == 1


def test_if_all_go_at_once_nobody_is_replaced():
    group = Group("ann", "bob")
    group.lose("ann", "bob")
    assert {group.reason("ann"), group.reason("bob")} == {"idle"}
    assert not group.room("l-1").is_open


def test_a_group_of_bots_only_is_closed():
    group = Group("ann", "bob")
    group.lose("ann")
    group.tell(EndPerson("s", "bob", "withdrew"))
    assert not group.room("l-1").is_open


@pytest.mark.parametrize("consent", [CONSENT, None])
def test_nobody_is_replaced_without_a_consent_that_says_so(consent: Any):
    group = Group("ann", "bob", consent=consent)
    assert group.lose("ann") == [] and group.reason("ann") is None


def test_nobody_is_replaced_among_people_one_of_whom_has_not_read_that_it_may_happen():
    group = Group("ann", "bob", consent=CONSENT)
    group.tell(DescribeStudy("s", "seed", {"consent": {**TOLD, "version": "2"}}))
    assert group.lose("ann") == []


def test_who_is_done_is_not_replaced():
    group = Group("ann", "bob", rules={**RULES, "ends": "all_done"})
    group.in_room("l-1", PressDone("ann"))
    assert group.lose("ann") == []


def test_nobody_is_replaced_twice_or_after_the_end():
    group = Group("ann", "bob", "carl", rules={**RULES, "duration": 100, "starts": "first_message"})
    group.says("bob", "hello")
    assert group.lose("ann") and group.lose("ann") == []
    group.now += 101 * SECOND
    assert group.lose("carl") == []


def test_only_the_bot_of_the_lobby_takes_places():
    """Rules that were given while the room was in use name another one."""
    group = Group("ann", "bob", rules={**RULES, "on_gone": "continue"})
    group.add(ROOM, "configured", None, rules={"on_gone": "bot:other"})
    assert group.lose("ann") == []


def test_who_is_muted_stays_so_whoever_goes_on_for_them():
    group = Group("ann", "bob")
    group.add(ROOM, "changed", "ann", is_muted=True)
    group.lose("ann")
    assert group.room("l-1").silence(group.member("stand-in")) == "muted"


def test_it_is_due_when_somebody_is_gone_for_longer_than_the_grace():
    group = Group("ann", "bob")
    state, start = group.room("l-1"), group.now
    for seconds, gone in ((59, ()), (61, ("ann",))):
        silences = {"ann": seconds * SECOND, "bob": 0}
        command = advance_by(state, silences, start + 200 * SECOND, start)
        assert needs_signs(state) and dissolving(state, command.gone) == ()
        assert replacing(state, command.gone) == gone


# ── when it is seen ──


def test_nobody_is_seen_to_return_when_the_grace_ends():
    for seed in range(200):
        group = Group("ann", "bob")
        group.now += seed
        group.lose("ann")
        assert group.member("stand-in").returns - group.now >= SECOND


# ── the study ──


def test_nobody_comes_to_a_study_whose_consent_does_not_say_it():
    for consent in (None, CONSENT):
        group = Waiting()
        said = {"replaces": True, "deceives": True, "debrief": DEBRIEF, "consent": consent}
        group.tell(DescribeStudy("s", "seed", said))
        with pytest.raises(Refused, match="no_replacement"):
            group.tell(Arrive("s", "ann"))
        group.tell(DescribeStudy("s", "seed", {"consent": TOLD}))
        group.tell(Arrive("s", "ann"))


@pytest.mark.parametrize("language", CATALOGUE)
def test_the_consent_says_in_words_that_it_may_happen(language: str):
    words, group = ENGLISH.replaced(language, None), Waiting()
    for consent in (CONSENT, TOLD):
        group.tell(DescribeStudy("s", "seed", {"consent": consent}))
        group.tell(Arrive("s", "ann"))
        screen = screen_of(View(group.study, "ann", words=words)).data(0)
        is_told = words["consent.replacement"] in screen["lines"]
        assert screen["is"] == "consent" and is_told == (consent is TOLD)


def test_everybody_is_told_on_every_end_in_whose_place_it_was():
    for reason in ("complete", "withdrew", "removed", "group_dissolved", "idle", "error"):
        group = Group("ann", "bob", "carl")
        name = group.member("ann").pseudonym
        group.lose("ann")
        group.tell(EndPerson("s", "bob", reason))
        for person, told in (("ann", ENGLISH["debrief.own_place"]), ("bob", name)):
            met = programmes_in(group.room("l-1"), person)
            view = View(group.study, person, replaced=met.replaced, programmes=met.own)
            assert has_debrief(view, group.person(person))
            lines = screen_of(view).data(0)["debrief"]["lines"]
            assert len(lines) == 1 and told in lines[0]


def test_a_programme_is_named_to_others_only():
    group = Group("ann", "bob")
    name = group.member("ann").pseudonym
    group.lose("ann")
    assert programmes_in(group.room("l-1"), "ann") == Programmes()
    assert programmes_in(group.room("l-1"), "bob") == Programmes(replaced=(name,))


# ── stand-ins ──


def test_bots_fill_the_places_that_are_empty_at_a_time_out():
    waiting = Waiting(
        *("ann", "bob"),
        group_size=[4, 5, 5],
        on_timeout=["stand_ins"],
        stand_ins=[[None, ["x", "y", "z"]]],
        parts={"buyer": 2, "seller": 2},
        ready=15,
    )
    waiting.advance(301)
    waiting.is_ready("ann", "bob")
    room, [group] = waiting.room("l-1"), [*waiting.study.groups.values()]
    assert waiting.groups() == [{"ann", "bob"}] and room.stand_ins == ("x", "y")
    assert sorted(group.parts) == ["ann", "bob", "x", "y"]
    assert sorted(group.parts.values()) == ["buyer", "buyer", "seller", "seller"]


def test_one_who_waits_alone_gets_a_group_of_bots():
    waiting = Waiting("ann", on_timeout=["stand_ins"], stand_ins=[[None, ["x"]]])
    waiting.advance(301)
    assert waiting.groups() == [{"ann"}] and waiting.room("l-1").stand_ins == ("x",)


def test_where_there_are_too_few_of_them_the_next_step_is_tried():
    waiting = Waiting(
        "ann", group_size=[4, 4, 4], on_timeout=["stand_ins"], stand_ins=[[None, ["x", "y"]]]
    )
    waiting.advance(301)
    assert waiting.groups() == [] and waiting.reason("ann") == "lobby_timeout"


def test_which_bots_they_are_depends_on_the_condition():
    stand_ins = [["a", ["x"]], ["b", ["y"]]]
    found = set[Any]()
    waiting = Waiting(on_timeout=["stand_ins"], conditions=["a", "b"], stand_ins=stand_ins)
    for n, person in enumerate(("ann", "bob"), 1):
        waiting.enter(person)
        waiting.advance(301)
        room = waiting.room(f"l-{n}")
        found.add((room.condition, *room.stand_ins))
    assert found == {("a", "x"), ("b", "y")}


def test_nobody_is_shown_how_many_wait_where_bots_may_fill_places():
    lines = list[str]()
    for steps in (["leave"], ["stand_ins"]):
        waiting = Waiting("ann", group_size=[3, 3, 3], on_timeout=steps, stand_ins=[[None, ["x"]]])
        view = View(waiting.study, "ann", waiting.lobby("l"), waiting.now)
        lines.append(" ".join(screen_of(view).data(waiting.now)["lines"]))
    assert "1 of 3" in lines[0] and "of 3" not in lines[1]


# ── the rules ──


class _Bot:
    id = "stand-in"

    def enter(self, room: Any) -> None: ...


def test_rules_take_a_bot_and_are_stored_with_its_name():
    from dataclasses import asdict, replace

    given = Rules(on_gone=_Bot(), grace=30)
    assert given == Rules(on_gone="bot:stand-in", grace=30)
    assert json.loads(json.dumps(asdict(given)))["on_gone"] == "bot:stand-in"
    assert type(asdict(given)["on_gone"]) is str and repr(given) == repr(Rules(**asdict(given)))
    assert replace(given, burst=3).on_gone == "bot:stand-in"


@pytest.mark.parametrize("wrong", ["bot:", "nothing", 3, None])
def test_what_is_no_bot_is_an_error(wrong: Any):
    with pytest.raises((TypeError, ValueError), match="on_gone"):
        Rules(on_gone=wrong)
