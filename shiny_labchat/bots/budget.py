"""What a bot may spend."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from shiny_labchat.arguments import check_count, check_number

__all__ = ["Budget"]


@dataclass(frozen=True, slots=True)
class Budget:
    """
    What models' calls may use in one study; None: without a limit.

    Neither the fallbacks' calls are counted, nor `respond` functions, which call no model.

    Parameters
    ----------
    calls
        Calls of a model: each request that is made, also one that fails, one that is made again,
        and each further one of a reply that uses tools. Never exceeded, in however many rooms.
    tokens
        Tokens in and out together, cached ones also. When so many were used no call begins, but
        those under way are finished: as many at most as there are rooms in which bots that count
        are at work at that moment, in each room one for each bot. By what these use it can be
        exceeded; with `calls` beside it there is a bound on that, too.
    money
        US dollars, likewise. If the price of a model is not known, its first call that ends well
        is the last.
    price
        US dollars per million tokens, in and out, cached ones like all others; None: as chatlas
        knows it.

    Notes
    -----
    A reply in the middle of which a budget is spent is not finished: a tool that the model wanted
    is called, but the model is not told what came of it.

    What a call has used is known when it has ended well. One that failed or was broken off counts
    as a call only, and so do those of a model that does not say what it uses.
    """

    calls: int | None = None
    tokens: int | None = None
    money: float | None = None
    price: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        check_count("calls", self.calls, 0, or_none=True)
        check_count("tokens", self.tokens, 0, or_none=True)
        check_number("money", self.money, least=0, or_none=True)
        price = cast(object, self.price)
        if price is None:
            return
        two = cast("Sequence[object]", price) if isinstance(price, Sequence) else ()
        if len(two) != 2:
            raise TypeError(f"price must be two numbers, (in, out), or None, not {price!r}")
        for each in two:
            check_number("price", each, least=0)

    def is_spent(self, calls: int, used: tuple[int, int], cost: float, unpriced: int) -> bool:
        """
        Whether nothing is left.

        Parameters
        ----------
        calls
            Their number.
        used
            Tokens in, cached ones also, and out.
        cost
            US dollars, as far as prices are known.
        unpriced
            Calls whose price is not known; with a limit of money and no price, one is too many.
        """
        if self.calls is not None and calls >= self.calls:
            return True
        if self.tokens is not None and sum(used) >= self.tokens:
            return True
        if self.money is None:
            return False
        if self.price is not None:
            return sum(n * p for n, p in zip(used, self.price, strict=True)) / 1e6 >= self.money
        return unpriced > 0 or cost >= self.money
