"""A cluster in memory that lets a user do what some roles grant, and nothing else."""

from collections.abc import Iterator, Sequence

from kubectl_grpclb.model.gap import Gap, GapReason
from kubectl_grpclb.model.rbac import api_name
from kubectl_grpclb.model.resources import resource_of
from kubectl_grpclb.model.roles import Role, Rule
from kubectl_grpclb.model.snapshot import (
    AskChannelz,
    AskEnvoy,
    AskPrometheus,
    Exec,
    Get,
    List,
    LookFromNode,
    OpenUp,
    Reading,
    Refused,
    Request,
    Scrape,
)
from kubectl_grpclb.model.speech import Heard
from kubectl_grpclb.model.write import Apply, Delete, Denied, Insert, Outcome, PatchObject, Replace, Write
from tests.fake_cluster import NOW
from tests.fake_workshop import FakeWorkshop

__all__ = ["GuardedWorkshop"]

FORWARD = (("get", "pods/portforward"), ("create", "pods/portforward"))


class GuardedWorkshop(FakeWorkshop):
    """The shop, as its API server gives it to a user with these roles."""

    def __init__(self, roles: Sequence[Role] = ()) -> None:
        super().__init__()
        self.roles = tuple(roles)

    async def may(self, verb: str, resource: str, namespace: str, name: str = "") -> bool | None:
        return self._denial(verb, resource, namespace, name) is None

    async def read(self, request: Request) -> Reading:
        for verb, resource in _asked(request):
            denial = self._denial(verb, resource, getattr(request, "namespace", None), getattr(request, "name", ""))
            if denial is not None:
                return Reading(request, Refused(GapReason.FORBIDDEN, denial, 403), NOW, 0.01)
        return await super().read(request)

    async def fetch(self, resource: str, namespace: str, name: str) -> Outcome:
        denial = self._denial("get", resource, namespace, name)
        return _denied(denial) if denial else await super().fetch(resource, namespace, name)

    async def fetch_all(self, resource: str, namespace: str, labels: str) -> Outcome:
        denial = self._denial("list", resource, namespace, "")
        return _denied(denial) if denial else await super().fetch_all(resource, namespace, labels)

    async def write(self, write: Write) -> Outcome:
        for verb, resource, name in self._written(write):
            if denial := self._denial(verb, resource, write.namespace, name):
                return _denied(denial)
        return await super().write(write)

    async def serves(self, group_version: str, resource: str) -> bool:
        return group_version.startswith("metrics.k8s.io/")

    async def greet(self, namespace: str, pod: str, port: int, seconds: float) -> Heard | Gap:
        denials = [self._denial(verb, resource, namespace, pod) for verb, resource in FORWARD]
        refused = next((each for each in denials if each), None)
        return Gap(GapReason.FORBIDDEN, refused) if refused else await super().greet(namespace, pod, port, seconds)

    async def drain(self, namespace: str, pod: str) -> Gap | None:
        denials = [self._denial(verb, resource, namespace, pod) for verb, resource in FORWARD]
        refused = next((each for each in denials if each), None)
        return Gap(GapReason.FORBIDDEN, refused) if refused else await super().drain(namespace, pod)

    def _written(self, write: Write) -> Iterator[tuple[str, str, str]]:
        """Give verb, resource and name; the API server checks an apply of what is not there by its name as well."""
        match write:
            case Apply():
                resource, name = resource_of(write.manifest).resource, write.manifest["metadata"]["name"]
                yield "patch", resource, name
                if (resource, write.namespace, name) not in self.api.held:
                    yield "create", resource, name
            case Insert():
                yield "create", resource_of(write.manifest).resource, ""
            case Replace():
                yield "update", resource_of(write.manifest).resource, write.manifest["metadata"]["name"]
            case PatchObject():
                yield "patch", "/".join(filter(None, (write.resource, write.subresource))), write.name
            case Delete():
                yield "delete", write.resource, write.name

    def _denial(self, verb: str, resource: str, namespace: str | None, name: str) -> str | None:
        group, path = api_name(resource)
        for role in self.roles:
            if role.namespace in {None, namespace} and any(
                _grants(each, verb, group, path, name) for each in role.rules
            ):
                return None
        return f'User "ann" cannot {verb} resource "{path}" in API group "{group}" in the namespace "{namespace}"'


def _asked(request: Request) -> tuple[tuple[str, str], ...]:
    match request:
        case Get():
            return (("get", request.resource),)
        case List():
            return (("list", request.resource),)
        case Exec():
            return (("get", "pods/exec"), ("create", "pods/exec"))
        case AskEnvoy() | AskChannelz():
            return FORWARD
        case Scrape():
            return (("get", "pods/proxy"),)
        case AskPrometheus() | OpenUp() | LookFromNode():
            return ()


def _grants(rule: Rule, verb: str, group: str, path: str, name: str) -> bool:
    return (
        rule.group == group and path in rule.resources and verb in rule.verbs and (not rule.names or name in rule.names)
    )


def _denied(message: str) -> Denied:
    return Denied(403, GapReason.FORBIDDEN, message)
