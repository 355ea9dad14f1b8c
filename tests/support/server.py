"""A real server of an app, in a process of its own."""

from __future__ import annotations

import os
import re
import signal
import socket
import threading
import time
from collections.abc import Mapping, Sequence
from multiprocessing.process import BaseProcess
from pathlib import Path

from tests.runner import warm

__all__ = ["ROOT", "Server", "free_port", "shiny_run"]

ROOT = Path(__file__).parents[2]


def shiny_run(app: Path) -> list[str]:
    """The command that serves an app file, but for its port."""
    return ["-m", "shiny", "run", str(app)]


class Server:
    """
    Starts, stops and kills one server; always on the same port and database.

    Parameters
    ----------
    command
        What Python is started with; the port is added to it.
    url
        The lab's database.
    ready
        What it logs when it has started.
    bus
        The lab's bus; None: none.
    variables
        Further environment variables.
    """

    def __init__(
        self,
        command: Sequence[str],
        url: str,
        ready: str = "Application startup complete",
        bus: str | None = None,
        variables: Mapping[str, str] | None = None,
    ) -> None:
        self.url = url
        self._variables = dict(variables or {})
        self._variables |= {} if bus is None else {"LABCHAT_BUS": bus}
        self.port = free_port()
        self.log: list[str] = []
        self._command = [*command, "--port", str(self.port)]
        self._ready = ready
        self._process: BaseProcess | None = None
        self._news = threading.Condition()

    def start(self) -> None:
        """Start it, and wait until it takes connections."""
        reading, writing = os.pipe()
        env = {**os.environ, "LABCHAT_URL": self.url, **self._variables}
        self._process = warm.start(self._command, ROOT, env, writing)
        os.close(writing)
        before = len(self.log)
        threading.Thread(target=self._listen, args=(reading,), daemon=True).start()
        self.logs(self._ready, since=before, within=120)
        self._wait_until_it_listens()

    def _wait_until_it_listens(self) -> None:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            threading.Event().wait(0.02)
        raise AssertionError(f"nobody listens on port {self.port}")

    def _listen(self, reading: int) -> None:
        with os.fdopen(reading, errors="replace") as output:
            for line in output:
                with self._news:
                    self.log.append(line.rstrip())
                    self._news.notify_all()
        with self._news:
            self._news.notify_all()

    def logs(self, wanted: str | re.Pattern[str], *, since: int = 0, within: float = 10) -> str:
        """Wait for a line that matches, at or after line `since`, and give it."""

        def found() -> str | None:
            return next((line for line in self.log[since:] if re.search(wanted, line)), None)

        def done() -> bool:
            assert self._process is not None
            return found() is not None or not self._process.is_alive()

        with self._news:
            self._news.wait_for(done, within)
        line = found()
        assert line is not None, f"no {wanted!r} in its log:\n" + "\n".join(self.log[since:])
        return line

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.is_alive()

    def stop(self) -> None:
        """End it as a service manager does."""
        self._end(signal.SIGTERM)

    def interrupt(self) -> None:
        """End it as Ctrl+C does."""
        self._end(signal.SIGINT)

    def kill(self) -> None:
        """End it as a power failure does."""
        self._end(signal.SIGKILL)

    def signal(self, how: signal.Signals) -> None:
        """Send it a signal, and do not wait for what comes of it."""
        os.kill(self.pid, how)

    @property
    def pid(self) -> int:
        """The id of its process."""
        assert self._process is not None and self._process.pid is not None
        return self._process.pid

    def _end(self, how: signal.Signals) -> None:
        if self._process is None:
            return
        if self.is_running:
            os.kill(self.pid, how)
            self._process.join(15)
            self._process.kill()
        self._process.join()
        self._process = None


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]
