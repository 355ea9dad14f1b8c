"""Servers in processes of their own, with a database in the current folder's disk."""

from __future__ import annotations

import asyncio
import os
import socket
import tempfile
from asyncio.subprocess import Process
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from tests.bench.backends import DATABASE, SQLITE, Backend, Shared, shared, work_of_all
from tests.bench.clock import pause
from tests.bench.sides import Side

__all__ = ["Server", "serving"]

READY_WITHIN = 60.0
"""How long a server may take to start, in seconds."""


@dataclass(frozen=True, slots=True)
class Server:
    """
    A server that takes connections; of several, they all count as one.

    Parameters
    ----------
    side
        Whose it is.
    url
        The database.
    ports, processes
        Of each of its processes.
    beside
        What they share, see `Shared.processes`.
    """

    side: Side
    url: str
    ports: Sequence[int]
    processes: Sequence[psutil.Process]
    beside: Mapping[str, psutil.Process]

    @property
    def port(self) -> int:
        """The port of the first of its processes."""
        return self.ports[0]

    @property
    def process(self) -> psutil.Process:
        """The first of its processes."""
        return self.processes[0]

    @property
    def sockets(self) -> int:
        """How many connections it has open."""
        found = [each for one in self.processes for each in one.net_connections("tcp")]
        return sum(each.status == psutil.CONN_ESTABLISHED for each in found)

    def memory(self) -> float:
        """Its resident memory, in MB (2**20 bytes)."""
        return sum(each.memory_info().rss for each in self.processes) / 2**20

    @property
    def database(self) -> Path:
        """The file of its database."""
        return Path(self.url.removeprefix("sqlite:///"))

    def worked(self) -> float:
        """Seconds of processor time it has used so far."""
        times = [each.cpu_times() for each in self.processes]
        return sum(each.user + each.system for each in times)

    def all_worked(self) -> dict[str, float]:
        """The same, and that of what it shares, by what each is: "workers", "database", "bus"."""
        return {"workers": self.worked()} | {
            name: work_of_all(process) for name, process in self.beside.items()
        }


@asynccontextmanager
async def serving(
    side: Side,
    *does: str,
    history: int = 0,
    fill: Callable[[Path], None] | None = None,
    variables: Mapping[str, str] | None = None,
    backend: Backend = SQLITE,
) -> AsyncGenerator[Server]:
    """
    Run the server of a side as long as the context lasts.

    Parameters
    ----------
    side
        Whose server.
    does
        What the app shall do beyond showing a chat: "handle" messages, "read" them.
    history
        How many messages there are already.
    fill
        Puts a database where it is told, in a thread, before the server starts.
    variables
        Further environment variables of the server.
    backend
        The database, the bus, and the number of processes.

    Raises
    ------
    RuntimeError
        It ended, or did not answer within `READY_WITHIN`; the message has its output.
    """
    with tempfile.TemporaryDirectory(prefix=".bench-", dir=Path.cwd()) as folder:
        async with shared(backend, Path(folder)) as sharing, AsyncExitStack() as stack:
            if history:
                await side.fill(sharing.url, history)
            if fill is not None:
                await asyncio.to_thread(fill, Path(folder) / DATABASE)
            env = {
                **os.environ,
                **(variables or {}),
                **sharing.variables,
                "BENCH_DOES": " ".join(does),
                "BENCH_HISTORY": str(history),
            }
            yield await _started(side, backend.workers, env, Path(folder), sharing, stack)


async def _started(
    side: Side,
    workers: int,
    env: dict[str, str],
    folder: Path,
    sharing: Shared,
    stack: AsyncExitStack,
) -> Server:
    ports = [_free_port() for _ in range(workers)]
    processes: list[psutil.Process] = []
    for port in ports:
        log = folder / f"server-{port}.log"
        process = await _start(side.command(port), env, log)
        stack.push_async_callback(_stop, process)
        if not await _answers(process, port):
            raise RuntimeError(f"the server does not answer; it says:\n{log.read_text()}")
        processes.append(psutil.Process(process.pid))
    return Server(side, sharing.url, ports, processes, sharing.processes)


async def _start(command: Sequence[str], env: dict[str, str], log: Path) -> Process:
    output = os.open(log, os.O_WRONLY | os.O_CREAT)
    try:
        return await asyncio.create_subprocess_exec(*command, env=env, stdout=output, stderr=output)
    finally:
        os.close(output)


async def _answers(process: Process, port: int) -> bool:
    give_up = asyncio.get_running_loop().time() + READY_WITHIN
    while process.returncode is None and asyncio.get_running_loop().time() < give_up:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await pause(0.05)
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
