"""What a diagnosis has to be allowed to read, and what each of its sources asks for."""

from kubectl_grpclb.model.need import CONNECTION, VERBS, Need, Verb

__all__ = ["LOOKING", "READS", "SOURCES"]

LOOKING = frozenset[Verb]({"diagnose", "record", "verify"})
"""The verbs that look and change nothing, unless a source does."""

_READING = LOOKING | frozenset[Verb]({"fix"})

READS = (
    Need(
        resources=("services",),
        verbs=("get",),
        why="The Service, and the headless one that a fix may have put beside it.",
        of=frozenset(VERBS),
        names=("service", "headless"),
    ),
    Need(
        resources=("endpointslices",),
        verbs=("list",),
        why="Which pods the Service leads to, and which of them are ready.",
        of=_READING,
    ),
    Need(
        resources=("pods",),
        verbs=("list",),
        why="The pods behind the Service, and clients in the same namespace.",
        of=_READING,
    ),
    Need(
        resources=("replicasets", "deployments", "statefulsets"),
        verbs=("get",),
        why="The workloads that own the pods.",
        of=_READING,
        without="the desired number of pods is unknown",
    ),
    Need(
        resources=("nodes",),
        verbs=("list",),
        why="The nodes' zones and addresses.",
        of=_READING,
        place="cluster",
        without="zones are taken from EndpointSlices, and source NAT is recognized only for nodes that run these pods",
    ),
    Need(
        resources=("pods",),
        verbs=("list",),
        why="Pods in every namespace, to tell which pod has an address.",
        of=_READING,
        place="cluster",
        without="clients in other namespaces have no name",
    ),
    Need(
        resources=("services",),
        verbs=("list",),
        why="To suggest a name if the Service does not exist.",
        of=LOOKING,
        without="no name is suggested",
        comfort=True,
    ),
    Need(
        resources=("namespaces",),
        verbs=("list",),
        why="To suggest a namespace if the Service does not exist.",
        of=_READING,
        place="cluster",
        without="no name is suggested",
        comfort=True,
    ),
)

SOURCES = (
    Need(
        resources=("pods/exec",),
        verbs=CONNECTION,
        why="A shell in each pod, to read its sockets.",
        of=_READING,
        when=frozenset({"exec", "debug"}),
        without="the connections of pods that do not serve channelz are unknown",
    ),
    Need(
        resources=("pods/portforward",),
        verbs=CONNECTION,
        why="The pods' channelz.",
        of=_READING,
        when=frozenset({"channelz"}),
        without="how many calls each pod gets is not known from channelz",
    ),
    Need(
        resources=("pods/portforward",),
        verbs=CONNECTION,
        why="Envoy, once fix has put it in front of the pods.",
        of=LOOKING - {"verify"},
        without="how many clients are connected to Envoy, and how many requests it sends to each pod, is unknown",
    ),
    Need(
        resources=("pods/portforward",),
        verbs=CONNECTION,
        why="Envoy: how many clients it has, and where it sends their calls.",
        of=frozenset({"verify"}),
    ),
    Need(
        resources=("pods/portforward",),
        verbs=CONNECTION,
        why="The clients' channelz, and Envoys among the clients.",
        of=LOOKING,
        when=frozenset({"channelz"}),
        place="clients",
        without="what they say about their connections is unknown",
    ),
    Need(
        resources=("pods/proxy",),
        verbs=("get",),
        why="The Prometheus metrics of each pod.",
        of=_READING,
        when=frozenset({"metrics"}),
        without="how many calls each pod gets is not known from metrics",
    ),
    Need(
        resources=("podmetrics",),
        verbs=("list",),
        why="The metrics API, if the cluster has it.",
        of=_READING,
        when=frozenset({"metrics"}),
        without="CPU and memory of the pods are unknown",
    ),
    Need(
        resources=("horizontalpodautoscalers",),
        verbs=("list",),
        why="The autoscalers of the namespace.",
        of=_READING,
        when=frozenset({"metrics"}),
        without="whether one scales by an average that hides uneven load is unknown",
    ),
    Need(
        resources=("podmonitors", "servicemonitors"),
        verbs=("list",),
        why="What tells the Prometheus Operator where metrics are, if the cluster has it.",
        of=_READING,
        when=frozenset({"monitors"}),
        without="metrics that only the Operator knows of are not found",
    ),
    Need(
        resources=("services/proxy",),
        verbs=("get",),
        why="Prometheus, through the API server.",
        of=_READING,
        when=frozenset({"prometheus"}),
        place="prometheus",
        names=("prometheus",),
    ),
    Need(
        resources=("pods",),
        verbs=("get",),
        why="--debug: to see whether the added container is running.",
        of=LOOKING,
        when=frozenset({"debug"}),
    ),
    Need(
        resources=("pods/ephemeralcontainers",),
        verbs=("patch",),
        why="--debug: to add a container with a shell to a pod that has none.",
        of=LOOKING,
        when=frozenset({"debug"}),
    ),
    Need(
        resources=("pods",),
        verbs=("create", "list", "delete"),
        why="--via node: the pod that looks from each node.",
        of=LOOKING,
        when=frozenset({"node"}),
        place="node",
    ),
    Need(
        resources=("pods/exec",),
        verbs=CONNECTION,
        why="--via node: to look from that pod.",
        of=LOOKING,
        when=frozenset({"node"}),
        place="node",
    ),
)
