"""Build the documentation site: the pages of docs/, the reference, and llms.txt."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.docs.check import dead_links, foreign_resources

__all__ = ["ROOT", "BuildError", "build", "first_sentence", "llms_txt", "pages", "title"]

ROOT = Path(__file__).parents[2]
CONFIG = "zensical.toml"
NOT_PYTHON = shutil.ignore_patterns("www", "__pycache__")


class BuildError(Exception):
    """The site could not be built strictly; the message is what the builder has printed."""


def build(folder: Path, root: Path = ROOT) -> None:
    """
    Build the site into a folder.

    Parameters
    ----------
    folder
        Where the site is put; made if needed.
    root
        The folder with zensical.toml and docs/.

    Raises
    ------
    BuildError
        Something is not as it should be, such as a dead link, or a page that loads something
        from another host.
    """
    with tempfile.TemporaryDirectory(prefix="labchat-docs-") as made:
        work = Path(made)  # the builder writes only beside its configuration
        shutil.copy(root / CONFIG, work)
        shutil.copytree(root / "docs", work / "docs")
        shutil.copytree(ROOT / "shiny_labchat", work / "shiny_labchat", ignore=NOT_PYTHON)
        (work / "docs" / "llms.txt").write_text(llms_txt(root), encoding="utf-8")
        command = [sys.executable, "-m", "zensical", "build", "--strict", "--clean"]
        env = {**os.environ, "PYTHONPATH": str(ROOT), "NO_COLOR": "1"}
        done = subprocess.run(command, cwd=work, env=env, capture_output=True, text=True)
        if done.returncode != 0:
            raise BuildError(done.stdout + done.stderr)
        if faults := dead_links(work / "site") + foreign_resources(work / "site"):
            raise BuildError("\n".join(faults))
        shutil.copytree(work / "site", folder, dirs_exist_ok=True)


# ── llms.txt ─────────────────────────────────────────────────────────────────────────────────


def pages(root: Path = ROOT) -> dict[str, str]:
    """The pages in the navigation, by their path in docs/, with what each says."""
    with (root / CONFIG).open("rb") as file:
        nav = tomllib.load(file)["project"]["nav"]
    return {path: (root / "docs" / path).read_text(encoding="utf-8") for path in _paths(nav)}


def _paths(nav: list[dict[str, Any]]) -> Iterator[str]:
    for entry in nav:
        for inside in entry.values():
            if isinstance(inside, str):
                yield inside
            else:
                yield from _paths(inside)


def title(page: str) -> str:
    """The title of a page."""
    found = re.search(r"^# (.+)$", page, re.MULTILINE)
    if found is None:
        raise BuildError(f"a page has no title: {page[:60]!r}")
    return found[1].replace("`", "")


def first_sentence(page: str) -> str:
    """The first sentence of a page, in one line and without links."""
    text = page.partition("\n# ")[2] or page.removeprefix("# ")
    paragraph = re.sub(r"\s+", " ", text.partition("\n")[2].strip().split("\n\n")[0])
    plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", paragraph)
    return re.split(r"(?<=\.) (?=[^a-z])", plain)[0]


def llms_txt(root: Path = ROOT) -> str:
    """The pages' titles, addresses and first sentences, for programs that read the site."""
    known = pages(root)
    home = known["index.md"]
    lines = [f"# {title(home)}", "", f"> {first_sentence(home)}", "", "## Pages", ""]
    for path, page in known.items():
        address = "./" if path == "index.md" else f"{path.removesuffix('.md')}/"
        lines.append(f"- [{title(page)}]({address}): {first_sentence(page)}")
    return "\n".join(lines) + "\n"
