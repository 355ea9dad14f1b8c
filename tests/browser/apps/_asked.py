"""What the page's address asks for, so that each test has a room and a setting of its own."""

from urllib.parse import parse_qs

from shiny import reactive
from shiny.session import require_active_session


def asked(name: str, otherwise: str = "") -> str:
    session = require_active_session(None)
    if session.is_stub_session():
        return otherwise
    with reactive.isolate():
        search = session.clientdata.url_search()
    return parse_qs(search.removeprefix("?")).get(name, [otherwise])[0]
