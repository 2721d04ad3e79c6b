"""What `fix` refuses before it begins, and the cures that need no proxy, on a real cluster."""

import json
import pathlib
import shutil
import subprocess
from collections.abc import Iterator

import pytest

from tests.e2e import scenes
from tests.e2e.kubectl import apply, grpclb, kubectl, rolled_out

pytestmark = pytest.mark.e2e

NAMESPACE = "grpclb-e2e-ways"
IMAGE = ("--envoy-image", "grpclb.test/envoy:1.40.0")


@pytest.fixture(scope="module")
def namespace() -> Iterator[str]:
    """A namespace at the restricted level with plain servers and one client of six channels."""
    kubectl("create", "namespace", NAMESPACE)
    try:
        kubectl("label", "namespace", NAMESPACE, "pod-security.kubernetes.io/enforce=restricted")
        apply(
            NAMESPACE,
            [
                scenes.service("greeter"),
                scenes.servers("greeter", "shell", 2),
                scenes.service("pinned", selector={"app": "greeter"}, sessionAffinity="ClientIP"),
                scenes.service("metrics", selector={"app": "greeter"}, ports=[{"port": 80, "targetPort": 9090}]),
            ],
        )
        rolled_out(NAMESPACE, ["deployment/greeter"])
        apply(NAMESPACE, [scenes.callers("pinned", "pinned:80", 1, rate=5, arguments=["-channels=6"])])
        rolled_out(NAMESPACE, ["deployment/pinned-caller"])
        yield NAMESPACE
    finally:
        kubectl("delete", "namespace", NAMESPACE, "--wait=false")


def fix(service: str, *flags: str) -> subprocess.CompletedProcess[str]:
    return grpclb("fix", service, "-n", NAMESPACE, "--yes", "--window", "2s", *flags)


def spec(service: str) -> object:
    return json.loads(kubectl("get", "service", service, "-n", NAMESPACE, "-o", "json"))["spec"]


def ours() -> list[str]:
    kinds = "services,configmaps,deployments,poddisruptionbudgets,leases"
    return kubectl("get", kinds, "-n", NAMESPACE, "-l", "grpclb/service", "-o", "name").split()


def test_a_port_that_speaks_tls_is_refused(namespace: str, tmp_path: pathlib.Path) -> None:
    if shutil.which("openssl") is None:
        pytest.skip("makes its certificate with openssl")
    apply(namespace, [scenes.service("secret"), *tls_server("secret", tmp_path)])
    rolled_out(namespace, ["deployment/secret"])

    done = fix("secret", "--strategy", "envoy", *IMAGE)

    assert done.returncode == 4
    assert "(tls)" in done.stderr
    assert ours() == []


def test_a_port_that_does_not_speak_grpc_is_refused(namespace: str) -> None:
    done = fix("metrics", "--strategy", "envoy", *IMAGE)

    assert done.returncode == 4
    assert "(tls)" in done.stderr
    assert ours() == []


def test_a_service_that_a_gitops_tool_writes_is_left_to_it(namespace: str) -> None:
    tracked = "argocd.argoproj.io/tracking-id=shop:/Service:shop/greeter"
    kubectl("annotate", "service", "greeter", "-n", namespace, tracked)
    try:
        done = fix("greeter", "--strategy", "envoy", *IMAGE)
        printed = grpclb("fix", "greeter", "-n", namespace, "--strategy", "envoy", "--dry-run", "--window", "0")
    finally:
        kubectl("annotate", "service", "greeter", "-n", namespace, "argocd.argoproj.io/tracking-id-")

    assert done.returncode == 4
    assert "Argo CD" in done.stderr
    assert ours() == []
    assert printed.returncode == 0, printed.stderr
    assert "kind: Deployment" in printed.stdout


def test_a_service_that_would_match_envoy_is_named(namespace: str) -> None:
    apply(namespace, [scenes.service("everything", selector={"app.kubernetes.io/component": "grpc-balancer"})])
    try:
        done = fix("greeter", "--strategy", "envoy", *IMAGE)
    finally:
        kubectl("delete", "service", "everything", "-n", namespace)

    assert done.returncode == 4
    assert "everything" in done.stderr
    assert ours() == []


def test_what_the_user_may_not_do_is_said_before_anything_is_done(namespace: str) -> None:
    kubectl("create", "serviceaccount", "reader", "-n", namespace)
    rules = ("--verb=get,list", "--resource=services,pods,configmaps,leases,deployments,poddisruptionbudgets")
    kubectl("create", "role", "reader", "-n", namespace, *rules)
    kubectl("create", "role", "looker", "-n", namespace, "--verb=list", "--resource=endpointslices.discovery.k8s.io")
    account = f"{namespace}:reader"
    kubectl("create", "rolebinding", "reader", "-n", namespace, "--role=reader", f"--serviceaccount={account}")
    kubectl("create", "rolebinding", "looker", "-n", namespace, "--role=looker", f"--serviceaccount={account}")

    done = fix("greeter", "--strategy", "envoy", *IMAGE, "--as", f"system:serviceaccount:{account}")

    assert done.returncode == 4
    assert 'resources: ["deployments"], verbs: ["create", "patch", "delete"]' in done.stderr
    assert ours() == []


def test_affinity_that_pins_clients_is_taken_off_and_put_back(namespace: str) -> None:
    before = spec("pinned")

    done = fix("pinned")
    between = spec("pinned")
    undone = grpclb("rollback", "pinned", "-n", namespace, "--yes")

    assert done.returncode == 0, done.stderr
    assert isinstance(between, dict)
    assert between["sessionAffinity"] == "None"
    assert undone.returncode == 0, undone.stderr
    assert spec("pinned") == before
    assert ours() == []


def test_a_headless_service_for_clients_is_made_and_removed(namespace: str) -> None:
    done = fix("greeter", "--strategy", "headless")
    made = ours()
    undone = grpclb("rollback", "greeter", "-n", namespace, "--yes")

    assert done.returncode == 0, done.stderr
    assert "service/greeter-grpclb-pods" in made
    assert undone.returncode == 0, undone.stderr
    assert ours() == []


def test_what_clients_have_to_change_is_said_and_nothing_is_done(namespace: str) -> None:
    done = fix("greeter", "--strategy", "client")

    assert "round_robin" in done.stderr
    assert "dns:///greeter-grpclb-pods.grpclb-e2e-ways.svc.cluster.local:50051" in done.stderr
    assert ours() == []


def tls_server(name: str, directory: pathlib.Path) -> list[scenes.Manifest]:
    """An Envoy that takes TLS and answers every request itself."""
    certificate, key = directory / "tls.crt", directory / "tls.key"
    curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    subprocess.run(
        ["openssl", "req", "-x509", *curve, "-subj", "/CN=secret", "-keyout", str(key), "-out", str(certificate)],
        check=True,
        capture_output=True,
    )
    types = "type.googleapis.com/envoy.extensions"
    manager = {
        "@type": f"{types}.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "tls",
        "route_config": {
            "virtual_hosts": [
                {
                    "name": "all",
                    "domains": ["*"],
                    "routes": [{"match": {"prefix": "/"}, "direct_response": {"status": 200}}],
                }
            ]
        },
        "http_filters": [{"name": "router", "typed_config": {"@type": f"{types}.filters.http.router.v3.Router"}}],
    }
    context = {
        "@type": f"{types}.transport_sockets.tls.v3.DownstreamTlsContext",
        "common_tls_context": {
            "alpn_protocols": ["h2"],
            "tls_certificates": [
                {
                    "certificate_chain": {"inline_string": certificate.read_text()},
                    "private_key": {"inline_string": key.read_text()},
                }
            ],
        },
    }
    listener = {
        "address": {"socket_address": {"address": "0.0.0.0", "port_value": 50051}},
        "filter_chains": [
            {
                "filters": [{"name": "manager", "typed_config": manager}],
                "transport_socket": {"name": "tls", "typed_config": context},
            }
        ],
    }
    config = {"static_resources": {"listeners": [listener]}}
    container = {
        "name": "server",
        "image": "grpclb.test/envoy:1.40.0",
        "args": ["--config-yaml", json.dumps(config), "--concurrency", "1"],
        "ports": [{"name": "grpc", "containerPort": 50051}],
        "readinessProbe": {"tcpSocket": {"port": 50051}, "periodSeconds": 1},
        "securityContext": {**scenes.RESTRICTED, "runAsUser": 65532},
    }
    return [scenes.deployment(name, 1, container)]
