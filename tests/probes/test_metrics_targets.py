"""Where a pod's own metrics are looked for."""

from typing import Any

import msgspec
import pytest

from kubectl_grpclb.model import facts, kube
from kubectl_grpclb.model.gap import Gap, GapReason
from kubectl_grpclb.model.snapshot import List, Objects, Reading, Refused
from kubectl_grpclb.probes.ask import Ask
from kubectl_grpclb.probes.endpoints import Backend
from kubectl_grpclb.probes.metrics import counted_by_metrics, request_scrape
from kubectl_grpclb.probes.monitors import request_monitors
from tests.probes.scrapes import ASK, a_pod, reading

SERVICE = facts.Service("ClusterIP", False, {"app": "greeter"}, None, None, False, "Cluster", None, None)


FORBIDDEN = Refused(GapReason.FORBIDDEN, 'User "ann" cannot get resource "pods/proxy"', 403)


def listed(resource: Any, kind: Any, *items: dict[str, Any]) -> Reading:
    request = List(resource=resource, namespace="shop")
    return reading(request, Objects(tuple(msgspec.convert(item, kind) for item in items)))


def target(server: Backend, *readings: Reading, ask: Ask = ASK) -> tuple[int, str, str] | None:
    scrape = request_scrape(readings, ask, server)
    return None if scrape is None else (scrape.port, scrape.path, scrape.scheme)


def monitor(name: str, endpoints: str, *ports: dict[str, Any], **spec: Any) -> dict[str, Any]:
    whole = {"selector": {"matchLabels": {"app": "greeter"}}, endpoints: list(ports), **spec}
    return {"metadata": {"name": name, "namespace": "shop"}, "spec": whole}


def test_metrics_are_where_the_user_says() -> None:
    server = a_pod(("stats", 9102), annotations={"prometheus.io/port": "8080"})

    assert target(server, ask=Ask("shop", "greeter", metrics_port=9100)) == (9100, "/metrics", "http")
    assert target(server, ask=Ask("shop", "greeter", metrics_port="stats")) == (9102, "/metrics", "http")
    assert target(server, ask=Ask("shop", "greeter", metrics_path="/q/m")) == (8080, "/q/m", "http")


def test_a_port_that_the_user_names_and_the_pod_lacks_is_a_gap() -> None:
    ask = Ask("shop", "greeter", metrics_port="stats")

    assert target(a_pod(("metrics", 9090)), ask=ask) is None
    assert counted_by_metrics([], ask, a_pod()) == Gap(
        GapReason.NOT_SERVED, "no container of the pod declares a port 'stats'"
    )


def test_annotations_come_before_monitors_and_ports() -> None:
    annotations = {"prometheus.io/port": "8443", "prometheus.io/path": "/m", "prometheus.io/scheme": "HTTPS"}
    monitors = listed("podmonitors", kube.Monitor, monitor("m", "podMetricsEndpoints", {"portNumber": 9}))

    assert target(a_pod(("metrics", 9090), annotations=annotations), monitors) == (8443, "/m", "https")


@pytest.mark.parametrize("port", ["", "0", "65536", "web", "-1", "9" * 30, "٣"])
def test_an_annotation_that_is_no_port_says_nothing(port: str) -> None:
    assert target(a_pod(("metrics", 9090), annotations={"prometheus.io/port": port})) == (9090, "/metrics", "http")


@pytest.mark.parametrize(
    ("port", "found"),
    [
        ({"port": "stats", "path": "/m"}, (9102, "/m", "http")),
        ({"portNumber": 9200, "scheme": "https"}, (9200, "/metrics", "https")),
        ({"targetPort": "stats"}, (9102, "/metrics", "http")),
        ({"targetPort": 9300}, (9300, "/metrics", "http")),
        ({"port": "elsewhere"}, (9090, "/metrics", "http")),
    ],
)
def test_a_pod_monitor_says_where_metrics_are(port: dict[str, Any], found: tuple[int, str, str]) -> None:
    monitors = listed("podmonitors", kube.Monitor, monitor("m", "podMetricsEndpoints", port))

    assert target(a_pod(("stats", 9102), ("metrics", 9090)), monitors) == found


@pytest.mark.parametrize(
    "spec",
    [
        {"selector": {"matchLabels": {"app": "other"}}},
        {"selector": {"matchExpressions": [{"key": "app", "operator": "NotIn", "values": ["greeter"]}]}},
        {"selector": {"matchExpressions": [{"key": "tier", "operator": "Exists"}]}},
        {"selector": {"matchExpressions": [{"key": "app", "operator": "Like", "values": ["g"]}]}},
        {"namespaceSelector": {"matchNames": ["billing"]}},
    ],
)
def test_a_monitor_of_other_pods_says_nothing(spec: dict[str, Any]) -> None:
    monitors = listed("podmonitors", kube.Monitor, monitor("m", "podMetricsEndpoints", {"portNumber": 9}, **spec))

    assert target(a_pod(("metrics", 9090)), monitors) == (9090, "/metrics", "http")


def test_a_service_monitor_says_it_by_the_services_port() -> None:
    service = {
        "metadata": {"name": "greeter-metrics", "namespace": "shop", "labels": {"monitored": "yes"}},
        "spec": {"selector": {"app": "greeter"}, "ports": [{"name": "web", "port": 80, "targetPort": "stats"}]},
    }
    selector = {"matchExpressions": [{"key": "monitored", "operator": "In", "values": ["yes"]}]}
    endpoint = {"port": "web", "path": "/m"}
    monitors = listed("servicemonitors", kube.Monitor, monitor("m", "endpoints", endpoint, selector=selector))

    server = a_pod(("stats", 9102))

    assert target(server, listed("services", kube.Service, service), monitors) == (9102, "/m", "http")
    assert target(server, monitors) is None


@pytest.mark.parametrize("name", ["metrics", "http-metrics", "prometheus", "prom", "http-monitoring", "telemetry"])
def test_a_ports_name_says_where_metrics_are(name: str) -> None:
    assert target(a_pod((name, 9464))) == (9464, "/metrics", "http")


def test_spring_boot_has_its_own_path() -> None:
    assert target(a_pod(("management", 8081))) == (8081, "/actuator/prometheus", "http")


def test_a_sidecar_is_asked_where_the_application_says_nothing() -> None:
    assert target(a_pod(sidecar="istio-proxy")) == (15020, "/stats/prometheus", "http")
    assert target(a_pod(sidecar="linkerd-proxy")) == (4191, "/metrics", "http")
    assert target(a_pod(("metrics", 9090), sidecar="linkerd-proxy")) == (9090, "/metrics", "http")


def test_a_pod_that_says_nothing_or_does_not_run_or_is_none_is_not_asked() -> None:
    endpoint = Backend("10.0.0.9", ("10.0.0.9",), 50051, True, True, False, None, None, None)

    assert target(a_pod()) is None
    assert target(a_pod(("metrics", 9090), containerStatuses=[])) is None
    assert target(endpoint) is None
    assert counted_by_metrics([], ASK, endpoint) is None


def test_metrics_that_the_user_did_not_choose_are_not_asked_for() -> None:
    ask = Ask("shop", "greeter", via=("exec",))

    assert target(a_pod(("metrics", 9090)), ask=ask) is None
    assert request_monitors(ask) == []


def test_metrics_that_were_asked_by_name_and_are_nowhere_are_a_gap() -> None:
    named = Ask("shop", "greeter", via=("metrics",))
    endpoint = Backend("10.0.0.9", ("10.0.0.9",), 50051, True, True, False, None, None, None)

    assert counted_by_metrics([], ASK, a_pod()) is None
    assert counted_by_metrics([], named, a_pod()) == Gap(
        GapReason.NOT_SERVED,
        "nothing says where its metrics are: no annotation, no monitor, and no port with a known name",
    )
    assert counted_by_metrics([], named, a_pod(containerStatuses=[])) == Gap(
        GapReason.UNREAD, "no container of the pod is running"
    )
    assert counted_by_metrics([], named, endpoint) == Gap(GapReason.NOT_A_POD, "the endpoint is no pod of this cluster")
    assert counted_by_metrics([], named, a_pod(("metrics", 9090))) == Gap(GapReason.UNREAD, "its metrics were not read")


def test_monitors_are_read_unless_the_user_says_where_metrics_are() -> None:
    assert [each.resource for each in request_monitors(ASK)] == ["podmonitors", "servicemonitors"]
    assert request_monitors(Ask("shop", "greeter", metrics_port=9090)) == []
