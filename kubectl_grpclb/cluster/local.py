"""Show this machine as a cluster: the lab's processes are the pods, and their sockets are read as a pod's are."""

import asyncio
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import assert_never

import msgspec
import psutil

from kubectl_grpclb.cluster import _lab_objects as lab_objects
from kubectl_grpclb.model import kube
from kubectl_grpclb.model.gap import GapReason
from kubectl_grpclb.model.look import FORMAT, MARK, WIDE
from kubectl_grpclb.model.plan import Manifest
from kubectl_grpclb.model.snapshot import (
    Answer,
    AskChannelz,
    AskEnvoy,
    AskPrometheus,
    Blob,
    Exec,
    Get,
    List,
    LookFromNode,
    Objects,
    OpenUp,
    Output,
    Reading,
    Refused,
    Request,
    Scrape,
)
from kubectl_grpclb.model.topology import LabClient, LabServer, Topology

__all__ = ["LocalCluster"]

_KINDS: Mapping[str, type[kube.KubeObject]] = {
    "namespaces": kube.Namespace,
    "services": kube.Service,
    "endpointslices": kube.EndpointSlice,
    "pods": kube.Pod,
    "nodes": kube.Node,
    "replicasets": kube.Workload,
    "deployments": kube.Workload,
    "statefulsets": kube.Workload,
}


class LocalCluster:
    """Shows the lab as a Service with its pods and their clients, each process a pod on one node.

    It knows the processes that run when it is made, and tells a later one with the same number apart.
    """

    def __init__(self, topology: Topology) -> None:
        members: tuple[LabServer | LabClient, ...] = (*topology.servers, *topology.clients)
        self._topology = topology
        self._processes = {member.name: _process(member.pid) for member in members}

    @property
    def context(self) -> str:
        """There is no kubeconfig."""
        return "this-machine"

    @property
    def namespace(self) -> str:
        """The lab's."""
        return self._topology.namespace

    async def version(self) -> None:
        """Give none: it is no Kubernetes."""

    async def read(self, request: Request) -> Reading:
        """Answer from the topology and from what the machine says of the lab's processes."""
        at, begun = datetime.now(UTC), time.perf_counter()
        answer = await self._answer(request)
        return Reading(request, answer, _rfc3339(at), time.perf_counter() - begun)

    async def _answer(self, request: Request) -> Answer:
        match request:
            case Exec():
                return await self._exec(request)
            case AskChannelz() | Scrape() | AskPrometheus() | OpenUp() | LookFromNode():
                return Refused(GapReason.NOT_SERVED, "the lab offers only its sockets")
            case AskEnvoy():
                return Refused(GapReason.UNREAD, "no Envoy of ours runs on this machine")
            case Get() | List():
                return self._objects(request)
        assert_never(request)

    def _objects(self, request: Get | List) -> Answer:
        kind = _KINDS.get(request.resource)
        if kind is None:
            return Refused(GapReason.NOT_SERVED, f"the lab has no {request.resource}", 404)
        objects = [msgspec.convert(manifest, kind) for manifest in self._manifests(request.resource)]
        if isinstance(request, Get):
            named = [each for each in objects if _is_named(each, request)]
            return Objects(tuple(named)) if named else _not_found(request.resource, request.name)
        by_label, by_field = _pairs(request.label_selector), _pairs(request.field_selector)
        if not by_field.keys() <= {"status.podIP"}:
            return Refused(GapReason.DIED, f"field label not supported: {request.field_selector}", 400)
        return Objects(
            tuple(
                each
                for each in objects
                if request.namespace in {None, each.metadata.namespace}
                and by_label.items() <= (each.metadata.labels or {}).items()
                and by_field.get("status.podIP") in {None, _ip_of(each)}
            )
        )

    def _manifests(self, resource: str) -> list[Manifest]:
        lab, members = self._topology, (self._topology.servers, self._topology.clients)
        match resource:
            case "namespaces":
                return [{"metadata": {"name": lab.namespace}}]
            case "services":
                return [lab_objects.service(lab)]
            case "endpointslices":
                ends = [lab_objects.endpoint(lab, each, runs=self._runs(each.name)) for each in lab.servers]
                return [lab_objects.slice_of(lab, ends)]
            case "pods":
                return [self._pod(each) for group in members for each in group]
            case "nodes":
                return [lab_objects.node()]
            case "replicasets" | "deployments":
                return [lab_objects.workload(lab, resource, group[0].name, len(group)) for group in members if group]
        return []

    def _pod(self, member: LabServer | LabClient) -> Manifest:
        process = self._processes[member.name]
        return lab_objects.pod(
            self._topology, member, created=_created(process) if process else None, runs=self._runs(member.name)
        )

    def _runs(self, name: str) -> bool:
        process = self._processes[name]
        return process is not None and process.is_running() and process.status() != psutil.STATUS_ZOMBIE

    async def _exec(self, request: Exec) -> Answer:
        """Answer the look at a pod's sockets, `sh -c SCRIPT grpclb WINDOW`; there is no shell to run it."""
        if request.namespace != self.namespace or request.pod not in self._processes:
            return _not_found("pods", request.pod)
        match request.command:
            case ("sh", "-c", _, "grpclb", window):
                pass
            case _:
                return Refused(GapReason.NO_SHELL, "a process of the lab runs no commands")
        try:
            async with asyncio.timeout(request.seconds):
                lines = await self._look(request.pod, window)
        except TimeoutError:
            return Output(gap=GapReason.TIMED_OUT, detail=f"no answer within {request.seconds:g} s")
        except (psutil.NoSuchProcess, ProcessLookupError):
            return Refused(GapReason.DIED, f"the process of {request.pod} has ended")
        except psutil.AccessDenied:
            return Refused(GapReason.FORBIDDEN, f"the sockets of {request.pod}'s process may not be read")
        return Output(stdout=Blob.of("".join(f"{line}\n" for line in lines).encode()), exit_code=0)

    async def _look(self, pod: str, window: str) -> list[str]:
        """Raise psutil.Error or ProcessLookupError where the process ends before the last look."""
        lines = [f"{MARK}script {FORMAT}", *await self._sockets(pod, 1)]
        if float(window) > 0:
            await asyncio.sleep(float(window))
            lines += [f"{MARK}waited {window}", *await self._sockets(pod, 2)]
        return [*lines, f"{MARK}end"]

    async def _sockets(self, pod: str, look: int) -> list[str]:
        process = self._processes[pod]
        if process is None:
            raise ProcessLookupError
        listed = await asyncio.to_thread(lambda: list(_netstat(process)))
        if not self._runs(pod):
            raise ProcessLookupError
        return [f"{MARK}look {look} {WIDE}", f"{MARK}sockets", *listed, "", f"{MARK}status 0"]


def _netstat(process: psutil.Process) -> Iterator[str]:
    """Print a process's TCP sockets as `netstat -tanW` does."""
    yield "Active Internet connections (servers and established)"
    yield "Proto Recv-Q Send-Q Local Address           Foreign Address         State"
    for socket in process.net_connections("tcp"):
        if socket.status not in {psutil.CONN_LISTEN, psutil.CONN_ESTABLISHED}:
            continue
        six = ":" in socket.laddr.ip
        nobody = ":::*" if six else "0.0.0.0:*"
        peer = nobody if socket.status == psutil.CONN_LISTEN else f"{socket.raddr.ip}:{socket.raddr.port}"
        local = f"{socket.laddr.ip}:{socket.laddr.port}"
        yield f"{'tcp6' if six else 'tcp':6}      0      0 {local:23} {peer:23} {socket.status:11}"


def _process(pid: int) -> psutil.Process | None:
    try:
        process = psutil.Process(pid)
        process.create_time()
    except psutil.NoSuchProcess:
        return None
    return process


def _created(process: psutil.Process) -> str:
    return _rfc3339(datetime.fromtimestamp(process.create_time(), UTC))


def _rfc3339(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _pairs(selector: str) -> dict[str, str]:
    """Read `key=value,key=value`, the only form that is asked for."""
    return dict(pair.split("=", 1) for pair in selector.split(",") if "=" in pair)


def _is_named(each: kube.KubeObject, request: Get) -> bool:
    return (each.metadata.name, each.metadata.namespace) == (request.name, request.namespace)


def _ip_of(each: kube.KubeObject) -> str | None:
    return each.status.pod_ip if isinstance(each, kube.Pod) else None


def _not_found(resource: str, name: str) -> Refused:
    return Refused(GapReason.DIED, f'{resource} "{name}" not found', 404)
