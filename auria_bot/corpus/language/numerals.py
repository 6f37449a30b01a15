"""Count the syllables of numbers written in digits, as English says them: ordinals, years, amounts and shares too."""

from __future__ import annotations

import re

__all__ = ["NUMERAL", "numeral_counts", "spoken_counts"]

_ONES = (2, 1, 1, 1, 1, 1, 1, 2, 1, 1, 1, 3, 1, 2, 2, 2, 2, 3, 2, 2)  # zero to nineteen
_TENS = (0, 0, 2, 2, 2, 2, 2, 3, 2, 2)  # twenty to ninety
_HUNDRED, _THOUSAND, _MILLION = 2, 2, 2
_LONGEST = 9  # digits of a number that is said as one
_CURRENCIES = {"$": 2, "\N{POUND SIGN}": 1, "\N{EURO SIGN}": 2, "\N{YEN SIGN}": 1}  # dollars, pounds, euros, yen
_POINT, _PERCENT, _CENTS, _CLOCK = 1, 2, 1, 2  # "point", "percent", "cents", "a m"

NUMERAL = re.compile(
    r"(?P<currency>[$\N{POUND SIGN}\N{EURO SIGN}\N{YEN SIGN}])?(?P<whole>\d{1,3}(?:,\d{3})+"
    r"|\d+)(?:\.(?P<fraction>\d+))?"
    r"(?:(?P<ordinal>st|nd|rd|th)|'?(?P<decade>s)|\s?(?P<percent>%)|\s?(?P<clock>[ap]\.?m\b\.?))?(?![^\W\d_])",
    re.IGNORECASE,
)
"""A number as it is written in a text, with what belongs to it."""


def numeral_counts(found: re.Match[str]) -> frozenset[int]:
    """The syllables that a match of NUMERAL may have.

    Amounts are read with and without the name of the currency or its cents: "five dollars fifty", "five fifty".
    """
    digits, fraction = found["whole"].replace(",", ""), found["fraction"]
    readings = spoken_counts(digits) if "," not in found["whole"] else (spoken_counts(digits)[-1],)
    if found["ordinal"]:
        number = int(digits[-2:])
        longer = (number == 2 or (number % 10 == 2 and number != 12)) or (number >= 20 and number % 10 == 0)
        return frozenset({readings[-1] + longer})  # "second", "twentieth"
    if found["currency"]:
        named = {count + _CURRENCIES[found["currency"]] for count in readings}
        if not fraction:
            return frozenset(named)
        cents = spoken_counts(fraction)[-1]
        return frozenset({count + cents for count in (*readings, *named)} | {count + cents + _CENTS for count in named})
    if fraction:
        after = _POINT + sum(_ONES[int(digit)] for digit in fraction)
        readings = tuple(count + after for count in readings)
    more = _PERCENT if found["percent"] else _CLOCK if found["clock"] else 0
    return frozenset(count + more for count in readings)


def spoken_counts(digits: str) -> tuple[int, ...]:
    """The syllables of a number, the commonest reading first: 1984 as a year, then as a number.

    Args:
        digits: only digits; with a leading zero, or very long, they are read one by one.
    """
    if not digits.isascii() or len(digits) > _LONGEST or (digits[0] == "0" and len(digits) > 1):
        return (max(1, sum(_ONES[int(digit)] for digit in digits if digit.isascii() and digit.isdigit())),)
    number = int(digits)
    whole = _whole(number)
    year = _year(number)
    return (whole,) if year in {None, whole} else (int(year or 0), whole)


def _whole(number: int) -> int:
    if number < 20:
        return _ONES[number]
    if number < 100:
        return _TENS[number // 10] + (_ONES[number % 10] if number % 10 else 0)
    for size, name in ((1_000_000, _MILLION), (1000, _THOUSAND), (100, _HUNDRED)):
        if number >= size:
            head, rest = divmod(number, size)
            return _whole(head) + name + (_whole(rest) if rest else 0)
    return 1


def _year(number: int) -> int | None:
    """1984 is nineteen eighty-four, 1905 nineteen oh five, 1900 nineteen hundred; None if it is not read as a year."""
    head, rest = divmod(number, 100)
    if not 11 <= head <= 20 or (head == 20 and rest < 10):
        return None
    if not rest:
        return _whole(head) + _HUNDRED
    return _whole(head) + (1 if rest < 10 else 0) + _whole(rest)
