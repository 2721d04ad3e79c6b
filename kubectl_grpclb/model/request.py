"""What may be asked: each request is kept in the snapshot with its answer."""

from typing import Literal

from msgspec import Struct

__all__ = [
    "AskChannelz",
    "AskEnvoy",
    "AskPrometheus",
    "Exec",
    "Get",
    "List",
    "LookFromNode",
    "OpenUp",
    "Request",
    "Resource",
    "Scrape",
]

Resource = Literal[
    "namespaces",
    "services",
    "endpointslices",
    "pods",
    "nodes",
    "replicasets",
    "deployments",
    "statefulsets",
    "networkpolicies",
    "resourcequotas",
    "podmetrics",
    "horizontalpodautoscalers",
    "servicemonitors",
    "podmonitors",
]


class Get(Struct, frozen=True, omit_defaults=True, rename="camel", tag_field="verb", tag="get"):
    """Read one object by name; nodes have no namespace."""

    resource: Resource
    name: str
    namespace: str | None = None


class List(Struct, frozen=True, omit_defaults=True, rename="camel", tag_field="verb", tag="list"):
    """Read all objects that match; without a namespace, those of every namespace."""

    resource: Resource
    namespace: str | None = None
    label_selector: str = ""
    field_selector: str = ""


class Exec(Struct, frozen=True, omit_defaults=True, rename="camel", tag_field="verb", tag="exec"):
    """Run a read-only command in a container, without input and without a terminal."""

    namespace: str
    pod: str
    container: str
    command: tuple[str, ...]
    seconds: float
    """Time limit of the whole command, in seconds."""


class AskEnvoy(Struct, frozen=True, omit_defaults=True, rename="camel", tag_field="verb", tag="ask-envoy"):
    """GET a page of an Envoy's admin interface, which listens on the pod's loopback as a rule, over a port-forward.

    It is answered with an Output: what came in its `stdout`, and as its `exit_code` 0 for HTTP 200, else the status.
    """

    namespace: str
    pod: str
    path: str
    """Path and query: `/clusters?format=json`."""
    seconds: float
    """Time limit of the whole request, in seconds."""
    port: int = 19000
    """That of every Envoy of ours by default."""
    hosts: tuple[str, ...] = ()
    """Addresses: of an Envoy that is not ours only these hosts are kept of the list of all; empty keeps the page."""


class AskChannelz(Struct, frozen=True, omit_defaults=True, rename="camel", tag_field="verb", tag="ask-channelz"):
    """Ask a pod's grpc.channelz.v1 for its servers, or a client's for its channels, over one port-forward.

    It is answered with a Channelz.
    """

    namespace: str
    pod: str
    port: int
    window: float
    """Seconds between two looks within the one port-forward; 0 for a single look."""
    seconds: float
    """Time limit of the whole request, the window included, in seconds."""
    role: Literal["server", "client"] = "server"
    tls: bool = False


class Scrape(Struct, frozen=True, omit_defaults=True, rename="camel", tag_field="verb", tag="scrape"):
    """GET a pod's Prometheus metrics through the API server's pod proxy, and keep the wanted lines.

    It is answered with an Output: the kept lines in its `stdout`, and as its `exit_code` 0 for HTTP 200, else the
    status.
    """

    namespace: str
    pod: str
    port: int
    path: str
    names: tuple[str, ...]
    """Beginnings of the metric names whose samples are kept."""
    seconds: float
    """Time limit of the whole request, in seconds."""
    scheme: Literal["http", "https"] = "http"


class AskPrometheus(Struct, frozen=True, omit_defaults=True, rename="camel", tag_field="verb", tag="ask-prometheus"):
    """Evaluate one query on a Prometheus server (GET /api/v1/query).

    It is answered with an Output: the JSON in its `stdout`, and as its `exit_code` 0 for HTTP 200, else the status.
    """

    server: str
    """A URL without its user's name and password, or `svc/NAMESPACE/NAME:PORT` for the API server's service proxy."""
    query: str
    seconds: float
    """Time limit of the whole request, in seconds."""


class OpenUp(Struct, frozen=True, omit_defaults=True, rename="camel", tag_field="verb", tag="open-up"):
    """Give a pod an ephemeral container with a shell, because the user said `--debug`; it stays until the pod goes.

    It is answered with the pod as it is then, or with why it could not be.
    """

    namespace: str
    pod: str
    container: str
    image: str


class LookFromNode(Struct, frozen=True, omit_defaults=True, rename="camel", tag_field="verb", tag="look-from-node"):
    """Run a pod of ours on a node for one look at the sockets of many pods, because the user said `--via node`.

    It is answered with what the pod's command printed, or with why it could not be run. The pod is removed.
    """

    namespace: str
    node: str
    image: str
    command: tuple[str, ...]
    seconds: float
    """Time limit of the command, the window included, in seconds."""


Request = Get | List | Exec | AskEnvoy | AskChannelz | Scrape | AskPrometheus | OpenUp | LookFromNode
