"""Each verb on the real cluster under exactly the roles that `rbac` prints, and with one permission less."""

import asyncio
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from kubectl_grpclb.cluster.port import Workshop
from kubectl_grpclb.flows.deeper import DeepCluster
from kubectl_grpclb.flows.diagnose import diagnosed, recorded
from kubectl_grpclb.flows.fix import fix
from kubectl_grpclb.flows.rollback import rollback
from kubectl_grpclb.flows.verify import verify
from kubectl_grpclb.flows.wishes import Wishes
from kubectl_grpclb.model.errors import GrpclbError
from kubectl_grpclb.model.finding import Report
from kubectl_grpclb.model.need import Feature, Verb
from kubectl_grpclb.model.prometheus import ProxiedService
from kubectl_grpclb.model.roles import Wants, roles_for
from kubectl_grpclb.probes.ask import Ask, Via
from tests.change.acts import Listener
from tests.e2e import scenes
from tests.e2e.kubectl import apply, connections, grpclb, kubectl, report, rolled_out, until
from tests.e2e.permissions import Act, granted, permissions_of, said_to_each
from tests.removals import Removal, removals

pytestmark = pytest.mark.e2e

NAMESPACE, CLIENTS = "grpclb-e2e-rbac", "grpclb-e2e-rbac-web"
NAME = "greeter"
IMAGE = "grpclb.test/busybox:1"
ENVOY = ("--envoy-image", "grpclb.test/envoy:1.40.0", "--autoscale", "4", "--network-policy", "--recycle", "clients")
ADDED = ("--autoscale", "4", "--network-policy", "--recycle", "clients", "--client-namespace", CLIENTS)
LABEL = "grpclb-e2e=bound"
PROXIED = ProxiedService(NAMESPACE, "counting:9090")
PROMETHEUS = f"svc/{PROXIED.namespace}/{PROXIED.port}"
"""It stands for a Prometheus: what answers there answers no query, but the API server lets the question through."""

READ = frozenset[Feature]({"metrics", "channelz", "exec"})
CURE = frozenset[Feature]({"envoy", "service", "recycle", "autoscale", "network-policy"})

LOOKED_FOR: tuple[tuple[Verb, frozenset[Feature]], ...] = (
    ("diagnose", READ | frozenset[Feature]({"monitors", "debug", "node", "prometheus"})),
    ("fix", READ | CURE),
)
EVERYTHING = [
    removal
    for verb, features in LOOKED_FOR
    for removal in removals(verb, Wants(namespace=NAMESPACE, features=features, prometheus=PROXIED))
]
"""Whatever may be lacking."""


def wants(*features: Feature, service: str | None = NAME, clients: tuple[str, ...] = (CLIENTS,), **also: Any) -> Wants:
    return Wants(namespace=NAMESPACE, service=service, features=frozenset(features), clients=clients, **also)


def labelled(manifest: dict[str, Any], name: str) -> dict[str, Any]:
    """A workload of the name whose pods the Service selects."""
    spec = manifest["spec"]
    part = {"app": NAME, "part": name}
    spec["selector"] = {"matchLabels": part}
    spec["template"]["metadata"]["labels"] = part
    return {**manifest, "metadata": {"name": name}}


@pytest.fixture(scope="module", autouse=True)
def shop() -> Iterator[None]:
    """Servers of two kinds, of which one has metrics and none channelz, and clients in another namespace."""
    kubectl("create", "namespace", NAMESPACE)
    kubectl("create", "namespace", CLIENTS)
    try:
        apply(
            NAMESPACE,
            [
                scenes.service(NAME),
                labelled(scenes.servers(NAME, "netstat", 2, metrics=True), "counting"),
                {**labelled(scenes.servers(NAME, "netstat", 1), "plain"), "kind": "StatefulSet"},
                scenes.service("channelled"),
                scenes.servers("channelled", "distroless", 1, channelz=True),
                scenes.service("counting", selector={"app": NAME}, ports=[{"port": 9090}]),
                scenes.service("dark"),
                scenes.servers("dark", "distroless", 1),
            ],
        )
        workloads = ["deployment/counting", "statefulset/plain", "deployment/channelled", "deployment/dark"]
        rolled_out(NAMESPACE, workloads)
        callers = [scenes.callers(name, f"{name}.{NAMESPACE}:80") for name in (NAME, "channelled")]
        apply(CLIENTS, callers)
        rolled_out(CLIENTS, scenes.names(callers))
        yield
    finally:
        kubectl("delete", "namespace", NAMESPACE, CLIENTS, "--wait=false")
        kubectl("delete", "clusterrole,clusterrolebinding", "-l", LABEL, "--wait=false")


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep this machine's receipts to the test."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


def bound(verb: Verb, *flags: str) -> str:
    """Apply what `rbac` prints, bound to a user of its own."""
    user = f"grpclb-e2e-rbac-{verb}"
    printed = grpclb("rbac", verb, "-n", NAMESPACE, "--user", user, *flags)
    assert printed.returncode == 0, printed.stderr
    for line in kubectl("apply", "-f", "-", "-o", "name", stdin=printed.stdout).split():
        if line.startswith("clusterrole"):
            kubectl("label", line, LABEL)
    return user


async def diagnosing(workshop: Workshop, service: str = NAME, via: tuple[Via, ...] = ("auto",), **ask: Any) -> str:
    async with DeepCluster(workshop) as cluster:
        question = Ask(NAMESPACE, service, window=0.0, via=via, debug_image=IMAGE, debug="debug" in via, **ask)
        return words(diagnosed(await recorded(cluster, question)))


def words(found: Report) -> str:
    """What a report says in its findings."""
    return "\n".join(line for each in found.findings for line in (each.message, *each.evidence))


async def fixing(workshop: Workshop) -> str:
    """Go as far as the question; the diagnosis looks at no pod, which is a diagnosis' own affair."""
    wishes = Wishes(strategy="envoy", recycle="clients", envoy={"autoscaling": {"most": 4}, "network_policy": True})
    listener = Listener(agrees=False)
    try:
        await fix(workshop, Ask(NAMESPACE, NAME, window=0.0, cluster_domain="cluster.local"), wishes, listener)
    except GrpclbError as error:
        return heard(listener, error)
    raise AssertionError("nobody was asked")


async def rolling_back(workshop: Workshop) -> str:
    listener = Listener(agrees=False)
    try:
        await rollback(workshop, NAMESPACE, NAME, recycle="clients", seconds=60.0, file=None, talk=listener)
    except GrpclbError as error:
        return heard(listener, error)
    raise AssertionError("nobody was asked")


async def verifying(workshop: Workshop) -> str:
    return words((await verify(workshop, Ask(NAMESPACE, NAME, window=0.0))).report)


def heard(listener: Listener, error: GrpclbError) -> str:
    checks = (check.message for plan in listener.shown for check in plan.checks)
    return "\n".join((*listener.lines, *checks, str(error)))


def untold(verb: Verb, least: Wants, act: Act, *besides: str, remembering: bool = False) -> list[str]:
    """Do it with one permission less, once for each; give those that nobody was told of, and what was said instead.

    `besides` are resources that nothing in the scene is made of. Done with all of them, nothing may be lacking.
    """
    every = [each for each in removals(verb, least) if not {each.resource, each.id} & set(besides)]
    assert every
    whole = roles_for(verb, least)
    roles = [*(each.roles for each in every), whole]
    with granted([each for one in roles for each in permissions_of(one)], (NAMESPACE, CLIENTS)) as groups:
        *told, with_all = asyncio.run(said_to_each(roles, groups, act, remembering=remembering))
    wrong = [f"{each.id}: {said}" for each, said in zip(every, told, strict=True) if not names_only(each, said)]
    return [*wrong, *([with_all] if lacks_something(with_all) else [])]


def lacks_something(said: str) -> bool:
    return any(each in said for each in ("may not", "not permitted", "forbidden", "You lack"))


def names_only(removal: Removal, said: str) -> bool:
    """Whether what is lacking is named, and nothing of another resource."""
    told = {(each.resource, each.group) for each in EVERYTHING if each.is_told(said)}
    return removal.is_told(said) and told == {(removal.resource, removal.group)}


def test_a_diagnosis_needs_what_its_role_grants_and_no_less() -> None:
    user, recorder = bound("diagnose"), bound("record")
    until("the role holds", lambda: not lacks_something(words_of(user)))
    found = report(NAME, "-n", NAMESPACE, "--window", "0", "--as", user)
    kept = grpclb("record", NAME, "-n", NAMESPACE, "--window", "0", "--as", recorder)
    lacking = untold("diagnose", wants(*READ, service=None), partial(diagnosing, client_channelz_port=50055))

    assert None not in connections(found).values()
    assert {(client["namespace"], client["kind"]) for client in found["clients"]} == {(CLIENTS, "Pod")}
    assert (kept.returncode, "forbidden" in kept.stdout) == (0, False), kept.stderr
    assert lacking == [], "\n\n".join(lacking)


@pytest.mark.parametrize(
    ("sources", "asked"),
    [
        pytest.param(("metrics", "monitors"), {"via": ("metrics",)}, id="metrics"),
        pytest.param(("channelz",), {"via": ("channelz",), "service": "channelled"}, id="channelz"),
        pytest.param(("exec",), {"via": ("exec",)}, id="exec"),
        pytest.param(("prometheus",), {"via": ("prometheus",), "prometheus": PROMETHEUS}, id="prometheus"),
        pytest.param(("debug",), {"via": ("debug",), "service": "dark"}, id="debug"),
        pytest.param(("node",), {"via": ("node",)}, id="node"),
    ],
)
def test_a_source_needs_what_its_role_grants_and_no_less(sources: tuple[Feature, ...], asked: dict[str, Any]) -> None:
    least = wants(*sources, service=None, chosen=frozenset(sources), prometheus=PROXIED)

    lacking = untold("diagnose", least, partial(diagnosing, client_channelz_port=50055, **asked), *beside(sources))

    assert lacking == [], "\n\n".join(lacking)


def beside(sources: tuple[Feature, ...]) -> set[str]:
    """What is needed besides, whatever the source."""
    every = {each.id for each in removals("diagnose", wants(service=None))}
    return {each for each in every if "channelz" not in sources or not each.endswith("pods/portforward")}


def test_a_fix_needs_what_its_role_grants_and_no_less() -> None:
    lacking = untold("fix", wants(*READ, *CURE), fixing, "daemonsets", "patch statefulsets.apps", remembering=True)

    assert lacking == [], "\n\n".join(lacking)
    assert ours() == []


def test_a_service_is_fixed_verified_and_rolled_back_under_exactly_their_roles() -> None:
    fixer, verifier, undoer = (
        bound("fix", "--service", NAME, *ADDED),
        bound("verify", "--service", NAME),
        bound("rollback", "--service", NAME, *ADDED),
    )

    fixed = grpclb("fix", NAME, "-n", NAMESPACE, "--yes", "--window", "1s", *ENVOY, "--as", fixer)
    assert fixed.returncode == 0, fixed.stderr
    verified = grpclb("verify", NAME, "-n", NAMESPACE, "--window", "1s", "--as", verifier)
    unverified = untold("verify", wants(*READ, clients=()), verifying, "list pods of all")
    not_undone = untold("rollback", wants(*CURE), rolling_back, "daemonsets", "statefulsets")
    undone = grpclb("rollback", NAME, "-n", NAMESPACE, "--yes", "--as", undoer)

    assert not lacks_something(fixed.stderr + fixed.stdout)
    assert verified.returncode == 0, verified.stdout
    assert not lacks_something(verified.stdout)
    assert unverified == [], "\n\n".join(unverified)
    assert not_undone == [], "\n\n".join(not_undone)
    assert undone.returncode == 0, undone.stderr
    assert ours() == []


def ours() -> list[str]:
    kinds = "services,configmaps,deployments,poddisruptionbudgets,leases,horizontalpodautoscalers,networkpolicies"
    return kubectl("get", kinds, "-n", NAMESPACE, "-l", "grpclb/service", "-o", "name").split()


def words_of(user: str) -> str:
    """Whatever a diagnosis says to a user."""
    done = grpclb("diagnose", NAME, "-n", NAMESPACE, "--window", "0", "--as", user)
    return done.stdout + done.stderr
