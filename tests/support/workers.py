"""Two servers of one app behind a true nginx, used as if they were one server."""

from __future__ import annotations

import re
import tempfile
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

from tests.support.nginx import nginx_with
from tests.support.server import Server

__all__ = ["Served", "Workers"]

PAUSE = 0.02
"""How often what they log is looked at, in seconds."""
_CONFIG = """
error_log {folder}/error.log;
worker_rlimit_nofile 4096;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    map $http_upgrade $connection_upgrade {{
        default upgrade;
        "" "";
    }}
    map $cookie_labchat_server $labchat_server {{
        default $cookie_labchat_server;
        "" $request_id;
    }}
    upstream either {{
        {servers}
    }}
    upstream same {{
        hash $labchat_server consistent;
        {servers}
    }}
    proxy_http_version 1.1;
    proxy_set_header Upgrade $http_upgrade;
    proxy_set_header Connection $connection_upgrade;
    proxy_set_header Host $http_host;
    proxy_read_timeout 1h;
    server {{
        listen PORT;
        client_max_body_size 20m;
        location / {{
            proxy_pass http://same;
            add_header Set-Cookie "labchat_server=$labchat_server; Path=/; HttpOnly; SameSite=Lax";
        }}
        location ~ /labchat/ {{
            proxy_pass http://either;
        }}
    }}
}}
"""
"""
What Shiny serves, comes from the same server for each visitor; what is this package's, from either,
so that half of the chats' sockets are not where their Shiny session is.
"""


class Workers:
    """
    Starts, stops and kills two servers; nginx goes on meanwhile, always on the same port.

    Parameters
    ----------
    command
        What Python is started with; the port is added to it.
    url
        The lab's database.
    """

    def __init__(self, command: Sequence[str], url: str) -> None:
        self.url = url
        self.servers = [Server(command, url) for _ in range(2)]
        self.port = 0
        self._nginx = ExitStack()

    @property
    def log(self) -> list[str]:
        """What both have logged: first all of one, then all of the other."""
        return [line for server in self.servers for line in server.log]

    def start(self) -> None:
        """Start both, and wait until they take connections."""
        with ThreadPoolExecutor() as both:
            list(both.map(Server.start, self.servers))
        if not self.port:
            self._begin_nginx()

    def _begin_nginx(self) -> None:
        folder = Path(self._nginx.enter_context(tempfile.TemporaryDirectory(prefix="labchat-")))
        servers = "\n".join(f"server 127.0.0.1:{each.port} max_fails=0;" for each in self.servers)
        config = _CONFIG.format(folder=folder, servers=servers)
        self.port = self._nginx.enter_context(nginx_with(config, "PORT", folder))

    def logs(self, wanted: str | re.Pattern[str], *, within: float = 10) -> str:
        """Wait until one of them has logged a line that matches, and give it."""
        deadline = time.monotonic() + within
        while time.monotonic() < deadline:
            for line in self.log:
                if re.search(wanted, line):
                    return line
            threading.Event().wait(PAUSE)
        raise AssertionError(f"no {wanted!r} in their logs:\n" + "\n".join(self.log))

    def stop(self) -> None:
        """End both as a service manager does; they may start again."""
        for server in self.servers:
            server.stop()

    def kill(self) -> None:
        """End both as a power failure does; they may start again."""
        for server in self.servers:
            server.kill()

    def close(self) -> None:
        """End both, and nginx."""
        self.stop()
        self._nginx.close()


Served = Server | Workers
"""A running app: one server, or two behind nginx."""
