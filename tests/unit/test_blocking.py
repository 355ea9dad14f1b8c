"""What the log says when the event loop stands still, and whom it blames."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import subprocess
import sys
import threading
import time

import pytest

from shiny_labchat.blocking import BLOCKED, watched

STOPPED = """
import asyncio, logging, os, signal
from shiny_labchat.blocking import watched

async def innocent():
    await asyncio.to_thread(int)
    os.kill(os.getpid(), signal.SIGSTOP)

logging.basicConfig(format="%(message)s")
asyncio.run(watched("handler", innocent))
"""


def waits() -> None:
    threading.Event().wait(4 * BLOCKED)


def computes() -> None:
    until = time.thread_time() + 2 * BLOCKED
    while time.thread_time() < until:
        pass


@pytest.mark.parametrize("fn", [waits, computes])
@pytest.mark.parametrize("is_async", [False, True])
async def test_who_blocks_the_loop_is_named_with_the_line(
    fn: object, is_async: bool, caplog: pytest.LogCaptureFixture
) -> None:
    assert callable(fn)

    async def step() -> None:
        fn()

    await watched("handler", step if is_async else fn)
    (record,) = caplog.records
    name = "step" if is_async else fn.__name__
    assert re.search(rf"^the handler '[^']*{name}' .* blocked the whole server", record.message)
    assert re.search(r"s, at .*\.py:\d+; await asyncio", record.message)


async def test_who_waits_with_await_blocks_nobody(caplog: pytest.LogCaptureFixture) -> None:
    gate = threading.Event()
    await watched("handler", asyncio.to_thread, gate.wait, 2 * BLOCKED)
    assert caplog.text == ""


def test_nobody_is_blamed_while_the_process_was_stopped() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", STOPPED], stderr=subprocess.PIPE, text=True
    ) as process:
        _, how = os.waitpid(process.pid, os.WUNTRACED)
        assert os.WIFSTOPPED(how)
        threading.Event().wait(4 * BLOCKED)
        process.send_signal(signal.SIGCONT)
        _, said = process.communicate(timeout=60)
    assert re.search(r"the server stood still for \d\.\d s in the handler 'innocent'", said)
    assert "blocked" not in said
