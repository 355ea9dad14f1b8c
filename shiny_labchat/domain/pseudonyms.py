"""
Pseudonyms: readable, unique in their room, stable, and unrelated to the order of arrival.

A generated name is computed from the room's seed and the member's id alone, so it does not show
who came first, and a person who comes again has the same name. Pure.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Callable, Collection, Iterator
from functools import lru_cache
from itertools import count, islice

from shiny_labchat.domain.visible import INVISIBLE

__all__ = [
    "PLAIN_LIMIT",
    "Pseudonym",
    "as_pseudonym",
    "check_pseudonym",
    "fits",
    "generate",
    "number",
    "plain",
    "resolve_pseudonym",
    "unique",
]

PLAIN_LIMIT = 60
"""Longest pseudonym, in characters; longer ones are cut off."""

DISTINCT_TRIES = 200
"""Names tried until one shares neither colour nor animal with another in the room."""

Pseudonym = str | Callable[[str], str | None] | None
"""Text, a template with ``{n}``, a function of the member's id, or None for a generated one."""

# Colours and animals that are easy to read aloud, to tell apart and to translate. None of them
# is used as an insult in English.
_COLOURS = (
    "Amber Aqua Azure Beige Blue Bronze Brown Cherry Copper Coral Cream Crimson Cyan Ebony "
    "Emerald Fern Forest Garnet Ginger Gold Green Grey Hazel Indigo Ivory Jade Khaki Lemon "
    "Lilac Lime Maroon Mauve Mint Navy Ochre Olive Onyx Opal Orange Peach Pearl Pine Plum "
    "Purple Red Rose Ruby Rust Saffron Sage Sand Scarlet Silver Sky Slate Tan Teal Topaz "
    "Umber Vanilla Violet White Yellow"
).split()
_ANIMALS = (
    "Alpaca Antelope Badger Beaver Bison Bobcat Camel Canary Caribou Cheetah Condor Cougar "
    "Coyote Crane Curlew Deer Dolphin Dove Dragonfly Eagle Egret Elk Falcon Ferret Finch "
    "Flamingo Fox Gazelle Gecko Giraffe Gull Hare Hawk Hedgehog Heron Hummingbird Ibex Ibis "
    "Iguana Jaguar Kestrel Kingfisher Koala Lark Lemur Leopard Lion Llama Lynx Macaw Magpie "
    "Marmot Marten Meerkat Moose Narwhal Newt Ocelot Okapi Oriole Osprey Otter Owl Panda "
    "Panther Parrot Pelican Penguin Pheasant Plover Puffin Puma Quail Rabbit Raven Reindeer "
    "Robin Salmon Seal Sparrow Squirrel Starling Stork Swan Swift Tapir Tern Tiger Toucan "
    "Trout Turtle Walrus Weasel Wolf Wombat Wren Yak Zebra"
).split()
_READ = [(colour.lower(), animal.lower()) for colour in _COLOURS for animal in _ANIMALS]


def generate(seed: str, member: str, taken: Collection[str]) -> str:
    """
    A pseudonym such as "Teal Otter" for a member.

    Parameters
    ----------
    seed
        The room's random seed; in other rooms the same member has other names.
    member
        The member's id.
    taken
        The pseudonyms already used in the room.
    """
    colours, animals = set(_COLOURS), set(_ANIMALS)
    for name in taken:
        colours.difference_update(name.split())
        animals.difference_update(name.split())
        if not (colours and animals):  # in a large room this is soon so
            break
    first = _candidates(seed, member, 0)
    for name in islice(first, DISTINCT_TRIES):
        colour, animal = name.split()
        if colour in colours and animal in animals:
            return name
    used = _all_read(taken)
    laps = (lap for lap in count() if not _is_used_up(lap, used))
    orders = (first if lap == 0 else _candidates(seed, member, lap) for lap in laps)
    return next(name for order in orders for name in order if _read(name) not in used)


def _candidates(seed: str, member: str, lap: int) -> Iterator[str]:
    """All names in the member's order; with the number of the lap, but for the first."""
    digest = hashlib.sha256(f"{seed}\0{member}".encode()).digest()
    start = int.from_bytes(digest[:8], "big")
    names = len(_COLOURS) * len(_ANIMALS)
    # A step that shares no factor with the number of names visits each of them once.
    step = 1 + 2 * 3 * 5 * 7 * 11 * (int.from_bytes(digest[8:12], "big") % 97)
    for k in range(names):
        colour, animal = divmod((start + k * step) % names, len(_ANIMALS))
        yield f"{_COLOURS[colour]} {_ANIMALS[animal]}{_suffix(lap)}"


def _is_used_up(lap: int, used: set[str]) -> bool:
    """Whether no name of a lap is free. This takes less time than to try them one by one."""
    suffix = _suffix(lap)
    return used.issuperset(f"{colour} {animal}{suffix}" for colour, animal in _READ)


def _suffix(lap: int) -> str:
    return f" {lap + 1}" if lap else ""


def number(template: str, used: int, taken: Collection[str]) -> str:
    """The next free name of a template such as "Player {n}" that `used` others have used."""
    pieces = [piece[: PLAIN_LIMIT // 2] for piece in template.split("{n}")]
    n, others = used + 1, _all_read(taken)
    while _read(name := plain(str(n).join(pieces))) in others:
        n += 1
    return name


def unique(text: str, taken: Collection[str]) -> str:
    """`text`, or "text 2", "text 3", ... if that name is taken."""
    text = plain(text)
    name, n, others = text, 1, _all_read(taken)
    while _read(name) in others:
        n += 1
        name = f"{text} {n}"
    return name


def plain(text: str, limit: int = PLAIN_LIMIT) -> str:
    """`text` as one line without control or invisible characters, at most `limit` long."""
    spaced = "".join(" " if c.isspace() else c for c in text)
    return " ".join("".join(filter(_is_seen, spaced)).split())[:limit].strip()


def _is_seen(c: str) -> bool:
    return unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Co") and not _UNSEEN.match(c)


_UNSEEN = re.compile(f"[{INVISIBLE}]")


def fits(name: str, taken: Collection[str]) -> bool:
    """Whether no taken name looks the same, after NFKC and without regard to case."""
    return _read(name) not in _all_read(taken)


def _all_read(names: Collection[str]) -> set[str]:
    return {_read(name) for name in names}


def _read(name: str) -> str:
    """A name as people read it: two that look the same are the same."""
    if name.isascii() and name.isprintable():  # the same as below, in a tenth of the time
        return name.lower()
    return _read_any(name)


@lru_cache(maxsize=65_536)
def _read_any(name: str) -> str:
    seen = "".join(filter(_is_seen, name))
    return unicodedata.normalize("NFKC", seen).casefold()


def resolve_pseudonym(pseudonym: Pseudonym, member: str) -> str | None:
    """The text or template of a pseudonym; a function is called with the member's id."""
    if callable(pseudonym):
        pseudonym = pseudonym(member)
    check_pseudonym(pseudonym)
    return pseudonym


def check_pseudonym(pseudonym: object) -> None:
    """Check that an argument is a `Pseudonym`, and that a template has no slot but ``{n}``."""
    if pseudonym is None or callable(pseudonym):
        return
    if not isinstance(pseudonym, str):
        kind = type(pseudonym).__name__
        raise TypeError(f"pseudonym must be text, a function, or None, not {kind}")
    for slot in _SLOT.findall(pseudonym):
        if slot != "{n}":
            raise ValueError(
                f"pseudonym {pseudonym!r} has {slot}, but the only slot of a template is {{n}}, "
                'as in "Player {n}"'
            )


def as_pseudonym(what: str, value: object) -> str:
    """Check that the argument `what` is a pseudonym or a template; return it."""
    if not isinstance(value, str):
        raise TypeError(f"{what} must be text, not {type(value).__name__}")
    if not plain(value):
        raise ValueError(f"{what} must be a name that can be seen, not {value!r}")
    check_pseudonym(value)
    return value


_SLOT = re.compile(r"\{[^{}]*\}")
