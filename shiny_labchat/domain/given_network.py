"""Networks as an app gives them, checked; and what they are among the people of a group. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import index
from typing import Any, TypeVar, cast

from shiny_labchat.arguments import as_id
from shiny_labchat.domain.members import as_member_id
from shiny_labchat.domain.network import Edge, Form, Network

__all__ = ["NetworkLike", "as_edges", "as_group_network", "as_network", "network_of_group"]

NetworkLike = str | Mapping[Any, Iterable[Any]]
"""A network as an app gives it: "full", "none", "ring", "star:ID", or by who speaks those who hear
them."""
Node = str | int
"""A member's id; in a lobby also a part, or the number of somebody in the order of the group."""
N = TypeVar("N", str, Node)

WANTED = (
    'network must be "full", "none", "ring", "star:ID", or a mapping of who speaks to those who '
    "hear them"
)


def as_network(network: object) -> Network:
    """The network of a room that an app gives, among members whom it names by their ids."""
    return Network.of(_form(network, as_member_id))


def as_edges(edges: Mapping[Any, Any]) -> list[Edge]:
    """The edges of a mapping of who speaks to those who hear them."""
    return _edges("edges", edges, as_member_id)


def _form(network: object, as_node: Callable[[Any], N]) -> Form:
    match network:
        case "full" | "none" | "ring":
            return cast(str, network)
        case str() if network.startswith("star:"):
            return {"star": as_node(network.removeprefix("star:"))}
        case Mapping():
            edges = _edges("network", cast("Mapping[Any, Any]", network), as_node)
            return {"edges": [list(edge) for edge in edges]}
        case str():
            raise ValueError(f"{WANTED}, not {network!r}")
        case _:
            raise TypeError(f"{WANTED}, not {network!r}")


def _edges(what: str, given: Mapping[Any, Any], as_node: Callable[[Any], N]) -> list[tuple[N, N]]:
    edges: list[tuple[N, N]] = []
    for speaker, hearers in given.items():
        if isinstance(hearers, str) or not isinstance(hearers, Iterable):
            raise TypeError(
                f"{what} must map each who speaks to a list of those who hear them, such as "
                f"{{'ann': ['bob']}}, but {speaker!r} has {hearers!r}"
            )
        one = as_node(speaker)
        edges += [(one, as_node(hearer)) for hearer in cast("Iterable[Any]", hearers)]
    return edges


# ── in a lobby ──


def as_group_network(network: object, parts: Mapping[str, int] | None, most: int) -> Form:
    """
    The network of the groups of a lobby, which names people by their parts or numbers.

    Parameters
    ----------
    network
        What the app gives.
    parts
        How many people of a group have which part.
    most
        How many people a group has at most.
    """

    def as_node(given: object) -> Node:
        if isinstance(given, str) and given.isdecimal() and given not in (parts or {}):
            given = int(given)
        if isinstance(given, str):
            return as_id("network", given)
        try:
            number = index(cast(Any, given))
        except TypeError:
            raise TypeError(
                "network must name people by their parts, or by their numbers in the order of the "
                f"group, not as {given!r}"
            ) from None
        if not 0 <= number < most:
            raise ValueError(
                f"network has the number {number}, but in groups of at most {most} the people have "
                f"the numbers 0 to {most - 1}"
            )
        return number

    form = _form(network, as_node)
    if isinstance(form, Mapping) and (parts or {}).get(form.get("star", ""), 1) != 1:
        raise ValueError(f"network is {network!r}, but several people of a group have that part")
    return form


def network_of_group(form: Form, people: Sequence[str], parts: Mapping[str, str | None]) -> Network:
    """
    The network of a group.

    Parameters
    ----------
    form
        As `as_group_network` gives it.
    people
        The ids of its people, in the order that was drawn.
    parts
        The part that each has.
    """

    def members(node: Node) -> list[str]:
        if isinstance(node, int):
            return [*people[node : node + 1]]
        return [person for person in people if parts.get(person) == node] or [node]

    if isinstance(form, Mapping) and "star" in form:
        hub = members(form["star"])
        return Network("star", hub[0]) if hub else Network("none")
    if not isinstance(form, Mapping) or "edges" not in form:
        return Network.of(form)
    pairs = cast("Sequence[tuple[Node, Node]]", form["edges"])
    edges = [
        [speaker, hearer]
        for one, other in pairs
        for speaker in members(one)
        for hearer in members(other)
    ]
    return Network.of({"edges": edges})
