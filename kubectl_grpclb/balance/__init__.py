"""How even a load is, and what chance has to do with it: pure arithmetic on counts and weights."""

from kubectl_grpclb.balance.chance import (
    chance_of_counts,
    chance_of_loads,
    few_by_chance,
    uneven_beyond_chance,
)
from kubectl_grpclb.balance.measures import ENOUGH, effective_pods, is_uneven, max_over_mean, most_effective

__all__ = [
    "ENOUGH",
    "chance_of_counts",
    "chance_of_loads",
    "effective_pods",
    "few_by_chance",
    "is_uneven",
    "max_over_mean",
    "most_effective",
    "uneven_beyond_chance",
]
