"""A cluster in memory: objects, what each pod's look and each Envoy answers, and every request that was made."""

from collections.abc import Mapping, Sequence

import msgspec

from kubectl_grpclb.model import kube
from kubectl_grpclb.model.gap import GapReason
from kubectl_grpclb.model.snapshot import (
    Answer,
    AskChannelz,
    AskEnvoy,
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

NOW = "2026-11-23T12:00:00Z"

RESOURCES: Mapping[str, type] = {
    "namespaces": kube.Namespace,
    "services": kube.Service,
    "endpointslices": kube.EndpointSlice,
    "pods": kube.Pod,
    "nodes": kube.Node,
    "replicasets": kube.Workload,
    "deployments": kube.Workload,
    "statefulsets": kube.Workload,
    "podmetrics": kube.PodMetrics,
    "horizontalpodautoscalers": kube.Autoscaler,
    "servicemonitors": kube.Monitor,
    "podmonitors": kube.Monitor,
}


class FakeCluster:
    """Answers requests as an API server would, from what it was given; nothing in it can be changed."""

    def __init__(
        self,
        objects: Mapping[str, Sequence[kube.KubeObject]],
        looks: Mapping[str, Answer] | None = None,
        refused: Mapping[str, Refused] | None = None,
        namespace: str = "shop",
        pages: Mapping[str, Sequence[Answer]] | None = None,
        told: Mapping[str, Sequence[Answer]] | None = None,
    ) -> None:
        self._objects = objects
        self._looks = looks or {}
        self._refused = refused or {}
        self._namespace = namespace
        self._pages = pages or {}
        self._told = told or {}
        self.requests: list[Request] = []
        self.server_version: str | None = None
        """What the server calls itself, where it tells."""

    @property
    def context(self) -> str:
        return "kind-shop"

    @property
    def namespace(self) -> str:
        return self._namespace

    async def version(self) -> str | None:
        return self.server_version

    async def read(self, request: Request) -> Reading:
        self.requests.append(request)
        return Reading(request=request, answer=self._answer(request), at=NOW, took=0.01)

    def _answer(self, request: Request) -> Answer:
        if isinstance(request, Exec):
            by_container = self._looks.get(f"{request.pod}/{request.container}")
            return by_container or self._looks.get(request.pod) or Refused(GapReason.DIED, "pod is gone", 404)
        if isinstance(request, AskEnvoy):
            return self._page(request)
        if not isinstance(request, Get | List):
            return self._source(request)
        scope = "" if request.namespace else "*/"
        named = f"{request.resource}/{request.name}" if isinstance(request, Get) else ""
        refused = self._refused.get(f"{scope}{request.resource}") or self._refused.get(named)
        return refused or self._found(request)

    def _page(self, request: AskEnvoy) -> Answer:
        """Answer the first time with the first of the pod's pages of that path, and so on to the last one.

        Of a pod that is no Envoy of ours pages are by `POD:PORT/path`.
        """
        path = request.path.partition("?")[0]
        pages = self._pages.get(f"{request.pod}:{request.port}{path}" if request.hosts else request.pod + path)
        if not pages:
            return Refused(GapReason.DIED, "pod is gone", 404)
        return pages[min(self.requests.count(request), len(pages)) - 1]

    def _source(self, request: Request) -> Answer:
        """Answer as each source was told to, by `channelz/POD`, `metrics/POD` and the like; else nothing serves it."""
        kinds = {AskChannelz: "channelz", Scrape: "metrics", OpenUp: "open-up", LookFromNode: "node"}
        who = getattr(request, "pod", getattr(request, "node", ""))
        answers = self._told.get(f"{kinds.get(type(request), 'prometheus')}/{who}")
        if not answers:
            return Refused(GapReason.NOT_SERVED, "nothing serves this")
        return answers[min(self.requests.count(request), len(answers)) - 1]

    def _found(self, request: Get | List) -> Answer:
        held = [item for item in self._objects.get(request.resource, ()) if _matches(item, request)]
        if isinstance(request, Get) and not held:
            return Refused(GapReason.DIED, f'{request.resource} "{request.name}" not found', 404)
        return Objects(tuple(held))


def _matches(item: kube.KubeObject, request: Get | List) -> bool:
    metadata = item.metadata
    if request.namespace not in {None, metadata.namespace}:
        return False
    if isinstance(request, Get):
        return metadata.name == request.name
    labels = metadata.labels or {}
    pairs = [pair.split("=") for pair in request.label_selector.split(",") if pair]
    if not all(labels.get(key) == value for key, value in pairs):
        return False
    address = request.field_selector.removeprefix("status.podIP=")
    return not request.field_selector or (isinstance(item, kube.Pod) and item.status.pod_ip == address)


def objects_of(**by_resource: Sequence[object]) -> dict[str, list[kube.KubeObject]]:
    """Make objects of plain data, as it is in a manifest."""
    return {
        resource: [msgspec.convert(item, RESOURCES[resource]) for item in items]
        for resource, items in by_resource.items()
    }


def printed(text: str, exit_code: int = 0) -> Output:
    """What a command printed."""
    return Output(stdout=Blob(text=text), exit_code=exit_code)
