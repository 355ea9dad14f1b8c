"""What the log of requests shows of an address."""

from __future__ import annotations

import copy
import logging
import logging.config
from collections.abc import Iterator

import pytest
import uvicorn.config
from hypothesis import given
from hypothesis import strategies as st

from shiny_labchat.gateway.access_log import LOGGERS, hide_addresses, shown

ADDRESS = ("127.0.0.1:5", "GET", "/a/?PROLIFIC_PID=x", "1.1", 200)


@pytest.mark.parametrize(
    ("address", "is_shown"),
    [
        ("/", "/"),
        ("/?labchat=secret", "/"),
        ("/websocket/?a=b?c", "/websocket/"),
        ("/labchat/end/secret", "/labchat/end/***"),
        ("/pilot/labchat/end/secret/?a", "/pilot/labchat/end/***/"),
        ("/_w_secret/labchat/ws?ticket=secret", "/_w_***/labchat/ws"),
        ("/session/secret/download/d?w=", "/session/***/download/d"),
        ("http://lab.test/a?b#c", "http://lab.test/a"),
        ("/labchat/end/", "/labchat/end/"),
        ("/my_w_eek/sessions/1", "/my_w_eek/sessions/1"),
    ],
)
def test_a_query_and_a_secret_of_a_path_are_not_shown(address: str, is_shown: str) -> None:
    assert shown(address) == is_shown


@given(st.text(), st.text(alphabet="abcdefgh0123456789-_", min_size=1))
def test_no_query_is_shown_whatever_it_is(query: str, token: str) -> None:
    assert shown(f"/x/labchat/end/{token}?{query}") == "/x/labchat/end/***"


@pytest.fixture
def records() -> Iterator[list[str]]:
    """What uvicorn's loggers log, after uvicorn has set them up anew."""
    hide_addresses()
    hide_addresses()
    logging.config.dictConfig(copy.deepcopy(uvicorn.config.LOGGING_CONFIG))
    said: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: said.append(record.getMessage())
    for name in LOGGERS:
        logging.getLogger(name).addHandler(handler)
    yield said
    for name in LOGGERS:
        logging.getLogger(name).removeHandler(handler)


def test_requests_are_logged_without_queries_and_all_else_as_it_is(records: list[str]) -> None:
    logging.getLogger(LOGGERS[0]).info('%s - "%s %s HTTP/%s" %d', *ADDRESS)
    error = logging.getLogger(LOGGERS[1])
    error.info('%s - "WebSocket %s" [accepted]', "[::1]:5", "/labchat/ws?ticket=x")
    error.info("Is %s (Press %s?)", "this shown?", "CTRL+C")
    error.info("Started.")
    assert records == [
        '127.0.0.1:5 - "GET /a/ HTTP/1.1" 200',
        '[::1]:5 - "WebSocket /labchat/ws" [accepted]',
        "Is this shown? (Press CTRL+C?)",
        "Started.",
    ]


def test_the_filter_is_there_once() -> None:
    hide_addresses()
    before = [len(logging.getLogger(name).filters) for name in LOGGERS]
    hide_addresses()
    assert [len(logging.getLogger(name).filters) for name in LOGGERS] == before
