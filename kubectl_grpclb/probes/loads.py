"""How many calls a server got, by each source that counts them."""

from collections.abc import Sequence

from msgspec import Struct

from kubectl_grpclb.model import facts
from kubectl_grpclb.model.gap import Gap, GapReason
from kubectl_grpclb.model.snapshot import Reading
from kubectl_grpclb.probes.ask import Ask
from kubectl_grpclb.probes.channelz import Served, channelz_of
from kubectl_grpclb.probes.endpoints import Backend
from kubectl_grpclb.probes.metrics import counted_by_metrics
from kubectl_grpclb.probes.prometheus import counted_by_prometheus

__all__ = ["Loads", "loads_of"]


class Loads(Struct, frozen=True):
    """What each source counted, the one to go by first, and which of them gave no number."""

    counted: tuple[facts.Counted, ...]
    silent: dict[facts.Source, Gap]


def loads_of(readings: Sequence[Reading], ask: Ask, server: Backend) -> Loads:
    """Ask channelz first, since its calls are told by connection as well, then metrics, which count the same."""
    told: dict[facts.Source, facts.Counted | Gap | None] = {
        "channelz": _by_channelz(readings, ask, server),
        "metrics": counted_by_metrics(readings, ask, server),
        "prometheus": counted_by_prometheus(readings, ask, server),
    }
    return Loads(
        counted=tuple(each for each in told.values() if isinstance(each, facts.Counted)),
        silent={source: each for source, each in told.items() if isinstance(each, Gap)},
    )


def _by_channelz(readings: Sequence[Reading], ask: Ask, server: Backend) -> facts.Counted | Gap | None:
    served = channelz_of(readings, ask, server)
    if served is None and ask.names("channelz"):
        return Gap(GapReason.UNREAD, "channelz was not asked: there is no pod that runs, or no port")
    return served.counted if isinstance(served, Served) else served
