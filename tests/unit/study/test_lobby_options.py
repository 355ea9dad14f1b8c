"""What an app may say of a lobby, and how it is stored."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from shiny_labchat import Bot, Lab, Rules
from shiny_labchat.domain.events import LogKey
from shiny_labchat.domain.lobby_settings import BY_APP, LobbySettings
from shiny_labchat.domain.scope import Scope
from shiny_labchat.domain.settings import Settings
from shiny_labchat.lab.runtime import Runtime
from shiny_labchat.study.group_bots import by_condition, group_bots
from shiny_labchat.study.lobby import Lobby
from shiny_labchat.study.lobby_options import rooms_glob
from shiny_labchat.study.study import Study


def settings_of(lab: Lab, **options: Any) -> dict[str, Any]:
    return Lobby("l", study="s", lab=lab, **options)._settings  # pyright: ignore[reportPrivateUsage]


def test_what_is_stored_can_be_written_as_json_and_is_read_again(lab: Lab):
    said = settings_of(
        lab,
        group_size=(2, 3, 4),
        opens=datetime(2026, 11, 30, 14, tzinfo=UTC),
        conditions={"a": [1, 2], "b": ["x"]},
        parts={"buyer": 1, "seller": 1},
        rules=Rules(max_length=50),
        idle_prompt=None,
    )
    plain = json.loads(json.dumps(said))
    read = LobbySettings.of(Settings(plain))
    assert plain == said and read.size == (2, 3, 4) and len(read.cells) == 2
    assert read.opens == 1_796_047_200_000_000 and read.idle_prompt is None
    assert Rules(**(read.rules or {})) == Rules(max_length=50)


def test_functions_are_not_stored_but_that_there_are_some(lab: Lab):
    said = settings_of(
        lab,
        pick=lambda waiting: [],
        conditions=["a"],
        balance=lambda people, counts: "a",
        on_timeout=["smaller", lambda person: None, "leave"],
    )
    assert [said[name] for name in ("pick", "balance")] == [BY_APP, BY_APP]
    assert said["on_timeout"] == ["smaller", BY_APP, "leave"]


PERFECT: dict[str, Any] = {"cohort": 8, "rematch": "perfect", "rounds": 3}


def test_perfect_strangers_are_possible_in_as_many_rounds_as_are_said(lab: Lab):
    assert settings_of(lab, **{**PERFECT, "rounds": 7})["rematch"] == "perfect"
    said = settings_of(lab, cohort=8, rounds=4, rematch=lambda round, people, met: [])
    assert said["rematch"] == BY_APP


@pytest.mark.parametrize(
    ("settings", "numbers", "room"),
    [
        ({}, (3,), "l-3"),
        ({"rounds": 2}, (3, 3, 2, 1), "l-c3-r2"),
        ({"cohort": 2, "rounds": 2}, (3, 3, 2, 1), "l-c3-r2"),
        ({"cohort": 4, "rounds": 2}, (6, 2, 2, 2), "l-c2-r2-2"),
        ({"cohort": 4, "rooms": "{round}x{cohort}x{n}"}, (6, 2, 1, 2), "1x2x6"),
    ],
)
def test_how_the_rooms_of_groups_are_called(
    settings: dict[str, Any], numbers: tuple[int, ...], room: str
):
    assert LobbySettings(**settings).room("l", *numbers) == room


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"group_size": "2"}, "group_size must be a whole number or"),
        ({"group_size": (3, 2, 4)}, "min <= ideal <= max"),
        ({"settle": -1}, "settle must be at least 0"),
        ({"pick": "first"}, 'pick must be "arrival", "random" or a function, not'),
        ({"pick": lambda: []}, r"pick must be a function that takes \(waiting\)"),
        ({"pick": lambda waiting: [], "batch": 4}, "batch cannot be given where pick"),
        ({"batch": 1}, "batch must be at least 2 or None"),
        ({"opens": 5}, "opens must be a datetime"),
        ({"opens": datetime(2026, 1, 1)}, "opens must have a time zone"),
        ({"capacity": 0}, "capacity must be at least 1"),
        ({"start": "later"}, 'start must be "auto" or "code"'),
        ({"conditions": "a"}, "conditions must be a list"),
        ({"conditions": ["a", "a"]}, "has 'a' twice"),
        ({"balance": "fair"}, "balance must be"),
        ({"balance": lambda people, counts: "a"}, "balance can be a function only where"),
        ({"count": "all"}, 'count must be "running"'),
        ({"parts": {"a": 1}}, "parts are for 1 person, but groups have 2"),
        ({"avoid": "always"}, "avoid must be"),
        ({"max_wait": 0}, "max_wait must be above 0"),
        ({"extends": -1}, "extends must be at least 0"),
        ({"extend": 0}, "extend must be above 0"),
        ({"on_timeout": "leave"}, "on_timeout must be a list"),
        ({"on_timeout": ["go"]}, "on_timeout must be"),
        ({"on_timeout": ["leave", "smaller"]}, "'leave' must come last"),
        ({"ready": 0}, "ready must be above 0 or None"),
        ({"on_not_ready": "leave"}, "on_not_ready must be"),
        ({"alive": 1}, "alive must be at least 5"),
        ({"grace": 5}, "grace must be at least 10"),
        ({"idle_prompt": 120}, "idle_prompt must be two numbers"),
        ({"idle_prompt": (120, 0)}, "idle_prompt must be above 0"),
        ({"sound": "yes"}, "sound must be True or False"),
        ({"rooms": "pair"}, r"rooms must have \{n\}"),
        ({"rooms": "{x}-{n}"}, r"rooms must have \{n\}"),
        ({"rooms": "{n"}, "rooms must be a text such as"),
        ({"names": "own"}, 'names must be "room", "study" or "ask"'),
        ({"rules": {"duration": 5}}, "rules must be Rules"),
        ({"identity": "cookie"}, "identity must be"),
        ({"bots": "helper"}, "bots must be a list of bots"),
        ({"bots": ["helper"]}, "bots must have bots"),
        ({"bots": {"a": []}}, "bots has the condition 'a', but"),
        ({"study": 5}, "study must be a Study or its name"),
        ({"cohort": 1}, "cohort must be at least 2 or None"),
        ({"cohort": 7}, "cohort is 7, but groups have 2 people"),
        ({"cohort": 8, "batch": 8}, "batch cannot be given with cohort"),
        ({"rounds": 0}, "rounds must be at least 1"),
        ({"within": 0}, "within must be above 0"),
        ({"short": "wait"}, 'short must be "smaller", "sit_out", "stand_in" or "end"'),
        ({"short": "stand_in"}, "short is 'stand_in', but the lobby has none: give stand_ins"),
        ({"rematch": "friends"}, "rematch must be"),
        ({"rematch": "strangers"}, "needs a cohort, such as cohort=8"),
        ({"rematch": lambda people: []}, r"rematch must be a function that takes \(round, people"),
        ({"next_on": 5}, "next_on must be text"),
        ({"cohort": 8, "short": "sit_out"}, "cannot be with rematch='partners'"),
        ({**PERFECT, "rounds": 8}, "cohort=8 and group_size=2 can be done in 7 rounds at most"),
        ({**PERFECT, "group_size": 4, "rounds": 2}, "can be done in 1 round at most, not 2"),
        ({**PERFECT, "group_size": (2, 2, 4)}, "needs groups of one size"),
        ({**PERFECT, "short": "end"}, "short='end' cannot be with rematch='perfect'"),
        ({**PERFECT, "on_timeout": ["smaller"]}, "on_timeout cannot have 'smaller'"),
        ({"rooms": "{round}-{n}"}, r"and may have \{lobby\}, as in"),
        ({"rounds": 2, "rooms": "{group}-{n}"}, r"have \{round\} and \{lobby\} and \{cohort\}"),
    ],
)
def test_wrong_arguments_are_refused_in_words(lab: Lab, options: dict[str, Any], words: str):
    with pytest.raises((TypeError, ValueError), match=words):
        Lobby("l", **{"study": "s", "lab": lab, **options})


def test_functions_with_other_parameters_are_refused(lab: Lab):
    lobby = Lobby("l", study="s", lab=lab)
    for decorator in (lobby.after_grouping, lobby.when_closed, lobby.when_all("x"), lobby.on_left):
        with pytest.raises(TypeError, match="fn must be a function that takes"):
            decorator(lambda: None)
    with pytest.raises(TypeError, match="kind must be text"):
        lobby.when_all(lambda room, members: None)  # pyright: ignore[reportArgumentType]


def test_a_lobby_is_in_the_lab_of_its_study(lab: Lab, tmp_path: Any):
    study = Study("s", lab=lab)
    assert Lobby("l", study=study).lab == lab and Lobby("l", study=study).study is study
    with pytest.raises(ValueError, match="but the study is in"):
        Lobby("l", study=study, lab=Lab(f"sqlite:///{tmp_path / 'other.db'}"))


@pytest.mark.parametrize(
    ("template", "lobby", "room", "is_its"),
    [
        (None, "l", "l-1", True),
        (None, "l*", "l*-1", True),
        (None, "l*", "lx-1", False),
        ("pair-{n}", "l", "pair-12", True),
        ("{cohort}-{round}-{n}", "l", "1-2-3", True),
        (None, "l", "l-c1-r2-3", True),
        ("[{lobby}]{n}", "l", "[l]3", True),
    ],
)
def test_the_rooms_of_a_lobby_are_found(template: str | None, lobby: str, room: str, is_its: bool):
    scope = Scope((rooms_glob(template, lobby),), "s")
    assert scope.covers(LogKey("s", room)) == is_its
    assert not scope.covers(LogKey("other", room))


def test_a_bot_may_be_of_some_conditions_only():
    helper, mole = Bot("helper", respond=str, disclose=True), Bot("mole", respond=str)

    def by_function(cell: Any) -> list[Bot]:
        return [helper] if cell == "a" else [mole]

    for bots in ({"a": [helper], "b": [mole]}, by_function):
        made = group_bots("l", by_condition("bots", bots, ["a", "b"]))
        assert {bot.id: bot.is_disclosed for bot in made} == {"helper": True, "mole": False}
    with pytest.raises(ValueError, match="bots cannot be a function where conditions is one"):
        by_condition("bots", by_function, None)


def test_a_bot_that_takes_places_has_ids_of_its_own_for_each(lab: Lab):
    stand_in = Bot("stand-in", respond=str)
    lobby = Lobby("l", study="s", lab=lab, group_size=(2, 3, 4), rules=Rules(on_gone=stand_in))
    known = Runtime.of(lab.log).bots.of_room(LogKey("s", "l-1"))
    assert [each.id for each in known] == ["stand-in", *(f"stand-in:{n}" for n in (2, 3, 4))]
    rules = lobby._settings["rules"]  # pyright: ignore[reportPrivateUsage]
    assert json.loads(json.dumps(rules))["on_gone"] == "bot:stand-in"
    says = lobby._study._says  # pyright: ignore[reportPrivateUsage]
    assert says["replaces"] and says["deceives"]


def test_a_bot_that_takes_places_may_be_named_if_the_lobby_has_it(lab: Lab):
    rules, bot = Rules(on_gone="bot:x"), Bot("x", respond=str)
    assert settings_of(lab, rules=rules, stand_ins=[bot])["stand_ins"] == [[None, ["x"]]]
    with pytest.raises(ValueError, match="the lobby has no bot 'x'"):
        Lobby("m", study="s", lab=lab, rules=rules)
    with pytest.raises(ValueError, match="is disclosed"):
        Lobby("m", study="s", lab=lab, rules=Rules(on_gone=Bot("y", respond=str, disclose=True)))


def test_the_bots_that_fill_places_are_stored_by_condition(lab: Lab):
    x, y = Bot("x", respond=str), Bot("y", respond=str)
    said = settings_of(lab, conditions=["a", "b"], stand_ins={"a": [x], "b": [y, x]})
    assert said["stand_ins"] == [["a", ["x"]], ["b", ["y", "x"]]]
    read = LobbySettings.of(Settings(said))
    assert read.fills == 1 and read.stand_ins_in("b") == ["y", "x"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"on_timeout": ["stand_ins"]}, "the lobby has none: give stand_ins"),
        ({"stand_ins": [Bot("x", respond=str)] * 2}, "which a group would have twice"),
        ({"stand_ins": [Bot("x", respond=str)], "bots": [Bot("x", respond=str)]}, "an id of its"),
        ({"stand_ins": Bot("x", respond=str)}, "stand_ins must be a list of bots"),
    ],
)
def test_bots_that_cannot_fill_places_are_an_error(lab: Lab, options: Any, words: str):
    with pytest.raises((TypeError, ValueError), match=words):
        settings_of(lab, **options)


def test_only_a_lobby_takes_rules_by_which_a_bot_takes_places(lab: Lab):
    with pytest.raises(ValueError, match="give these rules to a Lobby"):
        lab.room("r", rules=Rules(on_gone=Bot("x", respond=str)))
