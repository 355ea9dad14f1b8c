"""What each recruiter sends, and where it takes people back."""

from __future__ import annotations

from typing import Any

import pytest

from shiny_labchat.domain.ends import End, as_params, check_end, fill
from shiny_labchat.domain.recruiters import RECRUITERS, params_of, recruiter

SONA = "https://uni.sona-systems.com/webstudy_credit.aspx?experiment_id=12&credit_token=ab&"
CONNECT = "https://connect.cloudresearch.com/participant/project/7DE64B7FBE/complete"
GIVEN = {"prolific": "C1ABC", "sona": SONA + "survey_code=XXXX", "connect": CONNECT, "mturk": "M1"}


def test_prolific_takes_people_back_with_their_code() -> None:
    ends = recruiter("prolific", complete="C1ABC", lobby_timeout="LT22")
    assert list(ends) == ["complete", "lobby_timeout"] and ends["complete"].code == "C1ABC"
    filled = fill(ends["complete"].url or "", {"code": "C1ABC"})
    assert filled == "https://app.prolific.com/submissions/complete?cc=C1ABC"


@pytest.mark.parametrize("ending", ["survey_code=XXXX", "survey_code=", "survey_code={id}"])
def test_sona_takes_people_back_with_their_own_code(ending: str) -> None:
    end = recruiter("sona", complete=SONA + ending)["complete"]
    assert fill(end.url or "", {"id": "1234"}) == SONA + "survey_code=1234"
    assert end.code is None


def test_connect_takes_people_back_at_its_own_address_or_gives_them_a_code() -> None:
    ends = recruiter("connect", complete=CONNECT, lobby_timeout="7DE64B7FBE")
    assert ends == {"complete": End(url=CONNECT), "lobby_timeout": End("7DE64B7FBE")}


def test_mechanical_turk_gives_people_a_code() -> None:
    assert recruiter("mturk", complete="M1") == {"complete": End("M1")}


@pytest.mark.parametrize("name", RECRUITERS)
def test_a_recruiters_ends_fit_its_own_params(name: str) -> None:
    (end,) = recruiter(name, complete=GIVEN[name]).values()
    check_end("complete", end, as_params(params_of(name)))


def test_pay_and_words_can_be_said_with_the_recruiters_address() -> None:
    ends = recruiter("prolific", lobby_timeout=End("LT22", pay=1.5, text="Nobody came."))
    assert ends["lobby_timeout"].url == "https://app.prolific.com/submissions/complete?cc={code}"
    assert (ends["lobby_timeout"].cents, ends["lobby_timeout"].text) == (150, "Nobody came.")


@pytest.mark.parametrize("own", [End("X", "https://x.org/"), End(text="Bye.")])
def test_an_end_with_an_address_of_its_own_or_without_a_code_stays_as_it_is(own: End) -> None:
    assert recruiter("prolific", closed=own) == {"closed": own}


@pytest.mark.parametrize(
    ("name", "codes", "sentence"),
    [
        ("prolifc", {}, r'did you mean "prolific"\? Known are: prolific, sona, connect, mturk'),
        ("qualtrics", {}, "no recruiter that is known here. Known are"),
        (None, {}, "the recruiter must be one of"),
        ("prolific", {"compleet": "C1"}, 'did you mean "complete"'),
        ("prolific", {"complete": 7}, "complete must be text or an End, not 7"),
        ("prolific", {"complete": "https://x.org/?cc=C1"}, "must be the completion code alone"),
        ("mturk", {"complete": "https://x.org/"}, "must be the completion code alone"),
        ("sona", {"complete": "C1"}, "complete must be the client-side completion URL that Sona"),
        ("sona", {"complete": "https://x.org/"}, "must be the client-side completion URL"),
    ],
)
def test_what_a_recruiter_does_not_give_is_refused(name: Any, codes: Any, sentence: str) -> None:
    with pytest.raises((TypeError, ValueError), match=sentence):
        recruiter(name, **codes)
