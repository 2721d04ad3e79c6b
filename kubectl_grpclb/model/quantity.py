"""Kubernetes quantities: `100m`, `1Gi`, `2`, `1500M`, `1e3`."""

import re
from fractions import Fraction

__all__ = ["parse_quantity"]

_QUANTITY = re.compile(
    r"(?P<number>[+-]?(?:[0-9]{1,40}(?:\.[0-9]{0,40})?|\.[0-9]{1,40}))"
    r"(?:(?P<unit>[numkMGTPE]|[KMGTPE]i)?|[eE](?P<exponent>[+-]?[0-9]{1,2}))"
)

_UNITS: dict[str, Fraction] = {
    **{
        unit: Fraction(1000) ** power
        for power, unit in enumerate(("n", "u", "m", "", "k", "M", "G", "T", "P", "E"), -3)
    },
    **{f"{unit}i": Fraction(1024) ** power for power, unit in enumerate("KMGTPE", 1)},
}


def parse_quantity(text: str) -> Fraction | None:
    """Read a quantity in units (cores, bytes, objects), exactly; None where it is none.

    The grammar is that of apimachinery's pkg/api/resource/quantity.go; exponents are kept to two digits and
    numbers to forty, which are far more than a cluster has of anything.
    """
    found = _QUANTITY.fullmatch(text)
    if found is None:
        return None
    factor = _UNITS[found["unit"] or ""] if found["exponent"] is None else Fraction(10) ** int(found["exponent"])
    return Fraction(found["number"].rstrip(".")) * factor
