"""The ends of the connections that a cut-over brings about, as NetworkPolicies see them."""

from collections.abc import Iterable, Mapping, Sequence

from kubectl_grpclb.model import facts, kube
from kubectl_grpclb.model.facts import Facts
from kubectl_grpclb.model.surroundings import Surroundings
from kubectl_grpclb.remedies.preflight.intent import Intent
from kubectl_grpclb.remedies.preflight.policies import NAMESPACE_NAME, End

__all__ = ["client_pods", "dns_servers", "envoy", "own_labels", "server_ends", "strangers"]

_GENERATED = frozenset(
    {
        "pod-template-hash",
        "controller-revision-hash",
        "statefulset.kubernetes.io/pod-name",
        "apps.kubernetes.io/pod-index",
        "pod-template-generation",
    }
)
"""Labels that controllers put on single pods; no rule should name them."""


def envoy(known: Facts, around: Surroundings, intent: Intent) -> End:
    """Give the Envoy pods; what addresses they will have is not known."""
    return End(
        labels=intent.labels,
        namespace=known.target.namespace,
        namespace_labels=_home(around),
        ports=intent.port_names,
    )


def server_ends(known: Facts, around: Surroundings) -> list[tuple[str, End, int]]:
    """Give the servers' pods with the port that they serve gRPC on; the node's network is beyond all policies."""
    ports = {pod.name: pod.target_port for pod in known.pods}
    return [
        (pod.metadata.name, _end(pod, known.target.namespace, _home(around)), port)
        for pod in around.pods
        if not pod.spec.host_network and (port := ports.get(pod.metadata.name)) is not None
    ]


def client_pods(known: Facts, around: Surroundings) -> list[tuple[str, End]]:
    """Give the pods of clients by name; of other namespaces only the name is known."""
    home = known.target.namespace
    return [
        (pod.metadata.name, _end(pod, namespace, _home(around) if namespace == home else None))
        for pod in around.clients
        if not pod.spec.host_network and (namespace := pod.metadata.namespace or home)
    ]


def strangers(known: Facts) -> list[tuple[facts.Client, End]]:
    """Give the clients that are no pods: nodes, and addresses from elsewhere."""
    return [
        (client, End(labels=None, namespace="", namespace_labels=None, addresses=(client.ip,)))
        for client in known.clients
        if client.kind != "Pod"
    ]


def dns_servers() -> End:
    """Give the cluster's DNS as nearly every cluster has it; where it is elsewhere cannot be seen from here."""
    return End(labels={"k8s-app": "kube-dns"}, namespace="kube-system", namespace_labels=None)


def own_labels(ends: Iterable[End]) -> list[dict[str, str]]:
    """Give the labels that tell these pods from others, each set once."""
    kept = [
        {key: value for key, value in (end.labels or {}).items() if key not in _GENERATED}
        for end in ends
        if end.labels is not None
    ]
    return [labels for place, labels in enumerate(kept) if labels not in kept[:place]]


def _home(around: Surroundings) -> Mapping[str, str] | None:
    """Give the namespace's labels; one without the label of its own name was not read."""
    return around.namespace_labels if NAMESPACE_NAME in around.namespace_labels else None


def _end(pod: kube.Pod, namespace: str, namespace_labels: Mapping[str, str] | None) -> End:
    addresses = {address.ip for address in pod.status.pod_ips or ()} | {pod.status.pod_ip or ""}
    return End(
        labels=pod.metadata.labels or {},
        namespace=namespace,
        namespace_labels=namespace_labels,
        addresses=tuple(sorted(addresses - {""})),
        ports=_named_ports([*(pod.spec.containers or ()), *(pod.spec.init_containers or ())]),
    )


def _named_ports(containers: Sequence[kube.Container]) -> dict[str, int]:
    return {port.name: port.container_port for each in containers for port in each.ports or () if port.name}
