"""What both engines can do: the commands of W3C's WebDriver that tests need."""

from __future__ import annotations

import base64
import os
import signal
import subprocess
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Self, TypeVar

__all__ = ["CONTROL", "ENTER", "SHIFT", "DriverError", "EngineBrowser"]

ENTER, SHIFT, CONTROL = "\ue007", "\ue008", "\ue009"
"""Keys, as WebDriver writes them; a modifier holds until it is written again."""
STARTS_WITHIN = 60.0
"""The longest that a browser may take to start, in seconds."""
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
"""What W3C calls a reference to an element."""

T = TypeVar("T")


class DriverError(RuntimeError):
    """The browser refused a command."""


class EngineBrowser(ABC):
    """
    A browser with one window, in processes and with a profile of its own.

    Parameters
    ----------
    is_dark
        Whether its user prefers dark pages.
    """

    def __init__(self, *, is_dark: bool = False) -> None:
        self._home = TemporaryDirectory(prefix="engine-", ignore_cleanup_errors=True)
        self._processes: list[subprocess.Popen[bytes]] = []
        try:
            self._start(is_dark)
        except BaseException:
            self.close()
            raise

    @abstractmethod
    def _start(self, is_dark: bool) -> None:
        """Start the browser, and a session of WebDriver in it."""

    @abstractmethod
    def _do(self, command: str, **parameters: Any) -> Any:
        """Send a command of WebDriver, by its name, and return its value."""

    @property
    def folder(self) -> Path:
        """Its home, with its profile and its log."""
        return Path(self._home.name)

    def open(self, url: str) -> None:
        self._do("Navigate", url=url)

    def reload(self) -> None:
        self._do("Refresh")

    def resize(self, width: int, height: int) -> None:
        self._do("SetWindowRect", width=width, height=height)

    def click(self, css: str) -> None:
        self._do("ElementClick", id=self._find(css))

    def type(self, css: str, keys: str) -> None:
        self._do("ElementSendKeys", id=self._find(css), text=keys)

    def run(self, script: str, *arguments: object) -> Any:
        """What the body of a function returns in the page; its arguments are `arguments`."""
        return self._do("ExecuteScript", script=script, args=list(arguments))

    def screenshot(self) -> bytes:
        """The page as a PNG."""
        return base64.b64decode(self._do("TakeScreenshot"))

    def _find(self, css: str) -> str:
        return self._do("FindElement", using="css selector", value=css)[ELEMENT]

    def _spawn(self, *command: str, **environ: str) -> None:
        folders = {f"XDG_{name}_HOME": f"{self.folder}/{name}" for name in _XDG}
        with (self.folder / "log.txt").open("ab") as log:
            self._processes.append(
                subprocess.Popen(
                    command,
                    env={**os.environ, "HOME": str(self.folder), **folders, **environ},
                    stdout=log,
                    stderr=log,
                    start_new_session=True,  # a group: what it starts ends with it
                )
            )

    def _until_started(self, attempt: Callable[[], T], not_yet: type[Exception]) -> T:
        deadline = time.monotonic() + STARTS_WITHIN
        while True:
            try:
                return attempt()
            except not_yet:
                if time.monotonic() > deadline:
                    raise RuntimeError((self.folder / "log.txt").read_text()) from None
                threading.Event().wait(0.1)

    def close(self) -> None:
        """End it, and all that it has started."""
        for process in reversed(self._processes):
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        self._processes.clear()
        self._home.cleanup()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


_XDG = ("CONFIG", "CACHE", "DATA")
