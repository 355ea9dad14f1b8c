"""Which pages are this site's, by what a browser and the proxies before a server say."""

from __future__ import annotations

import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import Headers

from shiny_labchat import Refused
from shiny_labchat.gateway.origin import check_origin, judge

SITE = "https://lab.example.org"


def headers(origin: str | None, host: str | None, forwarded: str | None = None) -> Headers:
    given = {"origin": origin, "host": host, "x-forwarded-host": forwarded}
    return Headers({name: value for name, value in given.items() if value is not None})


@pytest.mark.parametrize(
    ("origin", "host", "forwarded"),
    [
        (None, "lab.example.org", None),
        (SITE, "lab.example.org", None),
        (SITE, "lab.example.org:443", None),
        (f"{SITE}:443", "lab.example.org", None),
        (SITE, "LAB.Example.org", None),
        ("http://lab.example.org", "lab.example.org:80", None),
        ("http://lab.example.org:8000", "lab.example.org:8000", None),
        ("http://[::1]:8000", "[::1]:8000", None),
        (SITE, "127.0.0.1:8000", "lab.example.org"),
        (SITE, "127.0.0.1:8000", "inner.example.org, lab.example.org"),
        (SITE, "backend.example.net", "lab.example.org:443"),
    ],
)
def test_pages_of_this_site(origin: str | None, host: str, forwarded: str | None) -> None:
    assert judge(headers(origin, host, forwarded)) == "own"


@pytest.mark.parametrize(
    ("origin", "host", "forwarded"),
    [
        ("https://evil.example", "lab.example.org", None),
        ("https://evil.example", "127.0.0.1:8000", "lab.example.org"),
        ("http://lab.example.org:8080", "lab.example.org:8000", None),
        ("http://lab.example.org", "lab.example.org:443", None),
        ("https://lab.example.org.evil.example", "lab.example.org", None),
        ("https://lab.example.org@evil.example", "lab.example.org", None),
        ("null", "127.0.0.1:8000", None),
        ("", "127.0.0.1:8000", None),
        ("x", "127.0.0.1:8000", None),
        ("http://[", "127.0.0.1:8000", None),
        ("http://x:99999", "127.0.0.1:8000", None),
        ("file://", "127.0.0.1:8000", None),
        ("chrome-extension://abc", "127.0.0.1:8000", None),
    ],
)
def test_pages_of_other_sites(origin: str, host: str, forwarded: str | None) -> None:
    assert judge(headers(origin, host, forwarded)) == "foreign"


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        (SITE, "127.0.0.1:8000"),
        (SITE, "[::1]:8000"),
        (SITE, "10.0.0.7:8000"),
        (SITE, "localhost:8000"),
        (SITE, "app"),
        (SITE, "app.lab.svc.cluster.local"),
        (SITE, None),
        (f"{SITE}:8443", "lab.example.org"),
        ("http://127.0.0.1:8080", "127.0.0.1:8000"),
    ],
)
def test_a_proxy_that_replaces_the_host_hides_which_pages_are_this_sites(
    origin: str, host: str | None
) -> None:
    """Nginx's defaults: `Host` is the name by which it reaches the server; `$host` has no port."""
    assert judge(headers(origin, host)) == "unknown"


def test_whoever_lists_origins_has_said_which_pages_are_this_sites() -> None:
    listed = f"{SITE} https://other.example"
    assert judge(headers(SITE, "127.0.0.1:8000"), listed) == "own"
    assert judge(headers("https://evil.example", "127.0.0.1:8000"), listed) == "foreign"


names = st.from_regex(r"\A[a-z]{1,8}(\.[a-z]{1,8}){1,3}\Z")
schemes = st.sampled_from(["http", "https"])
ports = st.none() | st.integers(1, 65_535)


def written(name: str, port: int | None) -> str:
    return name if port is None else f"{name}:{port}"


@given(schemes, names, ports, st.booleans())
def test_a_default_port_may_be_written_or_left_out(
    scheme: str, name: str, port: int | None, is_written: bool
) -> None:
    default = {"http": 80, "https": 443}[scheme]
    host = written(name, default if port is None and is_written else port)
    assert judge(headers(f"{scheme}://{written(name, port)}", host)) == "own"


@given(schemes, names, ports, names, ports)
def test_no_page_of_another_host_is_this_sites(
    scheme: str, one: str, port: int | None, other: str, its_port: int | None
) -> None:
    if one != other:
        found = judge(headers(f"{scheme}://{written(one, port)}", written(other, its_port)))
        assert found != "own"


@given(st.text(), st.text(), st.text())
def test_whatever_the_headers_say_there_is_a_verdict(origin: str, host: str, more: str) -> None:
    said = {"origin": origin, "host": host, "x-forwarded-host": more}
    assert judge(said) in ("own", "foreign", "unknown")


def test_what_to_set_is_said_once_where_nothing_can_be_told(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.WARNING, "shiny_labchat"):
        for _ in range(3):
            check_origin(headers(SITE, "said-once:8000"))
    (record,) = caplog.records
    assert "proxy_set_header Host $http_host" in record.getMessage()


def test_a_refusal_names_the_origin_and_what_to_set(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(Refused) as refused:
        check_origin(headers("https://evil.example", "lab.example.org"))
    assert refused.value.code == "origin" and "https://evil.example" in refused.value.say
    assert "LABCHAT_ORIGINS=https://evil.example" in caplog.text
    monkeypatch.setenv("LABCHAT_ORIGINS", "https://evil.example")
    check_origin(headers("https://evil.example", "lab.example.org"))
