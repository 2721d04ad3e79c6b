"""The adapter against a real API server, kubelet and container runtime."""

import asyncio
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from kubectl_grpclb.cluster.kube import ConnectOptions, connect
from kubectl_grpclb.model import kube
from kubectl_grpclb.model.errors import ClusterError
from kubectl_grpclb.model.gap import GapReason
from kubectl_grpclb.model.snapshot import Answer, Exec, Get, List, Objects, Output, Refused, Request
from tests.e2e.conftest import Kubectl

pytestmark = pytest.mark.e2e

IMAGES = ("distroless", "shell", "netstat", "ss")


def pod(image: str, name: str | None = None) -> dict[str, Any]:
    container = {
        "name": "greeter",
        "image": f"grpclb.test/greeter:{image}",
        "args": ["serve", "-metrics-port=0"],
        "ports": [{"name": "grpc", "containerPort": 50051}],
        "resources": {"requests": {"cpu": "1m", "memory": "8Mi"}},
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name or f"greeter-{image}", "labels": {"app": "greeter"}},
        "spec": {"containers": [container], "terminationGracePeriodSeconds": 0},
    }


SERVICE = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": "greeter"},
    "spec": {"selector": {"app": "greeter"}, "ports": [{"name": "grpc", "port": 80, "targetPort": "grpc"}]},
}
READER = (
    {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "Role",
        "metadata": {"name": "reader"},
        "rules": [{"apiGroups": [""], "resources": ["pods", "services"], "verbs": ["get", "list"]}],
    },
    {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "RoleBinding",
        "metadata": {"name": "reader"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "reader"},
        "subjects": [{"kind": "ServiceAccount", "name": "reader"}],
    },
    {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "reader"}},
)


@pytest.fixture(scope="module")
def shop(namespace: str, apply: Callable[..., None], kubectl: Kubectl) -> str:
    """A namespace with a Service, a pod of each image behind it, and an account that may only read."""
    apply(SERVICE, *(pod(image) for image in IMAGES), *READER)
    kubectl("-n", namespace, "wait", "pod", "-l", "app=greeter", "--for=condition=Ready", "--timeout=120s")
    return namespace


def ask(*requests: Request, **options: Any) -> list[Answer]:
    """Ask the real cluster these at once."""

    async def main() -> list[Answer]:
        async with connect(ConnectOptions(**options)) as cluster:
            readings = await asyncio.gather(*(cluster.read(request) for request in requests))
        return [reading.answer for reading in readings]

    return asyncio.run(main())


def only(answers: Iterable[Answer]) -> Answer:
    (answer,) = answers
    return answer


def look(namespace: str, image: str, *command: str, container: str = "greeter") -> Exec:
    return Exec(namespace, f"greeter-{image}", container, command or ("netstat", "-tn"), 20.0)


def test_a_service_is_read_with_its_selector_and_ports(shop: str) -> None:
    answer = only(ask(Get("services", "greeter", shop)))

    assert isinstance(answer, Objects)
    (service,) = answer.items
    assert isinstance(service, kube.Service)
    assert service.spec.selector == {"app": "greeter"}
    assert service.spec.ports is not None
    assert service.spec.ports[0].target_port == "grpc"


def test_pods_are_read_by_their_labels(shop: str) -> None:
    answer = only(ask(List("pods", shop, label_selector="app=greeter")))

    assert isinstance(answer, Objects)
    assert [item.metadata.name for item in answer.items] == sorted(f"greeter-{image}" for image in IMAGES)


def test_slices_lead_to_the_pods(shop: str) -> None:
    answer = only(ask(List("endpointslices", shop, label_selector="kubernetes.io/service-name=greeter")))

    assert isinstance(answer, Objects)
    slices = [item for item in answer.items if isinstance(item, kube.EndpointSlice)]
    assert sum(len(item.endpoints or ()) for item in slices) == len(IMAGES)


def test_every_other_resource_can_be_listed(shop: str) -> None:
    answers = ask(
        List("namespaces"),
        List("nodes"),
        List("replicasets"),
        List("deployments", "kube-system"),
        List("statefulsets", shop),
    )

    assert {type(answer) for answer in answers} == {Objects}


@pytest.mark.parametrize("image", ["netstat", "ss"])
def test_an_image_with_the_tool_prints_its_sockets(shop: str, image: str) -> None:
    command = {"netstat": ("netstat", "-tln"), "ss": ("ss", "-tlnH")}[image]

    answer = only(ask(look(shop, image, *command)))

    assert isinstance(answer, Output)
    assert (answer.exit_code, answer.gap) == (0, None)
    assert "50051" in answer.stdout.text


def test_an_image_with_a_shell_prints_its_socket_table(shop: str) -> None:
    answer = only(ask(look(shop, "shell", "sh", "-c", "cat /proc/net/tcp6; echo 'to stderr' >&2; exit 3")))

    assert isinstance(answer, Output)
    assert answer.exit_code == 3
    assert "local_address" in answer.stdout.text
    assert answer.stderr.text == "to stderr\n"


def test_an_image_without_the_command_has_no_shell(shop: str) -> None:
    answers = ask(look(shop, "distroless", "sh", "-c", "true"), look(shop, "shell", "/bin/nowhere"))

    assert [getattr(answer, "reason", answer) for answer in answers] == [GapReason.NO_SHELL, GapReason.NO_SHELL]


def test_a_command_that_prints_for_ever_is_cut_off(shop: str) -> None:
    answer = only(ask(look(shop, "shell", "sh", "-c", "while :; do cat /proc/kallsyms /proc/self/maps; done")))

    assert isinstance(answer, Output)
    assert answer.gap is GapReason.TOO_LARGE


def test_a_command_that_hangs_ends_at_its_time_limit(shop: str) -> None:
    hanging = Exec(shop, "greeter-shell", "greeter", ("sh", "-c", "while :; do :; done"), 1.0)

    answer = only(ask(hanging))

    assert isinstance(answer, Refused)
    assert answer.reason is GapReason.TIMED_OUT


def test_an_account_that_may_not_exec_may_still_read(shop: str) -> None:
    account = f"system:serviceaccount:{shop}:reader"

    read, looked, slices = ask(
        Get("services", "greeter", shop),
        look(shop, "netstat"),
        List("endpointslices", shop),
        as_user=account,
    )

    assert isinstance(read, Objects)
    assert isinstance(looked, Refused)
    assert (looked.reason, looked.status) == (GapReason.FORBIDDEN, 403)
    assert f'User "{account}" cannot' in looked.message
    assert isinstance(slices, Refused)
    assert slices.reason is GapReason.FORBIDDEN


def test_an_impersonated_group_gives_what_the_group_may(shop: str) -> None:
    answers = ask(look(shop, "netstat"), List("nodes"), as_user="jo", as_groups=("dev", "system:masters"))

    assert [type(answer) for answer in answers] == [Output, Objects]


def test_a_pod_or_container_that_is_not_there_is_a_refusal(shop: str) -> None:
    answers = ask(look(shop, "gone"), look(shop, "netstat", container="sidecar"), Get("pods", "greeter-gone", shop))

    assert [getattr(answer, "reason", answer) for answer in answers] == [GapReason.DIED] * 3


def test_a_pod_that_disappears_while_it_is_read_is_a_gap_of_that_pod(
    shop: str, apply: Callable[..., None], kubectl: Kubectl
) -> None:
    apply(pod("shell", "doomed"))
    kubectl("-n", shop, "wait", "pod/doomed", "--for=condition=Ready", "--timeout=120s")
    looking = Exec(shop, "doomed", "greeter", ("sh", "-c", "echo here; while :; do :; done"), 60.0)

    async def main() -> Answer:
        async with connect(ConnectOptions()) as cluster:
            reading = asyncio.create_task(cluster.read(looking))
            await asyncio.to_thread(kubectl, "-n", shop, "delete", "pod", "doomed", "--now")
            return (await reading).answer

    answer = asyncio.run(main())

    assert isinstance(answer, Output | Refused)
    assert not (isinstance(answer, Output) and answer.exit_code == 0)
    assert getattr(answer, "gap", None) or getattr(answer, "reason", None) or getattr(answer, "exit_code", None)


def test_a_token_that_the_cluster_does_not_know_ends_everything(tmp_path: Path, kubectl: Kubectl) -> None:
    stale = tmp_path / "kubeconfig"
    stale.write_text(kubectl("config", "view", "--raw", "--flatten"))
    kubectl("--kubeconfig", str(stale), "config", "set-credentials", "expired", "--token=expired")
    kubectl("--kubeconfig", str(stale), "config", "set-context", "--current", "--user=expired")

    with pytest.raises(ClusterError, match="refused your credentials"):
        ask(List("nodes"), kubeconfig=str(stale))
