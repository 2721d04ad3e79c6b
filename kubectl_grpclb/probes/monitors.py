"""What tells the Prometheus Operator where pods' metrics are; `probes._targets` reads the answers."""

from kubectl_grpclb.model.snapshot import List
from kubectl_grpclb.probes.ask import Ask

__all__ = ["request_monitors"]


def request_monitors(ask: Ask) -> list[List]:
    """Ask for what tells the Prometheus Operator where metrics are; nothing where the user told it."""
    if ask.metrics_port is not None or not ask.asks("metrics"):
        return []
    return [List(resource=each, namespace=ask.namespace) for each in ("podmonitors", "servicemonitors")]
