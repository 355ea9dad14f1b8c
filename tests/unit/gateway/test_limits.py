"""How many new people a page, and an address, may make."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shiny_labchat import Refused
from shiny_labchat.gateway import limits
from shiny_labchat.gateway.limits import PEOPLE_PER_ADDRESS, PEOPLE_PER_SESSION, NewPeople


class Session:
    """What a Shiny session is to the limits."""


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def people(clock: Clock) -> NewPeople:
    return NewPeople(clock=clock)


def comes(people: NewPeople, session: Session, address: str = "192.0.2.1") -> bool:
    try:
        people.come(session, address)
    except Refused as exc:
        assert exc.code == "too_many_people"
        return False
    return True


def test_a_class_of_500_behind_one_address_gets_in_at_once(people: NewPeople) -> None:
    """With two chats each, which have each tab as a person of its own."""
    for _ in range(500):
        session = Session()
        assert comes(people, session) and comes(people, session)


def test_one_page_makes_only_some_people_and_then_few(people: NewPeople, clock: Clock) -> None:
    session, allowance = Session(), PEOPLE_PER_SESSION
    assert [comes(people, session) for _ in range(1_000)].count(True) == allowance.burst
    assert comes(people, Session()), "others notice nothing"
    clock.now += 1 / allowance.rate
    assert [comes(people, session) for _ in range(3)] == [True, False, False]


def test_many_pages_of_an_address_make_only_some_people(people: NewPeople, clock: Clock) -> None:
    allowance = PEOPLE_PER_ADDRESS
    came = sum(comes(people, Session()) for _ in range(allowance.burst + 500))
    assert came == allowance.burst
    assert comes(people, Session(), "192.0.2.2")
    clock.now += 10
    assert sum(comes(people, Session()) for _ in range(500)) == 10 * allowance.rate


def test_who_is_refused_costs_their_address_nothing(people: NewPeople) -> None:
    session = Session()
    for _ in range(PEOPLE_PER_ADDRESS.burst * 2):
        comes(people, session)
    left = PEOPLE_PER_ADDRESS.burst - PEOPLE_PER_SESSION.burst
    assert sum(comes(people, Session()) for _ in range(left + 5)) == left


@pytest.mark.parametrize(
    ("one", "other", "are_same"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::2", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("192.0.2.1", "192.0.2.2", False),
        ("", "testclient", False),
    ],
)
def test_a_network_of_ipv6_is_one_address(
    people: NewPeople, one: str, other: str, are_same: bool
) -> None:
    while comes(people, Session(), one):
        pass
    assert comes(people, Session(), other) != are_same


def test_the_addresses_that_are_remembered_are_bounded(people: NewPeople, clock: Clock) -> None:
    while comes(people, Session(), "192.0.2.1"):
        pass
    for n in range(3 * limits.ADDRESSES):
        clock.now += 0.001
        comes(people, Session(), f"10.{n >> 16}.{n >> 8 & 255}.{n & 255}")
        assert len(people._addresses) <= limits.ADDRESSES + 1
    clock.now += 1
    assert comes(people, Session(), "192.0.2.1")


@given(st.lists(st.floats(0, 30), max_size=200))
def test_never_more_come_than_burst_and_rate_allow(pauses: list[float]) -> None:
    clock = Clock()
    people, session, times = NewPeople(clock=clock), Session(), list[float]()
    for pause in pauses:
        clock.now += pause
        if comes(people, session):
            times.append(clock.now)
    allowance = PEOPLE_PER_SESSION
    for first, since in enumerate(times):
        within = [at for at in times[first:] if at <= since + 60]
        assert len(within) <= allowance.burst + 60 * allowance.rate + 1e-6
