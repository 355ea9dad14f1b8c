"""The server of an app, in a process of its own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path

__all__ = ["AppServer"]

START_TIMEOUT = 120
"""The longest to wait until a server has started, in seconds."""
STOP_TIMEOUT = 10
"""The longest to wait until a server has ended by itself, in seconds."""


class AppServer:
    """
    Serves an app with ``shiny run``, on a free port, and collects what it prints.

    Parameters
    ----------
    app
        The app's file.
    env
        Environment variables, beside those of this process.
    """

    def __init__(self, app: Path, env: Mapping[str, str]) -> None:
        self.app = app
        self._printed: list[str] = []
        self._has_ended = False
        self._news = threading.Condition()
        self._process = subprocess.Popen(
            [sys.executable, "-u", "-m", "shiny", "run", "--port", "0", str(app)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**os.environ, **env},
            encoding="utf-8",
            errors="replace",
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def log(self) -> str:
        """What it has printed, without the requests that it has answered well."""
        with self._news:
            return "".join(line for line in self._printed if not _ANSWERED.search(line))

    def wait_until_ready(self) -> str:
        """
        Wait until it has started, and return its address.

        Raises
        ------
        RuntimeError
            It has ended instead, or takes too long.
        """
        with self._news:
            self._news.wait_for(lambda: self._address() or self._has_ended, START_TIMEOUT)
        address = self._address()
        if address is None:
            how = "ended" if self._has_ended else f"did not start in {START_TIMEOUT} s"
            raise RuntimeError(f"the server of {self.app} {how}; it printed:\n{self.log}")
        return address

    def stop(self) -> None:
        """End it, and wait until it has ended."""
        self._process.terminate()
        try:
            self._process.wait(STOP_TIMEOUT)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join()

    def _read(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as printed:
            for line in printed:
                with self._news:
                    self._printed.append(line)
                    self._news.notify_all()
        with self._news:
            self._has_ended = True
            self._news.notify_all()

    def _address(self) -> str | None:
        found = filter(None, map(_READY.search, self._printed))
        return next((f"{match[1]}/" for match in found), None)


_READY = re.compile(r"Uvicorn running on (http://[\w.:]+)")
_ANSWERED = re.compile(r'"(?:GET|HEAD|POST) \S+ HTTP/[\d.]+" [123]\d\d')
