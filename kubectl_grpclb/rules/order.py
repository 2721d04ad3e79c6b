"""Whether load is ordered by the pods' age: the signature of clients that never look for new pods."""

from collections.abc import Mapping, Sequence

from msgspec import Struct

from kubectl_grpclb.balance import few_by_chance, is_uneven
from kubectl_grpclb.model.facts import Pod

__all__ = ["AgeOrder", "age_order"]

_APART = 5.0
"""Seconds between the creation of pods that were not created together."""
_SYSTEMATIC = 0.001
_LIKELY = 0.05
_HALF = 0.5
_NEXT_TO_NOTHING = 0.1
"""Share of their fair share, which is their part of the pods, up to which pods count as starved."""


class AgeOrder(Struct, frozen=True):
    """The youngest pods, and how unlikely it is that chance gave them so little."""

    young: tuple[Pod, ...]
    taken: int
    """Lasting connections on them."""
    total: int
    """Lasting connections on all pods that were read."""
    chance: float
    """Probability that chance would give some youngest group this little or less, over all the groups
    that could have been looked at (Bonferroni)."""

    @property
    def systematic(self) -> bool:
        """So rare by chance that something keeps the pods from getting their share."""
        return self.chance < _SYSTEMATIC

    def part(self, loads: Mapping[str, float]) -> float:
        """Give the young pods' load over their fair share of it; `loads` are by pod.

        Fewer connections than the others have are no fault as long as they carry enough.
        """
        fair = sum(loads.values()) * len(self.young) / len(loads)
        return sum(loads[pod.name] for pod in self.young) / fair if fair else 0.0

    def others(self, loads: Mapping[str, float]) -> list[float]:
        """Give the loads of the pods that were there before."""
        young = {pod.name for pod in self.young}
        return [load for name, load in loads.items() if name not in young]

    def lags(self, loads: Mapping[str, float]) -> bool:
        """Say whether the young pods carry so little that their age may be why load is uneven.

        Less than half of their part is. More of it, but not all, is where nothing else makes the loads uneven.
        """
        part = self.part(loads)
        return part < _HALF or (part < 1 and not is_uneven(self.others(loads)))

    def starves(self, loads: Mapping[str, float]) -> bool:
        """Say whether the young pods get next to nothing, and that is not chance."""
        return self.systematic and self.part(loads) <= _NEXT_TO_NOTHING


def age_order(servers: Sequence[tuple[Pod, int]]) -> AgeOrder | None:
    """Find the youngest group of pods that gets surprisingly little of the lasting connections.

    `servers` are ready pods, each with its number of lasting connections. Only groups count that were
    created some seconds after all others. None where no group is starved in a way that chance would
    bring about in fewer than 5% of cases.
    """
    aged = sorted(((pod, held) for pod, held in servers if pod.age is not None), key=lambda each: each[0].age or 0)
    splits = [
        number
        for number in range(1, len(aged))
        if (aged[number][0].age or 0.0) - (aged[number - 1][0].age or 0.0) >= _APART
    ]
    groups = [_group(aged, number, len(splits)) for number in splits]
    rarest = min(groups, key=lambda group: (group.chance, -len(group.young)), default=None)
    return rarest if rarest is not None and rarest.chance < _LIKELY else None


def _group(aged: Sequence[tuple[Pod, int]], number: int, splits: int) -> AgeOrder:
    taken, total = sum(held for _, held in aged[:number]), sum(held for _, held in aged)
    return AgeOrder(
        young=tuple(pod for pod, _ in aged[:number]),
        taken=taken,
        total=total,
        chance=min(1.0, splits * few_by_chance(taken, total, number / len(aged))) if total else 1.0,
    )
