"""What is said of a server by its answers."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shiny_labchat.doctor.address import Address, Answer
from shiny_labchat.doctor.machine import FILES, check_files, check_uvicorn
from shiny_labchat.doctor.server import SKEW, check_clock, check_health, check_processes
from shiny_labchat.doctor.sockets import check_foreign
from shiny_labchat.gateway.uvicorn_internals import TESTED

NAMES = st.sampled_from(["status", "why", "clock", "version", "process"])


def answer(code: int, **values: object) -> Answer:
    return Answer(code, json.dumps(values), 100.0, 101.0)


@pytest.mark.parametrize(
    ("said", "url"),
    [
        ("https://lab.example.org/pilot/", "https://lab.example.org/pilot/"),
        ("https://lab.example.org/pilot", "https://lab.example.org/pilot/"),
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000/"),
        ("https://lab.example.org/?labchat=secret#top", "https://lab.example.org/"),
    ],
)
def test_an_address_ends_with_a_slash_and_has_no_query(said: str, url: str) -> None:
    assert Address.of(said).url == url


@pytest.mark.parametrize("said", ["lab.example.org", "ftp://lab.example.org", "https://", ""])
def test_what_is_no_address_is_refused(said: str) -> None:
    with pytest.raises(ValueError, match="is not an address"):
        Address.of(said)


def test_what_is_beside_a_page_is_under_its_path() -> None:
    address = Address.of("https://lab.example.org/pilot")
    assert address.at("/labchat/health") == "https://lab.example.org/pilot/labchat/health"
    assert address.socket("/labchat/ws") == "wss://lab.example.org/pilot/labchat/ws"
    assert address.origin == "https://lab.example.org"


def test_a_ready_server_is_well_and_all_others_are_not() -> None:
    assert check_health(answer(200, status="ready")).verdict == "ok"
    busy = check_health(answer(503, status="not ready", why=["store_busy"]))
    assert busy.verdict == "wrong" and "store_busy" in busy.says
    others = [answer(404), answer(200, user="me"), answer(502), Answer(0, "refused", 0.0, 0.0)]
    found = [check_health(each) for each in others]
    assert {each.verdict for each in found} == {"wrong"}
    assert len({each.says for each in found}) == 4 and all(each.change for each in found)


def test_a_clock_is_noted_if_it_is_farther_off_than_the_answer_took() -> None:
    near, far = 100.5 + SKEW, 100.5 + SKEW + 1.0
    assert check_clock(answer(200, clock=near * 1000)).verdict == "ok"
    assert "ahead of" in check_clock(answer(200, clock=far * 1000)).says
    assert "behind" in check_clock(answer(200, clock=(101.0 - far + 100.0) * 1000)).says


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)


@given(st.sampled_from([0, 200, 404, 503]), st.dictionaries(NAMES, json_values) | json_values)
def test_whatever_a_server_answers_is_judged(code: int, body: object) -> None:
    said = Answer(code, json.dumps(body), 100.0, 101.0)
    assert check_health(said).verdict in ("ok", "wrong")
    assert check_clock(said).verdict in ("ok", "note")


def test_a_browser_must_always_be_answered_by_the_same_process() -> None:
    assert check_processes({"a"}, {"a"}).verdict == "ok"
    assert check_processes({"a", "b"}, {"a"}).verdict == "ok"
    assert check_processes({"a", "b"}, {"a", "b"}).verdict == "wrong"


def test_a_server_that_cannot_tell_other_sites_is_noted() -> None:
    assert check_foreign("origin", is_local=False).verdict == "ok"
    behind, local = (check_foreign("ticket", is_local=each) for each in (False, True))
    assert behind.verdict == local.verdict == "note"
    assert "Host" in behind.change and "--address" in local.change


def test_a_version_of_uvicorn_that_was_not_tested_is_noted_with_one_that_was() -> None:
    assert check_uvicorn(f"{TESTED[-1]}.9").verdict == "ok"
    untested = check_uvicorn("99.1.0")
    assert untested.verdict == "note" and TESTED[-1] in untested.change


def test_too_few_open_files_are_noted_and_no_limit_is_well() -> None:
    assert [check_files(n).verdict for n in (FILES - 1, FILES, -1)] == ["note", "ok", "ok"]
