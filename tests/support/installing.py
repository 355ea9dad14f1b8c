"""Programs that tests need, installed when they are first needed."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence

__all__ = ["by_apt", "has_apt", "run"]


def has_apt() -> bool:
    """Whether packages of Debian can be installed here."""
    return os.name == "posix" and os.geteuid() == 0 and shutil.which("apt-get") is not None


def by_apt(packages: Sequence[str], tried: list[str], *, recommends: bool = True) -> bool:
    """
    Whether all of these are installed now; what failed is added to `tried`.

    `recommends` is whether what they recommend is installed, too.
    """
    install = ["apt-get", "install", "-y", *([] if recommends else ["--no-install-recommends"])]
    return run(["apt-get", "update"], tried) and run([*install, *packages], tried)


def run(command: Sequence[str], tried: list[str]) -> bool:
    """Whether a command ended well; if not, its last words are added to `tried`."""
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        said = (done.stderr or done.stdout).strip().splitlines()
        tried.append(f"{' '.join(command)}: {said[-1] if said else done.returncode}")
    return done.returncode == 0
