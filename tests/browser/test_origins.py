"""Pages of this site behind proxies, and pages of another site that try to come in."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from tests.browser._people import Person
from tests.browser.conftest import Behind, Noise, Serve


@pytest.fixture
def page(browser: Browser, noise: Noise) -> Iterator[Page]:
    context = browser.new_context()
    noise.listen(context)
    yield context.new_page()
    context.close()
    assert noise.unexpected() == []


@pytest.mark.parametrize("prefix", ["", "/pilot"], ids=["at the root", "under a path"])
def test_behind_a_proxy_that_replaces_the_host_people_talk_and_come_back(
    page: Page, serve: Serve, behind: Behind, prefix: str, noise: Noise
):
    server = serve("room.py")
    proxy = behind(server.port, prefix=prefix)
    ann = Person(page)
    ann.opens(f"http://127.0.0.1:{proxy.port}{prefix}/?room=r")
    ann.is_in()
    ann.says("hello")
    bob = ann.opens_another_tab()
    bob.sees_only("hello")
    noise.expects("WebSocket connection|ERR_CONNECTION|502|ERR_EMPTY_RESPONSE")
    server.kill()
    ann.stands("reconnecting")
    server.start()
    ann.says("back again")
    bob.sees_only("hello", "back again")
    ann.reloads()
    ann.sees_only("hello", "back again")
    assert f"{prefix}/labchat/key" in proxy.requested


FOREIGN = """async (port) => {
  const fetched = fetch(`http://127.0.0.1:${port}/labchat/key`);
  const key = await fetched.then((answer) => answer.text()).catch(() => "");
  const socket = new WebSocket(`ws://127.0.0.1:${port}/websocket/`);
  const told = [];
  await new Promise((done, fail) => Object.assign(socket, { onopen: done, onerror: fail }));
  socket.onmessage = ({ data }) => {
    const notice = JSON.parse(data).custom?.labchat;
    if (notice) told.push(notice);
  };
  const ids = { page: "p".repeat(32), browser: "b".repeat(32), tab: "t".repeat(32) };
  const data = { ".clientdata_url_search": "" };
  for (const name of ["hash", "hash_initial", "hostname", "port", "pathname", "protocol"])
    data[`.clientdata_url_${name}`] = "";
  socket.send(JSON.stringify({ method: "init", data: { ...data, chat_hello: { ...ids, key } } }));
  while (!told.length) await new Promise((done) => setTimeout(done, 20));
  const again = { chat_hello: { ...ids, n: 2, key: "1700000000.abcdefgh.0123456789abcdef" } };
  socket.send(JSON.stringify({ method: "update", data: again }));
  while (told.length < 2) await new Promise((done) => setTimeout(done, 20));
  socket.close();
  return [key, told];
}"""


def test_a_page_of_another_site_cannot_read_a_key_and_gets_no_ticket(
    page: Page, shared: Serve, noise: Noise
):
    """The server cannot judge where it is from: it might be its own, behind a proxy."""
    noise.expects("blocked by CORS policy|net::ERR_FAILED|403")
    page.goto(f"http://127.0.0.1:{shared('reads.py').port}/?room=elsewhere")
    key, told = page.evaluate(FOREIGN, shared("room.py").port)
    assert key == ""
    assert [notice["do"] for notice in told] == ["refuse", "key"]
    assert all("ticket" not in notice for notice in told)
