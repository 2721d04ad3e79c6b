"""Quantities the way people say them."""

from collections.abc import Collection

__all__ = ["age", "chance", "count", "in_short", "number", "percent", "plural", "seconds", "size", "spread"]

_MINUTE, _HOUR, _DAY, _YEAR = 60, 3600, 86400, 365 * 86400

_AGES: tuple[tuple[int, int, str, int, str], ...] = (
    (2 * _MINUTE, 1, "s", 0, ""),
    (10 * _MINUTE, _MINUTE, "m", 1, "s"),
    (3 * _HOUR, _MINUTE, "m", 0, ""),
    (8 * _HOUR, _HOUR, "h", _MINUTE, "m"),
    (2 * _DAY, _HOUR, "h", 0, ""),
    (8 * _DAY, _DAY, "d", _HOUR, "h"),
    (2 * _YEAR, _DAY, "d", 0, ""),
    (8 * _YEAR, _YEAR, "y", _DAY, "d"),
)
"""Below how many seconds which unit is shown, and which smaller one beside it: kubectl's steps
(k8s.io/apimachinery/pkg/util/duration, HumanDuration)."""


def age(value: int | None) -> str:
    """Give seconds as kubectl does: 119s, 5m20s, 3h5m, 2d, 3y; `-` where it is not known."""
    if value is None:
        return "-"
    if value < 0:
        return "0s"
    for below, unit, name, smaller, smaller_name in _AGES:
        if value < below:
            rest = value % unit // smaller if smaller else 0
            return f"{value // unit}{name}" + (f"{rest}{smaller_name}" if rest else "")
    return f"{number(value // _YEAR)}y"


def seconds(value: float) -> str:
    """Give a short time: `5 s`, `0.5 s`."""
    return f"{value:.3g} s" if value < 1000 else f"{value:.0f} s"


def size(bytes_: int) -> str:
    """Give an amount of data: `812 bytes`, `12 kB`, `3.4 MB`."""
    if bytes_ < 1000:
        return count(bytes_, "byte")
    return f"{_short(bytes_ / 1e3)} kB" if bytes_ < 1_000_000 else f"{_short(bytes_ / 1e6)} MB"


def number(value: float) -> str:
    """Give a quantity in a few characters: 7, 0.04, 812, 12.4k, 3.1M; counts below 100,000 are exact."""
    if isinstance(value, int) and value < 100_000:
        return str(value)
    if value >= 1e15:
        return f"{value:.0e}".replace("+", "")
    if 0 < value < 0.01:
        return "<0.01"
    for factor, name in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e4, "k")):
        if value >= factor:
            return _short(value / (1e3 if name == "k" else factor)) + name
    return _short(value)


def _short(value: float) -> str:
    if value >= 99.95:
        return f"{value:.0f}"
    text = f"{value:.1f}" if value >= 0.95 else f"{value:.2g}"
    return text.removesuffix(".0")


def percent(share: float) -> str:
    """Give a share of 0 to 1: 100%, 33%, 1.2%, `<0.1%`, 0%."""
    hundredths = 100 * share
    if hundredths <= 0:
        return "0%"
    if hundredths < 0.1:
        return "<0.1%"
    return f"{hundredths:.0f}%" if hundredths >= 9.95 else f"{hundredths:.1f}".removesuffix(".0") + "%"


def chance(value: float) -> str:
    """Give a probability as how often it comes true, to follow a verb."""
    if value < 0.0001:
        return "less than 1 time in 10,000"
    if value < 0.01:
        digits = 1 - len(str(round(1 / value)))
        return f"about 1 time in {round(1 / value, digits + 1):,.0f}"
    return "nearly always" if value > 0.995 else f"{percent(value)} of the time"


def count(amount: int, noun: str) -> str:
    """Give `1 pod`, `12 pods`."""
    return f"{amount:,} {plural(amount, noun)}"


def plural(amount: int, noun: str) -> str:
    """Give the noun in the number that fits the amount."""
    return noun if amount == 1 else noun + "s"


def spread(amounts: Collection[int], noun: str) -> str:
    """Give the range of several amounts: `3 to 12 connections`, `1 connection`."""
    least, most = min(amounts), max(amounts)
    return count(most, noun) if least == most else f"{least:,} to {most:,} {noun}s"


def in_short(gap: str | None) -> str:
    """Give why a pod was not read, without the details: `no-shell: …` becomes `no shell`."""
    return (gap or "not read").partition(": ")[0].replace("-", " ")
