"""The words of a lab: a language, texts that replace some, and slots that are filled in."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from shiny.express._stub_session import ExpressStubSession
from shiny.session import session_context

from shiny_labchat import Lab, chat_ui
from shiny_labchat.domain.commands import Mute
from shiny_labchat.domain.shown_state import shown_state
from shiny_labchat.errors import SENTENCES, BadFrame, Refused, StoreError
from shiny_labchat.express import Chat
from shiny_labchat.lab.runtime import Runtime, words_of
from shiny_labchat.study.study import Study
from shiny_labchat.words import CATALOGUE, ENGLISH, Words
from tests.unit.pure_room import PureRoom

GERMAN = Words("de")


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/lab.db"


# ── the words themselves ──


def test_words_are_english_unless_said_otherwise() -> None:
    assert Words() == ENGLISH and ENGLISH["send"] == "Send"
    assert ENGLISH["too_fast"] == SENTENCES["too_fast"]
    assert GERMAN["send"] == "Senden" and GERMAN["ended.complete"] == "Vielen Dank"


def test_a_text_replaces_the_words_of_the_language() -> None:
    words = Words("de", {"send": "Los", "pay.amount": "{amount} für Sie"})
    assert (words["send"], words["you"]) == ("Los", "Sie")
    assert words.filled("pay.amount", amount="3 €") == "3 € für Sie"


@pytest.mark.parametrize(
    ("language", "texts", "sentence"),
    [
        ("fr", {}, 'language must be "de" or "en", not \'fr\'; for another one, replace the words'),
        ("en", {"sendd": "x"}, "texts has no 'sendd'; did you mean 'send'?"),
        ("en", {"ended.ful": "x"}, "texts has no 'ended.ful'; did you mean 'ended.full'?"),
        ("de", {"here": "{m} da"}, "texts: '{m} da' has {m}; the slots of 'here': {n}"),
        ("de", {"send": "{n}"}, "the slots of 'send': none"),
    ],
)
def test_words_that_would_not_be_shown_are_errors(
    language: str, texts: dict[str, str], sentence: str
) -> None:
    with pytest.raises(ValueError) as caught:
        Words(language, texts)
    assert sentence in str(caught.value)


@pytest.mark.parametrize("texts", [["send"], {"send": 5}, "send"])
def test_texts_are_texts_by_key(texts: Any) -> None:
    with pytest.raises(TypeError, match="texts"):
        Words("en", texts)


def test_a_value_with_braces_is_not_filled_in_again() -> None:
    assert ENGLISH.filled("typing_two", a="{b}", b="Ben") == "{b} and Ben are typing…"


def test_one_is_not_many() -> None:
    assert ENGLISH.counted("done.messages", 1).endswith("1 more message.")
    assert GERMAN.counted("done.messages", 3).endswith("noch 3 Nachrichten geschrieben haben.")
    assert GERMAN.counted("done.both", 1, time="5 Sekunden").startswith("Sie können in 5 Sek")


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (1, "1 second"),
        (14.2, "15 seconds"),
        (60, "1 minute"),
        (90, "90 seconds"),
        (119.5, "2 minutes"),
        (300, "5 minutes"),
        (301, "6 minutes"),
    ],
)
def test_a_time_is_rounded_up(seconds: float, words: str) -> None:
    assert ENGLISH.duration(seconds) == words


# ── refusals ──


def test_in_english_a_refusal_says_what_the_error_says() -> None:
    errors = [
        Refused("muted"),
        Refused("too_long", detail="too_long.detail", values={"max": 9}),
        Refused("revoked", detail="anew.detail"),
        Refused("failed", detail="It was Tuesday."),
        StoreError("store_full", "sqlite://", "disk full"),
        BadFrame("too_big", "300,000 characters"),
    ]
    assert [ENGLISH.refusal(error) for error in errors] == [error.say for error in errors]


def test_a_refusal_and_its_detail_are_said_in_the_language_of_the_lab() -> None:
    error = Refused("too_long", detail="too_long.detail", values={"max": 9})
    assert error.say == "The message is too long. At most 9 characters, please."
    assert GERMAN.refusal(error) == "Die Nachricht ist zu lang. Bitte höchstens 9 Zeichen."


def test_why_one_may_not_write_is_said_in_the_language_of_the_lab() -> None:
    room = PureRoom(members="a")
    room.does(Mute("a"))
    state = shown_state(room.state, room.state.memberships["a"], GERMAN)
    assert state["say"] == CATALOGUE["de"]["muted"]


# ── a lab's ──


def test_all_labs_of_a_database_have_the_words_that_one_of_them_says(url: str) -> None:
    assert Lab(url).words == ENGLISH
    lab = Lab(url, language="de", texts={"send": "Los"})
    assert lab.words == Lab(url).words == Words("de", {"send": "Los"})
    assert Lab(url, language="en").words == lab.words == ENGLISH


def test_a_lab_refuses_words_that_there_are_not(url: str) -> None:
    with pytest.raises(ValueError, match="language must be"):
        Lab(url, language="xx")
    with pytest.raises(ValueError, match="texts has no 'sendd'; did you mean 'send'"):
        Lab(url, texts={"sendd": "x"})
    assert Lab(url).words == ENGLISH


def test_a_page_whose_lab_is_not_known_is_told_in_the_words_of_one_that_has_its_own(
    url: str, tmp_path: Path
) -> None:
    plain, german = Lab(f"sqlite:///{tmp_path}/plain.db"), Lab(url, language="de")
    assert words_of(plain.log) == ENGLISH and words_of(german.log) == GERMAN
    assert words_of(None) == GERMAN
    german.log.close()
    assert words_of(None) == ENGLISH
    assert Runtime.of(plain.log).words == ENGLISH


# ── the element's ──


def _drawn(element: Any) -> tuple[dict[str, Any], dict[str, str]]:
    attributes = dict(element.attrs)
    return attributes, json.loads(attributes.get("data-labels", "{}"))


def test_an_element_of_an_english_lab_has_its_own_words(url: str) -> None:
    attributes, labels = _drawn(chat_ui("chat", lab=Lab(url)))
    assert labels == {} and "lang" not in attributes
    assert attributes["data-placeholder"] == "Enter a message..."


def test_an_element_has_the_words_of_its_lab_and_says_in_which_language(url: str) -> None:
    element = chat_ui("chat", lab=Lab(url, language="de", texts={"here": "{n} da"}))
    attributes, labels = _drawn(element)
    assert attributes["lang"] == "de" and attributes["data-placeholder"] == GERMAN["placeholder"]
    assert (labels["send"], labels["here"]) == ("Senden", "{n} da")
    assert 'aria-label="Senden"' in str(element) and "too_fast" not in labels


def test_the_labels_of_a_chat_win_over_its_lab(url: str) -> None:
    lab = Lab(url, language="de")
    element = chat_ui("chat", lab=lab, labels={"send": "Los"}, placeholder="Na?", lang="de-AT")
    attributes, labels = _drawn(element)
    assert (labels["send"], labels["you"]) == ("Los", "Sie")
    assert (attributes["lang"], attributes["data-placeholder"]) == ("de-AT", "Na?")


def test_in_express_the_element_has_the_words_of_the_chats_lab(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LABCHAT_URL", f"sqlite:///{tmp_path}/default.db")
    with session_context(ExpressStubSession()):
        element = Chat("chat", lab=Lab(url, language="de")).ui()
    assert _drawn(element)[1]["send"] == "Senden"


# ── of a study ──


def test_a_study_has_words_of_its_own_on_top_of_those_of_its_lab(url: str) -> None:
    lab = Lab(url, texts={"one_moment": "Hold on.", "form.submit": "Next"})
    assert Study("plain", lab=lab).words == lab.words
    study = Study("s", lab=lab, texts={"form.submit": "Send"})
    said = study.words["one_moment"], study.words["form.submit"], lab.words["form.submit"]
    assert said == ("Hold on.", "Send", "Next")
    assert Study("s", lab=lab).words == study.words, "who only names it changes nothing"
    german = Study("g", lab=lab, language="de").words
    assert german == GERMAN, "what the lab says in English is not said in German"


def test_a_study_whose_words_are_wrong_is_an_error_that_names_the_nearest(url: str) -> None:
    lab = Lab(url)
    with pytest.raises(ValueError, match="did you mean 'lobby.title'"):
        Study("s", lab=lab, texts={"loby.title": "Hello."})
    with pytest.raises(ValueError, match='language must be "de" or "en"'):
        Study("s", lab=lab, language="fr")
    assert Study("s", lab=lab).words == lab.words


async def test_the_log_of_a_study_has_its_words(url: str) -> None:
    lab = Lab(url)
    study = Study("s", lab=lab, language="de", texts={"lobby.title": "Hallo."})
    await study.describe()
    now = (await study.state()).settings.now
    assert (now["language"], now["texts"]) == ("de", {"lobby.title": "Hallo."})
