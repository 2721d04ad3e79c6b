"""Words for several names at once."""

from collections.abc import Sequence

__all__ = ["names"]


def names(every: Sequence[str], at_most: int = 4) -> str:
    """Join names as a person would, `a, b and c`, the rest as a number."""
    shown = list(every[:at_most])
    if len(every) > at_most:
        return f"{', '.join(shown)} and {len(every) - at_most} more"
    return " and ".join([", ".join(shown[:-1]), shown[-1]] if len(shown) > 1 else shown)
