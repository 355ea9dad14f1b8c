"""Caches that are bounded in bytes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from shiny_labchat.caches import BoundedCache


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(0, 60)), max_size=40))
def test_a_cache_is_never_larger_than_it_may_be(puts: list[tuple[str, int]]) -> None:
    cache: BoundedCache[str, int] = BoundedCache(50)
    sizes: dict[str, int] = {}
    for number, (key, size) in enumerate(puts):
        cache.put(key, number, size)
        sizes.pop(key, None)
        if size <= 50:
            sizes[key] = size
        while sum(sizes.values()) > 50:
            del sizes[next(iter(sizes))]
        assert cache.size == sum(sizes.values()) <= 50
        assert [each for each in "abcdef" if each in cache] == sorted(sizes)
        assert key not in sizes or cache.get(key) == number
        assert (cache.oldest() is None) == (len(cache) == 0)


def test_what_is_used_stays_and_what_is_too_large_displaces_nothing() -> None:
    cache: BoundedCache[str, str] = BoundedCache(10)
    for key in "ab":
        cache.put(key, key, 5)
    assert cache.get("a") == "a"
    cache.put("c", "c", 5)
    assert ("a" in cache, "b" in cache, "c" in cache) == (True, False, True)
    cache.put("large", "large", 11)
    assert len(cache) == 2 and cache.get("large") is None
    assert cache.pop("a") == "a" and cache.size == 5
    assert cache.pop("a") is None
