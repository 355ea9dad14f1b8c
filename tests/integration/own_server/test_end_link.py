"""The link from a study's end to the recruiter, and what the server's log says of addresses."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest
from websockets.asyncio.client import connect

from shiny_labchat import Lab
from shiny_labchat.access.ends import EndLink, end_token
from shiny_labchat.errors import SENTENCES
from shiny_labchat.store import look_up
from tests.support.server import Server, shiny_run

APP = shiny_run(Path(__file__).parents[1] / "apps" / "ended.py")
HIDDEN = ("secretpid", "secretlink", "secrettoken", "secretworker", "secretsession", "secretticket")


async def fetch(server: Server, path: str, method: str = "GET") -> httpx.Response:
    async with httpx.AsyncClient() as client:
        return await client.request(method, f"http://127.0.0.1:{server.port}{path}")


async def test_the_link_of_an_end_leads_to_its_address_as_often_as_it_is_followed(
    lab: Lab, server: Server
) -> None:
    token = await end_token(lab.log, EndLink("pilot", "per son", "complete"))
    for method in ("GET", "HEAD", "GET"):
        response = await fetch(server, f"/labchat/end/{token}", method)
        assert response.status_code == 303
        assert response.headers["location"] == "https://x.test/per%20son?r=complete"
        assert response.headers["cache-control"] == "no-store"
        assert response.headers["referrer-policy"] == "no-referrer"
    grant = await lab.log.read(lambda conn: look_up(conn, "end", token))
    assert grant is not None and token not in str(grant)


async def test_a_page_that_is_loaded_again_gets_the_same_link(lab: Lab) -> None:
    end = EndLink("pilot", "p", "complete")
    token = await end_token(lab.log, end)
    assert await end_token(lab.log, end) == token
    for other in (end._replace(person="q"), end._replace(reason="full"), end._replace(study="s")):
        assert await end_token(lab.log, other) != token


async def test_a_link_that_is_unknown_or_has_no_address_says_so_in_words(
    lab: Lab, server: Server
) -> None:
    full = await end_token(lab.log, EndLink("pilot", "p", "full"))
    for token in (full, "unknown", "%00", "%F0%9F%98%80"):
        response = await fetch(server, f"/labchat/end/{token}")
        assert response.status_code == 404 and "location" not in response.headers
        assert SENTENCES["end_link"] in response.text
    assert (await fetch(server, f"/labchat/end/{full}", "POST")).status_code == 404


async def test_no_query_and_no_token_is_in_the_servers_log(lab: Lab, server: Server) -> None:
    for path in (
        "/?PROLIFIC_PID=secretpid&labchat=secretlink",
        "/labchat/end/secrettoken?a=secretpid",
        "/_w_secretworker/x/?labchat=secretlink",
        "/session/secretsession/download/d?w=secretworker",
        "/nothing?secretpid",
    ):
        await fetch(server, path)
    for path in ("websocket/?PROLIFIC_PID=secretpid", "labchat/ws?ticket=secretticket"):
        async with connect(f"ws://127.0.0.1:{server.port}/{path}"):
            pass
    for line in ("GET /nothing HTTP", "GET /labchat/end/\\*\\*\\* HTTP", 'WebSocket /websocket/"'):
        server.logs(line)
    server.logs('WebSocket /labchat/ws"')
    server.stop()
    said = "\n".join(server.log)
    assert [secret for secret in HIDDEN if secret in said] == []


@pytest.mark.parametrize("reason", ["finished", ""])
async def test_a_link_is_made_for_a_reason_that_there_is(lab: Lab, reason: str) -> None:
    with pytest.raises(ValueError, match="no reason to leave a study"):
        await end_token(lab.log, EndLink("pilot", "p", reason))
