"""A layered mapping is a dict that never changes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from shiny_labchat.domain.layers import FEW, LayeredMap

ITEMS = st.lists(st.tuples(st.integers(0, 60), st.integers()), max_size=150)


def made_of(items: list[tuple[int, int]]) -> LayeredMap[int, int]:
    made: LayeredMap[int, int] = LayeredMap()
    for key, value in items:
        made = made.changed(key, value)
    return made


@given(ITEMS, st.sets(st.integers(0, 149)))
def test_each_version_is_what_a_dict_was_at_that_time(
    items: list[tuple[int, int]], looked_at: set[int]
) -> None:
    """Also of versions that were read whole, before or after others were made from them."""
    versions: list[LayeredMap[int, int]] = [LayeredMap()]
    dicts: list[dict[int, int]] = [{}]
    for n, (key, value) in enumerate(items):
        if n in looked_at:
            assert list(versions[-1].items()) == list(dicts[-1].items())
        versions.append(versions[-1].changed(key, value))
        dicts.append({**dicts[-1], key: value})
    for version, expected in zip(versions, dicts, strict=True):
        assert {key: version.get(key) for key in range(61) if key in version} == expected
        assert list(version.items()) == list(expected.items())
        assert (list(version), list(version.values())) == (list(expected), [*expected.values()])
        assert len(version) == len(expected) and version == expected


@given(ITEMS, ITEMS)
def test_a_draft_becomes_what_its_changes_make_one_by_one(
    before: list[tuple[int, int]], after: list[tuple[int, int]]
) -> None:
    base = made_of(before)
    draft = base.draft()
    for key, value in after:
        draft = draft.changed(key, value)
    assert list(draft.done().items()) == list(made_of(before + after).items())
    assert list(base.items()) == list(made_of(before).items())


def test_a_change_copies_few_however_large_it_is() -> None:
    size = 40_000
    draft = LayeredMap[int, int]().draft()
    for n in range(size):
        draft = draft.changed(n, n)
    version, joins = draft.done(), 0
    for n in range(2_000):
        before, version = version, version.changed(n, -n)
        joins += version._base is not before._base
        assert len(version._changes) <= FEW or len(version._changes) ** 2 <= 16 * size
    assert joins <= 2
    assert (version[1_999], version[2_000]) == (-1_999, 2_000)
