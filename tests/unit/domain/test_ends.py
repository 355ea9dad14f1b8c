"""Ways of leaving a study, as data."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shiny_labchat.domain.ends import (
    PARTS,
    REASONS,
    End,
    as_cents,
    as_params,
    check_end,
    check_reason,
    data_of,
    end_of,
    end_with_code,
    fill,
)

PARAMS = ("PROLIFIC_PID", "SESSION_ID")


# ── amounts ──


@pytest.mark.parametrize(
    ("amount", "cents"),
    [(0, 0), (2, 200), (1.5, 150), (0.1, 10), (1.15, 115), (Decimal("2.50"), 250), (4.35, 435)],
)
def test_an_amount_is_kept_as_whole_cents(amount: Any, cents: int) -> None:
    assert as_cents("pay", amount) == End(pay=amount).cents == cents


@given(st.integers(0, 10**11))
def test_every_amount_of_whole_cents_is_taken_as_it_is_written(cents: int) -> None:
    exact = Decimal(cents) / 100
    assert as_cents("pay", exact) == as_cents("pay", float(exact)) == cents


@pytest.mark.parametrize(
    ("amount", "sentence"),
    [
        (1.005, r"at most two decimals, not 1\.005; write round\(1\.005, 2\)"),
        (0.1 + 0.2, "whole cents"),
        (Decimal("0.001"), "whole cents"),
        (Decimal("1.00000000000000000000000000000000001"), "whole cents"),
        (-1, "from 0 to 1000000000, not -1"),
        (10**9 + 1, "from 0 to"),
        (float("nan"), "from 0 to"),
        (float("inf"), "from 0 to"),
    ],
)
def test_an_amount_that_is_not_whole_cents_is_refused_in_words(amount: Any, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        End(pay=amount)


@pytest.mark.parametrize("amount", [True, None, [1], object()])
def test_what_is_no_amount_is_refused(amount: Any) -> None:
    with pytest.raises(TypeError, match=r"End\(pay=\) must be an amount"):
        End(pay=amount)


# ── an end ──


def test_an_end_without_arguments_pays_in_full_and_has_no_code() -> None:
    assert End() == End(code=None, url=None, pay="full", text=None) and End().cents is None


@pytest.mark.parametrize("reason", REASONS)
def test_a_code_alone_pays_nothing_to_those_who_have_done_nothing(reason: str) -> None:
    pay = "none" if reason in ("no_consent", "already_took_part", "closed") else "full"
    assert end_with_code(reason, End("C1")) == End("C1", pay=pay)


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"code": ""}, r"End\(code=\) must be 1 to 200 printable characters"),
        ({"code": 7}, r"End\(code=\) must be text"),
        ({"url": "lab.example.org"}, r"must be the address of a page, such as https://"),
        ({"url": "javascript:alert(1)"}, "must be the address of a page"),
        ({"url": "https://[::1"}, "must be the address of a page"),
        ({"url": 7}, r"End\(url=\) must be text or None"),
        ({"url": "https://{room}.example.org/"}, "nothing in braces before the path"),
        ({"url": "https://x.org/?a={{%ID%}}"}, "a brace without its other one"),
        ({"url": "https://x.org/?a={code"}, "a brace without its other one"),
        ({"pay": "half"}, r'End\(pay=\) must be "full", "partial", "none" or an amount'),
        ({"pay": "1.50"}, "or an amount, not '1.50'"),
        ({"text": " "}, r"End\(text=\) is empty"),
        ({"text": 7}, r"End\(text=\) must be text"),
    ],
)
def test_a_wrong_argument_of_an_end_is_refused_in_words(wrong: Any, sentence: str) -> None:
    with pytest.raises((TypeError, ValueError), match=sentence):
        End(**wrong)


@pytest.mark.parametrize("pay", ["full", "none", 0, 1.5, Decimal("0.07")])
def test_an_end_is_the_same_after_it_was_json(pay: Any) -> None:
    end = End("C1", "https://x.org/?cc={code}", pay, "Thank you.")
    assert end_of(data_of(end)) == end


def test_an_amount_is_cents_in_json() -> None:
    assert data_of(End(pay=1.5))["pay"] == 150


# ── reasons, params, and what an address may name ──


def test_an_unknown_reason_is_refused_with_the_one_that_was_meant() -> None:
    with pytest.raises(ValueError, match=r'did you mean "lobby_timeout"\? The reasons are: compl'):
        check_reason("the end", "lobby_time_out")
    with pytest.raises(ValueError, match=r"no reason to leave a study\. The reasons are"):
        check_reason("the end", "zzz")
    for reason in REASONS:
        check_reason("the end", reason)


@pytest.mark.parametrize(
    ("params", "sentence"),
    [
        ("PROLIFIC_PID", r"several names, such as \('PROLIFIC_PID',\)"),
        (["a", "a"], "'a' twice"),
        (["room"], "'room', which means something else here"),
        (["labchat"], "'labchat', which means something else here"),
        (["a{b"], "means something else here"),
        ([""], "a name in params must be"),
        ([7], "a name in params must be text"),
    ],
)
def test_wrong_params_are_refused_in_words(params: Any, sentence: str) -> None:
    with pytest.raises((TypeError, ValueError), match=sentence):
        as_params(params)


def test_an_address_may_name_its_parts_and_the_studys_params() -> None:
    for name in (*PARTS, *as_params(PARAMS)):
        check_end("complete", End("C1", f"https://x.org/?a={{{name}}}"), PARAMS)


@pytest.mark.parametrize(
    ("end", "sentence"),
    [
        (End(url="https://x.org/?a={PROLIFIC_IPD}"), 'did you mean "PROLIFIC_PID"'),
        (End(url="https://x.org/?a={}"), r"has \{\}\. It may have: \{code\}, .*\{SESSION_ID\}, "),
        (End(url="https://x.org/?a={code}"), r"has \{code\}, but it has no code"),
    ],
)
def test_an_address_that_names_something_else_is_refused(end: End, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        check_end("complete", end, PARAMS)


# ── filling ──

WITH_ALL = "https://x.org/thanks?fixed=1&" + "&".join(f"{each}={{{each}}}" for each in PARTS)
TEXTS = st.text(st.characters(codec="utf-8"))


@given(st.fixed_dictionaries({each: TEXTS for each in PARTS}))
def test_whatever_a_value_is_it_arrives_as_it_was(values: dict[str, str]) -> None:
    parts = urlsplit(fill(WITH_ALL, values))
    assert (parts.hostname, parts.path, parts.fragment) == ("x.org", "/thanks", "")
    arrived = dict(parse_qsl(parts.query, keep_blank_values=True, separator="&"))
    assert arrived == {"fixed": "1", **values}


@given(st.text())
def test_a_filled_address_is_printable_ascii_and_leads_to_the_same_host(value: str) -> None:
    filled = fill("https://x.org/{room}/ü?a={member}#{bonus}", dict.fromkeys(PARTS, value))
    assert filled.isascii() and filled.isprintable() and " " not in filled
    assert urlsplit(filled).hostname == "x.org"


def test_a_value_that_is_missing_is_empty() -> None:
    assert fill("https://x.org/?a={code}&b={room}", {"room": None}) == "https://x.org/?a=&b="


def test_a_value_in_braces_is_not_filled_again() -> None:
    filled = fill("https://x.org/?a={room}", {"room": "{code}", "code": "secret"})
    assert filled == "https://x.org/?a=%7Bcode%7D"


def test_what_is_encoded_in_an_address_stays_as_it_is() -> None:
    url = "https://x.org/a%20b/;c?d=%7B&e=(f)*~!$',@:#g"
    assert fill(url, {}) == url
