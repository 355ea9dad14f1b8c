"""Firefox, through Marionette: its own protocol for WebDriver's commands."""

from __future__ import annotations

import json
import socket
from itertools import count
from typing import Any

from tests.support.engines.browser import DriverError, EngineBrowser

__all__ = ["Firefox"]

PREFERENCES = {
    "app.normandy.enabled": False,
    "browser.shell.checkDefaultBrowser": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "marionette.port": 0,  # a free one
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "services.settings.server": "data:,",
}
PATIENCE = 60.0
"""The longest that a command may take, in seconds."""


class Firefox(EngineBrowser):
    """A Firefox without windows."""

    def _start(self, is_dark: bool) -> None:
        scheme = {"layout.css.prefers-color-scheme.content-override": 0 if is_dark else 1}
        lines = (
            f"user_pref({json.dumps(name)}, {json.dumps(value)});\n"
            for name, value in {**PREFERENCES, **scheme}.items()
        )
        (self.folder / "user.js").write_text("".join(lines))
        self._spawn("firefox-esr", "--headless", "--marionette", "--no-remote",
                    "--profile", str(self.folder))  # fmt: skip
        self._marionette = self._until_started(self._connect, OSError)
        self._do("NewSession")

    def _connect(self) -> Marionette:
        port = (self.folder / "MarionetteActivePort").read_text()
        if not port:
            raise FileNotFoundError("the port is still being written")
        return Marionette(int(port))

    def _do(self, command: str, **parameters: Any) -> Any:
        result = self._marionette.send(f"WebDriver:{command}", parameters)
        return result["value"] if isinstance(result, dict) and "value" in result else result

    def close(self) -> None:
        if hasattr(self, "_marionette"):
            self._marionette.close()
        super().close()


class Marionette:
    """
    A connection to a Firefox; messages are JSON, with their length in bytes in front.

    Parameters
    ----------
    port
        The port that it listens on.
    """

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
        self._incoming = self._socket.makefile("rb")
        self._numbers = count(1)
        self._receive()  # its name and version

    def send(self, command: str, parameters: dict[str, Any]) -> Any:
        """Send a command, and return its result."""
        message = json.dumps([0, next(self._numbers), command, parameters]).encode()
        self._socket.sendall(b"%d:%s" % (len(message), message))
        _, _, error, result = self._receive()
        if error is not None:
            raise DriverError(f"{command}: {error['error']}: {error['message']}")
        return result

    def close(self) -> None:
        self._incoming.close()
        self._socket.close()

    def _receive(self) -> Any:
        length = b""
        while (digit := self._incoming.read(1)) != b":":
            if not digit:
                raise DriverError("Firefox has ended")
            length += digit
        return json.loads(self._incoming.read(int(length)))
