"""Firefox, WebKit and a display for it: the machine's, else installed now."""

from __future__ import annotations

import shutil

from tests.support.installing import by_apt, has_apt

__all__ = ["install_engines"]

PROGRAMS = {"firefox-esr": "firefox-esr", "webkit2gtk-driver": "WebKitWebDriver", "xvfb": "Xvfb"}
"""By Debian's packages, the programs that tests start."""


def install_engines() -> None:
    """
    Make sure that both engines can be started.

    Raises
    ------
    RuntimeError
        One is missing and could not be installed.
    """
    tried: list[str] = []
    if (missing := _missing()) and has_apt():
        by_apt(missing, tried)
    if missing := _missing():
        raise RuntimeError("\n  ".join([f"not installed: {', '.join(missing)}", *tried]))


def _missing() -> list[str]:
    return [package for package, program in PROGRAMS.items() if shutil.which(program) is None]
