"""The processes of a run: how they start, and how all of them end when the run is ended."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

__all__ = ["Interrupted", "end_tree", "ended_by_signals", "started"]

GRACE = 2.0
"""Seconds from the request to end until a process is killed."""
GIVE_UP = 8.0
"""Seconds after which a process that cannot even be killed is left alone."""

_lock = threading.RLock()
_sessions: list[int] = []
_is_ending = False


class Interrupted(SystemExit):
    """Ctrl+C, or a signal that asks the run to end; its code is what a shell expects."""

    def __init__(self, number: int) -> None:
        super().__init__(128 + number)
        self.signal = signal.Signals(number)


@contextmanager
def started(command: Sequence[str], cwd: Path) -> Iterator[subprocess.Popen[str]]:
    """Start a command in a session of its own; whatever it leaves behind is ended."""
    with _lock:
        if _is_ending:
            raise OSError("the run is ending")
        process = subprocess.Popen(
            command,
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            start_new_session=os.name == "posix",
        )
        _sessions.append(process.pid)
    with process:
        try:
            yield process
            process.wait()
        finally:
            end_tree(process)
    _sessions.remove(process.pid)


@contextmanager
def ended_by_signals(say: Callable[[str], None]) -> Iterator[None]:
    """
    Let Ctrl+C and SIGTERM end every process that this one has started, and then this one.

    Raises
    ------
    Interrupted
        All have ended, and `say` was told.
    """

    def interrupt(number: int, frame: object) -> None:
        global _is_ending
        for each in (signal.SIGINT, signal.SIGTERM):
            signal.signal(each, signal.SIG_IGN)
        with _lock:  # no step is half started
            _is_ending = True
        _end(lambda: _children(psutil.Process()) | _of_sessions(_sessions))
        raise Interrupted(number)

    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, interrupt)
    try:
        yield
    except Interrupted as exc:
        say(f"ended by {exc.signal.name}, with all processes that the run had started")
        raise


def end_tree(process: subprocess.Popen[str]) -> None:
    """End a process of `started`, and everything that it has started."""
    root: set[psutil.Process] = set()
    with suppress(psutil.NoSuchProcess):
        if process.poll() is None:
            root.add(psutil.Process(process.pid))
    _end(lambda: root.union(*map(_children, root), _of_sessions([process.pid])))


def _end(find: Callable[[], set[psutil.Process]]) -> None:
    """Ask all to end, and kill those that do not; also those that come about meanwhile."""
    known: set[psutil.Process] = set()
    asked: set[psutil.Process] = set()
    begun = time.monotonic()
    while (waited := time.monotonic() - begun) < GIVE_UP:
        known |= find()  # whoever is an orphan by now was found before
        left = {process for process in known if _is_alive(process)}
        if not left:
            return
        for process in left if waited > GRACE else left - asked:
            with suppress(psutil.Error):
                process.kill() if waited > GRACE else process.terminate()
        asked |= left
        threading.Event().wait(0.05)


def _children(of: psutil.Process) -> set[psutil.Process]:
    with suppress(psutil.Error):
        return set(of.children(recursive=True))
    return set()


def _of_sessions(sessions: Sequence[int]) -> set[psutil.Process]:
    """Processes of steps, also those whose parents have ended."""
    found: set[psutil.Process] = set()
    if os.name == "posix":
        for pid in psutil.pids():
            with suppress(OSError, psutil.Error):
                if os.getsid(pid) in sessions:
                    found.add(psutil.Process(pid))
    return found


def _is_alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False
