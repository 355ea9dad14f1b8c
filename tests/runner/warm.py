"""
A process that has imported what every server imports, of which servers are forked.

That takes two seconds of a processor's time for each of some two hundred servers otherwise.
"""

from __future__ import annotations

import multiprocessing as mp
import os
import runpy
import sys
from collections.abc import Mapping, Sequence
from multiprocessing.process import BaseProcess
from multiprocessing.reduction import DupFd
from pathlib import Path
from typing import Any

__all__ = ["start"]

IMPORTED = ["chatlas", "openai", "shiny._main", "shinychat", "uvicorn", "shiny_labchat.express"]

_context = mp.get_context("forkserver")
_context.set_forkserver_preload(IMPORTED)


def start(
    command: Sequence[str],
    cwd: Path,
    env: Mapping[str, str],
    output: int,
    input: int | None = None,
) -> BaseProcess:
    """Start ``python *command`` with file descriptors for its output and its input, if any."""
    files = (DupFd(output), None if input is None else DupFd(input))
    process = _context.Process(target=_run, args=(list(command), cwd, dict(env), *files))
    process.start()
    return process


def _run(command: list[str], cwd: Path, env: dict[str, str], output: Any, input: Any) -> None:
    fd = output.detach()
    read = os.open(os.devnull, os.O_RDONLY) if input is None else input.detach()
    for standard, to in ((0, read), (1, fd), (2, fd)):
        os.dup2(to, standard)
    os.close(fd)
    os.close(read)
    sys.stdin = open(0)  # multiprocessing has closed what was there
    sys.stdout.reconfigure(line_buffering=True)  # pyright: ignore[reportAttributeAccessIssue]
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(env)
    sys.path.insert(0, str(cwd))
    if command[0] == "-m":
        sys.argv = command[1:]
        runpy.run_module(command[1], run_name="__main__", alter_sys=True)
    else:
        sys.argv = command
        runpy.run_path(command[0], run_name="__main__")
