"""Who a page is by what its recruiter says: the same person in any browser, else a new one."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa

from shiny_labchat import Lab, Refused
from shiny_labchat.access.recruits import Arrived, arrive, find_elsewhere, is_newest, take_over
from shiny_labchat.access.revoking import revoke_all
from shiny_labchat.store import (
    Arrival,
    arrival_of,
    arrivals_of,
    find_arrivals,
    forget_arrivals,
    keep_hash_only,
    set_delete_after,
)
from shiny_labchat.store.schema import metadata

PID, SESSION = "5f3c0ffee0", "aa11bb22cc"
WHOLE = {"PROLIFIC_PID": PID, "SESSION_ID": SESSION}
PART = {"PROLIFIC_PID": PID, "SESSION_ID": None}
NOTHING = dict.fromkeys(WHOLE)

Come = Callable[..., Any]


@pytest.fixture(autouse=True)
def served(lab: Lab) -> None:
    """This process serves pages of the lab, so that a page finds a database."""
    lab.log.serve()


@pytest.fixture
def come(lab: Lab) -> Come:
    """``await come("phone", params)``: a page of this browser comes to the study."""

    async def come_in(browser: str, params: Any = WHOLE, study: str = "pilot") -> Arrived:
        return await arrive(lab.log, study, params, f"key of {browser}")

    return come_in


async def stored(lab: Lab, person: str, study: str = "pilot") -> Arrival | None:
    return await lab.log.read(lambda conn: arrival_of(conn, study, person))


# ── who is who ──


async def test_another_browser_with_all_params_is_the_same_person_and_the_newest(
    come: Come,
) -> None:
    first, second = await come("phone"), await come("laptop")
    assert first.is_new and (first.generation, first.is_newest) == (1, True)
    assert second == Arrived(first.person, False, 2, True, None)
    assert await come("phone") == Arrived(first.person, False, 1, False, None)
    assert await come("laptop") == second


async def test_one_who_lacks_a_param_is_new_in_another_browser(come: Come) -> None:
    whole = await come("phone")
    for n, params in enumerate((PART, NOTHING, {**WHOLE, "SESSION_ID": "  "})):
        other = await come(f"laptop {n}", params)
        assert other.is_new and other.person != whole.person


async def test_a_browser_is_who_it_was_when_params_are_missing(come: Come) -> None:
    first = await come("phone")
    for params in (PART, NOTHING, {}):
        assert await come("phone", params) == first._replace(is_new=False)


async def test_what_was_missing_at_first_is_added(lab: Lab, come: Come) -> None:
    first = await come("phone", NOTHING)
    for params in (PART, WHOLE):
        assert (await come("phone", params)).person == first.person
    kept = await stored(lab, first.person)
    assert kept is not None and kept.params == WHOLE
    assert (await come("laptop")).person == first.person


@pytest.mark.parametrize("other", [{**WHOLE, "SESSION_ID": "other"}, {"PROLIFIC_PID": "other"}])
async def test_one_browser_with_other_params_is_another_person(come: Come, other: Any) -> None:
    first, second = await come("phone"), await come("phone", {**NOTHING, **other})
    assert second.is_new and second.person != first.person
    assert (await come("phone", NOTHING)).person == second.person
    assert (await come("phone")).person == first.person


async def test_who_has_come_before_with_the_same_first_param_is_told_apart(come: Come) -> None:
    first = await come("phone")
    again = await come("laptop", {**WHOLE, "SESSION_ID": "another"})
    stranger = await come("tablet", {"PROLIFIC_PID": "x", "SESSION_ID": SESSION})
    assert (first.earlier, again.earlier, stranger.earlier) == (None, first.person, None)


async def test_studies_know_nothing_of_each_others_people(come: Come) -> None:
    first, second = await come("phone"), await come("phone", study="main")
    assert second.is_new and first.person != second.person


async def test_two_pages_that_come_at_once_are_one_person(come: Come) -> None:
    arrived = await asyncio.gather(*(come(f"browser {n % 3}") for n in range(9)))
    assert len({each.person for each in arrived}) == 1
    assert sum(each.is_new for each in arrived) == 1
    assert {each.generation for each in arrived} == {1, 2, 3}


async def test_an_id_is_random_and_says_nothing_of_the_recruiters(come: Come) -> None:
    people = {(await come(f"browser {n}", NOTHING)).person for n in range(3)}
    people.add((await come("phone")).person)
    assert len(people) == 4
    assert all(re.fullmatch(r"person-[0-9a-f]{16}", person) for person in people)


@pytest.mark.parametrize("value", ["x" * 201, "a\x00\x07b", "\ud800" * 300])
async def test_what_no_recruiter_says_counts_as_missing(lab: Lab, come: Come, value: str) -> None:
    person = (await come("phone", {**WHOLE, "SESSION_ID": value})).person
    kept = await stored(lab, person)
    assert kept is not None and kept.params == {"PROLIFIC_PID": PID} and kept.key is None


async def test_who_counts_new_people_may_refuse_them_but_nobody_who_is_known(
    lab: Lab, come: Come
) -> None:
    def refuse() -> None:
        raise Refused("too_many_people")

    known = await come("phone")
    again = await arrive(lab.log, "pilot", WHOLE, "key of laptop", count_new=refuse)
    assert again.person == known.person
    with pytest.raises(Refused, match="too_many_people"):
        await arrive(lab.log, "pilot", NOTHING, "key of tablet", count_new=refuse)


async def test_a_browser_that_was_revoked_comes_in_no_more(lab: Lab, come: Come) -> None:
    person = (await come("phone")).person
    assert (await revoke_all(lab.log, person, ["browser"], "pilot"))[0] == 1
    for params in (WHOLE, NOTHING):
        with pytest.raises(Refused, match="revoked"):
            await come("phone", params)


# ── the newest browser acts ──


async def test_an_older_browser_takes_over_when_it_is_asked_to(lab: Lab, come: Come) -> None:
    phone, laptop = await come("phone"), await come("laptop")
    taken = await take_over(lab.log, "pilot", "key of phone")
    assert taken == Arrived(phone.person, False, 3, True, None)
    assert await take_over(lab.log, "pilot", "key of phone") == taken
    assert not await is_newest(lab.log, "pilot", laptop.person, laptop.generation)
    assert await is_newest(lab.log, "pilot", laptop.person, 3)
    assert not (await come("laptop")).is_newest


async def test_a_strange_browser_takes_nothing_over(lab: Lab, come: Come) -> None:
    await come("phone")
    assert await take_over(lab.log, "pilot", "key of nobody") is None


@pytest.mark.parametrize("comers", ["abcabc", "aabbaacc", "cbabc", "a"])
async def test_generations_only_grow_and_one_browser_is_newest(come: Come, comers: str) -> None:
    seen: dict[str, int] = {}
    for browser in comers:
        arrived = await come(browser)
        assert seen.setdefault(browser, arrived.generation) == arrived.generation
        assert arrived.is_newest == (arrived.generation == max(seen.values()))
    assert sorted(seen.values()) == list(range(1, len(seen) + 1))


# ── other studies ──


async def test_who_has_come_to_another_study_is_found_by_id_or_browser(
    lab: Lab, come: Come
) -> None:
    by_id = (await come("phone", {**WHOLE, "SESSION_ID": "earlier"}, "pilot-0")).person
    by_browser = (await come("laptop", NOTHING, "pilot-1")).person
    found = await find_elsewhere(lab.log, ["pilot-0", "pilot-1"], WHOLE, "key of laptop")
    assert found == {"pilot-0": by_id, "pilot-1": by_browser}
    assert await find_elsewhere(lab.log, ["pilot-0"], {"PROLIFIC_PID": "x"}, "key of x") == {}
    assert await find_elsewhere(lab.log, ["pilot-2"], WHOLE, "key of laptop") == {}


# ── what is kept, and for how long ──


async def everything(lab: Lab) -> str:
    """All that the database has, as text."""

    def read(conn: sa.Connection) -> str:
        return repr([conn.execute(sa.select(table)).all() for table in metadata.tables.values()])

    return await lab.log.read(read)


async def test_of_who_refuses_consent_a_keyed_hash_is_kept_and_they_are_known_by_it(
    lab: Lab, come: Come
) -> None:
    person = (await come("phone")).person
    await lab.log.write(lambda conn, now: keep_hash_only(conn, "pilot", person))
    kept = await stored(lab, person)
    assert kept is not None and kept.params is None and kept.key is not None
    known = await everything(lab)
    assert PID not in known and SESSION not in known and "key of phone" not in known
    assert (await come("laptop")).person == person
    assert PID not in await everything(lab)


async def test_what_is_due_is_forgotten_hashes_included_and_nothing_else(
    lab: Lab, come: Come
) -> None:
    due, later = (await come("phone")).person, (await come("laptop", study="main")).person
    await lab.log.write(lambda conn, now: set_delete_after(conn, "pilot", now))
    await lab.log.write(lambda conn, now: set_delete_after(conn, "main", now + 10**12))
    assert await lab.log.write(forget_arrivals) == 1
    assert await stored(lab, due) is None and await stored(lab, later, "main") is not None
    assert await come("phone") == Arrived(due, False, 1, True, None)
    assert (await come("tablet")).is_new


async def test_a_date_of_deletion_can_be_given_at_arrival(lab: Lab) -> None:
    person = (await arrive(lab.log, "pilot", WHOLE, "key", delete_after=7)).person
    kept = await stored(lab, person)
    assert kept is not None and kept.delete_after == 7 < kept.at


async def test_an_arrival_is_found_by_all_the_params_that_are_given(lab: Lab, come: Come) -> None:
    first = (await come("phone")).person
    second = (await come("phone", {**WHOLE, "SESSION_ID": "other"}, "main")).person

    async def found(study: str | None = None, **params: str) -> list[str]:
        read = await lab.log.read(lambda conn: find_arrivals(conn, params, study))
        return [each.person for each in read]

    assert await found(PROLIFIC_PID=PID) == [first, second]
    assert await found(PROLIFIC_PID=PID, study="main") == [second]
    assert await found(**WHOLE) == [first] and await found(**WHOLE, STUDY_ID="x") == []
    listed = await lab.log.read(lambda conn: arrivals_of(conn, "pilot"))
    assert [each.person for each in listed] == [first]
    for ids in ([first], [second], []):
        listed = await lab.log.read(lambda conn, ids=ids: arrivals_of(conn, "pilot", ids))
        assert [each.person for each in listed] == [id for id in ids if id == first]
