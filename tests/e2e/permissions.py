"""Single permissions on the real cluster, each a group's, so that a user has those of the groups it is in."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, cast

from msgspec import Struct

from kubectl_grpclb.cluster.kube import ConnectOptions, KubeWorkshop, connect_to_change
from kubectl_grpclb.cluster.port import Workshop
from kubectl_grpclb.model.errors import GrpclbError
from kubectl_grpclb.model.gap import Gap
from kubectl_grpclb.model.roles import Role
from kubectl_grpclb.model.snapshot import AskChannelz, Exec, Reading, Request, Scrape
from kubectl_grpclb.model.speech import Heard
from tests.e2e.kubectl import kubectl

Act = Callable[[Workshop], Awaitable[str]]
"""Does what a user does, and gives what that user is told."""

AT_ONCE = 8

LABEL = {"grpclb-e2e": "rbac"}
KINDS = "roles,rolebindings"
API = "rbac.authorization.k8s.io"


class Permission(Struct, frozen=True):
    """One verb on one resource, in a namespace or everywhere."""

    namespace: str | None
    group: str
    resource: str
    verb: str
    names: tuple[str, ...] = ()


def permissions_of(roles: Iterable[Role]) -> Iterator[Permission]:
    """Take roles apart."""
    for role in roles:
        for rule in role.rules:
            for resource in rule.resources:
                for verb in rule.verbs:
                    yield Permission(role.namespace, rule.group, resource, verb, rule.names)


@contextmanager
def granted(permissions: Sequence[Permission], namespaces: Sequence[str]) -> Iterator[dict[Permission, str]]:
    """Make a group for each permission; give their names."""
    groups = {each: f"grpclb-e2e-rbac-{number}" for number, each in enumerate(dict.fromkeys(permissions))}
    items = [manifest for each, group in groups.items() for manifest in _manifests(each, group)]
    try:
        kubectl("create", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": items}))
        yield groups
    finally:
        kubectl("delete", "clusterroles,clusterrolebindings", "-l", "grpclb-e2e=rbac", "--wait=false")
        for namespace in namespaces:
            kubectl("delete", KINDS, "-n", namespace, "-l", "grpclb-e2e=rbac", "--wait=false")


def _manifests(permission: Permission, group: str) -> Iterator[dict[str, Any]]:
    kind = "Role" if permission.namespace else "ClusterRole"
    metadata: dict[str, Any] = {"name": group, "labels": LABEL}
    if permission.namespace:
        metadata["namespace"] = permission.namespace
    rule: dict[str, Any] = {
        "apiGroups": [permission.group],
        "resources": [permission.resource],
        "verbs": [permission.verb],
    }
    if permission.names:
        rule["resourceNames"] = list(permission.names)
    yield {"apiVersion": f"{API}/v1", "kind": kind, "metadata": metadata, "rules": [rule]}
    yield {
        "apiVersion": f"{API}/v1",
        "kind": f"{kind}Binding",
        "metadata": metadata,
        "roleRef": {"apiGroup": API, "kind": kind, "name": group},
        "subjects": [{"apiGroup": API, "kind": "Group", "name": group}],
    }


async def said_to_each(
    every: Sequence[Sequence[Role]], groups: dict[Permission, str], act: Act, *, remembering: bool
) -> list[str]:
    """Act as a user with each of these roles, several at a time, and with the last when they are done.

    Gives what each user was told.
    """
    turns, known = asyncio.Semaphore(AT_ONCE), dict[object, Any]()
    if remembering:
        async with connect_to_change(ConnectOptions()) as workshop:
            await act(remembered(workshop, known))

    async def one(roles: Sequence[Role]) -> str:
        mine = tuple(groups[each] for each in dict.fromkeys(permissions_of(roles)))
        async with turns, connect_to_change(ConnectOptions(as_user="ann", as_groups=mine)) as workshop:
            await until_granted(workshop, permissions_of(roles))
            try:
                return await act(remembered(workshop, known) if remembering else workshop)
            except GrpclbError as error:
                return str(error)

    *lacking, whole = every
    return [*await asyncio.gather(*map(one, lacking)), await one(whole)]


async def until_granted(workshop: Workshop, permissions: Iterable[Permission]) -> None:
    """Wait until the API server goes by the last of them in each namespace; the others were made before."""

    async def hold(permission: Permission) -> bool | None:
        spelled = "podmetrics" if permission.group == "metrics.k8s.io" else permission.resource
        name = permission.names[0] if permission.names else ""
        return await workshop.may(permission.verb, spelled, permission.namespace or "", name)

    for last in {each.namespace: each for each in permissions}.values():
        while not await hold(last):  # noqa: ASYNC110 -- only the API server knows when
            await asyncio.sleep(0.1)


def remembered(workshop: KubeWorkshop, known: dict[object, Any]) -> Workshop:
    """The same cluster, except that a look into a pod is the first one that anybody made: looks are what takes time."""
    return cast("Workshop", _Remembering(workshop, known))


class _Remembering:
    def __init__(self, workshop: KubeWorkshop, known: dict[object, Any]) -> None:
        self._workshop, self._known = workshop, known

    def __getattr__(self, name: str) -> Any:
        return getattr(self._workshop, name)

    async def read(self, request: Request) -> Reading:
        if not isinstance(request, Exec | Scrape | AskChannelz):
            return await self._workshop.read(request)
        if request not in self._known:
            self._known[request] = await self._workshop.read(request)
        return cast("Reading", self._known[request])

    async def greet(self, namespace: str, pod: str, port: int, seconds: float) -> Heard | Gap:
        if (pod, port) not in self._known:
            self._known[pod, port] = await self._workshop.greet(namespace, pod, port, seconds)
        return cast("Heard | Gap", self._known[pod, port])
