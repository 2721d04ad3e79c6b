"""Which clients can be restarted so that their connections close, one pod after the other."""

from collections.abc import Iterable

from kubectl_grpclb.model.facts import Client
from kubectl_grpclb.model.plan import Restart

__all__ = ["restarts"]

_RESOURCES = {"Deployment": "deployments", "StatefulSet": "statefulsets", "DaemonSet": "daemonsets"}


def restarts(clients: Iterable[Client], without: str = "") -> tuple[Restart, ...]:
    """Give the workloads behind the clients that hold lasting connections, each once, in order of their names.

    `without` is a workload that is no client, though it connects: the Envoys of an earlier fix.
    """
    owners = {
        (client.namespace, *client.owner.split("/", 1))
        for client in clients
        if client.lasting and client.owner and client.namespace and client.owner != without
    }
    return tuple(
        Restart(
            resource=_RESOURCES[kind],
            kind=kind,
            namespace=namespace,
            name=name,
            why="its connections are from before and stay where they are until they close",
        )
        for namespace, kind, name in sorted(owners)
        if kind in _RESOURCES
    )
