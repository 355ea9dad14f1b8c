"""axe-core, which searches pages for faults of accessibility."""

from __future__ import annotations

from functools import cache
from itertools import product
from typing import Literal

from tests.browser._people import Person
from tests.support.npm import installed

__all__ = ["faults"]

VERSION = "4.14.1"
GRAVE = ("serious", "critical")
WIDTHS = (1280, 320)
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")

NOT_OURS = {".bslib-sidebar-resize-handle": "a focusable separator of Shiny's, without a value"}
"""What no app and no chat can mend, and why."""


def faults(person: Person) -> set[str]:
    """What is serious on the page that somebody has open, light and dark, wide and narrow."""
    person.page.evaluate(_axe())
    found: set[str] = set()
    for scheme, width in product(SCHEMES, WIDTHS):
        person.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        person.page.set_viewport_size({"width": width, "height": 720})
        for rule in person.page.evaluate(_RUN, [scheme, [*NOT_OURS]]):
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
