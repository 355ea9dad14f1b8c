"""TypeScript's compiler, which checks the page's plain JavaScript."""

from __future__ import annotations

from tests.support.npm import installed, node

__all__ = ["tsc"]

VERSION = "5.9.3"


def tsc() -> list[str]:
    """The command that starts `tsc`, which is installed first if need be."""
    return [*node(), str(installed("typescript", VERSION, "bin/tsc"))]
