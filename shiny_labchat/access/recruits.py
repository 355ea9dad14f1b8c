"""
Who a page is, by what a recruiter says in its address.

What is said there is a claim: whoever knows all params of somebody can come as them. A personal
link is the strong way.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import sqlalchemy as sa

from shiny_labchat.access.revoking import Source, check_revoked, check_source
from shiny_labchat.access.shared_secrets import find_secret, shared_secret
from shiny_labchat.storable import storable
from shiny_labchat.store import (
    Arrival,
    Grant,
    Log,
    arrival_of,
    complete_arrival,
    generations_of,
    grants_of,
    insert_arrival,
    look_up,
    note_by_hash,
    reissue,
    set_generation,
    with_id,
    with_key,
)

__all__ = [
    "Admitted",
    "Arrived",
    "Standing",
    "act_again",
    "arrive",
    "browser_token",
    "find_elsewhere",
    "is_newest",
    "standing",
    "standings",
    "take_over",
]

MAX_LENGTH = 200
"""The longest value of a param; whatever is longer was not made by a recruiter."""


class Arrived(NamedTuple):
    """
    A person of a study, and which of their browsers a page is in.

    Attributes
    ----------
    person
        The person's id. It is random, and says nothing of the recruiter's.
    is_new
        Whether nobody knew them before.
    generation
        The number of this browser among the person's: 1, 2, 3, ... The newest one acts.
    is_newest
        Whether this is the newest browser.
    earlier
        The id of another person of the study who has come before with the same first param; None:
        there is none.
    """

    person: str
    is_new: bool
    generation: int
    is_newest: bool
    earlier: str | None


async def arrive(
    log: Log,
    study: str,
    params: Mapping[str, str | None],
    browser_key: str,
    *,
    delete_after: int | None = None,
    count_new: Callable[[], None] | None = None,
) -> Arrived:
    """
    The person whose page has come to a study.

    Whoever comes with all params of a person is that person, in any browser. If some are missing,
    it is whoever this browser was before, unless something that is said contradicts that. Else it
    is a new person.

    Parameters
    ----------
    log
        The lab's log.
    study
        The study.
    params
        What the page's address says, by the names of the study's params and in their order; None
        or empty: it is missing. The first one says who somebody is.
    browser_key
        The random key that the browser keeps.
    delete_after
        When what the recruiter says is deleted, in microseconds (UTC); None: no date is set.
    count_new
        Called before there is a new person; it may refuse them. None: nobody counts.

    Raises
    ------
    Refused
        ``revoked``: the key was revoked.
    """
    coming = _Coming.of(study, params, browser_key)
    known = await log.read(lambda conn: _known(conn, coming))
    if known is not None and not known.changes:
        return known.arrived
    if known is None and count_new is not None:
        count_new()
    return await log.write(lambda conn, now: _come_in(conn, coming, now, delete_after))


@dataclass(frozen=True, slots=True)
class _Coming:
    """A page that comes: what is said of it, and the token of its browser in the study."""

    study: str
    said: dict[str, str]
    first: str | None
    is_whole: bool
    token: str

    @classmethod
    def of(cls, study: str, params: Mapping[str, str | None], browser_key: str) -> _Coming:
        """Keep what a recruiter can have said."""
        cleaned = {name: _clean(value) for name, value in params.items()}
        said = {name: value for name, value in cleaned.items() if value is not None}
        first = next(iter(params), None)
        is_whole = len(said) == len(params) > 0
        return cls(study, said, first, is_whole, browser_token(study, browser_key))

    def hashes(self, secret: bytes) -> tuple[str | None, str | None]:
        """The keyed hashes of all that is said, if nothing is missing, and of the first param."""
        key = _keyed(secret, [self.study, sorted(self.said.items())]) if self.is_whole else None
        return key, _who(secret, self.study, self.first, self.said)


def _clean(value: str | None) -> str | None:
    text = storable(value or "").strip()
    return text if 0 < len(text) <= MAX_LENGTH and text.isprintable() else None


def browser_token(study: str, browser_key: str) -> str:
    """What stands for a browser in a study; revoking it shuts this browser out there."""
    return f"{study}\n{browser_key}"


def _who(secret: bytes, study: str, first: str | None, said: Mapping[str, str]) -> str | None:
    value = said.get(first or "")
    return None if value is None else _keyed(secret, [study, first, value])


def _keyed(secret: bytes, values: list[Any]) -> str:
    return hmac.new(secret, json.dumps(values).encode(), hashlib.sha256).hexdigest()


class _Known(NamedTuple):
    """A page whose person is known, and whether there is something to store."""

    arrived: Arrived
    arrival: Arrival | None
    changes: bool


def _known(conn: sa.Connection, coming: _Coming) -> _Known | None:
    """Who a page is, as far as that is known; None: a new person."""
    browser = look_up(conn, "browser", coming.token)
    if browser is None:
        check_revoked(conn, "browser", coming.token)
    secret = find_secret(conn, _SECRET)
    key, who = (None, None) if secret is None else coming.hashes(secret)
    found = with_key(conn, coming.study, key)
    if found is None and browser is not None:
        found = arrival_of(conn, coming.study, browser.member)
        if found is None:  # what the recruiter said was deleted on its date
            arrived = Arrived(browser.member, False, _generation(browser), True, None)
            return _Known(arrived, None, False)
        if _contradicts(found, coming, key, who):
            return None
    if found is None:
        return None
    is_here = browser is not None and browser.member == found.person
    generation = _generation(browser) if is_here else found.generation + 1
    adds = found.params is not None and not coming.said.items() <= found.params.items()
    is_last = generation >= found.generation
    arrived = Arrived(found.person, False, generation, is_last, _earlier(conn, found))
    return _Known(arrived, found, adds or not is_here)


def _contradicts(known: Arrival, coming: _Coming, key: str | None, who: str | None) -> bool:
    """Whether what is said cannot be about a person who has come before."""
    hashes = ((known.key, key), (known.who, who))
    if any(a is not None and b is not None and a != b for a, b in hashes):
        return True
    before = known.params or {}
    return any(before.get(name, value) != value for name, value in coming.said.items())


def _earlier(conn: sa.Connection, arrival: Arrival) -> str | None:
    first = with_id(conn, arrival.study, arrival.who)
    return None if first is None or first.person == arrival.person else first.person


def _come_in(conn: sa.Connection, coming: _Coming, now: int, delete_after: int | None) -> Arrived:
    key, who = coming.hashes(shared_secret(conn, _SECRET, now))
    known = _known(conn, coming)  # another page may have come meanwhile
    if known is None:
        person = f"person-{secrets.token_hex(8)}"
        new = Arrival(coming.study, person, coming.said, key, who, 1, now, delete_after)
        insert_arrival(conn, new)
        _seat(conn, coming, person, 1, now)
        return Arrived(person, True, 1, True, _earlier(conn, new))
    arrived, arrival, changes = known
    if changes and arrival is not None:
        if arrival.params is not None:
            complete_arrival(conn, arrival, coming.said, key or arrival.key, who or arrival.who)
        _seat(conn, coming, arrived.person, arrived.generation, now)
        if arrived.is_newest:
            set_generation(conn, coming.study, arrived.person, arrived.generation)
    return arrived


def _seat(conn: sa.Connection, coming: _Coming, person: str, generation: int, now: int) -> None:
    grant = Grant(person, study=coming.study, data={"generation": generation})
    reissue(conn, "browser", grant, now, raw=coming.token)


def _generation(browser: Grant | None) -> int:
    return 1 if browser is None else browser.data.get("generation", 1)


async def take_over(log: Log, study: str, browser_key: str) -> Arrived | None:
    """
    Make a browser its person's newest again, as they ask for in an older one.

    Returns
    -------
    Arrived or None
        The person; None: the study does not know the browser.
    """
    coming = _Coming.of(study, {}, browser_key)

    def take(conn: sa.Connection, now: int) -> Arrived | None:
        known = _known(conn, coming)
        if known is None or known.arrival is None or known.arrived.is_newest:
            return None if known is None else known.arrived
        newest = known.arrival.generation + 1
        _seat(conn, coming, known.arrived.person, newest, now)
        set_generation(conn, study, known.arrived.person, newest)
        return known.arrived._replace(generation=newest, is_newest=True)

    return await log.write(take)


async def is_newest(log: Log, study: str, person: str, generation: int) -> bool:
    """Whether a browser with this number is still its person's newest one."""
    found = await log.read(lambda conn: arrival_of(conn, study, person))
    return found is None or generation >= found.generation


class Standing(NamedTuple):
    """
    What a page may do now that was let in earlier.

    Attributes
    ----------
    is_valid
        Whether the token by which it was let in is still valid.
    generation
        The number of its browser among the person's.
    newest
        The number of the person's newest browser.
    """

    is_valid: bool
    generation: int
    newest: int

    @property
    def is_newest(self) -> bool:
        """Whether it is in the newest browser, which acts."""
        return self.generation >= self.newest


def standing(
    conn: sa.Connection, study: str, person: str, source: Source | None, generation: int
) -> Standing:
    """
    What a page may do now.

    Parameters
    ----------
    conn
        A transaction.
    study, person
        The study, and the page's person.
    source
        The token by which it was let in; None: the app named its person.
    generation
        The number of its browser when it was let in.
    """
    [found] = standings(conn, [Admitted(study, person, source, generation)])
    return found


class Admitted(NamedTuple):
    """A page that was let in; see `standing`."""

    study: str
    person: str
    source: Source | None
    generation: int


def standings(conn: sa.Connection, pages: Sequence[Admitted]) -> list[Standing]:
    """What each of some pages may do now, as `standing`; few statements for many pages."""
    hashes: dict[str, set[str]] = {}
    people: dict[str, set[str]] = {}
    for page in pages:
        people.setdefault(page.study, set()).add(page.person)
        if page.source is not None:
            hashes.setdefault(page.source.kind, set()).add(page.source.hash)
    grants = {kind: grants_of(conn, kind, some) for kind, some in hashes.items()}
    newest = {study: generations_of(conn, study, some) for study, some in people.items()}
    return [_standing(page, grants, newest) for page in pages]


def _standing(
    page: Admitted,
    grants: Mapping[str, Mapping[str, Grant]],
    newest: Mapping[str, Mapping[str, int]],
) -> Standing:
    source, generation = page.source, page.generation
    grant = None if source is None else grants[source.kind].get(source.hash)
    if grant is not None and grant.study == page.study:  # its browser may have taken over since
        generation = max(generation, _generation(grant))
    last = newest[page.study].get(page.person, generation)
    return Standing(source is None or grant is not None, generation, last)


async def act_again(
    log: Log, study: str, person: str, source: Source | None, generation: int
) -> Standing:
    """
    Make the browser of a page its person's newest again, as `take_over`; see `standing`.

    Raises
    ------
    Refused
        ``revoked``: the token by which the page was let in was revoked.
    """

    def take(conn: sa.Connection, now: int) -> Standing:
        check_source(conn, source)
        before = standing(conn, study, person, source, generation)
        if before.is_newest:
            return before
        newest = before.newest + 1
        set_generation(conn, study, person, newest)
        if source is not None and source.kind == "browser":
            note_by_hash(conn, *source, {"generation": newest})
        return Standing(True, newest, newest)

    return await log.write(take)


async def find_elsewhere(
    log: Log, studies: Iterable[str], params: Mapping[str, str | None], browser_key: str
) -> dict[str, str]:
    """
    Other studies in which a person has arrived: with the same first param, or in this browser.

    Parameters
    ----------
    log
        The lab's log.
    studies
        The names of the other studies.
    params, browser_key
        As for `arrive`.

    Returns
    -------
    dict
        By study, the id that the person has there. Whether they took part there, the study's own
        log says.
    """

    def find(conn: sa.Connection) -> dict[str, str]:
        found = {study: _person_in(conn, study, params, browser_key) for study in studies}
        return {study: person for study, person in found.items() if person is not None}

    return await log.read(find)


def _person_in(
    conn: sa.Connection, study: str, params: Mapping[str, str | None], browser_key: str
) -> str | None:
    coming = _Coming.of(study, params, browser_key)
    secret = find_secret(conn, _SECRET)
    arrival = None if secret is None else with_id(conn, study, coming.hashes(secret)[1])
    if arrival is not None:
        return arrival.person
    browser = look_up(conn, "browser", coming.token)
    return None if browser is None else browser.member


_SECRET = "secret of the arrivals"
"""What stands for the secret of the keyed hashes in the table of tokens."""
