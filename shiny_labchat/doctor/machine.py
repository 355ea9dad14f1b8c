"""The machine and the Python that the command runs on, which should be those of the app."""

from __future__ import annotations

import platform
import sys
from collections.abc import Iterator
from importlib.metadata import version

import uvicorn

from shiny_labchat.doctor.finding import Finding, note, ok
from shiny_labchat.gateway.uvicorn_internals import TESTED

__all__ = ["FILES", "check_files", "check_machine", "check_uvicorn"]

FILES = 4_096
"""Open files that a process should be allowed: two for each page, and the app's own."""


def check_machine() -> Iterator[Finding]:
    """Look at versions and limits."""
    package, shiny = version("shiny-labchat"), version("shiny")
    python = platform.python_version()
    yield ok("versions", f"shiny_labchat {package}, shiny {shiny}, Python {python}")
    yield check_uvicorn(uvicorn.__version__)
    if sys.platform != "win32":
        import resource  # there is no such module on Windows

        yield check_files(resource.getrlimit(resource.RLIMIT_NOFILE)[0])


def check_uvicorn(installed: str) -> Finding:
    """Look whether messages are written to the connections of this uvicorn directly."""
    if ".".join(installed.split(".")[:2]) in TESTED:
        return ok("uvicorn", f"uvicorn {installed} is sent messages in the fastest way")
    return note(
        "uvicorn",
        f"uvicorn {installed} is sent messages in the slower way, as it was not tested",
        f"pip install uvicorn=={TESTED[-1]}.* halves the work of a message",
    )


def check_files(allowed: int) -> Finding:
    """Look at the number of files that this process may open; -1: as many as it wants."""
    if allowed >= FILES or allowed < 0:
        return ok("open files", f"a process may open {'any number' if allowed < 0 else allowed}")
    return note(
        "open files",
        f"a process may open {allowed}: about {allowed // 3} pages",
        "start the server after `ulimit -n 8192` (systemd: LimitNOFILE=8192)",
    )
