"""A cluster in memory that can be changed: its controllers, its Envoys and its clients, and how they can fail."""

import copy
import json
from collections.abc import Callable

import msgspec

from kubectl_grpclb.model.bundle import bundle_of
from kubectl_grpclb.model.errors import ClusterError
from kubectl_grpclb.model.gap import Gap, GapReason
from kubectl_grpclb.model.plan import Manifest
from kubectl_grpclb.model.snapshot import Answer, AskEnvoy, Exec, Get, List, Reading, Refused, Request
from kubectl_grpclb.model.speech import Heard
from kubectl_grpclb.model.write import Apply, Denied, Done, Insert, Outcome, PatchObject, Write
from tests import fake_parts as parts
from tests import shop
from tests.fake_cluster import RESOURCES, FakeCluster, printed
from tests.fake_controllers import Controllers
from tests.fake_kubelet import Kubelet

__all__ = ["FakeWorkshop", "KilledError"]

SERVICE = ("services", "shop", "greeter")
BUNDLE = bundle_of("greeter")
RESTARTED = "kubectl.kubernetes.io/restartedAt"


class KilledError(BaseException):
    """What SIGKILL does to a process: nothing that it still wants to do happens."""


class FakeWorkshop(Controllers, Kubelet, FakeCluster):
    """The shop with the Service `greeter`, its three servers, and two callers whose connections stick to one."""

    def __init__(self) -> None:
        FakeCluster.__init__(self, {})
        Controllers.__init__(self)
        Kubelet.__init__(self)
        self.writes: list[Write] = []
        """Every write that was asked for, dry runs and refused ones too."""
        self.drained: list[str] = []
        self.killed_after: int | None = None
        """Kill the process when it has made so many changes."""
        self.silent_after: int | None = None
        """Give no answer any more when so many changes are made; the last one is carried out."""
        self.before: dict[int, Callable[[], None]] = {}
        """What somebody else does just before the change of that number."""
        self.denies: dict[str, Denied] = {}
        """Kinds that may not be applied."""
        self.unchangeable: dict[str, Denied] = {}
        """Names of objects that may not be patched."""
        self.forbidden: set[tuple[str, str]] = set()
        """Verbs and resources that the user may not."""
        self.loses: set[str] = set()
        """Listeners of Envoy (`grpc`, `proof`) through which no call comes back."""
        self.pinned = False
        """Whether all connections come from one client, as where affinity keeps them together."""
        self.reconnect = False
        """Whether clients go where the Service leads as soon as it leads elsewhere."""
        self.stay_connected = False
        """Whether clients ignore that Envoy drains."""
        self.asleep = 0
        """How many diagnoses see clients that were restarted not connected yet."""
        self.failing: dict[str, int] = {}
        """Resources, and how many reads of whole objects the API server fails before it answers again."""
        self.speechless = 0
        """How often Envoy's page of connections cannot be had before it can."""
        self.hostless = 0
        """How often Envoy's page of the servers that it knows cannot be had before it can."""
        self.passed_through = 0
        """Clients' connections to a port of the Service that is passed through as TCP."""
        self.unknown_to_envoy: frozenset[str] = frozenset()
        """Addresses that DNS does not give to Envoy."""
        self._through_envoy = self._nowhere = False
        self._silent = self._dead = False
        self._asked = 0
        self._open_shop()

    @property
    def changes(self) -> list[Write]:
        """The writes that were no dry runs."""
        return [write for write in self.writes if not (isinstance(write, Apply | PatchObject) and write.dry_run)]

    @property
    def service(self) -> Manifest:
        """The Service as it is."""
        return copy.deepcopy(self.api.held[SERVICE])

    @property
    def ours(self) -> list[tuple[str, str]]:
        """Every object of a fix that is there, by resource and name."""
        return sorted(
            (key[0], key[2]) for key, item in self.api.held.items() if parts.labels_of(item).get("grpclb/service")
        )

    @property
    def bundle(self) -> dict[tuple[str, str], Manifest]:
        """What was made for the fix, without what each run numbers or dates anew, and without its receipt."""
        return {
            (key[0], key[2]): {field: item.get(field) for field in ("spec", "data")}
            for key, item in self.api.held.items()
            if parts.labels_of(item).get("grpclb/service") and key[2] != BUNDLE.receipt and key[0] != "pods"
        }

    def revive(self) -> None:
        """Begin a new process, with which nothing is wrong."""
        self._dead = self._silent = False
        self.killed_after = self.silent_after = None
        self.before.clear()
        self.writes.clear()
        self.requests.clear()

    async def write(self, write: Write) -> Outcome:
        self._live()
        number = len(self.changes) + 1
        dry = isinstance(write, Apply | PatchObject) and write.dry_run
        if not dry and number in self.before:
            self.before.pop(number)()
        self.writes.append(write)
        outcome = self._denied(write) or self.started(write) or self.api.carry_out(write)
        if not dry:
            self._react(write)
            self._end(number)
        return outcome

    async def fetch(self, resource: str, namespace: str, name: str) -> Outcome:
        self._live()
        if resource == "deployments" and self.busy:
            self.reconcile()
        return self._failed(resource) or self.api.get(resource, namespace, name)

    async def fetch_all(self, resource: str, namespace: str, labels: str) -> Outcome:
        self._live()
        if failure := self._failed(resource):
            return failure
        wanted = dict(pair.split("=", 1) for pair in labels.split(",") if pair)
        items = [
            copy.deepcopy(item)
            for item in self.api.of(resource)
            if item["metadata"].get("namespace") == namespace and wanted.items() <= parts.labels_of(item).items()
        ]
        return Done({"kind": "List", "items": items})

    async def may(self, verb: str, resource: str, namespace: str, name: str = "") -> bool | None:
        self._live()
        return (verb, resource) not in self.forbidden

    async def serves(self, group_version: str, resource: str) -> bool:
        self._live()
        return False

    async def greet(self, namespace: str, pod: str, port: int, seconds: float) -> Heard | Gap:
        self._live()
        listener = self._listeners().get(port) if pod in self._envoys() else "server"
        if listener is None:
            return Heard(protocol="other", status="UNAVAILABLE", detail=f"nothing listens on {port}")
        through = listener == "grpc" or (listener == "proof" and self.leads_to_envoy)
        if through and listener in self.loses:
            return Heard(protocol="other", status="UNAVAILABLE", detail="no healthy upstream")
        return Heard(protocol="grpc", answered=True, through_envoy=through, healthy=True, status="OK")

    async def drain(self, namespace: str, pod: str) -> Gap | None:
        self._live()
        self.drained.append(pod)
        if not self.stay_connected:
            self.follow()
        return None

    async def read(self, request: Request) -> Reading:
        self._live()
        return await super().read(request)

    @property
    def leads_to_envoy(self) -> bool:
        """Whether the Service selects Envoy's pods, and only them."""
        selected = self.selected(self.service["spec"]["selector"]) if SERVICE in self.api.held else []
        return bool(selected) and all(name in self._envoys() for name in selected)

    def change_service(self, edit: Callable[[Manifest], None]) -> None:
        """Edit the Service as somebody else does."""
        self.api.change(SERVICE, edit)
        self.reconcile()

    def _failed(self, resource: str) -> Denied | None:
        if self.failing.get(resource, 0) <= 0:
            return None
        self.failing[resource] -= 1
        return Denied(500, GapReason.DIED, "etcdserver: leader changed")

    def _denied(self, write: Write) -> Denied | None:
        if isinstance(write, Apply | Insert):
            return self.denies.get(write.manifest["kind"])
        return self.unchangeable.get(write.name) if isinstance(write, PatchObject) else None

    def _live(self) -> None:
        if self._dead:
            raise KilledError
        if self._silent:
            raise ClusterError("could not reach the cluster: connection reset by peer")

    def _end(self, number: int) -> None:
        if number == self.killed_after:
            self._dead = True
        if number == self.silent_after:
            self._silent = True
        self._live()

    def _react(self, write: Write) -> None:
        self.reconcile()
        restarts = isinstance(write, PatchObject) and write.style == "strategic" and RESTARTED in json.dumps(write.body)
        if restarts or self.reconnect or not self._envoys():
            self.follow()

    def follow(self) -> None:
        """Clients connect anew, where the Service leads now."""
        self._through_envoy = self.leads_to_envoy and not self.asleep
        self._nowhere = self.asleep > 0

    def _wake_up(self) -> None:
        """Let a diagnosis pass that sees no client yet."""
        if self.asleep > 0:
            self.asleep -= 1
        else:
            self.follow()

    def _open_shop(self) -> None:
        cluster = shop.cluster_of(shop.servers(), {})
        for resource, items in cluster._objects.items():
            for item in items:
                self.api.put(resource, json.loads(msgspec.json.encode(item)))
        self.api.held.pop(("endpointslices", "shop", "greeter-abcde"))
        self.api.put("deployments", parts.deployment("caller"))
        self.api.put("replicasets", parts.replica_set("caller-5d6c7b8f9"))
        for pod in self.api.of("pods"):
            self.api.change(parts.key_of("pods", pod), parts.make_ready)
        self.api.change(SERVICE, parts.fill_in)
        self.reconcile()

    def _envoys(self) -> list[str]:
        return self.selected(BUNDLE.envoy_pods)

    def _listeners(self) -> dict[int, str]:
        """Give the ports of the configuration that Envoy has."""
        held = self.api.held.get(("configmaps", "shop", BUNDLE.envoy))
        return parts.ports_of(held["data"]["envoy.yaml"]) if held else {}

    def _found(self, request: Get | List) -> Answer:
        kind = RESOURCES.get(request.resource)
        self._objects = {request.resource: [parts.typed(item, kind) for item in self.api.of(request.resource) if kind]}
        return super()._found(request)

    def _answer(self, request: Request) -> Answer:
        if isinstance(request, Exec):
            return self.looked_from_node(request, self._look) or self._look(request)
        return super()._answer(request)

    def _look(self, request: Exec) -> Answer:
        """Show Envoy's connections in every server, and the clients' in the first one until they connect anew."""
        pod = self.api.held.get(("pods", "shop", request.pod))
        if pod is None:
            return Refused(GapReason.DIED, "pod is gone", 404)
        peers = [f"10.244.2.{number}:50001" for number, _ in enumerate(self._envoys(), 31) if self._through_envoy]
        if request.pod == shop.PODS[0] and self._nowhere:
            self._wake_up()
        elif request.pod == shop.PODS[0] and not self._through_envoy:
            peers += ["10.244.1.21:40001", f"10.244.1.{21 if self.pinned else 22}:40002"]
        return printed(shop.look(pod["status"]["podIP"], peers))

    def _page(self, request: AskEnvoy) -> Answer:
        if request.pod not in self._envoys():
            return Refused(GapReason.DIED, f'pods "{request.pod}" not found', 404)
        if request.path.startswith("/stats"):
            if self.speechless > 0:
                self.speechless -= 1
                return Refused(GapReason.TIMED_OUT, "no answer within 5 s")
            return parts.stats_page(request.path, 1 if self._through_envoy else 0, self.passed_through)
        if self.hostless > 0:
            self.hostless -= 1
            return Refused(GapReason.TIMED_OUT, "no answer within 5 s")
        self._asked += 1
        requests = self._asked * 100 if self._through_envoy else 0
        return printed(json.dumps({"cluster_statuses": [{"name": "servers", "host_statuses": self._hosts(requests)}]}))

    def _hosts(self, requests: int) -> list[Manifest]:
        behind = self.api.held["endpointslices", "shop", f"{BUNDLE.headless}-abcde"]["endpoints"]
        return [
            {
                "address": {"socket_address": {"address": endpoint["addresses"][0], "port_value": 50051}},
                "stats": [{"name": "rq_total", "value": str(requests)}],
            }
            for endpoint in behind
            if endpoint["conditions"]["ready"] and endpoint["addresses"][0] not in self.unknown_to_envoy
        ]
