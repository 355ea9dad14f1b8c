"""axe-core, which searches pages for faults of accessibility."""

from __future__ import annotations

import os
from functools import cache
from itertools import product
from typing import Literal

from playwright.sync_api import Page

from tests.browser._people import Person
from tests.support.npm import installed

__all__ = ["faults", "faults_of"]

VERSION = "4.14.1"
GRAVE = ("serious", "critical")
WIDTHS = (1280, 320)
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
LOOKS = [*(product if os.environ.get("LABCHAT_LONG") == "1" else zip)(SCHEMES, WIDTHS)]
"""Light and wide, dark and narrow; in a long run, each with each."""

NOT_OURS = {".bslib-sidebar-resize-handle": "a focusable separator of Shiny's, without a value"}
"""What no app and no chat can mend, and why."""


def faults(person: Person) -> set[str]:
    """What is serious on the page that somebody has open, in each of the `LOOKS`."""
    return faults_of(person.page)


def faults_of(page: Page) -> set[str]:
    """What is serious on a page, in each of the `LOOKS`."""
    page.evaluate(_axe())
    found: set[str] = set()
    for scheme, width in LOOKS:
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        page.set_viewport_size({"width": width, "height": 720})
        for rule in page.evaluate(_RUN, [scheme, [*NOT_OURS]]):
            if rule["impact"] in GRAVE:
                places = (node["html"][:120] for node in rule["nodes"])
                found |= {f"{scheme}, {width}: {rule['id']}: {place}" for place in places}
    return found


@cache
def _axe() -> str:
    return installed("axe-core", VERSION, "axe.min.js").read_text(encoding="utf-8")


_RUN = """async ([scheme, notOurs]) => {
  document.documentElement.dataset.bsTheme = scheme;
  await new Promise(requestAnimationFrame);
  return (await axe.run({ exclude: notOurs }, { resultTypes: ["violations"] })).violations;
}"""
