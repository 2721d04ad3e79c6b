"""What the readings mean: typed, measured values with a Gap where nothing could be measured.

Rules see these and nothing else. Times are seconds, rates a second, addresses text in canonical form
(IPv4-mapped IPv6 is given as IPv4).
"""

from typing import Literal

from msgspec import Struct

from kubectl_grpclb.model.command import Aim
from kubectl_grpclb.model.facts_of_proxies import Proxy, ProxyHost, TierPod
from kubectl_grpclb.model.facts_of_sources import Autoscaler, ClientChannels, Counted, Source, SourceUse, Usage
from kubectl_grpclb.model.gap import Gap

__all__ = [
    "Autoscaler",
    "Bundled",
    "Client",
    "ClientChannels",
    "Connection",
    "Counted",
    "Ended",
    "Facts",
    "Lookalike",
    "Pod",
    "PodSockets",
    "Proxy",
    "ProxyHost",
    "Refusal",
    "Service",
    "ServicePort",
    "Source",
    "SourceUse",
    "Target",
    "Tier",
    "TierPod",
    "Usage",
]


Bundled = Literal["none", "in use", "bypassed"]
"""Whether a fix of ours stands beside the Service, and whether the Service leads through it."""


class Target(Struct, frozen=True, rename="camel"):
    """The Service that is diagnosed and the port that carries gRPC; ports are None where none applies."""

    context: str
    namespace: str
    service: str
    port: int | None
    target_port: int | str | None
    """The container port: a number where all pods agree, else the port's name."""


class ServicePort(Struct, frozen=True):
    """The Service's port that is diagnosed; `target` is as the Service gives it, a number or a name."""

    name: str
    number: int
    target: int | str
    app_protocol: str | None


class Service(Struct, frozen=True):
    """How the Service places connections."""

    type: str
    headless: bool
    selector: dict[str, str]
    """Empty where the Service has none, so that somebody else writes its EndpointSlices."""
    port: ServicePort | None
    external_name: str | None
    session_affinity: bool
    internal_traffic_policy: str
    external_traffic_policy: str | None
    traffic_distribution: str | None


class Connection(Struct, frozen=True):
    """One established connection of a client to the target port."""

    peer: str
    """The client's address as the pod sees it; source NAT shows a node's or a gateway's."""
    peer_port: int
    lasting: bool
    """Seen in both looks; with a single look (window 0) every connection counts as lasting."""
    received: int | None
    """Bytes received from the client over the window, or over the connection's life where there was a
    single look; None where the tool does not tell."""
    segments: int | None
    """TCP segments with data, likewise."""
    streams: int | None = None
    """Calls begun over it within the window, or in the connection's life where there was a single look; None where
    nothing counts them."""
    open_streams: int | None = None
    """Calls that had begun and not ended at the last look."""
    held_streams: int | None = None
    """The fewest calls that were open at either look; with a single look those of that one."""
    messages: int | None = None
    """Messages received from the client, likewise; of unary calls one a call."""


class PodSockets(Struct, frozen=True):
    """What one pod's sockets show."""

    connections: tuple[Connection, ...]
    """Established in the last look, without the pod's own, a sidecar's and the kubelet's."""
    passed: int
    """Connections of clients that were there in one look only."""
    opened: int | None
    """Connections that the pod accepted during the window, on any of its ports and from anybody but the
    kubelet's probes as far as their periods explain them; None where nothing counts them."""
    waited: float
    """Seconds between the two looks; 0 where there was a single one, so that no connection is known to last."""
    listening: bool | None
    """Whether anything that can be reached from outside listens on the target port; None where the pod's own
    address is a loopback one, so that this cannot be told."""
    listens_on: tuple[int, ...]
    """Every TCP port that something in the pod listens on, other than on loopback."""
    tool: str
    """What told: `ss`, `proc` (/proc/net/tcp), `netstat` or `channelz`."""
    by: Source = "exec"
    """How it was reached."""
    inside: int = 0
    """Lasting connections to the target port from the pod itself, over loopback or its own address, apart from those
    that we or a probe's command may have made."""


class Pod(Struct, frozen=True):
    """A server: one endpoint of the Service."""

    name: str
    """The pod's name, or the address of an endpoint without a pod."""
    ip: str
    target_port: int | None
    ready: bool
    serving: bool
    """Answers although it may be terminating; kube-proxy falls back to such pods where none is ready (KEP-1669)."""
    terminating: bool
    age: float | None
    """Seconds since the pod was created."""
    node: str | None
    zone: str | None
    owner: str | None
    """`Deployment/greeter`, the outermost known owner."""
    waiting: str | None
    """Why the pod is not ready, in the kubelet's words (`ImagePullBackOff`), where it says."""
    sockets: PodSockets | Gap
    requests: int | None = None
    """Requests that all the Envoys before the servers sent it within the window; None where there are no Envoys,
    where one that is ready did not tell, and with a single look."""
    request_rate: float | None = None
    """The same a second, each Envoy's by the time between its own two answers."""
    declares: tuple[str, ...] = ()
    """The names and numbers of the TCP ports that its containers declare (`grpc 50051`)."""
    others: tuple[PodSockets, ...] = ()
    """What other sources show of its connections, where several were asked and answered."""
    counted: tuple[Counted, ...] = ()
    """What each source that answered counted of its calls, the Envoys of a fix apart."""
    silent: dict[Source, Gap] = {}
    """Sources that were asked about its calls and gave no number."""
    usage: Usage | None = None


class Client(Struct, frozen=True):
    """Everything that connects from one pod, or from one address that is no known pod's."""

    ip: str
    """The address; of a pod with several that connections come from, the first in its own order."""
    kind: Literal["Pod", "Node", "Address"]
    """Node: source NAT or a pod of the node's own network; Address: nothing known has this address."""
    namespace: str | None
    name: str
    owner: str | None
    age: float | None
    connections: int
    """Established in the last look, to all pods that could be read."""
    lasting: int
    """Those of them that were there in both looks."""
    pods: tuple[str, ...]
    """Names of the pods those connections lead to."""
    requests: int | None = None
    """Calls begun over those connections, as `Connection.streams`; None where any of them is not counted."""
    request_rate: float | None = None
    """The same a second; None with a single look."""
    open_streams: int | None = None
    also: tuple[str, ...] = ()
    """Its other addresses that connections come from, as where a pod has IPv4 and IPv6."""

    @property
    def addresses(self) -> tuple[str, ...]:
        """Every address that its connections come from."""
        return (self.ip, *self.also)


class Tier(Struct, frozen=True):
    """The proxies of a fix: the Service leads to them, and they spread requests over the servers."""

    name: str
    """`Deployment/greeter-grpclb-envoy`."""
    kind: Literal["Envoy"]
    pods: tuple[TierPod, ...]
    """The ready ones first, then by name."""
    headless: str
    """The name of the Service that gives the proxies their servers."""
    servers: Service | Gap | None
    """That Service, its port the one that is diagnosed; None where it does not exist, a Gap where it could not
    be read."""


class Lookalike(Struct, frozen=True):
    """A pod that the Service's selector does not match but nearly does."""

    name: str
    owner: str | None
    differing: dict[str, str | None]
    """The selector's keys that the pod has otherwise, with the pod's value; None where it lacks the key."""


class Ended(Struct, frozen=True):
    """A pod that the Service's selector matches and that runs no more, so that it is no endpoint."""

    name: str
    how: str
    """Its phase and, where one is given, the reason: `Failed: Evicted`."""


class Refusal(Struct, frozen=True):
    """A request for the Service's surroundings that was refused: `list nodes`, and what is missing for it."""

    request: str
    consequence: str
    rule: str
    """The RBAC rule that would allow it, in one line."""


class Facts(Struct, frozen=True):
    """Everything known about one Service at one time."""

    target: Target
    aim: Aim
    """What commands to copy are about."""
    taken_at: str
    window: float
    """Seconds between the two looks; 0 for a single look."""
    service: Service
    pods: tuple[Pod, ...]
    """The servers: the Service's endpoints, or those behind the tier; the ready ones first, then by name."""
    clients: tuple[Client, ...]
    """Most connections first; a tier's proxies are none."""
    lookalikes: tuple[Lookalike, ...]
    """Filled only where the selector matches no pod."""
    named_ports: tuple[str, ...]
    """The names and numbers of the ports that matching pods declare (`grpc 50051`)."""
    replicas: int | None
    """What the owners of the pods want in all; None where that was not read."""
    refusals: tuple[Refusal, ...]
    cluster_domain: str
    """The cluster's DNS domain, `cluster.local` where nothing says otherwise."""
    tiers: tuple[Tier, ...] = ()
    """What stands between the Service and the servers, where a fix of ours is in use; `pods` are those behind."""
    bundle: Bundled = "none"
    ended: tuple[Ended, ...] = ()
    """Filled only where there are no servers."""
    channels: tuple[ClientChannels, ...] = ()
    proxies: tuple[Proxy, ...] = ()
    """Other Envoys among the clients, as far as they told of this Service."""
    autoscaler: Autoscaler | None = None
    sources: tuple[SourceUse, ...] = ()
    via: tuple[str, ...] = ("auto",)
    """The sources that the user chose."""
    server_version: str | None = None
    """What the API server called itself, `v1.37.2`; None where it did not tell."""
