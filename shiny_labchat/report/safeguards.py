"""The safeguards of a study, judged by what is on record of it. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from shiny_labchat.domain.settings import Settings

__all__ = ["Evidence", "Safeguard", "safeguards"]


class Safeguard(NamedTuple):
    """
    Whether a study has a safeguard.

    Parameters
    ----------
    name
        Its name, in one word or two.
    is_met
        Whether the study has it.
    says
        What was found.
    todo
        What to do if it is not met.
    """

    name: str
    is_met: bool
    says: str
    todo: str


class Evidence(NamedTuple):
    """
    What safeguards are judged by, beside a study's settings.

    Parameters
    ----------
    today
        The day, such as "2026-11-30" (UTC).
    undisclosed
        The ids of the bots that are, or may be, shown as people.
    recruited
        Of how many people it is kept what their recruiters said.
    unblanked
        How many people have words that are kept.
    to_delete
        How many people have asked that their data be deleted, or not be kept, and it still is.
    open_files
        The files of the database that others on the machine can read, with their permissions.
    staff_links
        How many links and browsers of observers and experimenters are valid.
    withdrawn
        How many people have withdrawn.
    in_ledger
        How many withdrawals the ledger beside the database has.
    unencrypted
        The hosts of models that were called without encryption, over a network.
    """

    today: str
    undisclosed: Sequence[str] = ()
    recruited: int = 0
    unblanked: int = 0
    to_delete: int = 0
    open_files: Sequence[str] = ()
    staff_links: int = 0
    withdrawn: int = 0
    in_ledger: int = 0
    unencrypted: Sequence[str] = ()


def safeguards(settings: Settings, found: Evidence) -> list[Safeguard]:
    """All safeguards of a study, in the order in which a board asks for them."""
    return [
        *(_said(settings, name, todo) for name, todo in _SAID.items()),
        _consent(settings),
        _debrief(settings, found),
        _keep(settings, found),
        _day(settings, found, "ids", found.recruited),
        _day(settings, found, "words", found.unblanked),
        _deletions(found),
        _ledger(found),
        _files(found),
        _links(settings, found),
        _models(found),
    ]


_SAID = {
    "purpose": "Say what the data is for: Study(purpose=...).",
    "controller": "Say who answers for the data: Study(controller=...).",
    "basis": 'Say on which legal basis: Study(basis="consent, Art. 6(1)(a) GDPR").',
    "board": "Say which board has approved the study, and the number: Study(board=...). If none "
    "has to, say so there.",
    "contact": 'Say where people can ask: Study(contact="lab@example.org"). They are shown it.',
}


def _said(settings: Settings, name: str, todo: str) -> Safeguard:
    value = settings.get(name)
    return Safeguard(name, bool(value), str(value or "not said"), todo)


def _consent(settings: Settings) -> Safeguard:
    consent: Mapping[str, Any] = settings.get("consent") or {}
    version = consent.get("version")
    says = f"version {version}, {len(consent['text'])} characters" if version else "nobody is asked"
    todo = "Ask people before anything else, with a version: study.consent(text, version=...)."
    return Safeguard("consent", bool(version), says, todo)


def _debrief(settings: Settings, found: Evidence) -> Safeguard:
    todo = (
        "Tell people at the end that there were programs: study.debrief(text). If they are told "
        'elsewhere: Study(debriefed="by e-mail").'
    )
    if not found.undisclosed:
        return Safeguard("debrief", True, "no bot is shown as a person", todo)
    bots = f"shown as people: {', '.join(found.undisclosed)}"
    if settings.get("debrief"):
        return Safeguard("debrief", True, f"{bots}; people are told at the end", todo)
    elsewhere = settings.get("debriefed")
    says = f"{bots}; people are told {elsewhere}" if elsewhere else f"{bots}; people are not told"
    return Safeguard("debrief", bool(elsewhere), says, todo)


def _keep(settings: Settings, found: Evidence) -> Safeguard:
    """Who was deceived can say, once they know, that their data be not kept."""
    todo = "Ask people afterwards whether you may keep their data: study.debrief(text, keep=True)."
    debrief: Mapping[str, Any] = settings.get("debrief") or {}
    if not found.undisclosed:
        return Safeguard("keep", True, "no bot is shown as a person", todo)
    if not debrief and settings.get("debriefed"):
        return Safeguard("keep", True, f"they are asked {settings.get('debriefed')}", todo)
    asks = bool(debrief.get("keep"))
    return Safeguard("keep", asks, "they are asked" if asks else "they are not asked", todo)


_DAYS = {
    "ids": ("ids deleted", "ids of recruiters", 'study.retain(ids="2027-01-31")'),
    "words": ("words deleted", "words", 'study.retain(words="2036-12-31")'),
}


def _day(settings: Settings, found: Evidence, what: str, kept: int) -> Safeguard:
    name, whose, call = _DAYS[what]
    todo = f"Say until which day {whose} are kept: {call}."
    retain: Mapping[str, str | None] = settings.get("retain") or {}
    day = retain.get(what)
    if day is None:
        none = what == "ids" and not kept and not settings.get("params")
        says = "none are kept, and none are asked for" if none else "no day is set"
        return Safeguard(name, none, says, todo)
    if day < found.today and kept:
        todo = "Delete them now: labchat retain. Keep the app running, or run this every day."
        return Safeguard(name, False, f"{day} is over, and those of {kept} people are there", todo)
    return Safeguard(name, True, f"on {day}", todo)


def _deletions(found: Evidence) -> Safeguard:
    todo = "Start the app once, or delete it by hand: labchat withdraw."
    waiting = found.to_delete
    says = f"{waiting} have asked for it in vain" if waiting else "all that was asked for is done"
    return Safeguard("deletion", not waiting, says, todo)


def _ledger(found: Evidence) -> Safeguard:
    todo = (
        "Copy the ledger (the file that ends in .withdrawn) back beside the database: without it a "
        "backup that is restored has the words of those who have withdrawn."
    )
    is_met = found.withdrawn <= found.in_ledger
    says = f"{found.withdrawn} have withdrawn, {found.in_ledger} of the database are in the ledger"
    if not found.withdrawn:
        says = "nobody has withdrawn"
    return Safeguard("ledger", is_met, says, todo)


def _files(found: Evidence) -> Safeguard:
    todo = "Let only the server's own user read them: chmod 600 FILE."
    files = ", ".join(found.open_files)
    says = f"others on this machine can read {files}" if files else "only their owner can read them"
    return Safeguard("files", not files, says, todo)


def _links(settings: Settings, found: Evidence) -> Safeguard:
    todo = "Revoke them, as the study is closed: labchat links MEMBER --revoke."
    is_over = bool(settings.get("closed"))
    valid = f"{found.staff_links} of observers and experimenters are valid"
    if not found.staff_links:
        valid = "none of observers or experimenters is valid"
    says = f"{valid}; the study is {'closed' if is_over else 'open'}"
    return Safeguard("links", not (is_over and found.staff_links), says, todo)


def _models(found: Evidence) -> Safeguard:
    todo = "Use an address that begins with https:// for the model's client (base_url)."
    hosts = ", ".join(found.unencrypted)
    says = f"words were sent in plain text to {hosts}" if hosts else "none was sent words in plain"
    return Safeguard("models", not hosts, says, todo)
