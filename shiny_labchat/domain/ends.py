"""Ends: the ways of leaving a study, with a code, an address, and the pay. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from numbers import Integral
from typing import Any, Literal
from urllib.parse import quote, urlsplit

from shiny_labchat.arguments import as_id, check_choice, did_you_mean

__all__ = [
    "PARTS",
    "REASONS",
    "UNPAID",
    "End",
    "as_cents",
    "as_params",
    "check_end",
    "check_reason",
    "data_of",
    "end_of",
    "end_with_code",
    "fill",
]

REASONS = (
    "complete",
    "lobby_timeout",
    "not_ready",
    "idle",
    "removed",
    "group_dissolved",
    "full",
    "closed",
    "no_consent",
    "screened_out",
    "incompatible",
    "withdrew",
    "already_took_part",
    "replaced",
    "error",
)
"""Why people leave a study."""

PARTS = ("code", "room", "condition", "member", "bonus")
"""What an end's address may name in braces, besides the study's params."""

Pay = Literal["full", "partial", "none"] | int | float | Decimal
"""What people are paid: a word, or an amount in units of the study's currency."""

PAY = ("full", "partial", "none")
"""The pay in words: the recruiter's own reward, a part of it, or nothing."""

UNPAID = ("already_took_part", "closed", "no_consent")
"""The reasons of those who have done nothing."""

MAX_AMOUNT = 10**9
"""The largest amount, in units of the currency; larger ones are mistakes."""


@dataclass(frozen=True, slots=True)
class End:
    """
    A way of leaving a study: what people are shown then, and what they are paid.

    Parameters
    ----------
    code
        The completion code that people enter at their recruiter's. None: there is none.
    url
        The address that leads back to the recruiter. It may name ``{code}``, ``{room}``,
        ``{condition}``, ``{member}``, ``{bonus}`` and any of the study's params. None: no link.
    pay
        ``"full"`` or ``"partial"``: the recruiter's own reward or a part of it, which you pay with
        the recruiter's means. ``"none"``: nothing. A number: this amount *instead of* the
        recruiter's reward, in units of the study's currency, with at most two decimals; you send
        it yourself, and ``labchat pay`` lists it. Bonuses, as of `person.pay()`, are paid beside
        any of these.
    text
        What people read. None: the package's own words for the reason.
    debrief
        Whether people are shown the study's debrief, see :meth:`Study.debrief`. None: those who had
        begun are.
    """

    code: str | None = None
    url: str | None = None
    pay: Pay = "full"
    text: str | None = None
    debrief: bool | None = None

    def __post_init__(self) -> None:
        if self.code is not None:
            as_id("End(code=)", self.code)
        if self.url is not None:
            _check_url(self.url)
        _check_pay(self.pay)
        if self.text is not None:
            _check_text(self.text)
        check_choice("End(debrief=)", self.debrief, (True, False, None))

    @property
    def cents(self) -> int | None:
        """The amount in cents, for this package; None: the pay is said in words."""
        return None if isinstance(self.pay, str) else as_cents("End(pay=)", self.pay)


def end_with_code(reason: str, end: End) -> End:
    """An end of which the app says a code alone: who has done nothing for it is paid nothing."""
    return replace(end, pay="none") if reason in UNPAID else end


def _check_url(url: object) -> None:
    if not isinstance(url, str):
        raise TypeError(f"End(url=) must be text or None, not {url!r}")
    parts = _split(url)
    if parts is None or parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(
            f"End(url=) must be the address of a page, such as https://lab.example.org/thanks, "
            f"not {url!r}"
        )
    if "{" in parts.netloc:
        raise ValueError(
            f"End(url=) may name nothing in braces before the path, as visitors could choose the "
            f"host that they are sent to, not {url!r}"
        )
    if set(_PLACEHOLDER.sub("", url)) & {"{", "}"}:
        raise ValueError(
            f"End(url=) has a brace without its other one: {url!r}; a brace that is part of the "
            "address is written %7B or %7D"
        )


def _split(url: str) -> Any:
    try:
        return urlsplit(url)
    except ValueError:  # such as a host of IPv6 that has no end
        return None


def _check_pay(pay: object) -> None:
    if isinstance(pay, str):
        check_choice("End(pay=)", pay, PAY, also="an amount")
    else:
        as_cents("End(pay=)", pay)


def _check_text(text: object) -> None:
    if not isinstance(text, str):
        raise TypeError(f"End(text=) must be text or None, not {text!r}")
    if not text.strip():
        raise ValueError("End(text=) is empty; leave it out for the package's own words")


def as_cents(what: str, amount: object) -> int:
    """
    An amount in whole cents.

    Parameters
    ----------
    what
        The argument's name, for the error.
    amount
        In units of the currency: a whole number, a float or a Decimal.

    Raises
    ------
    TypeError, ValueError
        It is no number, less than 0, more than `MAX_AMOUNT`, or has more than two decimals.
    """
    if isinstance(amount, bool) or not isinstance(amount, Integral | float | Decimal):
        raise TypeError(f"{what} must be an amount, such as 1.50, not {amount!r}")
    # A float's own digits are meant: 0.1 is 10 cents, though no float is exactly that.
    exact = Decimal(repr(float(amount)) if isinstance(amount, float) else str(amount))
    if not exact.is_finite() or not 0 <= exact <= MAX_AMOUNT:
        raise ValueError(f"{what} must be an amount from 0 to {MAX_AMOUNT}, not {amount!r}")
    rounded = exact.quantize(Decimal("0.01"))
    if rounded != exact:
        raise ValueError(
            f"{what} must be whole cents, so with at most two decimals, not {amount!r}"
            f"{_how_to_round(amount)}"
        )
    return int(rounded * 100)


def _how_to_round(amount: object) -> str:
    return f"; write round({amount!r}, 2) if that is meant" if isinstance(amount, float) else ""


def check_reason(what: str, reason: object) -> None:
    """Check that an argument is one of `REASONS`."""
    if not isinstance(reason, str):
        raise TypeError(f"{what} must be a reason, such as {REASONS[0]!r}, not {reason!r}")
    if reason not in REASONS:
        raise ValueError(
            f"{what} {reason!r} is no reason to leave a study{did_you_mean(reason, REASONS)} "
            f"The reasons are: {', '.join(REASONS)}"
        )


def as_params(params: Sequence[str]) -> tuple[str, ...]:
    """
    Check the names of what a study's recruiter says in the address; return them.

    Parameters
    ----------
    params
        The names of parameters. The first one says who somebody is.
    """
    if isinstance(params, str):
        raise TypeError(f"params must be several names, such as ({params!r},), not one text")
    names = tuple(as_id("a name in params", name) for name in params)
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"params has {name!r} twice")
        if name in _TAKEN or set(name) & {"{", "}"}:
            raise ValueError(f"params must not have {name!r}, which means something else here")
    return names


_TAKEN = (*PARTS, "labchat", "_state_id_", "_inputs_", "_values_")
"""Names that an address has for other purposes."""


def check_end(reason: str, end: End, params: Sequence[str]) -> None:
    """
    Check that an end can be made use of in a study.

    Parameters
    ----------
    reason, end
        The reason, and the end that people come to for it.
    params
        The names of the study's params.

    Raises
    ------
    ValueError
        The reason is unknown, or the address names something that there is not.
    """
    check_reason("the end", reason)
    for name in _PLACEHOLDER.findall(end.url or ""):
        if name not in PARTS and name not in params:
            known = (*PARTS, *params)
            raise ValueError(
                f"the address of the end {reason!r} has {{{name}}}"
                f"{did_you_mean(name, known)} It may have: "
                f"{', '.join(f'{{{each}}}' for each in known)}, where the last are the study's "
                "params; add what is missing to Study(params=)"
            )
        if name == "code" and end.code is None:
            raise ValueError(f"the address of the end {reason!r} has {{code}}, but it has no code")


def fill(url: str, values: Mapping[str, str | None]) -> str:
    """
    An end's address with its values, each percent-encoded; it consists of ASCII characters.

    Parameters
    ----------
    url
        The address, as of an `End`.
    values
        By name in braces; what is missing or None is empty.
    """
    pieces = _PLACEHOLDER.split(url)
    for n, piece in enumerate(pieces):
        is_name = n % 2
        text = values.get(piece) or "" if is_name else piece
        pieces[n] = quote(text, safe="" if is_name else _RESERVED, errors="replace")
    return "".join(pieces)


_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_RESERVED = "%:/?#[]@!$&'()*+,;="
"""What has a meaning in an address (RFC 3986, section 2.2), and the sign of what is encoded."""


def data_of(end: End) -> dict[str, Any]:
    """An end as JSON values, with an amount in cents."""
    pay = end.pay if end.cents is None else end.cents
    said = {"code": end.code, "url": end.url, "pay": pay, "text": end.text}
    return said if end.debrief is None else {**said, "debrief": end.debrief}


def end_of(data: Mapping[str, Any]) -> End:
    """The end that `data_of` made these JSON values of."""
    pay: Any = data["pay"]
    amount = Decimal(pay) / 100 if isinstance(pay, int) else pay
    return End(data["code"], data["url"], amount, data["text"], data.get("debrief"))
