"""APIs that a cluster may lack: nothing that they answer ends a diagnosis."""

from pathlib import Path

import pytest
from aiohttp import web

from kubectl_grpclb.cluster import _objects
from kubectl_grpclb.cluster.kube import KubeCluster
from kubectl_grpclb.model.errors import ClusterError
from kubectl_grpclb.model.gap import GapReason
from kubectl_grpclb.model.snapshot import Answer, List, Refused
from tests.cluster.api_server import Conversation, Handler, hangs, refuses, says
from tests.cluster.test_kube_reads import PODS, a_page, names_of

OPTIONAL = [
    List("podmetrics", "shop"),
    List("horizontalpodautoscalers", "shop"),
    List("servicemonitors"),
    List("podmonitors"),
]


def a_list(kind: str, *items: object) -> object:
    return {"kind": f"{kind}List", "metadata": {}, "items": items}


def then(talk: Conversation, request: List) -> Answer:
    """Carry out a request after another one was answered, so that the cluster is known to be there."""

    async def scenario(cluster: KubeCluster) -> Answer:
        await cluster.read(PODS)
        return (await cluster.read(request)).answer

    answer: Answer = talk.run(scenario)
    return answer


@pytest.mark.parametrize("request_", OPTIONAL)
@pytest.mark.parametrize(
    "odd",
    [
        says(200, {"hello": "world"}),
        says(200, a_list("Pod")),
        says(200, "[1"),
        says(200, "<title>Sign in</title>"),
        says(200, {"kind": "PodMetricsList", "metadata": {}, "items": [{"metadata": 5}]}),
    ],
)
def test_an_optional_api_that_answers_with_nonsense_is_a_refusal(tmp_path: Path, request_: List, odd: Handler) -> None:
    answer = then(Conversation(tmp_path, says(200, a_page()), odd), request_)

    assert isinstance(answer, Refused)
    assert answer.reason is GapReason.GARBLED
    assert answer.message


def test_the_words_of_a_garbled_optional_api_say_what_is_odd(tmp_path: Path) -> None:
    item = {"metadata": {"name": "greeter-a"}, "containers": [{"name": "greeter", "usage": {"cpu": 0}}]}
    answer = then(Conversation(tmp_path, says(200, a_page()), says(200, a_list("PodMetrics", item))), OPTIONAL[0])

    assert isinstance(answer, Refused)
    assert "metrics.k8s.io" in answer.message
    assert "usage.cpu" in answer.message


@pytest.mark.parametrize(
    ("request_", "kind", "item"),
    [
        (OPTIONAL[0], "PodMetrics", {"timestamp": None, "containers": [{"name": "greeter", "usage": None}]}),
        (OPTIONAL[0], "PodMetrics", {"containers": [{"name": "greeter", "usage": {"cpu": None}}]}),
        (OPTIONAL[1], "HorizontalPodAutoscaler", {"spec": None, "status": {"desiredReplicas": None}}),
        (OPTIONAL[1], "HorizontalPodAutoscaler", {"spec": {"scaleTargetRef": None, "maxReplicas": None}}),
        (OPTIONAL[2], "ServiceMonitor", {"spec": {"selector": None, "namespaceSelector": {"any": None}}}),
        (OPTIONAL[3], "PodMonitor", {"spec": {"selector": {"matchLabels": None}, "namespaceSelector": None}}),
    ],
)
def test_what_is_null_in_an_optional_api_is_not_there(tmp_path: Path, request_: List, kind: str, item: object) -> None:
    assert isinstance(item, dict)
    body = a_list(kind, {"metadata": {"name": "one", "labels": None}, **item})

    assert names_of(then(Conversation(tmp_path, says(200, a_page()), says(200, body)), request_)) == ["one"]


@pytest.mark.parametrize("request_", OPTIONAL)
def test_an_optional_api_that_hangs_is_given_up_early(
    tmp_path: Path, request_: List, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_objects, "OPTIONAL_SECONDS", 0.2)

    answer = then(Conversation(tmp_path, says(200, a_page()), hangs), request_)

    assert isinstance(answer, Refused)
    assert answer.reason is GapReason.TIMED_OUT
    assert "0.2 s" in answer.message


@pytest.mark.parametrize("request_", OPTIONAL)
def test_an_optional_api_that_never_stops_is_left_at_the_limit(tmp_path: Path, request_: List) -> None:
    async def endless(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while request.transport is not None and not request.transport.is_closing():
            await response.write(b" " * 2**20)
        return response

    answer = then(Conversation(tmp_path, says(200, a_page()), endless), request_)

    assert isinstance(answer, Refused)
    assert answer.reason is GapReason.TOO_LARGE
    assert answer.message.endswith(" answered with more than 16 MB")


def test_an_optional_api_slower_than_the_request_timeout_is_a_refusal(tmp_path: Path) -> None:
    answer = then(Conversation(tmp_path, says(200, a_page()), hangs, request_timeout=0.2), OPTIONAL[0])

    assert isinstance(answer, Refused)
    assert answer.reason is GapReason.TIMED_OUT


def test_an_optional_api_that_does_not_know_the_user_is_a_refusal(tmp_path: Path) -> None:
    answer = then(Conversation(tmp_path, says(200, a_page()), refuses(401, "Unauthorized")), OPTIONAL[0])

    assert isinstance(answer, Refused)
    assert "Unauthorized" in answer.message


def test_an_optional_api_whose_connection_breaks_is_a_refusal(tmp_path: Path) -> None:
    async def cuts(request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    answer = then(Conversation(tmp_path, says(200, a_page()), cuts), OPTIONAL[0])

    assert isinstance(answer, Refused)
    assert answer.reason is GapReason.DIED


def test_a_cluster_that_never_answered_ends_everything_also_where_an_optional_api_is_asked(tmp_path: Path) -> None:
    with pytest.raises(ClusterError, match="not a Kubernetes API server"):
        Conversation(tmp_path, says(200, "<title>Sign in</title>")).ask(OPTIONAL[0])
    with pytest.raises(ClusterError, match="refused your credentials"):
        Conversation(tmp_path, refuses(401, "Unauthorized")).ask(OPTIONAL[0])
