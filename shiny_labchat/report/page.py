"""The page of a report: one file of HTML, which loads nothing."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

from shiny_labchat.report.numbers import Numbers
from shiny_labchat.report.sections import at, sections
from shiny_labchat.report.style import STYLE
from shiny_labchat.report.svg import number

__all__ = ["MARK", "page"]

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
"""The page loads and runs nothing, whatever anybody has written."""
MARK = '<meta name="generator" content="labchat report">'
"""By this a report is known."""
_TIP = (
    '<svg width="0" height="0" style="position:absolute;min-width:0" aria-hidden="true"><defs>'
    '<marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" '
    'orient="auto"><path d="M0 0 8 4 0 8z"/></marker></defs></svg>'
)


def page(study: str, settings: Mapping[str, str | None], numbers: Numbers) -> str:
    """
    The page.

    Parameters
    ----------
    study
        The name of the study.
    settings
        What it says of itself: purpose, board; None: nothing.
    numbers
        What was counted.
    """
    title = f"Study {study}"
    said = [f"{name.capitalize()}: {value}." for name, value in settings.items() if value]
    facts = "".join(f"<div><dt>{name}</dt><dd>{value}</dd></div>"
                    for name, value in _facts(numbers).items())  # fmt: skip
    about = f"<p>{escape(' '.join(said))}</p>" if said else ""
    return (
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">'
        f"{MARK}"
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{STYLE}</style></head><body>{_TIP}"
        f"<main><h1>{escape(title)}</h1>{about}"
        f'<p class="note">{escape(_when(numbers))}</p><dl>{facts}</dl>'
        f"{''.join(sections(numbers))}</main></body></html>\n"
    )


def _when(numbers: Numbers) -> str:
    text = "with" if numbers.texts else "without"
    if numbers.first is None:
        return f"Nothing has happened in it yet. A report {text} what people have written."
    first, last = at(numbers.first), at(numbers.last)
    return f"From {first} to {last} (UTC). A report {text} what people have written."


def _facts(numbers: Numbers) -> Mapping[str, str]:
    calls = sum(bot.calls for bot in numbers.bots.values())
    facts = {
        "people arrived": number(numbers.total("arrived")),
        "completed": number(numbers.total("end_complete")),
        "rooms": number(len(numbers.rooms)),
        "messages": number(numbers.messages),
    }
    return facts | ({"calls of models": number(calls)} if calls else {})
