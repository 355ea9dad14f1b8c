"""The style sheets of Shiny's themes, compiled when they are first needed."""

from __future__ import annotations

import os
import re
from importlib.metadata import version

from shiny.ui import Theme

from tests.support.cache import cached

__all__ = ["PRESETS", "style_sheet"]

PRESETS = Theme.available_presets()


def style_sheet(preset: str) -> str:
    """The style sheet of a page with this theme, which loads no fonts from elsewhere."""
    path = cached(f"themes-{version('shiny')}") / f"{preset}.css"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_suffix(f".{os.getpid()}")
        css = re.sub(r"@import url\([^)]*\);", "", Theme(preset).to_css())
        unfinished.write_text(css, encoding="utf-8")
        unfinished.replace(path)
    return path.read_text(encoding="utf-8")
