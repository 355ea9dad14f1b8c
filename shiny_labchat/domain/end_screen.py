"""What somebody sees who has left a study: why, the debrief, their pay, and their code. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from shiny_labchat.domain.ended import bonus, end_at
from shiny_labchat.domain.ends import End
from shiny_labchat.domain.money import money
from shiny_labchat.domain.screen_parts import Button, Screen, View, html_of
from shiny_labchat.domain.study import Ended, Participation
from shiny_labchat.words import Words

__all__ = ["end_screen", "has_debrief", "needs_link", "needs_receipt"]

NOT_BEGUN = ("no_consent", "already_took_part", "full", "closed", "screened_out", "incompatible")
"""
Reasons for which people may leave before they have done anything. Where no consent says whether
they have, nothing is said of pay then, unless their end says it.
"""


def needs_link(view: View) -> str | None:
    """The reason for which somebody is led on by a link from their last screen; None: by none."""
    person = view.study.people.get(view.person)
    if person is None or person.ended is None or _is_debriefed_first(view, person):
        return None
    end = end_at(view.study, person)
    return None if end is None or end.url is None else person.ended.reason


def needs_receipt(view: View) -> bool:
    """Whether somebody gets a code with which to withdraw later: there is data of them."""
    person = view.study.people.get(view.person)
    if person is None or person.ended is None or _is_debriefed_first(view, person):
        return False
    return has_taken_part(view, person) and not (person.wants_withdrawal or person.withdrawn)


def end_screen(view: View, person: Participation, ended: Ended) -> Screen:
    """The last screen; a reason without an end of its own has words of the catalogue."""
    words, end = view.words, end_at(view.study, person)
    title = words[_known(words, ended.reason)]
    fields = _text(words, ended, end)
    fields["lines"] += _kept(view, person, ended) + _pay(view, person, end)
    fields |= view.contact()
    if person.wants_withdrawal or person.withdrawn is not None:
        fields["forget"] = True
    if has_debrief(view, person):
        fields["debrief"] = _debrief(view, ended)
    if _is_debriefed_first(view, person):
        return _asking(Screen("ended", title, fields), view, person, end)
    fields |= _code(view, person, end) | _receipt(view)
    if not {"link", "code", "receipt"} & {*fields}:  # who has one needs the window still
        fields["lines"].append(words["ended.close"])
    return Screen("ended", title, fields)


def _known(words: Words, reason: str) -> str:
    """The key of a reason's title; one that a newer version has stored is an end all the same."""
    try:
        words[f"ended.{reason}.text"]
    except KeyError:
        return "ended.page"
    return f"ended.{reason}"


def _text(words: Words, ended: Ended, end: End | None) -> dict[str, Any]:
    if end is not None and end.text is not None:
        return {"html": html_of(end.text), "lines": []}
    known = _known(words, ended.reason)
    return {"lines": [] if known == "ended.page" else [words[f"{known}.text"]]}


def _kept(view: View, person: Participation, ended: Ended) -> list[str]:
    """What becomes of the data of somebody who has stopped, or wants them deleted."""
    if person.withdrawn is not None:
        return [view.words.filled("withdrawn.at", time=_time(person.withdrawn_at))]
    if ended.delete or person.keep is False:
        return [view.words["stop.deleted"]]
    is_asked = _is_debriefed_first(view, person) and _asks_to_keep(view, person)
    return [view.words["stop.kept"]] if ended.reason == "withdrew" and not is_asked else []


# ── pay and code ─────────────────────────────────────────────────────────────────────────────


def _pay(view: View, person: Participation, end: End | None) -> list[str]:
    """What is said of pay: in full, where the app says nothing of an end to who had begun."""
    words, currency = view.words, view.study.settings.get("currency") or "USD"
    cents, lines = bonus(person), list[str]()
    pay = None if end is None else "none" if end.cents == 0 else end.pay
    if end is not None and end.cents:
        amount = money(end.cents, currency, words.language)
        lines.append(words.filled("pay.amount", amount=amount))
    elif end is not None and not (pay == "none" and cents):
        lines.append(words[f"pay.{pay}"])
    elif end is None and view.study.settings.get("ends") and has_taken_part(view, person):
        lines.append(words["pay.full"])
    if cents:
        amount = money(cents, currency, words.language)
        lines.append(words.filled("pay.bonus" if lines else "pay.bonus_only", amount=amount))
    return lines


def _code(view: View, person: Participation, end: End | None) -> dict[str, Any]:
    words, fields = view.words, dict[str, Any]()
    code = person.code if end is None else end.code
    if code is not None:
        fields["code"] = {
            "label": words["code.label"],
            "text": words["code.text"],
            "value": code,
            "copy": words["code.copy"],
            "copied": words["code.copied"],
        }
    if view.end_link is not None and end is not None and end.url is not None:
        label = words["go_on" if code is None else "code.link"]
        fields["link"] = {"href": f"labchat/end/{view.end_link}", "label": label}
    return fields


def _time(at: int) -> str:
    """A time in UTC, to the minute, as all languages write it."""
    return datetime.fromtimestamp(at // 1_000_000, UTC).strftime("%Y-%m-%d %H:%M")


def _receipt(view: View) -> dict[str, Any]:
    if view.receipt is None or not needs_receipt(view):
        return {}
    words = view.words
    said = {name: words[f"receipt.{name}"] for name in ("label", "text", "copy")}
    link = {"href": "labchat/withdraw", "label": words["receipt.link"]}
    fields = {**said, "copied": words["code.copied"], "value": view.receipt, "link": link}
    return {"receipt": fields}


# ── debrief ──────────────────────────────────────────────────────────────────────────────────


def has_debrief(view: View, person: Participation) -> bool:
    """Whether there is something to tell somebody afterwards: they have taken part."""
    settings, end = view.study.settings, end_at(view.study, person)
    if settings.get("debrief") is None or person.ended is None:
        return False
    if person.rooms and settings.get("deceives") and settings.get("debriefed") is None:
        return True
    if end is not None and end.debrief is not None:
        return end.debrief
    return has_taken_part(view, person)


def has_taken_part(view: View, person: Participation) -> bool:
    """Whether somebody who has ended has consented, or done anything if nobody is asked to."""
    if person.ended is None:
        return False
    asked = view.study.settings.get("consent") is not None
    return person.consent is not None if asked else person.ended.reason not in NOT_BEGUN


def _is_debriefed_first(view: View, person: Participation) -> bool:
    """Whether somebody is shown the debrief now, and their code after it."""
    return has_debrief(view, person) and not person.is_debriefed


def _debrief(view: View, ended: Ended) -> dict[str, Any]:
    words, lines = view.words, list[str]()
    lines += _named(words, "debrief.programme", view.programmes)
    lines += _named(words, "debrief.replaced", view.replaced)
    if ended.reason == "replaced":
        lines.append(words["debrief.own_place"])
    html = html_of(view.study.settings.get("debrief")["text"])
    return {"title": words["debrief.title"], "html": html, "lines": lines}


def _asks_to_keep(view: View, person: Participation) -> bool:
    """Whether somebody is asked if their data may be kept: there are some, and they did not say."""
    is_answered = person.ended is not None and person.ended.delete is not None
    asks = bool(view.study.settings.get("debrief").get("keep"))
    return asks and not is_answered and has_taken_part(view, person)


def _asking(screen: Screen, view: View, person: Participation, end: End | None) -> Screen:
    """The screen on which somebody is debriefed, with what leads on to their code."""
    words, asks = view.words, _asks_to_keep(view, person)
    lines = [*screen.fields["lines"], *_comes_later(words, end, "question" if asks else "text")]
    screen = screen.plus(lines=lines)
    if not asks:
        return screen.with_button(Button("debriefed", words["go_on"], is_primary=True))
    is_paid = view.study.settings.get("ends") or bonus(person)
    keep = {name: words[f"keep.{name}"] for name in ("title", "text", "yes", "no")}
    keep["text"] = keep["text"] if is_paid else ""
    return screen.plus(debrief={**screen.fields["debrief"], "keep": keep})


def _comes_later(words: Words, end: End | None, after: str) -> list[str]:
    """That the code, or the link, comes when somebody goes on."""
    if end is None or (end.code is None and end.url is None):
        return []
    return [words[f"{'link' if end.code is None else 'code'}.after_{after}"]]


def _named(words: Words, key: str, pseudonyms: Sequence[str]) -> list[str]:
    """A sentence about members of the person's rooms; none if there are none."""
    if not pseudonyms:
        return []
    *most, last = (each or words["withdrawn.name"] for each in pseudonyms)
    names = words.filled("debrief.and", names=", ".join(most), name=last) if most else last
    return [words.counted(key, len(pseudonyms), names=names)]
