"""What other processes do to a log: ``python -m tests.contract.elsewhere WHAT URL ...``."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Any

from shiny_labchat import Lab, LabChatError, Refused, Room, Rules, StoreError
from shiny_labchat.domain.commands import Say
from tests.runner import warm

ROOT = Path(__file__).parents[2]


def room_of(url: str) -> Room:
    return Lab(url).room("r", study="s")


async def write(url: str, member: str, count: str) -> None:
    """Say `count` things, 20 at a time, until one is refused; print how many were stored."""
    room, stored = room_of(url), 0
    for start in range(0, int(count), 20):
        said = [
            room.submit(Say(member, f"{member}{n}", f"{n}", "p")) for n in range(start, start + 20)
        ]
        outcomes = await asyncio.gather(*said, return_exceptions=True)
        stored += sum(not isinstance(outcome, BaseException) for outcome in outcomes)
        for outcome in outcomes:
            if isinstance(outcome, BaseException) and not isinstance(outcome, Refused):
                raise outcome
        if stored < start + 20:
            break
    print(stored)


async def acknowledge(url: str, member: str) -> None:
    """Say one thing after the other for ever, and print the id of each that was stored."""
    room = room_of(url)

    async def say(n: int) -> None:
        await room.submit(Say(member, f"text {n}", f"{n}", "p"))
        print(n, flush=True)

    for start in range(0, 1_000_000, 10):
        await asyncio.gather(*(say(n) for n in range(start, start + 10)))


async def open_fresh(url: str, member: str) -> None:
    """Wait for a line, then open a database that perhaps nobody has made yet, and use it."""
    room = room_of(url)
    print("ready", flush=True)
    sys.stdin.readline()
    await room.add_member(member)
    await room.post("hi", author=member)


async def post(url: str, text: str) -> None:
    """Post one message."""
    await room_of(url).post(text)


async def run_script(url: str, title: str, length: str) -> None:
    """
    Be an app whose script says this of the room; print the room's title and longest message.

    It does so again for each line that it reads: "session", as when a page is opened; or a title,
    which it configures first.
    """
    while True:
        rules = Rules(max_length=int(length), rate=None)
        room = Lab(url).room("r", study="s", title=title, rules=rules)
        await room.post("A page was opened.")
        state = await room.state()
        print(state.title, state.rules.max_length, flush=True)
        line = (await asyncio.to_thread(sys.stdin.readline)).strip()
        if not line:
            return
        if line != "session":
            await room.configure(title=line)


async def run_out_of_disk(url: str) -> None:
    """Post; fail as the file may not grow; post again when it may."""
    import resource

    room = room_of(url)
    await room.post("before")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
    codes = [await _code(room.post("x" * 20_000, id=f"{n}")) for n in range(3)]
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    after = await _code(room.post("x" * 20_000, id="0"))
    print(*codes, after, len(await room.messages()))


async def may_not_write(url: str) -> None:
    """Post to a file that this user may only read; post again when it may be written."""
    path = Path(url.removeprefix("sqlite:///"))
    room = room_of(url)
    path.chmod(0o444)
    path.parent.chmod(0o555)
    is_root = os.geteuid() == 0
    if is_root:
        os.seteuid(65534)
    codes = [await _code(room.post("x", id=f"{n}")) for n in range(2)]
    if is_root:
        os.seteuid(0)
    path.parent.chmod(0o755)
    path.chmod(0o644)
    print(*codes, await _code(room.post("x", id="0")), len(await room.messages()))


async def _code(doing: Awaitable[object]) -> str:
    try:
        await doing
    except LabChatError as exc:
        assert isinstance(exc, Refused | StoreError)
        return exc.code
    return "stored"


WHAT: dict[str, Callable[..., Coroutine[Any, Any, None]]] = {
    each.__name__: each
    for each in (write, acknowledge, open_fresh, post, run_script, run_out_of_disk, may_not_write)
}


class Process:
    """
    One of these at work in a process of its own, forked from one that has imported the package.

    Parameters
    ----------
    command
        What Python is started with.
    """

    def __init__(self, *command: str) -> None:
        told, tells = os.pipe()
        reads, prints = os.pipe()
        self._process = warm.start(command, ROOT, os.environ, prints, told)
        os.close(told)
        os.close(prints)
        self._tells = os.fdopen(tells, "w")
        self._printed = os.fdopen(reads)

    def line(self) -> str:
        """Wait for the next line that it prints."""
        return self._printed.readline()

    def tell(self, line: str) -> None:
        """Give it a line to read."""
        self._tells.write(line)
        self._tells.flush()

    def signal(self, how: signal.Signals) -> None:
        """Send it a signal."""
        assert self._process.pid is not None
        os.kill(self._process.pid, how)

    def kill(self) -> str:
        """End it as a power failure does, and give what else it has printed."""
        self._process.kill()
        return self._rest()

    def said(self) -> str:
        """Wait for its end, and give the last line that it has printed."""
        said = self._rest()
        assert self._process.exitcode == 0, said
        return said.strip().rpartition("\n")[2]

    def _rest(self) -> str:
        with self._tells, self._printed:
            rest = self._printed.read()
        self._process.join(120)
        return rest


def start(what: Callable[..., Coroutine[Any, Any, None]], *args: str) -> Process:
    """Start one of these in a process of its own."""
    return Process("-m", __name__, what.__name__, *args)


def said_by(process: Process) -> str:
    """Wait for its end, and give the last line that it has printed."""
    return process.said()


if __name__ == "__main__":
    asyncio.run(WHAT[sys.argv[1]](*sys.argv[2:]))
