"""A true nginx before a server of this machine; installed when it is first needed."""

from __future__ import annotations

import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.installing import by_apt, has_apt

__all__ = ["SOCKETS_ONLY", "nginx", "nginx_with"]

SOCKETS_ONLY = """
proxy_http_version 1.1;
proxy_set_header Upgrade $http_upgrade;
proxy_set_header Connection $connection_upgrade;
"""
"""What websockets need; all other headers are as nginx sends them by itself."""
STARTS_WITHIN = 20.0
"""How long it may take until it listens, in seconds."""
_PROCESS = """
daemon off;
master_process off;
pid {folder}/nginx.pid;
"""
_FILES = """
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
"""
_CONFIG = """
error_log {folder}/error.log;
events {{}}
http {{
    access_log off;
    map $http_upgrade $connection_upgrade {{
        default upgrade;
        "" close;
    }}
    server {{
        listen {port};
        location {path} {{
            proxy_pass http://127.0.0.1:{to}/;
            {settings}
        }}
    }}
}}
"""


@contextmanager
def nginx(to: int, folder: Path, *, path: str = "/", settings: str = SOCKETS_ONLY) -> Iterator[int]:
    """
    Serve what a server on this machine serves, under a path; gives the port.

    Parameters
    ----------
    to
        The server's port.
    folder
        An empty folder for its files.
    path
        The path, with a slash at its end.
    settings
        What its configuration says of the location, besides where the server is.
    """
    config = _CONFIG.format(folder=folder, port="PORT", path=path, to=to, settings=settings)
    with nginx_with(config, "PORT", folder) as port:
        yield port


@contextmanager
def nginx_with(config: str, port: str, folder: Path) -> Iterator[int]:
    """
    Run it with a configuration; gives the port.

    Parameters
    ----------
    config
        All of it, but for what is only of this process.
    port
        What it says after "listen" instead of an address.
    folder
        An empty folder for its files.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        number: int = free.getsockname()[1]
    config = config.replace(f"listen {port};", f"listen 127.0.0.1:{number};")
    config = config.replace("http {", "http {" + _FILES.format(folder=folder), 1)
    file = folder / "nginx.conf"
    file.write_text(_PROCESS.format(folder=folder) + config)
    process = subprocess.Popen([_program(), "-p", str(folder), "-c", str(file)])
    try:
        _wait_for(number, process)
        yield number
    finally:
        process.terminate()
        process.wait()


def _program() -> str:
    tried: list[str] = []
    found = _found()
    if found is None and has_apt():
        by_apt(["nginx-light"], tried)
        found = _found()
    if found is None:
        raise RuntimeError("\n  ".join(["nginx is not installed", *tried]))
    return found


def _found() -> str | None:
    return shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + STARTS_WITHIN
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return
        except OSError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise
        threading.Event().wait(0.02)
