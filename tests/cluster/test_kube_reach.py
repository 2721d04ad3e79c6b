"""A connection that cannot be made: the end of everything, or one pod's gap where the cluster has answered before."""

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from kubectl_grpclb.cluster.kube import ConnectOptions, connect
from kubectl_grpclb.model.errors import ClusterError
from kubectl_grpclb.model.gap import GapReason
from kubectl_grpclb.model.snapshot import Answer, AskEnvoy, Exec, List, Refused, Request
from tests.cluster.api_server import ApiServer, Handler, executes, refuses, says, serving, write_kubeconfig

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


def test_a_list_whose_connection_is_refused_ends_everything_whatever_was_before(tmp_path: Path) -> None:
    with pytest.raises(ClusterError, match=r"cannot reach the API server"):
        answer_after_the_end(tmp_path, A_LIST, before=[PODS], then=PODS)


def test_a_port_forward_whose_connection_is_refused_after_an_answer_is_a_gap_of_that_pod(tmp_path: Path) -> None:
    answer = answer_after_the_end(tmp_path, A_LIST, before=[PODS], then=ENVOY)

    assert answer == Refused(GapReason.DIED, "the connection for the port-forward broke: Connection refused")
