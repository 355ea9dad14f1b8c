"""A Chromium for the browser tests: the machine's, else one that is installed now."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import click

from tests.support.installing import by_apt, has_apt, run

__all__ = ["find_chromium"]

SHELL = "chromium-headless-shell"
"""The same engine without windows: it opens a page in a quarter of the time."""
NAMES = (SHELL, "chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def find_chromium(say: Callable[[str], None]) -> str:
    """
    The path of a Chromium; `say` is told what is installed.

    Raises
    ------
    click.ClickException
        There is none, and none could be installed.
    """
    found = _on_path()
    if found is not None:
        return found
    tried: list[str] = []
    for install in (_by_apt, _by_playwright):
        found = install(say, tried)
        if found is not None:
            return found
    raise click.ClickException(
        "the browser tests need a Chromium. None of "
        f"{', '.join(NAMES)} is on PATH, and installing one failed:\n  "
        + "\n  ".join(tried)
        + "\nInstall one, or set LABCHAT_CHROMIUM to the path of yours."
    )


def _on_path() -> str | None:
    return next((path for name in NAMES if (path := shutil.which(name))), None)


def _by_apt(say: Callable[[str], None], tried: list[str]) -> str | None:
    if not has_apt():
        return None
    say("installing Chromium with apt-get")
    return _on_path() if any(by_apt([name], tried) for name in (SHELL, "chromium")) else None


def _by_playwright(say: Callable[[str], None], tried: list[str]) -> str | None:
    path = Path(_playwrights_own())
    if not path.exists():
        say("installing Chromium with Playwright")
        if not run([sys.executable, "-m", "playwright", "install", "chromium"], tried):
            return None
    return str(path) if path.exists() else None


def _playwrights_own() -> str:
    code = (
        "from playwright.sync_api import sync_playwright\n"
        "with sync_playwright() as p: print(p.chromium.executable_path)"
    )
    asked = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return asked.stdout.strip()
