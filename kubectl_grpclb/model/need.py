"""The shape of one line of model/needs.py: something that a verb has to be allowed to do."""

from typing import Literal, get_args

from msgspec import Struct

__all__ = ["CONNECTION", "VERBS", "Feature", "Need", "Object", "Place", "Verb"]

Verb = Literal["diagnose", "record", "verify", "fix", "rollback"]
"""A verb of this program that asks a cluster."""

VERBS: tuple[Verb, ...] = get_args(Verb)

Feature = Literal[
    "metrics",
    "monitors",
    "channelz",
    "exec",
    "prometheus",
    "debug",
    "node",
    "envoy",
    "headless",
    "service",
    "recycle",
    "autoscale",
    "network-policy",
]
"""What flags add to a need: sources, then cures, then what goes with a cure."""

Place = Literal["service", "clients", "node", "prometheus", "cluster"]
"""Whose namespace: the Service's, those of its clients, that of `--node-namespace`, Prometheus' own; or every one."""

Object = Literal["service", "headless", "envoy", "receipt", "prometheus"]
"""An object whose name follows from the Service's (model/bundle.py), or Prometheus' Service with its port."""


class Need(Struct, frozen=True, kw_only=True):
    """One thing that a verb has to be allowed to do."""

    resources: tuple[str, ...]
    """Of one API group, as model/rbac.py spells them: `pods/exec`, `podmetrics`."""
    verbs: tuple[str, ...]
    """Kubernetes' own. Server-side apply is `patch`, and `create` besides of what is not there."""
    why: str
    """What for, a sentence."""
    of: frozenset[Verb]
    when: frozenset[Feature] = frozenset()
    """Only with one of these; empty: always."""
    place: Place = "service"
    names: tuple[Object, ...] = ()
    """The only objects that it is for, where their names are known before; empty: any."""
    without: str = ""
    """What is lost without it, the verb going on; empty: the verb does not go on, or the source is not asked."""
    comfort: bool = False
    """Nothing but a suggestion in a message hangs on it, so that it is in no role."""


CONNECTION = ("get", "create")
"""An exec and a port-forward go over a WebSocket: `get` is checked for its handshake, `create` for the subresource
(kubernetes/kubernetes#134577)."""
