"""Objects from an API server: what is kept of them, and every way in which it may not give them."""

import asyncio
import re
import socket
from pathlib import Path

import msgspec
import pytest

from kubectl_grpclb.cluster._failures import Place, unauthorised
from kubectl_grpclb.cluster.kube import ConnectOptions, KubeCluster, connect
from kubectl_grpclb.model import kube
from kubectl_grpclb.model.errors import ClusterError, UsageError
from kubectl_grpclb.model.gap import GapReason
from kubectl_grpclb.model.snapshot import Get, List, Objects, Reading, Refused
from tests.cluster.api_server import Conversation, hangs, refuses, says, write_kubeconfig

POD = {
    "metadata": {"name": "greeter-7c9f8d5b6-x2x9k", "annotations": {"note": "hunter2"}, "managedFields": [{}]},
    "spec": {
        "nodeName": "node-a",
        "containers": [{"name": "greeter", "args": ["-key=hunter2"], "env": [{"name": "KEY", "value": "hunter2"}]}],
    },
    "status": {"phase": "Running", "podIP": "10.0.0.7"},
}
PODS = List("pods", "shop", label_selector="app=greeter,tier!=cache")


def a_page(*names: str, more: str = "") -> object:
    items = [{"metadata": {"name": name}} for name in names]
    return {"kind": "PodList", "apiVersion": "v1", "metadata": {"continue": more}, "items": items}


def names_of(answer: object) -> list[str]:
    assert isinstance(answer, Objects)
    return [item.metadata.name for item in answer.items]


def test_a_list_keeps_the_declared_fields_and_drops_everything_else(tmp_path: Path) -> None:
    talk = Conversation(tmp_path, says(200, {"kind": "PodList", "metadata": {}, "items": [POD]}))

    answer = talk.ask(PODS)

    assert isinstance(answer, Objects)
    assert isinstance(answer.items[0], kube.Pod)
    assert answer.items[0].status.pod_ip == "10.0.0.7"
    assert b"hunter2" not in msgspec.json.encode(answer)


def test_a_list_asks_for_its_namespace_and_its_selectors(tmp_path: Path) -> None:
    talk = Conversation(tmp_path, says(200, a_page()))

    talk.ask(PODS)

    assert talk.requests[0].path == "/api/v1/namespaces/shop/pods"
    assert talk.requests[0].query["labelSelector"] == "app=greeter,tier!=cache"
    assert "fieldSelector" not in talk.requests[0].query
    assert talk.requests[0].headers["Authorization"] == "Bearer t0ken"
    assert talk.requests[0].headers["User-Agent"].startswith("kubectl-grpclb/")


def test_a_list_without_a_namespace_asks_for_all_of_them(tmp_path: Path) -> None:
    talk = Conversation(tmp_path, says(200, a_page()))

    talk.ask(List("pods", field_selector="status.podIP=10.0.0.7"))

    assert talk.requests[0].path == "/api/v1/pods"
    assert talk.requests[0].query["fieldSelector"] == "status.podIP=10.0.0.7"


def test_slices_are_asked_of_their_own_group(tmp_path: Path) -> None:
    talk = Conversation(tmp_path, says(200, {"kind": "EndpointSliceList", "items": None}))

    assert talk.ask(List("endpointslices", "shop")) == Objects(items=())
    assert talk.requests[0].path == "/apis/discovery.k8s.io/v1/namespaces/shop/endpointslices"


def test_a_deployment_is_read_as_a_workload(tmp_path: Path) -> None:
    body = {"kind": "Deployment", "apiVersion": "apps/v1", "metadata": {"name": "greeter"}, "spec": {"replicas": 3}}
    talk = Conversation(tmp_path, says(200, body))

    answer = talk.ask(Get("deployments", "greeter", "shop"))

    assert answer == Objects((kube.Workload(kube.Metadata(name="greeter"), kube.WorkloadSpec(replicas=3)),))
    assert talk.requests[0].path == "/apis/apps/v1/namespaces/shop/deployments/greeter"


def test_a_node_has_no_namespace_even_where_one_is_given(tmp_path: Path) -> None:
    talk = Conversation(tmp_path, says(200, {"kind": "Node", "metadata": {"name": "node-a"}}))

    assert names_of(talk.ask(Get("nodes", "node-a", "shop"))) == ["node-a"]
    assert talk.requests[0].path == "/api/v1/nodes/node-a"


def test_a_name_that_would_lead_elsewhere_is_refused_before_it_is_asked_for(tmp_path: Path) -> None:
    talk = Conversation(tmp_path, says(200, {}))

    with pytest.raises(UsageError, match="not a valid object name"):
        talk.ask(Get("services", "..", "shop"))

    assert talk.requests == []


def test_a_long_list_is_read_page_by_page(tmp_path: Path) -> None:
    talk = Conversation(tmp_path, says(200, a_page("greeter-a", more="tok/1+=")), says(200, a_page("greeter-b")))

    assert names_of(talk.ask(PODS)) == ["greeter-a", "greeter-b"]
    assert [dict(request.query).get("continue") for request in talk.requests] == [None, "tok/1+="]
    assert talk.requests[1].query["limit"] == "500"


def test_a_list_that_expires_half_way_is_read_once_more_in_one_piece(tmp_path: Path) -> None:
    expired = refuses(410, "The provided continue parameter is too old")
    whole = says(200, a_page("greeter-a", "greeter-b"))
    talk = Conversation(tmp_path, says(200, a_page("greeter-a", more="old")), expired, whole)

    assert names_of(talk.ask(PODS)) == ["greeter-a", "greeter-b"]
    assert "limit" not in talk.requests[2].query


def test_a_list_that_keeps_expiring_is_a_refusal(tmp_path: Path) -> None:
    talk = Conversation(tmp_path, refuses(410, "too old"))

    assert talk.ask(PODS) == Refused(GapReason.DIED, "too old", 410)
    assert len(talk.requests) == 2


def test_a_request_that_is_forbidden_says_so_in_the_words_of_the_cluster(tmp_path: Path) -> None:
    message = 'pods is forbidden: User "dev" cannot list resource "pods" in API group "" in the namespace "shop"'
    talk = Conversation(tmp_path, refuses(403, message))

    assert talk.ask(PODS) == Refused(GapReason.FORBIDDEN, message, 403)


def test_an_object_that_is_not_there_is_a_refusal(tmp_path: Path) -> None:
    talk = Conversation(tmp_path, refuses(404, 'services "greeter" not found'))

    answer = talk.ask(Get("services", "greeter", "shop"))

    assert answer == Refused(GapReason.DIED, 'services "greeter" not found', 404)


def test_an_api_group_that_is_not_there_is_a_refusal(tmp_path: Path) -> None:
    talk = Conversation(tmp_path, says(404, "404 page not found\n"))

    assert talk.ask(List("endpointslices", "shop")) == Refused(GapReason.DIED, "404 page not found", 404)


def test_a_busy_server_is_asked_again(tmp_path: Path) -> None:
    busy = refuses(429, "too many requests", **{"Retry-After": "0"})
    talk = Conversation(tmp_path, busy, busy, says(200, a_page("greeter-a")))

    assert names_of(talk.ask(PODS)) == ["greeter-a"]
    assert len(talk.requests) == 3


def test_a_server_that_stays_busy_is_given_up(tmp_path: Path) -> None:
    talk = Conversation(tmp_path, refuses(429, "too many requests", **{"Retry-After": "0"}))

    assert talk.ask(PODS) == Refused(GapReason.TIMED_OUT, "too many requests", 429)
    assert len(talk.requests) == 4


def test_a_server_that_is_starting_is_asked_again(tmp_path: Path) -> None:
    starting = refuses(503, "apiserver not ready", **{"Retry-After": "0"})
    talk = Conversation(tmp_path, starting, says(200, a_page("greeter-a")))

    assert names_of(talk.ask(PODS)) == ["greeter-a"]


def test_a_gateway_that_fails_is_a_refusal(tmp_path: Path) -> None:
    talk = Conversation(tmp_path, says(502, "<html><h1>502 Bad Gateway</h1></html>"))

    assert talk.ask(PODS) == Refused(
        GapReason.DIED,
        "something between here and the API server refused it with a web page (HTTP 502): 502 Bad Gateway",
        502,
    )


def test_expired_credentials_end_everything_and_say_what_to_do(tmp_path: Path) -> None:
    talk = Conversation(tmp_path, refuses(401, "Unauthorized"))

    with pytest.raises(
        ClusterError,
        match=r"refused your credentials \(401 Unauthorized\).*`kubectl get ns --context shop-prod --kubeconfig",
    ):
        talk.ask(PODS)


def test_in_a_pod_no_context_is_named_and_nobody_told_to_log_in() -> None:
    place = Place("in-cluster", "https://10.96.0.1:443", is_service_account=True)

    assert str(unauthorised("Unauthorized", place)).startswith(
        "the cluster refused the service account's token (401 Unauthorized) at https://10.96.0.1:443 (this pod's "
        "service account): "
    )


def test_a_login_page_is_not_taken_for_a_cluster(tmp_path: Path) -> None:
    talk = Conversation(tmp_path, says(200, "<!doctype html>\n<title>Sign in\x1b[2J</title>"))

    with pytest.raises(ClusterError, match=r"not a Kubernetes API server: it sent: .*Sign in\\x1b") as caught:
        talk.ask(PODS)

    assert "\x1b" not in str(caught.value)


def test_json_of_something_else_is_not_taken_for_an_empty_list(tmp_path: Path) -> None:
    talk = Conversation(tmp_path, says(200, {"hello": "world"}))

    with pytest.raises(ClusterError, match="not a Kubernetes API server"):
        talk.ask(PODS)


def test_a_list_of_another_kind_is_not_taken_for_the_one_asked_for(tmp_path: Path) -> None:
    talk = Conversation(tmp_path, says(200, {"kind": "ServiceList", "metadata": {}, "items": []}))

    with pytest.raises(ClusterError, match="not a Kubernetes API server"):
        talk.ask(PODS)


def test_a_server_that_hangs_is_given_up_after_the_request_timeout(tmp_path: Path) -> None:
    talk = Conversation(tmp_path, hangs, request_timeout=0.2)

    with pytest.raises(ClusterError, match=r"no answer within 0.2 s.*--request-timeout"):
        talk.ask(PODS)


def test_a_cluster_that_is_not_running_is_named_with_its_address_and_context(tmp_path: Path) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{unused.getsockname()[1]}"

        with pytest.raises(ClusterError, match=rf"{address} \(context 'shop-prod'\): Connection refused"):
            asyncio.run(read_pods(write_kubeconfig(tmp_path, address)))


def test_a_name_that_does_not_resolve_is_said_to_be_one(tmp_path: Path) -> None:
    with pytest.raises(ClusterError, match="its name cannot be resolved"):
        asyncio.run(read_pods(write_kubeconfig(tmp_path, "http://cluster.invalid:6443")))


async def read_pods(kubeconfig: str) -> Reading:
    async with connect(ConnectOptions(kubeconfig=kubeconfig)) as cluster:
        return await cluster.read(PODS)


def test_every_request_is_made_as_whom_the_flags_say(tmp_path: Path) -> None:
    talk = Conversation(tmp_path, says(200, a_page()), as_user="jo", as_groups=("dev", "on-call"))

    talk.ask(PODS)

    assert talk.requests[0].headers["Impersonate-User"] == "jo"
    assert talk.requests[0].headers.getall("Impersonate-Group") == ["dev", "on-call"]


def test_the_cluster_goes_by_the_names_of_the_kubeconfig(tmp_path: Path) -> None:
    async def names(cluster: KubeCluster) -> tuple[str, str]:
        return cluster.context, cluster.namespace

    assert Conversation(tmp_path, hangs).run(names) == ("shop-prod", "shop")
    assert Conversation(tmp_path, hangs, namespace="billing").run(names) == ("shop-prod", "billing")


def test_a_reading_carries_its_request_its_time_and_how_long_it_took(tmp_path: Path) -> None:
    reading = Conversation(tmp_path, says(200, a_page())).run(lambda cluster: cluster.read(PODS))

    assert reading.request is PODS
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", reading.at)
    assert reading.took == round(reading.took, 3)
