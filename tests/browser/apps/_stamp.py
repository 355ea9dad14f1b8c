"""UI that needs files: a button with a border that is stamped on a click."""

from pathlib import Path

from htmltools import HTMLDependency

STAMP = HTMLDependency(
    "stamp",
    "1.0",
    source={"subdir": str(Path(__file__).parent / "stamp")},
    script={"src": "stamp.js"},
    stylesheet={"href": "stamp.css"},
)
