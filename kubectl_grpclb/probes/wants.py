"""What the sources that are asked need permissions for."""

from kubectl_grpclb.model.need import Feature
from kubectl_grpclb.model.prometheus import proxied_service
from kubectl_grpclb.model.roles import Wants
from kubectl_grpclb.probes.ask import Ask

__all__ = ["wants_of"]


def wants_of(ask: Ask) -> Wants:
    """Say for which sources a role is, and which of them the user named; it is for any Service of the namespace."""
    prometheus = proxied_service(ask.prometheus) if ask.prometheus is not None else None
    asked: dict[Feature, bool] = {
        "metrics": ask.asks("metrics"),
        "monitors": ask.asks("metrics") and ask.metrics_port is None,
        "channelz": ask.asks("channelz"),
        "exec": ask.asks("exec"),
        "prometheus": prometheus is not None,
        "debug": ask.debug,
        "node": ask.asks("node"),
    }
    return Wants(
        namespace=ask.namespace,
        features=frozenset(feature for feature, is_asked in asked.items() if is_asked),
        chosen=frozenset() if "auto" in ask.via else frozenset(feature for feature in asked if feature in ask.via),
        node_namespace=ask.node_namespace,
        prometheus=prometheus,
    )
