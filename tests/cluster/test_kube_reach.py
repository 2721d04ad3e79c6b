"""A connection that cannot be made: the end of everything, or one pod's gap where the cluster has answered before."""

import asyncio
import json
import sys
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from kubectl_grpclb.cluster.kube import ConnectOptions, KubeCluster, connect
from kubectl_grpclb.model.errors import ClusterError
from kubectl_grpclb.model.gap import GapReason
from kubectl_grpclb.model.snapshot import Answer, AskEnvoy, Exec, Get, List, Refused, Request
from tests.cluster.api_server import (
    ApiServer,
    Conversation,
    Handler,
    executes,
    hangs,
    refuses,
    says,
    serving,
    write_kubeconfig,
)

BETA = "client.authentication.k8s.io/v1beta1"
PODS = List("pods", "shop")
LOOK = Exec("shop", "greeter-7c9f8d5b6-x2x9k", "greeter", ("netstat", "-tn"), 5.0)
ENVOY = AskEnvoy("shop", "greeter-grpclb-envoy-6b7f9c8d4-e1e1e", "/clusters?format=json", 5.0)
A_LIST = says(200, {"kind": "PodList", "metadata": {}, "items": []})


def answer_after_the_end(directory: Path, *handlers: Handler, before: Sequence[Request], then: Request) -> Answer:
    """Ask an API server, end it, and ask once more."""

    async def main() -> Answer:
        async with AsyncExitStack() as running:
            url = await running.enter_async_context(serving(ApiServer(handlers)))
            async with connect(ConnectOptions(kubeconfig=write_kubeconfig(directory, url))) as cluster:
                await asyncio.gather(*(cluster.read(request) for request in before))
                await running.aclose()
                return (await cluster.read(then)).answer

    return asyncio.run(main())


@pytest.mark.parametrize(
    ("handler", "before"),
    [
        (A_LIST, PODS),
        (refuses(403, "pods is forbidden"), PODS),
        (executes(b"\x01Proto", status={"status": "Success"}), LOOK),
        (refuses(404, 'pods "greeter-7c9f8d5b6-x2x9k" not found'), LOOK),
    ],
)
def test_an_exec_whose_connection_is_refused_after_an_answer_is_a_gap_of_that_pod(
    tmp_path: Path, handler: Handler, before: Request
) -> None:
    message = "the connection for exec in pod greeter-7c9f8d5b6-x2x9k in namespace shop broke: Connection refused"

    answer = answer_after_the_end(tmp_path, handler, before=[before], then=LOOK)

    assert answer == Refused(GapReason.DIED, message)


def test_an_exec_whose_connection_is_refused_before_any_answer_ends_everything(tmp_path: Path) -> None:
    with pytest.raises(ClusterError, match=r"cannot reach the API server .*: Connection refused\. Is the cluster"):
        answer_after_the_end(tmp_path, A_LIST, before=[], then=LOOK)


@pytest.mark.parametrize("request_", [PODS, List("nodes"), Get("services", "shop", "greeter")])
def test_a_read_whose_connection_is_refused_before_any_answer_ends_everything(
    tmp_path: Path, request_: Request
) -> None:
    with pytest.raises(ClusterError, match=r"cannot reach the API server"):
        answer_after_the_end(tmp_path, A_LIST, before=[], then=request_)


@pytest.mark.parametrize("request_", [PODS, List("nodes"), Get("services", "shop", "greeter")])
def test_a_read_whose_connection_is_refused_after_an_answer_is_a_refusal_of_that_read(
    tmp_path: Path, request_: Request
) -> None:
    answer = answer_after_the_end(tmp_path, A_LIST, before=[PODS], then=request_)

    assert answer == Refused(GapReason.DIED, "the API server gave no answer: Connection refused")


def test_a_read_that_hangs_after_an_answer_is_a_refusal_of_that_read(tmp_path: Path) -> None:
    async def looking(cluster: KubeCluster) -> Answer:
        await cluster.read(PODS)
        return (await cluster.read(List("nodes"))).answer

    answer = Conversation(tmp_path, A_LIST, hangs, request_timeout=0.2).run(looking)

    assert isinstance(answer, Refused)
    assert answer.reason is GapReason.TIMED_OUT
    assert answer.message.startswith("the API server gave no answer: ")


def test_a_plugin_that_gives_nothing_any_more_ends_everything_also_after_an_answer(tmp_path: Path) -> None:
    credential = {"apiVersion": BETA, "kind": "ExecCredential", "status": {"token": "t0ken"}}
    body = (
        f"import pathlib; runs = pathlib.Path({str(tmp_path / 'runs')!r}); runs.open('a').write('.');"
        f"print({json.dumps(credential)!r});"
        "raise SystemExit(len(runs.read_text()) - 1)"
    )
    plugin = {"command": sys.executable, "args": ["-c", body], "apiVersion": BETA}
    talk = Conversation(tmp_path, A_LIST, refuses(401, "Unauthorized"), user={"exec": plugin})

    async def looking(cluster: KubeCluster) -> None:
        await cluster.read(PODS)
        await cluster.read(List("podmetrics", "shop"))

    with pytest.raises(ClusterError, match="gave no credentials: it exited with code 1"):
        talk.run(looking)


def test_a_port_forward_whose_connection_is_refused_after_an_answer_is_a_gap_of_that_pod(tmp_path: Path) -> None:
    answer = answer_after_the_end(tmp_path, A_LIST, before=[PODS], then=ENVOY)

    assert answer == Refused(GapReason.DIED, "the connection for the port-forward broke: Connection refused")
