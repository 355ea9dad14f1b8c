"""How long tests took: read from the files in which pytest counts them."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Mapping
from pathlib import Path

__all__ = ["by_file", "times_of"]


def times_of(junit: Path) -> dict[str, float]:
    """The seconds that each test took, by its file and name; nothing if there is no such file."""
    try:
        cases = list(ET.parse(junit).getroot().iter("testcase"))
    except (OSError, ET.ParseError):
        return {}
    return {f"{_file(case)}: {case.get('name')}": float(case.get("time", 0)) for case in cases}


def by_file(times: Mapping[str, float]) -> dict[str, float]:
    """The seconds that the tests of each file took together."""
    found: dict[str, float] = {}
    for name, seconds in times.items():
        file = name.split(":", 1)[0]
        found[file] = found.get(file, 0.0) + seconds
    return found


def _file(case: ET.Element) -> str:
    """The test's file; a class of tests follows its module's name, and begins with a capital."""
    parts = case.get("classname", "").split(".")
    return "/".join(part for part in parts if not part[:1].isupper()) + ".py"
