"""The package's own source, read but not run."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "shiny_labchat"


def modules() -> dict[str, Path]:
    """Every module of the package by its dotted name, the package's own name left out."""
    found: dict[str, Path] = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        if "migrations" not in path.parts:
            parts = path.relative_to(PACKAGE).with_suffix("").parts
            found[".".join(parts).removesuffix("__init__").rstrip(".")] = path
    return found


def imports(path: Path) -> Iterator[str]:
    """The full names of the modules that a module imports."""
    known = {f"shiny_labchat.{name}" for name in modules()}
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0 and node.module, f"{path}: a relative import"
            for alias in node.names:
                full = f"{node.module}.{alias.name}"
                yield full if full in known else node.module
