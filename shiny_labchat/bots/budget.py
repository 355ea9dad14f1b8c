"""Budgets: how many calls, tokens and dollars bots may use."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from shiny_labchat.arguments import check_count, check_number

__all__ = ["Budget"]


@dataclass(frozen=True, slots=True)
class Budget:
    """
    Limits for the calls of models in one study; None: no limit.

    Calls of fallbacks are not counted, nor are `respond` functions, which call no model.

    Parameters
    ----------
    calls
        Requests to a model. Failed requests count, and so do retries and each further request
        of a reply that uses tools. Never exceeded, in however many rooms.
    tokens
        Tokens in and out together, cached ones included. When so many are used, no new call
        begins, but the calls under way are finished: at most one for each bot that this budget
        counts, in each room where it works at that moment. Their tokens can exceed the budget;
        with `calls` beside it there is a bound on that, too.
    money
        US dollars, enforced like `tokens`. If the price of a model is not known, its first
        successful call is the last.
    price
        US dollars per million tokens, in and out; cached tokens cost the same. None: the price
        that chatlas knows.

    Notes
    -----
    If a budget is spent in the middle of a reply, the reply is not finished: a tool that the model
    asked for is called, but its result is not sent to the model.

    The tokens of a call are known only when it has succeeded. One that failed or was broken off
    counts as a call only, and so does each call of a model that does not report its tokens.
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
        Whether the budget is spent; for this package.

        Parameters
        ----------
        calls
            The number of calls.
        used
            Tokens in, cached ones also, and out.
        cost
            US dollars, as far as prices are known.
        unpriced
            Calls whose price is not known; under `money` without `price`, one is too many.
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
