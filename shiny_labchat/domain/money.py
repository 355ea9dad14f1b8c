"""Amounts of money in words. Pure."""

from __future__ import annotations

__all__ = ["money"]

_SIGNS = {"EUR": "€", "GBP": "£", "USD": "$"}


def money(cents: int, currency: str, language: str = "en") -> str:
    """
    An amount as people read it: "$1,234.50", "1.234,50 €".

    Parameters
    ----------
    cents
        The amount in hundredths of the currency's unit.
    currency
        The currency's code, such as "EUR".
    language
        A language of the catalogue of words.
    """
    sign = _SIGNS.get(currency, currency)
    number = f"{cents // 100:,}.{cents % 100:02}"
    if language == "de":
        return f"{number.translate(_GERMAN)} {sign}"
    return f"{number} {sign}" if sign == currency else f"{sign}{number}"


_GERMAN = str.maketrans(".,", ",.")
