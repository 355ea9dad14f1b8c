"""
Limits on strangers: sockets before admission, sockets of a member, and new people.

They limit how much one visitor can slow the server down for all. They are high, as a whole class
may come from one address, and all at once after a restart.
"""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable, Generator, Hashable
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import IPv6Address, IPv6Network, ip_address
from weakref import WeakKeyDictionary

from shiny_labchat.errors import Refused

__all__ = [
    "PEOPLE_PER_ADDRESS",
    "PEOPLE_PER_SESSION",
    "SOCKETS_EACH",
    "WAITING",
    "WAITING_PER_ADDRESS",
    "Allowance",
    "EachAddress",
    "NewPeople",
    "OpenSockets",
    "TokenBucket",
    "WaitingSockets",
]


@dataclass(frozen=True, slots=True)
class Allowance:
    """
    How often something may be done: `burst` times at once, and `rate` times a second in the end.
    """

    burst: int
    rate: float


WAITING = 4_000
"""Sockets that may be open before a valid hello, in all."""
WAITING_PER_ADDRESS = 1_000
"""Sockets that may be open before a valid hello, from one address."""
SOCKETS_EACH = 30
"""Sockets that one member may have open to one room; one more closes the oldest."""
PEOPLE_PER_SESSION = Allowance(burst=20, rate=0.1)
"""New people that one Shiny session may make: a page makes one, or one for each of its tabs."""
PEOPLE_PER_ADDRESS = Allowance(burst=2_000, rate=1.0)
"""New people who may come from one address: several classes of 500, all at once."""
ADDRESSES = 10_000
"""Addresses remembered before those are forgotten that may do everything again."""


class WaitingSockets:
    """Counts the sockets that have not said a valid hello yet."""

    def __init__(self) -> None:
        self._waiting: Counter[str] = Counter()

    @contextmanager
    def waiting(self, address: str) -> Generator[None]:
        """
        Count a socket from an address as waiting, inside the ``with`` block.

        Raises
        ------
        Refused
            ``busy``: too many sockets wait already.
        """
        if self._waiting[address] >= WAITING_PER_ADDRESS or self._waiting.total() >= WAITING:
            raise Refused("busy")
        self._waiting[address] += 1
        try:
            yield
        finally:
            self._waiting[address] -= 1
            if not self._waiting[address]:
                del self._waiting[address]


class OpenSockets:
    """The open sockets of each member in each room."""

    def __init__(self) -> None:
        self._open: dict[Hashable, deque[Callable[[], None]]] = {}

    @contextmanager
    def open(self, whose: Hashable, give_up: Callable[[], None]) -> Generator[None]:
        """Count a socket as open; `give_up` is called on the oldest if there are too many."""
        sockets = self._open.setdefault(whose, deque())
        sockets.append(give_up)
        if len(sockets) > SOCKETS_EACH:
            sockets.popleft()()
        try:
            yield
        finally:
            if give_up in sockets:
                sockets.remove(give_up)
            if not sockets and self._open.get(whose) is sockets:
                del self._open[whose]


class TokenBucket:
    """
    Counts what an `Allowance` leaves; times are in seconds, of any one clock.

    Parameters
    ----------
    allowance
        How much there is.
    now
        The time; the bucket is full.
    """

    def __init__(self, allowance: Allowance, now: float) -> None:
        self._allowance = allowance
        self._left = float(allowance.burst)
        self._at = now

    def left(self, now: float) -> float:
        """How often it may be done at this time."""
        earned = max(0.0, now - self._at) * self._allowance.rate
        return min(float(self._allowance.burst), self._left + earned)

    def is_full(self, now: float) -> bool:
        """Whether nothing is missing, as of a new bucket."""
        return self.left(now) >= self._allowance.burst

    def take(self, now: float) -> None:
        """Take one out; without any left, `left` is below 0 until it has been earned."""
        self._left, self._at = self.left(now) - 1, now


class EachAddress:
    """
    Counts what an `Allowance` leaves to each address; times are as for a `TokenBucket`.

    Parameters
    ----------
    allowance
        How much there is for each.
    """

    def __init__(self, allowance: Allowance) -> None:
        self._allowance = allowance
        self._buckets: dict[str, TokenBucket] = {}

    def __len__(self) -> int:
        return len(self._buckets)

    def may(self, address: str, now: float) -> bool:
        """Whether it may be done once more from an address."""
        return self._bucket(address, now).left(now) >= 1

    def take(self, address: str, now: float) -> None:
        """Count that it was done from an address."""
        self._bucket(address, now).take(now)

    def _bucket(self, address: str, now: float) -> TokenBucket:
        if len(self._buckets) >= ADDRESSES:
            spent = {of: each for of, each in self._buckets.items() if not each.is_full(now)}
            self._buckets = spent if len(spent) < ADDRESSES else {}
        return self._buckets.setdefault(_network(address), TokenBucket(self._allowance, now))


class NewPeople:
    """
    Limits how many new people come from one Shiny session, and from one address.

    People stay for ever, so a stranger must not be able to make them as fast as they can.

    Parameters
    ----------
    each_session, each_address
        How many may come.
    clock
        Returns the time, in seconds.
    """

    def __init__(
        self,
        each_session: Allowance = PEOPLE_PER_SESSION,
        each_address: Allowance = PEOPLE_PER_ADDRESS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._each_session = each_session
        self._clock = clock
        self._sessions: WeakKeyDictionary[object, TokenBucket] = WeakKeyDictionary()
        self._addresses = EachAddress(each_address)

    def come(self, session: object, address: str) -> None:
        """
        Count one new person.

        Raises
        ------
        Refused
            ``too_many_people``: too many have come from the session or the address.
        """
        now = self._clock()
        bucket = self._sessions.setdefault(session, TokenBucket(self._each_session, now))
        if bucket.left(now) < 1 or not self._addresses.may(address, now):
            raise Refused("too_many_people")
        bucket.take(now)
        self._addresses.take(address, now)


def _network(address: str) -> str:
    """The address; of IPv6 the network of 64 bits, all of which one visitor may have."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if not isinstance(parsed, IPv6Address):
        return address
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(IPv6Network((parsed.packed[:8] + bytes(8), 64)))
