"""WebKitGTK, through WebKitWebDriver, on a display that nobody sees."""

from __future__ import annotations

import json
import os
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from tests.support.engines.browser import DriverError, EngineBrowser
from tests.support.server import free_port

__all__ = ["WebKit"]

ROUTES = {
    "Navigate": "POST /url",
    "Refresh": "POST /refresh",
    "SetWindowRect": "POST /window/rect",
    "FindElement": "POST /element",
    "ElementClick": "POST /element/{id}/click",
    "ElementSendKeys": "POST /element/{id}/value",
    "ExecuteScript": "POST /execute/sync",
    "TakeScreenshot": "GET /screenshot",
    "DeleteSession": "DELETE ",
}
"""The requests that are the commands."""
PATIENCE = 60.0
"""The longest that a command may take, in seconds."""


class WebKit(EngineBrowser):
    """A WebKit in the small browser that comes with it."""

    def _start(self, is_dark: bool) -> None:
        port = free_port()
        theme = {"GTK_THEME": "Adwaita:dark" if is_dark else "Adwaita"}
        self._spawn("WebKitWebDriver", f"--port={port}", "--host=127.0.0.1",
                    DISPLAY=self._start_display(), NO_AT_BRIDGE="1", **theme)  # fmt: skip
        self._session = f"http://127.0.0.1:{port}/session"
        self._session += f"/{self._until_started(self._new_session, OSError)}"

    def _start_display(self) -> str:
        """Start a display, and return its name."""
        reading, writing = os.pipe()
        command = ["Xvfb", "-displayfd", f"{writing}", "-screen", "0", "1280x900x24"]
        with (self.folder / "log.txt").open("ab") as log, os.fdopen(reading) as name:
            display = subprocess.Popen(
                [*command, "-nolisten", "tcp"],
                pass_fds=[writing],
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
            self._processes.append(display)
            os.close(writing)
            return f":{name.readline().strip()}"

    def _new_session(self) -> str:
        (browser,) = Path("/usr/lib").glob("*/webkit2gtk-4.1/MiniBrowser")
        options = {"binary": str(browser), "args": ["--automation"]}
        wanted = {"alwaysMatch": {"webkitgtk:browserOptions": options}}
        return self._request("POST", "", {"capabilities": wanted})["sessionId"]

    def _do(self, command: str, **parameters: Any) -> Any:
        method, path = ROUTES[command].split(" ")
        body = None if method != "POST" else parameters
        return self._request(method, path.format(**parameters), body)

    def close(self) -> None:
        with suppress(OSError, DriverError):
            self._do("DeleteSession")
        super().close()

    def _request(self, method: str, path: str, body: dict[str, Any] | None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        try:
            with urlopen(
                Request(self._session + path, data, method=method), timeout=PATIENCE
            ) as it:
                return json.load(it)["value"]
        except HTTPError as error:
            raise DriverError(f"{method} {path}: {error.read().decode()}") from None
