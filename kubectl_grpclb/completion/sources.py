"""Where values come from that no choice lists: the kubeconfig, the cluster, the findings.

Nothing of a cluster is offered that is not a name as Kubernetes spells it.
"""

import os
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal, TypeVar

from kubectl_grpclb.completion.protocol import Candidate
from kubectl_grpclb.completion.question import Given, Source

if TYPE_CHECKING:
    from kubectl_grpclb.cluster.kube import ConnectOptions, KubeCluster

__all__ = ["FREE", "SOURCES"]

_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
"""An RFC 1123 label, as which namespaces, Services and their ports are named."""

_RULES = Path(__file__).parent.parent / "rules"

Found = TypeVar("Found")


def _contexts(given: Given, _: str) -> Iterable[Candidate]:
    from kubectl_grpclb.cluster._kubeconfig import Choice, find_names

    contexts, _clusters = find_names(Choice(_kubeconfig(given)), os.environ)
    return [Candidate(name) for name in contexts]


def _clusters(given: Given, _: str) -> Iterable[Candidate]:
    from kubectl_grpclb.cluster._kubeconfig import Choice, find_names

    _contexts, clusters = find_names(Choice(_kubeconfig(given)), os.environ)
    return [Candidate(name) for name in clusters]


def _namespaces(given: Given, beginning: str) -> Iterable[Candidate]:
    return _listed(given, "namespaces", beginning)


def _services(given: Given, beginning: str) -> Iterable[Candidate]:
    """Give Services, with the kind before each where it stands there already, and none twice."""
    from kubectl_grpclb.commands.options import service_name

    kind, slash, name = beginning.rpartition("/")
    service_name(f"{kind}{slash}{name or 'any'}")  # refuses another kind
    taken = {each.rpartition("/")[2] for each in given.get("services") or ()}
    found = _listed(given, "services", name)
    return [Candidate(f"{kind}{slash}{each.word}") for each in found if each.word not in taken]


def _ports(given: Given, beginning: str) -> Iterable[Candidate]:
    """Give the Service's TCP ports by name, or by number where that was begun or there is no name."""
    from kubectl_grpclb.commands.options import service_name
    from kubectl_grpclb.model.kube import Service
    from kubectl_grpclb.model.snapshot import Get, Objects

    service = service_name(given.get("service") or next(iter(given.get("services") or ()), ""))
    if not _NAME.fullmatch(service):
        return

    async def ask(cluster: "KubeCluster") -> tuple[object, ...]:
        read = await cluster.read(Get("services", service, cluster.namespace))
        return read.answer.items if isinstance(read.answer, Objects) else ()

    for found in _asked(given, ask):
        for port in found.spec.ports or () if isinstance(found, Service) else ():
            if port.protocol != "TCP":
                continue
            if port.name and _NAME.fullmatch(port.name) and not beginning[:1].isdigit():
                yield Candidate(port.name, f"{port.port}/TCP")
            else:
                yield Candidate(str(port.port), port.name)


def _codes(_: Given, beginning: str) -> Iterable[Candidate]:
    """Give the findings with their titles, in small letters where the word begins so, since shells keep the case."""
    small = beginning[:1].islower()
    for page in sorted(_RULES.glob("glb*.md")):
        with page.open(encoding="utf-8") as lines:
            code, _colon, title = lines.readline().removeprefix("# ").partition(": ")
        yield Candidate(code.lower() if small else code, title.rstrip())


def _vias(given: Given, beginning: str) -> Iterable[Candidate]:
    """Give the sources that may follow those that stand there already, with a comma between them.

    Those that add to the cluster are for the verbs that have --debug.
    """
    from kubectl_grpclb.commands.sources import ADDING, ViaSource

    before, comma, _begun = beginning.rpartition(",")
    taken = [*before.split(","), *(() if "debug" in given else ADDING)]
    return [Candidate(f"{before}{comma}{each.value}") for each in ViaSource if each.value not in taken]


def _verbs(given: Given, _: str) -> Iterable[Candidate]:
    """Give the verbs that need roles, each once."""
    from kubectl_grpclb.model.need import VERBS

    return [Candidate(verb) for verb in VERBS if verb not in (given.get("verbs") or ())]


SOURCES: Mapping[str, Source] = MappingProxyType(
    {
        "namespace": _namespaces,
        "node_namespace": _namespaces,
        "client_namespaces": _namespaces,
        "context": _contexts,
        "cluster": _clusters,
        "service": _services,
        "services": _services,
        "port": _ports,
        "code": _codes,
        "verbs": _verbs,
        "via": _vias,
    }
)
"""What each parameter of the verbs may be, by its name."""

FREE = frozenset(
    {
        "as_user", "as_groups", "request_timeout", "window", "timeout", "cluster_domain", "metrics_port",
        "metrics_path", "prometheus", "prometheus_range", "channelz_port", "client_channelz_port", "tls_server_name",
        "debug_image", "envoy_image", "replicas", "autoscale", "connection_age",
        "service_accounts", "users", "groups",
    }
)  # fmt: skip
"""Parameters that may be anything; a test wants each to be either here or above."""


def _listed(given: Given, resource: Literal["namespaces", "services"], beginning: str) -> list[Candidate]:
    async def ask(cluster: "KubeCluster") -> list[str]:
        return await cluster.names(resource, cluster.namespace, beginning)

    return [Candidate(name) for name in _asked(given, ask) if _NAME.fullmatch(name)]


def _asked(given: Given, ask: "Callable[[KubeCluster], Awaitable[Found]]") -> Found:
    """Ask the cluster that the words name, as whom they say."""
    import asyncio

    from kubectl_grpclb.cluster.kube import connect

    async def main() -> Found:
        async with connect(_options(given)) as cluster:
            return await ask(cluster)

    return asyncio.run(main())


def _options(given: Given) -> "ConnectOptions":
    from kubectl_grpclb.cluster.kube import ConnectOptions

    return ConnectOptions(
        kubeconfig=_kubeconfig(given),
        context=given.get("context"),
        cluster=given.get("cluster"),
        namespace=given.get("namespace"),
        as_user=given.get("as_user"),
        as_groups=tuple(given.get("as_groups") or ()),
    )


def _kubeconfig(given: Given) -> str | None:
    """Give the path of --kubeconfig, in which no shell has replaced a tilde or a variable yet."""
    path = given.get("kubeconfig")
    return None if path is None else os.path.expanduser(os.path.expandvars(path))  # noqa: PTH111 -- beside expandvars
