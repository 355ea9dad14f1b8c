"""What a page says of itself when it comes to a study."""

from __future__ import annotations

import pytest

from shiny_labchat.lobby.arrival import Coming

PHONE = (
    "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 Chrome/126 Mobile Safari/537.36"
)
TABLET = "Mozilla/5.0 (Linux; Android 14; SM-X710) AppleWebKit/537.36 Chrome/126 Safari/537.36"
COMPUTER = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"


def coming(query: str = "", **headers: str) -> Coming:
    return Coming(query, {}, {name.replace("_", "-"): value for name, value in headers.items()})


def test_of_several_values_in_an_address_the_last_one_counts() -> None:
    assert coming("?PROLIFIC_PID=a&PROLIFIC_PID=b&x=").said == {"PROLIFIC_PID": "b"}


@pytest.mark.parametrize(
    ("agent", "device"),
    [(PHONE, "phone"), (TABLET, "tablet"), (COMPUTER, "computer"), ("", "computer")],
)
def test_a_browser_says_what_it_runs_on(agent: str, device: str) -> None:
    assert coming(user_agent=agent).device == device


@pytest.mark.parametrize(
    ("asked", "language"),
    [("de-CH,de;q=0.9,en;q=0.5", "de-CH"), ("en", "en"), ("*", None), ("<script>", None)],
)
def test_the_language_is_the_first_one_that_a_browser_asks_for(
    asked: str, language: str | None
) -> None:
    assert coming(accept_language=asked).language == language
