"""A public goods game in rounds, over real servers and sockets; people leave, servers die."""

from __future__ import annotations

import asyncio
import json
import re
import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed, InvalidMessage

from tests.support.backend import FreshUrl
from tests.support.check_groups import read_log
from tests.support.check_rounds import check_rounds
from tests.support.client import Frame
from tests.support.server import ROOT, Server, shiny_run
from tests.support.visitor import Visitor, visitor

APP = ROOT / "tests" / "integration" / "apps" / "rounds.py"
GIFT, SEEN = "labchat_form_game_gift", "labchat_form_game_seen"
WITHIN = 60
"""How long people of a round wait for each other, in seconds; a server starts again within it."""


@pytest.fixture
def url(fresh_url: FreshUrl) -> str:
    return fresh_url()


@asynccontextmanager
async def serving(url: str, **said: Any) -> AsyncIterator[Server]:
    server = Server(shiny_run(APP), url, variables={"ROUNDS": json.dumps(said)})
    await asyncio.to_thread(server.start)
    try:
        yield server
    finally:
        await asyncio.to_thread(server.stop)


class Player:
    """
    Somebody who plays round after round, and comes again when their server has died.

    Parameters
    ----------
    number
        Their number, which is what they give.
    server
        Their server.
    leaves
        In which round they leave, and how: "stop" or "vanish"; None: they do not.

    Attributes
    ----------
    round
        The round in which they are.
    end
        The last screen that they see; None: they have not come to one.
    """

    def __init__(self, number: int, server: Server, leaves: tuple[int, str] | None = None) -> None:
        self.round = 0
        self.end: Frame | None = None
        self.is_over = False
        self._number = number
        self._server = server
        self._leaves = leaves
        self._key = secrets.token_hex(16)

    async def play(self) -> None:
        """Come by an address, and play to the end."""
        search = f"?PID=p{self._number}"
        while not self.is_over:
            with suppress(ConnectionClosed, InvalidMessage, OSError, TimeoutError):
                async with visitor(self._server.port, search=search, key=self._key) as page:
                    await self._on(page)

    async def _on(self, page: Visitor) -> None:
        known = ""
        while not self.is_over:
            said = await self._news(page, known)
            if said is None:
                return
            known = said
            if page.screen.get("is") == "ended":
                self.is_over, self.end = True, page.screen
            elif page.screen.get("is") == "consent":
                await page.does("consent", version="1", answers={})
                await page.until(lambda: page.screen["is"] != "consent")
            elif "Give in round" in said:
                self.round = int(said.split("Give in round ")[1].split(".")[0])
                if self._leaves is not None and self._leaves[0] == self.round:
                    await self._leave(page)
                    return
                await page.sends(GIFT, gift=self._number % 20)
            elif "Result of round" in said:
                await page.sends(SEEN)

    async def _news(self, page: Visitor, known: str) -> str | None:
        """What the page says once it is something else; None: its server has died."""
        dead = asyncio.create_task(page.is_cut_off())
        news = asyncio.create_task(
            page.until(
                lambda: (
                    page.page not in (known, "") or page.screen.get("is") in ("consent", "ended")
                ),
                within=600,
            )
        )
        try:
            await asyncio.wait([dead, news], return_when=asyncio.FIRST_COMPLETED)
            return page.page if news.done() else None
        finally:
            dead.cancel()
            news.cancel()

    async def _leave(self, page: Visitor) -> None:
        assert self._leaves is not None
        self.is_over = True
        if self._leaves[1] == "stop":
            await page.does("stop")
        else:
            page.drop()


async def play_until_one_dies(players: Sequence[Player], server: Server) -> None:
    """Have all play to their end; in round 5 a server is killed, and starts again."""
    playing = [asyncio.create_task(each.play()) for each in players]
    async with asyncio.timeout(900):
        while not all(each.round >= 5 or each.is_over for each in players):
            done, _ = await asyncio.wait(playing, timeout=0.5)
            for task in done:
                task.result()
        await asyncio.to_thread(server.kill)
        await asyncio.to_thread(server.start)
        await asyncio.gather(*playing)


def payoffs(url: str) -> list[str]:
    """What each who has come to the end is due, smallest first, as people read it."""
    log = read_log(url, "game", "study", "game")
    complete = {
        each["member"]
        for each in log
        if each["kind"] == "ended" and each["data"]["reason"] == "complete"
    }
    cents = dict.fromkeys(complete, 0)
    for each in log:
        if each["kind"] == "paid" and each["member"] in complete:
            cents[each["member"]] += each["data"]["cents"]
    return sorted(f"€{each / 100:.2f}" for each in cents.values())


def shown_payoffs(players: Sequence[Player]) -> list[str]:
    """The sums that people read at the end, smallest first; each has the code of the end."""
    ends = [each.end for each in players if each.end is not None]
    complete = [end for end in ends if end.get("code", {}).get("value") == "DONE1"]
    said = [re.findall(r"€\d+\.\d\d", " ".join(end["lines"])) for end in complete]
    return sorted(sum for sums in said for sum in sums)


@pytest.mark.parametrize("processes", [1, 2])
async def test_24_people_play_ten_rounds_with_strangers_though_some_leave_and_a_server_dies(
    url: str, processes: int, capsys: pytest.CaptureFixture[str]
) -> None:
    said = {"lobby": {"within": WITHIN}, "within": WITHIN}
    leaves = {5: (3, "stop"), 11: (7, "vanish")}
    async with AsyncExitStack() as stack:
        servers = [await stack.enter_async_context(serving(url, **said)) for _ in range(processes)]
        players = [Player(n, servers[n % processes], leaves.get(n)) for n in range(24)]
        await play_until_one_dies(players, servers[-1])
    found = check_rounds(url, "game", WITHIN)
    with capsys.disabled():
        print(f"\n24 people, ten rounds, one of {processes} servers killed: {found}")
    assert found["rounds"] == {1: list(range(1, 11))}
    assert found["in two groups of a round"] == found["met twice in a row"] == 0
    assert found["paid twice"] == found["unpaid or paid wrongly"] == 0
    assert found["waited too long"] == 0
    assert found["ended"] == {"complete": 22, "idle": 1, "withdrew": 1}
    assert len(payoffs(url)) == 22 and shown_payoffs(players) == payoffs(url)


def test_the_study_has_at_most_sixty_lines() -> None:
    assert len(APP.read_text().splitlines()) <= 60


async def test_perfect_strangers_play_with_everybody_once(
    url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    lobby = {"cohort": 6, "group_size": 2, "rematch": "perfect"}
    async with serving(url, rounds=5, lobby=lobby) as server:
        players = [Player(n, server) for n in range(6)]
        async with asyncio.timeout(300):
            await asyncio.gather(*(each.play() for each in players))
    found = check_rounds(url, "game", WITHIN)
    with capsys.disabled():
        print(f"\n6 people, five rounds, perfect strangers: {found}")
    assert found["rounds"] == {1: [1, 2, 3, 4, 5]} and found["groups"] == 15
    assert found["met twice"] == found["paid twice"] == found["unpaid or paid wrongly"] == 0
    assert found["ended"] == {"complete": 6} and shown_payoffs(players) == payoffs(url)
