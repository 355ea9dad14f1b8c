"""A server in a process of its own."""

from __future__ import annotations

import asyncio
import os
import socket
from asyncio.subprocess import Process
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

__all__ = ["running"]

READY_WITHIN = 60.0
"""How long a server may take to start, in seconds."""


@asynccontextmanager
async def running(
    command: Callable[[int], Sequence[str]], env: Mapping[str, str], log: Path
) -> AsyncGenerator[int]:
    """
    Run a server as long as the context lasts, which is entered with its port.

    Parameters
    ----------
    command
        Makes the command line for a port.
    env
        Environment variables beyond ours.
    log
        The file its output goes to.

    Raises
    ------
    RuntimeError
        It ended, or did not answer within `READY_WITHIN`; the message has its output.
    """
    port = _free_port()
    output = os.open(log, os.O_WRONLY | os.O_CREAT)
    try:
        process = await asyncio.create_subprocess_exec(
            *command(port), env={**os.environ, **env}, stdout=output, stderr=output
        )
    finally:
        os.close(output)
    try:
        if not await _answers(process, port):
            raise RuntimeError(f"the server does not answer; it says:\n{log.read_text()}")
        yield port
    finally:
        await _stop(process)


async def _answers(process: Process, port: int) -> bool:
    give_up = asyncio.get_running_loop().time() + READY_WITHIN
    while process.returncode is None and asyncio.get_running_loop().time() < give_up:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.05)
        else:
            writer.close()
            return True
    return False


async def _stop(process: Process) -> None:
    if process.returncode is not None:
        return
    process.terminate()
    try:
        await asyncio.wait_for(process.wait(), 5)
    except TimeoutError:
        process.kill()
        await process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
