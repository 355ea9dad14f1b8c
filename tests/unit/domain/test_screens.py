"""What a person of a study sees, in each state of theirs, and what no screen has."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shiny_labchat.domain.commands import (
    Advance,
    Arrive,
    Barrier,
    Consent,
    Debrief,
    DescribeLobby,
    DescribeStudy,
    EndPerson,
    EnterLobby,
    LobbySigns,
    Pay,
    Ready,
    RecordAnswer,
    ShowCode,
    StudyCommand,
    WaitLonger,
)
from shiny_labchat.domain.decide import MoreLogs
from shiny_labchat.domain.end_screen import needs_link, needs_receipt
from shiny_labchat.domain.ends import REASONS, End, data_of
from shiny_labchat.domain.money import money
from shiny_labchat.domain.screen_parts import Screen, View
from shiny_labchat.domain.screens import screen_of
from shiny_labchat.errors import Refused
from shiny_labchat.words import CATALOGUE, Words
from tests.support.study import Logs

SECOND = 1_000_000
LANGUAGES = tuple(CATALOGUE)
CONSENT = {"text": "You will *talk*.", "version": "v1", "items": {"share": "Share?"}}


class Study(Logs):
    """A study with a lobby, and what its people see."""

    def __init__(self, *people: str, lobby: dict[str, Any] | None = None, **settings: Any) -> None:
        super().__init__()
        self.tell(DescribeStudy("s", "seed", {"seed": 7, **settings}))
        self.settings = {"settle": 0, "group_size": [2, 2, 2], **(lobby or {})}
        self.tell(DescribeLobby("s", "l", "seed", self.settings))
        for person in people:
            self.tell(Arrive("s", person))

    def enter(self, *people: str) -> None:
        for person in people:
            self.tell(EnterLobby("s", "l", person))

    def advance(self, seconds: float = 0, idle: Sequence[str] = ()) -> None:
        self.now += round(seconds * SECOND)
        self.tell(Advance("s", "l", self._signs(idle), "random"))

    def is_ready(self, *people: str) -> None:
        for person in people:
            match = self.lobby("l").places[person].match
            self.tell(Ready("s", "l", person, match, self._signs(), "random"))

    def _signs(self, idle: Sequence[str] = ()) -> LobbySigns:
        seen = {person: self.now for person in self.study.people}
        return LobbySigns(seen, dict.fromkeys(idle, 0))

    def tell(self, command: StudyCommand) -> None:
        """Apply a command as the log does: again with the logs that its rule needs besides."""
        try:
            self.does(command)
        except MoreLogs as exc:
            self.tell(replace(command, also=(*command.also, *exc.logs)))

    def view(self, person: str = "ann", **more: Any) -> View:
        return View(self.study, person, self.lobby("l"), self.now, **more)

    def sees(self, person: str = "ann", **more: Any) -> Screen:
        return screen_of(self.view(person, **more))

    def shows(self, person: str = "ann", **more: Any) -> dict[str, Any]:
        return self.sees(person, **more).data(self.now)


def actions(data: dict[str, Any]) -> list[str]:
    return [button["do"] for button in data["buttons"]]


# ── before anything begins ──


def test_nothing_is_shown_to_somebody_who_has_not_arrived_or_has_nothing_to_do() -> None:
    study = Study("ann")
    assert study.shows("stranger") == {"is": "none", "title": "", "lines": [], "buttons": []}
    assert study.sees().is_ == "none" and "stop" in study.shows()


def test_consent_is_asked_in_the_developers_words_with_what_is_required() -> None:
    study = Study("ann", consent={**CONSENT, "required": ["share"]}, contact="a@b.org")
    data = study.shows()
    assert data["is"] == "consent" and data["html"] == "<p>You will <em>talk</em>.</p>\n"
    assert data["items"] == [{"id": "share", "text": "Share?", "required": True}]
    assert data["version"] == "v1" and actions(data) == ["consent", "refuse"]
    assert data["contact"].endswith("a@b.org.") and "stop" not in data
    study.tell(Consent("s", "ann", "v1", answers={"share": True}))
    assert study.sees().is_ == "none" and "stop" in study.shows()


def test_html_in_the_developers_text_stays_text() -> None:
    study = Study("ann", consent={**CONSENT, "text": "<script>x</script> [a](javascript:b)"})
    assert "<script" not in study.shows()["html"] and "href" not in study.shows()["html"]


def test_an_older_browser_says_so_and_can_act_again() -> None:
    study = Study("ann")
    data = study.shows(is_newest=False)
    assert data["is"] == "other_window" and actions(data) == ["here"] and "stop" in data
    study.tell(EndPerson("s", "ann", "complete"))
    assert study.sees(is_newest=False).is_ == "ended"


# ── waiting ──


def test_who_waits_is_told_how_many_are_here_how_long_and_what_then() -> None:
    study = Study("ann", "bob", lobby={"group_size": [3, 3, 3]})
    study.enter("ann", "bob")
    data = study.shows()
    assert data["is"] == "waiting" and actions(data) == ["leave"]
    assert "People here: 2 of 3" in data["lines"] and data["stop"]["delete"]
    assert data["clock"]["text"] == "At most {time} left"
    assert 299_000 < data["clock"]["left"] <= 300_000
    assert CATALOGUE["en"]["lobby.then_leave"] in data["lines"]
    assert data["buttons"][0]["ask"]["no"] == "Go on waiting"


def test_what_the_lobby_does_not_show_is_not_said() -> None:
    settings = {"show_count": False, "show_wait": False, "sound": False, "on_timeout": ["smaller"]}
    study = Study("ann", lobby=settings)
    study.enter("ann")
    data = study.shows()
    assert "clock" not in data and "You wait at most 5 minutes." in data["lines"]
    assert not any("People here" in line or "sound" in line for line in data["lines"])
    assert CATALOGUE["en"]["lobby.then_begin"] in data["lines"]


def test_more_time_is_offered_shortly_before_the_end_as_often_as_the_lobby_allows() -> None:
    study = Study("ann", lobby={"max_wait": 100, "extends": 1, "extend": 120})
    study.enter("ann")
    screen = study.sees()
    assert screen.changes is not None and actions(screen.data(0)) == ["leave"]
    study.now = screen.changes
    data = study.shows()
    assert actions(data) == ["longer", "leave"]
    assert data["buttons"][0]["label"] == "Wait 2 minutes longer"
    study.tell(WaitLonger("s", "l", "ann"))
    data = study.shows()
    assert actions(data) == ["leave"] and data["clock"]["left"] > 170_000
    assert data["clock"]["text"] == CATALOGUE["en"]["lobby.extended"]


def test_before_it_opens_the_clock_says_when() -> None:
    study = Study("ann", lobby={"opens": 3_600 * SECOND})
    study.enter("ann")
    screen = study.sees()
    assert screen.clock == "It begins in {time}." and screen.changes == 3_600 * SECOND
    study.now = 3_600 * SECOND
    assert study.sees().clock == "At most {time} left"


def test_whoever_waits_behind_others_is_told_their_place() -> None:
    study = Study("ann", "bob", "cy", lobby={"start": "auto"})
    study.enter("bob", "cy", "ann")
    assert "Your place in the line: 3" in study.shows()["lines"]
    assert not any("place in the line" in line for line in study.shows("cy")["lines"])


def test_whom_the_organisers_group_is_told_so() -> None:
    study = Study("ann", lobby={"start": "code"})
    study.enter("ann")
    assert CATALOGUE["en"]["lobby.by_hand"] in study.shows()["lines"]


def test_a_ready_check_calls_and_then_waits_for_the_others() -> None:
    study = Study("ann", "bob")
    study.enter("ann", "bob")
    study.advance()
    data = study.shows()
    assert data["is"] == "ready" and actions(data) == ["ready"]
    assert data["attention"] == {
        "sound": True,
        "title": "Your group is ready",
        "notify": "Your group is ready",
    }
    assert data["lines"] == ["Please press the button within 15 seconds."]
    study.is_ready("ann")
    data = study.shows()
    assert data["is"] == "ready" and actions(data) == [] and "attention" not in data
    assert data["clock"]["text"] == "Waiting for the others, at most {time}."
    study.is_ready("bob")
    assert study.sees().is_ == study.sees("bob").is_ == "moment"
    assert "attention" not in study.shows()


def test_without_a_ready_check_the_moment_calls() -> None:
    study = Study("ann", "bob", lobby={"ready": None, "sound": False, "blink_title": False})
    study.enter("ann", "bob")
    study.advance()
    data = study.shows()
    assert data["is"] == "moment" and data["attention"]["title"] is None
    assert data["attention"] == {"sound": False, "title": None, "notify": "Your group is ready"}


def test_who_did_not_answer_may_wait_again_and_the_others_are_first() -> None:
    study = Study("ann", "bob", lobby={"max_wait": 300})
    study.enter("ann", "bob")
    study.advance()
    study.is_ready("bob")
    study.advance(16)
    data = study.shows()
    assert data["is"] == "wait_again" and actions(data) == ["wait_again", "leave"]
    assert CATALOGUE["en"]["wait_again.text"] in data["lines"] and data["clock"]["left"] > 0
    assert CATALOGUE["en"]["lobby.requeued"] in study.shows("bob")["lines"]
    study.enter("ann")
    assert study.sees().is_ == "waiting"
    assert CATALOGUE["en"]["lobby.requeued"] not in study.shows()["lines"]


def test_who_was_away_for_too_long_may_wait_again() -> None:
    study = Study("ann", lobby={"grace": 60})
    study.enter("ann")
    study.now += 61 * SECOND
    study.tell(Advance("s", "l", LobbySigns({}), "random"))
    data = study.shows()
    assert data["is"] == "wait_again" and data["lines"] == [CATALOGUE["en"]["wait_again.away"]]
    assert "clock" not in data


def test_who_seems_idle_is_asked() -> None:
    study = Study("ann", lobby={"idle_prompt": [120, 15]})
    study.enter("ann")
    study.advance(121, idle=["ann"])
    data = study.shows()
    assert data["is"] == "idle" and actions(data) == ["confirm"]
    assert "15 seconds" in data["lines"][0] and data["attention"]["title"]


def test_who_has_done_their_part_waits_for_the_others_of_the_group() -> None:
    study = Study("ann", "bob", lobby={"ready": None})
    study.enter("ann", "bob")
    study.advance()
    study.tell(RecordAnswer("s", "ann", "choice", "X"))
    study.tell(Barrier("s", "l-1", "choice", 120 * SECOND))
    data = study.shows()
    assert data["is"] == "barrier" and data["clock"]["left"] > 119_000
    assert data["clock"]["text"] == CATALOGUE["en"]["barrier.waiting"]
    assert study.sees("bob").is_ == "moment"
    study.tell(RecordAnswer("s", "bob", "choice", "X"))
    study.tell(Barrier("s", "l-1", "choice", 120 * SECOND))
    assert study.sees().is_ == "moment"


# ── the end ──


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("reason", REASONS)
def test_every_end_has_words_and_without_an_end_of_its_own_no_code(
    reason: str, language: str
) -> None:
    study = Study("ann", contact="lab@example.org")
    study.tell(EndPerson("s", "ann", reason))
    data = study.shows(words=Words(language))
    assert data["is"] == "ended" and data["title"] == CATALOGUE[language][f"ended.{reason}"]
    assert data["lines"][0] == CATALOGUE[language][f"ended.{reason}.text"]
    assert "code" not in data and "link" not in data and "stop" not in data
    assert "lab@example.org" in data["contact"]
    assert not any("{" in line for line in data["lines"])


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    "status", ["consent", "waiting", "ready", "wait_again", "idle", "moment", "barrier"]
)
def test_every_screen_is_said_in_each_language(status: str, language: str) -> None:
    data = _in(status).shows(words=Words(language))
    assert data["is"] == status
    english = _in(status).shows()
    assert data["title"] and (data["title"] == english["title"]) == (language == "en")
    for line in (*data["lines"], *(button["label"] for button in data["buttons"])):
        assert line and "{" not in line
    assert [*data] == [*english], "the languages differ in words only"


def _in(status: str) -> Study:
    asked = {"consent": CONSENT} if status == "consent" else {}
    ready = None if status in ("moment", "barrier") else 15
    study = Study("ann", "bob", lobby={"ready": ready}, **asked)
    if status == "consent":
        return study
    study.enter("ann")
    if status == "idle":
        study.advance(121, idle=["ann"])
    if status in ("ready", "wait_again", "moment", "barrier"):
        study.enter("bob")
        study.advance()
    if status == "wait_again":
        study.advance(16)
    if status == "barrier":
        study.tell(RecordAnswer("s", "ann", "choice", "X"))
        study.tell(Barrier("s", "l-1", "choice", 120 * SECOND))
    return study


ENDS = {
    "complete": data_of(End("C1", "https://e.org/?cc={code}&id={ID}")),
    "lobby_timeout": data_of(End("LT", pay=1.5, text="Sorry, *nobody* came.")),
    "no_consent": data_of(End(pay="none")),
    "full": data_of(End(url="https://e.org/full", pay="partial")),
}
IN_FULL = CATALOGUE["en"]["pay.full"]


def test_an_end_has_its_code_and_a_link_that_says_nothing() -> None:
    study = Study("ann", ends=ENDS)
    study.tell(EndPerson("s", "ann", "complete"))
    assert needs_link(study.view()) == "complete" and "link" not in study.shows()
    data = study.shows(end_link="TOKEN")
    assert data["code"]["value"] == "C1" and data["code"]["copy"] and data["code"]["copied"]
    assert data["link"] == {"href": "labchat/end/TOKEN", "label": "Go back with this code"}
    assert "You are paid in full." in data["lines"] and "e.org" not in json.dumps(data)


def test_a_code_that_was_shown_stays_whatever_the_app_says_later() -> None:
    study = Study("ann", "bob", ends=ENDS)
    with pytest.raises(Refused, match="not_ended"):
        study.tell(ShowCode("s", "ann", "C1"))
    study.tell(EndPerson("s", "ann", "complete"))
    study.tell(EndPerson("s", "bob", "complete"))
    for code in ("C1", "C3"):
        study.tell(ShowCode("s", "ann", code))
    later = {**ENDS, "complete": {**ENDS["complete"], "code": "C2"}}
    study.tell(DescribeStudy("s", "seed", {"ends": later}))
    assert study.shows(person="ann")["code"]["value"] == "C1"
    assert study.shows(person="bob")["code"]["value"] == "C2"
    study.tell(DescribeStudy("s", "seed", {"ends": {}}))
    assert study.shows(person="ann")["code"]["value"] == "C1"


def test_an_end_has_its_own_words_and_pay() -> None:
    study = Study("ann", ends=ENDS, currency="GBP")
    study.tell(EndPerson("s", "ann", "lobby_timeout"))
    data = study.shows(end_link="TOKEN")
    assert data["html"] == "<p>Sorry, <em>nobody</em> came.</p>\n"
    assert data["lines"] == ["You are paid £1.50."], "who has a code needs the window still"
    assert data["code"]["value"] == "LT" and "link" not in data
    assert needs_link(study.view()) is None


@pytest.mark.parametrize(
    ("reason", "line"),
    [
        ("no_consent", "There is no payment for this."),
        ("already_took_part", "There is no payment for this."),
        ("full", "You are paid in part."),
        ("complete", "You are paid in full."),
        ("idle", IN_FULL),
        ("withdrew", IN_FULL),
        ("error", IN_FULL),
        ("closed", None),
        ("screened_out", None),
    ],
)
def test_what_is_paid_is_said_where_the_study_pays(reason: str, line: str | None) -> None:
    study = Study("ann", ends={**ENDS, "already_took_part": data_of(End("AT", pay="none"))})
    study.tell(EndPerson("s", "ann", reason))
    assert says_of_pay(study) == ([line] if line else [])


@pytest.mark.parametrize("reason", REASONS)
def test_who_had_begun_is_paid_in_full_where_the_study_says_nothing(reason: str) -> None:
    study = Study("ann", consent=CONSENT, ends={"replaced": ENDS["complete"]})
    study.tell(Consent("s", "ann", "v1"))
    study.tell(EndPerson("s", "ann", reason))
    assert says_of_pay(study) == [IN_FULL]


@pytest.mark.parametrize("reason", REASONS)
def test_of_pay_nothing_is_said_where_there_is_none(reason: str) -> None:
    study = Study("ann", debrief={"text": "Well.", "keep": True})
    study.tell(EndPerson("s", "ann", reason))
    data = study.shows()
    assert says_of_pay(study) == [] and "paid" not in json.dumps(data.get("debrief", ""))


def says_of_pay(study: Study, language: str = "en") -> list[str]:
    lines = study.shows(words=Words(language))["lines"]
    pay = {key: text for key, text in CATALOGUE[language].items() if key.startswith("pay.")}
    starts = tuple(text.split("{")[0] for text in pay.values() if not text.startswith("{"))
    return [line for line in lines if line.startswith(starts)]


@pytest.mark.parametrize(
    ("pay", "lines"),
    [
        ("full", ["You are paid in full.", "In addition you get a bonus of €2.50."]),
        (1.5, ["You are paid €1.50.", "In addition you get a bonus of €2.50."]),
        ("none", ["You get a bonus of €2.50."]),
        (0, ["You get a bonus of €2.50."]),
    ],
)
def test_the_bonus_is_the_sum_of_what_was_paid_beside_the_pay_of_the_end(
    pay: Any, lines: list[str]
) -> None:
    study = Study("ann", currency="EUR", ends={"complete": data_of(End(pay=pay))})
    study.tell(Pay("s", "ann", "group", 200))
    study.tell(Pay("s", "ann", "quiz", 50))
    study.tell(EndPerson("s", "ann", "complete"))
    assert says_of_pay(study) == lines
    german = study.shows(words=Words("de"))["lines"]
    assert any("Bonus von 2,50 €." in line for line in german)


def test_the_debrief_comes_first_and_the_code_when_it_was_read() -> None:
    study = Study("ann", ends=ENDS, debrief={"text": "It was *about* you.", "keep": False})
    study.tell(EndPerson("s", "ann", "complete"))
    data = study.shows(end_link="TOKEN")
    assert "<em>about</em>" in data["debrief"]["html"] and "code" not in data
    assert actions(data) == ["debriefed"] and needs_link(study.view()) is None
    assert data["lines"][-1] == "Your completion code comes after the text below."
    study.tell(Debrief("s", "ann"))
    data = study.shows(end_link="TOKEN")
    assert not any("comes after" in line for line in data["lines"])
    assert data["code"]["value"] == "C1" and data["debrief"]["html"] and data["buttons"] == []


def test_the_debrief_asks_whether_the_data_may_be_kept() -> None:
    study = Study("ann", ends=ENDS, debrief={"text": "Well.", "keep": True})
    study.tell(EndPerson("s", "ann", "complete"))
    data = study.shows()
    assert data["debrief"]["keep"]["title"] == "May we keep your data?" and data["buttons"] == []
    assert data["debrief"]["keep"]["text"] == CATALOGUE["en"]["keep.text"]
    assert data["lines"][-1] == CATALOGUE["en"]["code.after_question"]
    study.tell(Debrief("s", "ann", keep=False))
    data = study.shows()
    assert "keep" not in data["debrief"] and data["code"]["value"] == "C1"
    assert CATALOGUE["en"]["stop.deleted"] in data["lines"]


@pytest.mark.parametrize(("delete", "key"), [(True, "stop.deleted"), (False, "stop.kept")])
def test_who_has_said_what_becomes_of_their_data_is_not_asked_again(delete: bool, key: str) -> None:
    study = Study("ann", debrief={"text": "Well.", "keep": True})
    study.tell(EndPerson("s", "ann", "withdrew", delete=delete))
    data = study.shows()
    assert "keep" not in data["debrief"] and actions(data) == ["debriefed"]
    assert CATALOGUE["en"][key] in data["lines"]


def test_who_leaves_without_being_asked_about_their_data_is_asked_then() -> None:
    study = Study("ann", debrief={"text": "Well.", "keep": True})
    study.tell(EndPerson("s", "ann", "withdrew"))
    data = study.shows()
    assert "keep" in data["debrief"] and CATALOGUE["en"]["stop.kept"] not in data["lines"]
    study.tell(Debrief("s", "ann", keep=True))
    assert CATALOGUE["en"]["stop.kept"] in study.shows()["lines"]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("keep", "after"), [(True, "question"), (False, "text")])
@pytest.mark.parametrize(
    ("end", "what"), [(End("C1"), "code"), (End(url="https://e.org"), "link"), (End(), None)]
)
def test_before_the_debrief_is_read_it_is_said_that_something_comes_after_it(
    end: End, what: str | None, keep: bool, after: str, language: str
) -> None:
    ends = {"complete": data_of(end)}
    study = Study("ann", ends=ends, debrief={"text": "Well.", "keep": keep})
    study.tell(EndPerson("s", "ann", "complete"))
    words = CATALOGUE[language]
    said = {
        key for key, text in words.items() if text in study.shows(words=Words(language))["lines"]
    }
    later = {key for key in said if ".after_" in key}
    assert later == ({f"{what}.after_{after}"} if what else set())


def test_the_debrief_names_the_programmes() -> None:
    study = Study("ann", debrief={"text": "Well.", "keep": False})
    study.tell(EndPerson("s", "ann", "complete"))
    [line] = study.shows(programmes=["Teal Otter"])["debrief"]["lines"]
    assert line == "In your group, Teal Otter was a computer program, not a person."
    [line] = study.shows(programmes=["A", "B", "C"])["debrief"]["lines"]
    assert line == "In your group, A, B and C were computer programs, not people."
    assert study.shows()["debrief"]["lines"] == []


def test_who_never_took_part_is_not_told_what_it_was_about() -> None:
    study = Study("ann", consent=CONSENT, debrief={"text": "Secret.", "keep": False})
    study.tell(Consent("s", "ann", "v1", agrees=False))
    assert "Secret" not in json.dumps(study.shows())


# ── whom the debrief is about ──

WELL = {"text": "One of you was a machine.", "keep": True}


def with_end(reason: str, *, seated: bool = False, **settings: Any) -> Study:
    """ann has consented, was perhaps in a group, and has ended."""
    study = Study("ann", "bob", lobby={"ready": None}, consent=CONSENT, debrief=WELL, **settings)
    for person in ("ann", "bob"):
        study.tell(Consent("s", person, "v1"))
    if seated:
        study.enter("ann", "bob")
        study.advance()
        assert study.person("ann").rooms
    study.tell(EndPerson("s", "ann", reason))
    return study


@pytest.mark.parametrize("reason", REASONS)
@pytest.mark.parametrize("seated", [False, True])
def test_who_has_consented_is_told_whatever_the_reason(reason: str, seated: bool) -> None:
    assert "debrief" in with_end(reason, seated=seated).shows()


@pytest.mark.parametrize("reason", ["complete", "idle"])
def test_an_end_says_whether_people_are_told(reason: str) -> None:
    for chosen in (True, False):
        ends = {reason: data_of(End("C1", debrief=chosen))}
        for seated in (True, False):
            data = with_end(reason, seated=seated, ends=ends).shows()
            assert ("debrief" in data) == chosen and ("code" in data) == (not chosen)


def test_whoever_may_have_met_a_machine_is_told_whatever_their_end_says() -> None:
    ends = {"idle": data_of(End("C1", debrief=False))}
    deceived = with_end("idle", seated=True, deceives=True, ends=ends)
    assert deceived.shows(programmes=["Teal Otter"])["debrief"]["lines"]
    assert "debrief" not in with_end("idle", deceives=True, ends=ends).shows()
    elsewhere = with_end("idle", seated=True, deceives=True, debriefed="by e-mail", ends=ends)
    assert "debrief" not in elsewhere.shows()


def test_who_has_given_no_data_is_not_asked_whether_they_may_be_kept() -> None:
    ends = {"no_consent": data_of(End(debrief=True))}
    study = Study("ann", consent=CONSENT, debrief=WELL, ends=ends)
    study.tell(Consent("s", "ann", "v1", agrees=False))
    data = study.shows()
    assert "keep" not in data["debrief"] and actions(data) == ["debriefed"]


def test_a_reason_of_a_newer_version_is_an_end_all_the_same() -> None:
    study = Study("ann", contact="lab@example.org")
    study.tell(EndPerson("s", "ann", "moved_to_mars"))
    data = study.shows()
    assert data["title"] == "End of the study" and data["contact"]


@pytest.mark.parametrize(
    ("cents", "currency", "english", "german"),
    [
        (123_450, "USD", "$1,234.50", "1.234,50 $"),
        (5, "EUR", "€0.05", "0,05 €"),
        (200, "CHF", "2.00 CHF", "2,00 CHF"),
    ],
)
def test_money_is_written_as_people_read_it(
    cents: int, currency: str, english: str, german: str
) -> None:
    assert (money(cents, currency), money(cents, currency, "de")) == (english, german)


# ── what no screen has ──

SECRETS = ("person-of-ann", "person-of-bob", "heated-condition", "part-of-buyer", "l-1", "SEEDED")
STEPS = st.lists(
    st.sampled_from(["enter", "advance", "late", "ready", "answer", "barrier", "end", "debriefed"]),
    max_size=12,
)


@given(STEPS, st.sampled_from(REASONS), st.sampled_from(LANGUAGES), st.booleans())
def test_no_screen_has_an_id_or_a_condition(
    steps: list[str], reason: str, language: str, is_newest: bool
) -> None:
    lobby = {"conditions": ["heated-condition"], "parts": {"part-of-buyer": 2}}
    ann, bob, *_ = SECRETS
    study = Study(ann, bob, lobby=lobby, seed="SEEDED", ends=ENDS, debrief={"text": "Well."})
    for step in steps:
        _do(study, step, reason, ann, bob)
        for person in (ann, bob):
            data = study.shows(person, words=Words(language), is_newest=is_newest, end_link="T")
            text = json.dumps(data)
            assert not any(secret in text for secret in SECRETS)
            assert data["is"] == "none" or data["title"]


def _do(study: Study, step: str, reason: str, *people: str) -> None:
    taking_part = [each for each in people if study.person(each).ended is None]
    match step:
        case "enter":
            places = study.lobby("l").places
            grouped = {each for each in places if places[each].status == "grouped"}
            study.enter(*(each for each in taking_part if each not in grouped))
        case "advance" | "late":
            study.advance(20 if step == "late" else 0)
        case "ready":
            places = study.lobby("l").places
            study.is_ready(*(p for p in people if p in places and places[p].status == "matched"))
        case "answer" if taking_part:
            study.tell(RecordAnswer("s", taking_part[0], "choice", "X"))
        case "barrier" if "l-1" in study.study.groups:
            study.tell(Barrier("s", "l-1", "choice", 120 * SECOND))
        case "end" if taking_part:
            study.tell(EndPerson("s", taking_part[0], reason))
        case "debriefed":
            for each in set(people) - set(taking_part):
                study.tell(Debrief("s", each))
        case _:
            pass


# ── withdrawing later ──


def test_who_has_taken_part_is_given_a_code_to_withdraw_with_once_they_are_debriefed() -> None:
    study = Study("ann", ends=ENDS, debrief={"text": "Well.", "keep": False})
    assert not needs_receipt(study.view()), "their part has not ended"
    study.tell(EndPerson("s", "ann", "complete"))
    assert not needs_receipt(study.view()) and "receipt" not in study.shows(receipt="R")
    study.tell(Debrief("s", "ann"))
    assert needs_receipt(study.view()) and "receipt" not in study.shows()
    receipt = study.shows(receipt="R-1")["receipt"]
    assert receipt["value"] == "R-1" and receipt["link"]["href"] == "labchat/withdraw"
    assert {"label", "text", "copy", "copied"} <= {*receipt}


@pytest.mark.parametrize("reason", ["no_consent", "full", "already_took_part"])
def test_who_has_not_begun_has_nothing_to_withdraw(reason: str) -> None:
    study = Study("ann", ends=ENDS)
    study.tell(EndPerson("s", "ann", reason))
    assert not needs_receipt(study.view()) and "receipt" not in study.shows(receipt="R")


def test_the_page_of_who_has_their_data_deleted_forgets_it_and_gives_no_code() -> None:
    study = Study("ann", "bob", ends=ENDS)
    study.tell(EndPerson("s", "ann", "withdrew", delete=True))
    study.tell(EndPerson("s", "bob", "withdrew"))
    data = study.shows()
    assert data["forget"] is True and not needs_receipt(study.view())
    assert CATALOGUE["en"]["stop.deleted"] in data["lines"]
    assert "forget" not in study.shows("bob") and needs_receipt(study.view("bob"))
